"""Report an engine's accuracy: a table of digits, the page accuracy.md, and plots."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import fmean

import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, classification_report

from digitrec.answer import SURE, Outcome, Prediction, short
from digitrec.comparison.benchmark.measure import RELIABLE, Result, is_right
from digitrec.comparison.benchmark.measures import BINS
from digitrec.errors import ImageError
from digitrec.errors.text import percent
from digitrec.image import DigitImage
from digitrec.lab.evaluation import accuracy
from digitrec.lab.evaluation.accuracy import Measured
from digitrec.lab.evaluation.numbers import Share
from digitrec.report import plots
from digitrec.report.plots import Figure
from digitrec.report.rows import Table, markdown_page, markdown_section

MEAN_GOAL = 0.95
"""Goal for the mean accuracy of all corruptions, 0..1."""
WHOLE_NUMBERS = "numbers"
"""The table of whole numbers, which follows `accuracy.GROUPS`."""
TITLES = {
    accuracy.DIGITS: "Digits",
    accuracy.STAGED: "Scenes",
    accuracy.CHANGED: "Changes that should change nothing",
    accuracy.CORRUPTED: "Corruptions of MNIST-C",
    accuracy.REFUSED: "No single digit: refused",
    WHOLE_NUMBERS: "Whole numbers",
}
"""The titles of the tables, in the order of the page."""
NOTES = {
    accuracy.DIGITS: "Right: correct digits; a refusal or a failure counts as wrong. Answered: pictures with "
    "a digit as answer. ECE: mean distance of confidence from accuracy, in ten bins. Sure errors: errors "
    f"among answers of {percent(SURE, 0)} and more. Coverage: the largest share, highest confidence first, "
    f'that is {percent(RELIABLE)} correct. Errors: "9->4: 6" means six 9s read as 4.',
    accuracy.CORRUPTED: "MNIST's test digits, corrupted by our own code as published "
    "(`digitrec/lab/handwriting/corruptions.py`). Goals: a mean of 95 %, none under 85 %.",
    accuracy.STAGED: "A digit with something else in the picture (`docs/scenes.md`): three in four are "
    "MNIST's test digits, the rest printed in a font that was not learned. The second generator was written "
    "independently. Range: lowest and highest accuracy of a seed.",
    accuracy.CHANGED: f"Up to {accuracy.SOME} pictures each of plain paper, photos-dev, canvas-dev and "
    "swiss-cells-dev, after a change that leaves the digit as it is (`digitrec/lab/handwriting/changes.py`).",
    accuracy.REFUSED: "Generated (`digitrec/lab/handwriting/nondigits.py`; the last four as in "
    "`docs/scenes.md`). Right: refused. Two digits count as separate from "
    f"{accuracy.SEPARATE} of a digit's width.",
    WHOLE_NUMBERS: "Pictures read by `digitrec.read_many`. Exact: all digits are right and nothing else is "
    f"read. Sure: a calibrated chance of {percent(SURE, 0)} and more. Words and drawings are generated.",
}
HEADER = (
    "set", "pictures", "right", "95 % interval", "range", "goal", "", "answered", "ECE", "sure errors",
    f"coverage at {percent(RELIABLE)}", "main error",
)  # fmt: skip
GRID = (3, 5)
"""Rows and columns of the grid of predictions."""
THUMBNAIL = 128
"""Longest side of a picture, in pixels."""
MISTAKES = 30
"""Maximum number of misread pictures that are shown."""


def classification(found: Result) -> Table:
    """Return precision, recall and F1 of each digit, as scikit-learn's classification report."""
    truth = [str(label) for _, label in found.pairs]
    said = [str(getattr(outcome, "digit", None)) for outcome in found.outcomes]
    shown = sorted({*truth} - {"None"})
    measured: dict[str, dict[str, float]] = classification_report(
        truth, said, labels=shown, output_dict=True, zero_division=0
    )
    rows = []
    for name in (*shown, "macro avg"):
        scores = [percent(measured[name][score], 2) for score in ("precision", "recall", "f1-score")]
        rows.append(("mean" if name == "macro avg" else name, *scores, f"{measured[name]['support']:.0f}"))
    note = "A digit that was refused counts as not found."
    header = ("digit", "precision", "recall", "F1", "pictures")
    return Table(header, rows, range(1, 5), "Classification report", note)


