"""How well an engine reads, as pictures: confusion, predictions, mistakes, and a curve for each digit."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from digitrec.answer.prediction import Prediction, short
from digitrec.comparison.benchmark.measure import Curve, Result
from digitrec.comparison.benchmark.measures import BINS
from digitrec.comparison.benchmark.scorecard import is_right
from digitrec.errors.text import percent
from digitrec.report.plots.style import COLOURS, FEWEST, INK, STYLE, end_at, line, sheet

GRID = (3, 5)
"""Rows and columns of the grid of predictions."""
MISTAKES = 30
"""Misread pictures are shown at most so many."""
NAMES = [*map(str, range(10)), "none"]


@mpl.rc_context(STYLE)
def confusion(found: Result) -> Figure:
    """What was taken for what: a count in each field, darker for more."""
    counts = np.array(found.card.confusion)
    rows = [at for at in range(11) if at < 10 or counts[at].any()]
    columns = [at for at in range(11) if at < 10 or counts[:, at].any()]
    shown = counts[np.ix_(rows, columns)]
    figure = Figure(figsize=(7.4, 6.4))
    axes = figure.add_subplot()
    field = axes.imshow(np.ma.masked_equal(shown, 0), cmap="Greys", norm=LogNorm(1, max(shown.max(), 2)))
    for (row, column), count in np.ndenumerate(shown):
        if count:
            dark = np.log(count) > 0.6 * np.log(max(shown.max(), 2))
            axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=8,
                      color="white" if dark else INK)  # fmt: skip
    axes.set(
        title=f"Confusion on {found.data}", xlabel="answered", ylabel="shown on the picture",
        xticks=range(len(columns)), xticklabels=[NAMES[at] for at in columns],
        yticks=range(len(rows)), yticklabels=[NAMES[at] for at in rows],
    )  # fmt: skip
    axes.grid(visible=False)
    figure.colorbar(field, ax=axes, label="pictures (logarithmic)", shrink=0.8)
    return figure


@mpl.rc_context(STYLE)
def predictions(found: Result, seed: int = 0) -> Figure:
    """A grid of pictures drawn at random, predicted against actual; a wrong one is marked."""
    rows, columns = GRID
    count = min(rows * columns, len(found.samples))
    chosen = np.random.default_rng(seed).choice(len(found.samples), count, replace=False)
    return _sheet(found, sorted(int(at) for at in chosen), f"Predictions on {found.data}", columns)


@mpl.rc_context(STYLE)
def mistakes(found: Result) -> Figure:
    """The misread pictures, those that the engine was surest of first."""
    shown = found.misread[:MISTAKES]
    title = f"Misread on {found.data}: {len(shown)} of {len(found.misread)}, the surest first"
    return _sheet(found, shown, title, 6)


def _sheet(found: Result, places: Sequence[int], title: str, columns: int) -> Figure:
    rows = max(1, -(-len(places) // columns))
    figure = Figure(figsize=(1.75 * columns, 1.9 * rows + 0.5))
    figure.suptitle(title)
    sheet(figure, [found.pixels(at) for at in places], [caption(found, at) for at in places], columns)
    return figure


@mpl.rc_context(STYLE)
def curves(found: Result) -> Figure:
    """For each digit, precision against recall as its probability has to be higher and higher."""
    figure = Figure(figsize=(8.2, 5))
    axes = figure.add_subplot()
    for curve in found.curves:
        place = curve.digit
        axes.plot(
            curve.recall, curve.precision, linestyle=line(place),
            color=COLOURS[place % len(COLOURS)], linewidth=1.6,
            label=f"{curve.digit}  (average precision {percent(curve.average, 2)})",
        )  # fmt: skip
    low = max(0.0, _floor(found.curves))
    axes.set(
        title=f"Precision and recall of each digit on {found.data}", xlim=(low, 1), ylim=(low, 1),
        xlabel="recall: share of the digit's pictures that are found",
        ylabel="precision: share of the answers that are right",
    )  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(PercentFormatter(1.0, decimals=None if low < 0.9 else 1))
    figure.legend(loc="outside right center", title="digit")
    return figure


def _floor(curves: Sequence[Curve]) -> float:
    """Where the axes begin: three times as far from 1 as the curves are where both measures are equal."""
    gaps = [1 - np.minimum(curve.precision, curve.recall).max() for curve in curves]
    return float(1 - max(0.02, 3 * max(gaps, default=1.0)))


@mpl.rc_context(STYLE)
def coverage(measured: Sequence[Result]) -> Figure:
    """For each set: what would be right if only the surest share of the pictures were answered."""
    figure = Figure(figsize=(8.2, 4.8))
    axes = figure.add_subplot()
    for place, found in enumerate(measured):
        points = [point for point in found.card.coverage if point[1] * found.card.n >= FEWEST]
        axes.plot(
            [covered for _, covered, _ in points], [right for _, _, right in points],
            linestyle=line(place), color=COLOURS[place % len(COLOURS)], label=found.data,
        )  # fmt: skip
    axes.set(
        title="Trusting only the surest answers", xlabel="pictures answered", ylabel="of those right",
        xlim=(0, 1),
    )  # fmt: skip
    end_at(1, axes, "y")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    figure.legend(loc="outside right center", title="set")
    return figure


@mpl.rc_context(STYLE)
def reliability(found: Result) -> Figure:
    """Whether confidences are chances: the share right of the answers of each confidence."""
    figure = Figure(figsize=(5.6, 4.6))
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=INK, alpha=0.5, linewidth=1, label="a chance")
    known = found.card.reliability
    if known is not None:
        bins = known.bins
        axes.plot([it.confidence for it in bins], [it.right for it in bins], "o-", color=COLOURS[0],
                  label=f"{BINS} equally wide bins, ECE {percent(known.ece, 2)}")  # fmt: skip
    axes.set(
        title=f"Confidence on {found.data}", xlabel="confidence", ylabel="of those right",
        xlim=(0, 1), ylim=(0, 1),
    )  # fmt: skip
    end_at(1, axes)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def caption(found: Result, place: int) -> str:
    """In a few words: what was predicted, how surely, and what is there."""
    outcome, label = found.outcomes[place], found.samples[place].label
    sure = outcome.confidence if isinstance(outcome, Prediction) else None
    mark = "" if is_right(outcome, label) else "  ✗"
    said = f"{short(outcome)} ({percent(sure)})" if sure is not None else short(outcome)
    return f"predicted {said}{mark}\nactual {'none' if label is None else label}"
