"""Figures as people write them, the same in every report."""

from __future__ import annotations

from digitrec.answer.prediction import Failure, Outcome, Prediction
from digitrec.errors.text import dollars, duration, percent

__all__ = ["dollars", "duration", "origin", "percent", "remarks"]


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