def tables(
    measured: Sequence[Measured], numbers: Sequence[Share], seeds: Sequence[int], limit: int | None = None
) -> Iterator[Table]:
    """Yield the tables of the measurements.

    Args:
        measured: sets of digits.
        numbers: shares of whole numbers.
        seeds: seeds of the generated pictures; the corruptions use only the first.
        limit: maximum number of pictures measured of each set; None: all.
    """
    partly = "" if limit is None else f" **Only {limit:,} pictures of each set were measured.**"
    drawn = dict.fromkeys(accuracy.GROUPS, f" Seeds: {', '.join(map(str, seeds))}.")
    drawn |= {accuracy.DIGITS: "", accuracy.CORRUPTED: f" Seed: {seeds[0]}."}
    for group in accuracy.GROUPS:
        members = [one for one in measured if one.group == group]
        rows = [_row(one) for one in members]
        if group == accuracy.CORRUPTED and members:
            rows.append(_mean(members))
        note = NOTES[group] + drawn[group] + partly
        if rows:
            yield Table(HEADER, rows, range(1, 11), TITLES[group], note)
    if numbers:
        yield _numbers_table(numbers, NOTES[WHOLE_NUMBERS] + partly)


def _numbers_table(found: Sequence[Share], note: str) -> Table:
    rows = [
        (
            one.name, f"{one.found.n:,}", percent(one.found.share, 2), _span(one.found.low, one.found.high),
            ("at most " if one.at_most else "") + percent(one.goal, 1) if one.goal is not None else "",
            "" if one.met is None else "met" if one.met else "missed",
        )
        for one in found
    ]  # fmt: skip
    header = ("what", "of", "share", "95 % interval", "goal", "")
    return Table(header, rows, range(1, 5), TITLES[WHOLE_NUMBERS], note)


def _row(one: Measured) -> tuple[str, ...]:
    """Return a set's accuracy, goal, calibration and common errors."""
    found, right, known = one.found, one.found.accuracy, one.found.card.reliability
    trust: tuple[float | None, ...] = (None, None, None)
    if known is not None and one.group != accuracy.REFUSED:
        trust = (known.ece, found.surely_wrong.share, found.reliable)
    seeds = one.of_seeds
    return (
        found.data, f"{right.n:,}", percent(right.share, 2), _span(right.low, right.high),
        _span(min(seeds), max(seeds)) if seeds else "", percent(one.goal, 2), _verdict(right.share, one.goal),
        percent(found.named.share, 2), *(percent(share, 2) for share in trust), _main_error(found),
    )  # fmt: skip


def _span(low: float | None, high: float | None) -> str:
    """Format a range of two shares, such as "97.10-99.66%"; "" for None."""
    return "" if low is None else f"{100 * low:.2f}-{percent(high, 2)}"


def _verdict(share: float | None, goal: float | None) -> str:
    if share is None or goal is None:
        return ""
    return "met" if share >= goal else f"{100 * (goal - share):.2f} short"


def _mean(corruptions: Sequence[Measured]) -> tuple[str, ...]:
    mean = fmean(one.found.accuracy.share or 0.0 for one in corruptions)
    name = f"mean of {len(corruptions)}"
    return (name, "", percent(mean, 2), "", "", percent(MEAN_GOAL, 2), _verdict(mean, MEAN_GOAL), *[""] * 5)


def _main_error(found: Result) -> str:
    """Return the most common error: "1->7: 5" or "9 refused (blank): 2"."""
    counted = Counter(_error(*pair) for pair in found.pairs if not is_right(*pair))
    return "".join(f"{error}: {count}" for error, count in counted.most_common(1))


def _error(outcome: Outcome, label: int | None) -> str:
    shown = "nothing" if label is None else str(label)
    if not isinstance(outcome, Prediction):
        return f"{shown} failed"
    if outcome.digit is None:
        return f"{shown} refused ({outcome.reason})"
    return f"as {outcome.digit}" if label is None else f"{shown}->{outcome.digit}"


def sections(found: Iterable[Table], before: str = "") -> list[str]:
    """Return the tables as sections of the page; keep an earlier page's tables that were not measured now."""
    known = {part.partition("\n")[0]: f"## {part.strip()}" for part in before.split("\n## ")[1:]}
    known |= {table.title: markdown_section(table) for table in found}
    return [known[title] for title in TITLES.values() if title in known]


def heading(parts: Sequence[str], measured: Sequence[Measured], before: str = "") -> str:
    """Return how many goals are met, and which networks read digits, here or in an earlier page's tables."""
    verdicts = re.findall(r"\| (met|missed|[\d.]+ short) (?=\|)", "\n".join(parts))
    models = {name for one in measured for name in one.found.card.model_versions}
    if any(part in before for part in parts):
        for earlier in re.findall(r"goals met by (.+)\.$", before, re.MULTILINE):
            models |= {*earlier.split(", ")}
    named = f" by {', '.join(sorted(models))}" if models else ""
    return f"{verdicts.count('met')} of {len(verdicts)} goals met{named}"


