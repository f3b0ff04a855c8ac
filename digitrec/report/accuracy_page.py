"""Write the accuracy table for the terminal and as docs/accuracy.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from digitrec.answer.prediction import SURE, Outcome, Prediction
from digitrec.comparison.benchmark.measure import RELIABLE, Result
from digitrec.comparison.benchmark.scorecard import is_right
from digitrec.errors.text import percent
from digitrec.lab.evaluation.accuracy import CORRUPTED, DIGITS, GROUPS, REFUSED, SEPARATE, STAGED, Measured
from digitrec.report.table import Table, markdown_section, measured_with

MEAN_GOAL = 0.95
"""Mean accuracy wanted over all corruptions, 0..1."""
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


HEADER = (
    "set", "pictures", "right", "95 % interval", "goal", "", "answered", "ECE", "sure errors",
    f"coverage at {percent(RELIABLE)}", "main errors",
)  # fmt: skip


def tables(measured: Sequence[Measured]) -> Iterator[Table]:
    """One table for each group that was measured."""
    for group in GROUPS:
        members = [one for one in measured if one.group == group]
        rows = [row(one) for one in members] + ([_mean(members)] if group == CORRUPTED and members else [])
        if rows:
            yield Table(HEADER, rows, range(1, 10), group[0].upper() + group[1:], NOTES[group])


def row(one: Measured) -> tuple[str, ...]:
    """One set: its accuracy beside its goal, and its most common errors."""
    found, right = one.found, one.found.accuracy
    return (
        found.data, f"{right.n:,}", percent(right.share, 2), right.interval(2), percent(one.goal, 2),
        _verdict(right.share, one.goal), percent(found.named.share, 2), *_confidence(one), _errors(found),
    )  # fmt: skip


def _verdict(share: float | None, goal: float | None) -> str:
    if share is None or goal is None:
        return ""
    return "met" if share >= goal else f"{100 * (goal - share):.2f} short"


def _confidence(one: Measured) -> tuple[str, str, str]:
    """How far its confidence can be trusted."""
    known = one.found.card.reliability
    if known is None or one.group == REFUSED:
        return "", "", ""
    return percent(known.ece, 2), percent(one.found.surely_wrong.share, 2), percent(one.found.reliable, 2)


def _mean(corruptions: Sequence[Measured]) -> tuple[str, ...]:
    mean = fmean(one.found.accuracy.share or 0.0 for one in corruptions)
    name = f"mean of {len(corruptions)}"
    return (name, "", percent(mean, 2), "", percent(MEAN_GOAL, 2), _verdict(mean, MEAN_GOAL), *[""] * 5)


def _errors(found: Result) -> str:
    """The most common errors in a few words: "1 as 7: 5, 9 refused (blank): 2"."""
    wrong = [pair for pair in found.pairs if not is_right(*pair)]
    counted = Counter(_error(outcome, label) for outcome, label in wrong)
    return ", ".join(f"{error}: {count}" for error, count in counted.most_common(COMMONEST))


def _error(outcome: Outcome, label: int | None) -> str:
    shown = "nothing" if label is None else str(label)
    if not isinstance(outcome, Prediction):
        return f"{shown} failed"
    if outcome.digit is None:
        return f"{shown} refused ({outcome.reason})"
    return f"as {outcome.digit}" if label is None else f"{shown} as {outcome.digit}"


def heading(measured: Sequence[Measured]) -> str:
    """How many goals are met, and by which model."""
    goals = [one.met for one in measured if one.met is not None]
    models = sorted({version for one in measured for version in one.found.card.model_versions})
    return f"{sum(goals)} of {len(goals)} goals met by {', '.join(models) or 'no model'}"


def markdown(measured: Sequence[Measured], pictures: Mapping[str, str], limit: int | None = None) -> str:
    """The page; `pictures` are titles and paths relative to it, `limit` is how much of each set was read."""
    partly = "" if limit is None else f" **Only {limit:,} pictures of each set were measured.**"
    parts = [
        "# Accuracy",
        f"Written by `digitrec evaluate`; do not edit. {heading(measured)}.{partly}",
        "Every set was read by `digitrec.predict_many` with default settings. Intervals are Wilson's. Sets "
        "that may not be redistributed are read from the folder in DIGITREC_DATA.",
        *map(markdown_section, tables(measured)),
        *(f"![{title}]({path})" for title, path in pictures.items()),
        measured_with(f"{sum(one.found.card.n for one in measured):,} pictures"),
    ]
    return "\n\n".join(parts) + "\n"
