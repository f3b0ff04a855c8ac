"""Write the accuracy table for the terminal and as docs/accuracy.md."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from digitrec import __version__
from digitrec.answer.prediction import SURE, Prediction
from digitrec.comparison.benchmark.measure import RELIABLE, Result
from digitrec.errors.text import percent
from digitrec.lab.evaluation.accuracy import CORRUPTED, DIGITS, GROUPS, REFUSED, SEPARATE, STAGED, Measured
from digitrec.report.table import Table, markdown_table

COMMONEST = 3
"""Number of kinds of errors listed for each set."""
NOTES = {
    DIGITS: "Right: correct digits; a refusal or a failure counts as wrong. Answered: pictures with a digit "
    "as answer. ECE: mean distance of confidence from accuracy, in ten bins. Sure errors: errors among "
    f"answers of {percent(SURE, 0)} and more. Coverage: the largest share, highest confidence first, that "
    f'is {percent(RELIABLE)} correct. Errors: "9 as 4: 6" means six 9s read as 4.',
    CORRUPTED: "MNIST's test digits, corrupted by our own code as published "
    "(`digitrec/lab/handwriting/corruptions.py`). Goals: a mean of 95 %, none under 85 %.",
    STAGED: "A digit with something else in the picture, generated with a fixed seed (`docs/scenes.md`): "
    "three in four are MNIST's test digits, the rest printed in a font that was not learned.",
    REFUSED: "Pictures generated with a fixed seed (`digitrec/lab/handwriting/nondigits.py`, from "
    '"crossed out" on `docs/scenes.md`). Right: refused. Two digits count as separate from '
    f"{SEPARATE} of a digit's width.",
}


def tables(measured: Sequence[Measured]) -> Iterator[Table]:
    """One table for each group that was measured."""
    for group in GROUPS:
        rows = [row(one) for one in measured if one.group == group]
        if group == CORRUPTED and rows:
            rows.append(_mean([one for one in measured if one.group == group]))
        header = (
            "set",
            "pictures",
            "right",
            "95 % interval",
            "goal",
            "",
            "answered",
            "ECE",
            "sure errors",
            f"coverage at {percent(RELIABLE)}",
            "main errors",
        )
        if rows:
            yield Table(group[0].upper() + group[1:], NOTES[group], header, tuple(rows), range(1, 10))


def row(one: Measured) -> tuple[str, ...]:
    """One set: how much of it is right, beside its goal, and what goes wrong most often."""
    found, right = one.found, one.found.accuracy
    return (
        found.data, f"{right.n:,}", _percent(right.share), f"{_percent(right.low)} to {_percent(right.high)}",
        _percent(one.goal), "" if one.met is None else "met" if one.met else _missing(one),
        _percent(found.named.share), *_confidence(one), _errors(found),
    )  # fmt: skip


def _confidence(one: Measured) -> tuple[str, str, str]:
    """How far its confidence can be trusted."""
    known = one.found.card.reliability
    if known is None or one.group == REFUSED:
        return "", "", ""
    return _percent(known.ece), _percent(one.found.surely_wrong.share), _percent(one.found.reliable)


def _mean(corruptions: Sequence[Measured]) -> tuple[str, ...]:
    shares = [one.found.accuracy.share or 0.0 for one in corruptions]
    mean = sum(shares) / len(shares)
    verdict = "met" if mean >= 0.95 else f"{100 * (0.95 - mean):.2f} short"
    return (f"mean of {len(shares)}", "", _percent(mean), "", _percent(0.95), verdict, *[""] * 5)


def _missing(one: Measured) -> str:
    return f"{100 * ((one.goal or 0.0) - (one.found.accuracy.share or 0.0)):.2f} short"


def _percent(share: float | None) -> str:
    return percent(share, 2)


def _errors(found: Result) -> str:
    """The commonest errors in a few words: "1 as 7: 5, 9 refused (blank): 2"."""
    counted = Counter(
        _error(outcome, sample.label)
        for outcome, sample in zip(found.outcomes, found.samples, strict=True)
        if not (isinstance(outcome, Prediction) and outcome.digit == sample.label)
    )
    return ", ".join(f"{error}: {count}" for error, count in counted.most_common(COMMONEST))


def _error(outcome: object, label: int | None) -> str:
    shown = "nothing" if label is None else str(label)
    if not isinstance(outcome, Prediction):
        return f"{shown} failed"
    if outcome.digit is None:
        return f"{shown} refused ({outcome.reason})"
    return f"as {outcome.digit}" if label is None else f"{shown} as {outcome.digit}"


def heading(measured: Sequence[Measured]) -> str:
    """In one sentence: with which model, how many goals are met."""
    goals = [one.met for one in measured if one.met is not None]
    models = sorted({version for one in measured for version in one.found.card.model_versions})
    return f"{sum(goals)} of {len(goals)} goals met by {', '.join(models) or 'no model'}"


def markdown(measured: Sequence[Measured], pictures: Mapping[str, str], limit: int | None = None) -> str:
    """The page; `pictures` are titles and paths relative to it, `limit` is how much of each set was read."""
    parts = [
        "# Accuracy",
        f"Written by `digitrec evaluate`; do not edit. {heading(measured)}.{_limited(limit)}",
        "Every set was read by `digitrec.predict_many` with default settings. Intervals are Wilson's. Sets "
        "that may not be redistributed are read from the folder in DIGITREC_DATA.",
    ]
    for table in tables(measured):
        parts += [f"## {table.title}", table.note, markdown_table(table)]
    parts += [f"![{title}]({path})" for title, path in pictures.items()]
    parts += ["## How it was measured", "\n".join(f"- {line}" for line in provenance(measured))]
    return "\n\n".join(parts) + "\n"


def _limited(limit: int | None) -> str:
    """A warning that this is not the whole table."""
    return "" if limit is None else f" **Only {limit:,} pictures of each set were measured.**"


def provenance(measured: Sequence[Measured]) -> list[str]:
    """When, with what and where."""
    pictures = sum(one.found.card.n for one in measured)
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, digitrec {__version__}, {pictures:,} pictures",
        f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores",
    ]