def _digits(parts: Iterable[str]) -> str:
    """Return all sections except that of whole numbers."""
    return "\n".join(part for part in parts if not part.startswith(f"## {TITLES[WHOLE_NUMBERS]}"))


def markdown(heading: str, parts: Sequence[str]) -> str:
    """Return the accuracy page with a heading and sections."""
    counts = re.findall(r"^\| [^|]+ \| ([\d,]+) \|", _digits(parts), re.MULTILINE)
    pictures = sum(int(count.replace(",", "")) for count in counts)
    about = (
        f"Written by `digitrec evaluate`; do not edit. {heading}.",
        "Every set was read by `digitrec.predict_many` with default settings. Intervals are Wilson's. Sets "
        "that may not be redistributed are read from the folder in DIGITREC_DATA.",
    )
    return markdown_page("Accuracy", [*about, *parts], {}, f"{pictures:,} pictures")


@plots.drawn
def confusion(found: Result) -> Figure:
    """Draw how often each digit was answered as each digit: a count in each field, darker for more."""
    counts = np.array(found.card.confusion)
    kinds = [at for at in range(11) if at < 10 or counts[at].any() or counts[:, at].any()]
    names = ["none" if at == 10 else str(at) for at in kinds]
    figure, axes = plots.plain_axes("", "", "", (7.4, 6.4))
    axes.grid(visible=False)
    display = ConfusionMatrixDisplay(counts[np.ix_(kinds, kinds)], display_labels=names)
    display.plot(ax=axes, cmap="Greys", values_format=",d", text_kw={"fontsize": 8})
    for text in display.text_.ravel():
        text.set_visible(text.get_text() != "0")
    model = ", ".join(found.card.model_versions) or found.card.engine
    axes.set(title=f"Confusion matrix: {model} on {found.data}", xlabel="predicted", ylabel="actual")
    return figure


@plots.drawn
def predictions(found: Result) -> Figure:
    """Draw a grid of random pictures with predicted and actual digits; wrong predictions are marked."""
    rows, columns = GRID
    count = min(rows * columns, len(found.samples))
    chosen = np.random.default_rng(0).choice(len(found.samples), count, replace=False)
    return _sheet(found, sorted(chosen.tolist()), f"Predictions: {found.data}", columns)


@plots.drawn
def mistakes(found: Result) -> Figure:
    """Draw the misread pictures, highest confidence first."""
    shown = found.misread[:MISTAKES]
    title = f"Misread digits: {found.data}, {len(shown)} of {len(found.misread)}, highest confidence first"
    return _sheet(found, shown, title, 6)


def _sheet(found: Result, places: Sequence[int], title: str, columns: int) -> Figure:
    rows = max(1, -(-len(places) // columns))
    figure = Figure(figsize=(1.75 * columns, 1.9 * rows + 0.5))
    figure.suptitle(title)
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, place in zip(cells, places, strict=False):
        try:
            pixels = np.asarray(DigitImage.open(found.samples[place].image).thumbnail(THUMBNAIL))
        except ImageError:  # the caption shows the failure
            pixels = np.full((1, 1), 255)
        plots.grey(axes, pixels, caption(found, place))
    for axes in cells[len(places) :]:
        plots.bare(axes)
    return figure


def caption(found: Result, place: int) -> str:
    """Return the predicted digit, its confidence and the actual digit in two lines."""
    outcome, label = found.pairs[place]
    sure = outcome.confidence if isinstance(outcome, Prediction) else None
    mark = "" if is_right(outcome, label) else "  ✗"
    said = short(outcome) if sure is None else f"{short(outcome)} ({percent(sure)})"
    return f"predicted {said}{mark}\nactual {'none' if label is None else label}"


def reliability(found: Result) -> Figure:
    """Draw the reliability diagram of the engine's confidence."""
    known = found.card.reliability
    lines = {} if known is None else {f"{BINS} equal bins, ECE {percent(known.ece, 2)}": known}
    return plots.reliability(lines, f"Reliability: {found.data}", (5.6, 4.6))


PICTURES: Sequence[Callable[[Result], Figure]] = (confusion, predictions, mistakes, reliability)
"""The plots of one set, saved in this order under their functions' names."""
