"""Figures as people write them, the same in every report."""

from __future__ import annotations

from digitrec.prediction import Failure, Outcome, Prediction
from digitrec.text import percent, plain

__all__ = ["dollars", "duration", "origin", "percent", "remarks"]


def duration(seconds: float) -> str:
    """Milliseconds below a second, seconds above."""
    return f"{seconds:.1f} s" if seconds >= 0.9995 else f"{1000 * seconds:.3g} ms"


def dollars(usd: float | None) -> str:
    """An amount of money: "free", "$0.0015", "$12.30"; "price unknown" for None."""
    if usd is None:
        return "price unknown"
    if usd == 0:
        return "free"
    return f"${usd:.2f}" if usd >= 1 else f"${plain(usd, 4)}"


def remarks(outcome: Outcome) -> list[str]:
    """What else there is to say: why there is no digit, and where the answer comes from."""
    if isinstance(outcome, Failure):
        return [f"{type(outcome.error).__name__}: {outcome.error}"]
    read = outcome.text if outcome.text is not None and outcome.text != str(outcome.digit) else None
    return [
        *([outcome.reason] if outcome.reason else []),
        *([f"read {read!r}"] if read else []),
        *(["inferred"] if outcome.inferred else []),
        *origin(outcome),
    ]


def origin(prediction: Prediction) -> list[str]:
    """Whether it was not asked for just now, or not of the vendor."""
    return [
        word
        for word, holds in (("emulated", prediction.emulated), ("replayed", prediction.replayed))
        if holds
    ]
