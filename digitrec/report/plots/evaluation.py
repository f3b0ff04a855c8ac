"""How well an engine reads, as pictures: confusion, predictions, mistakes, and a curve for each digit."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from digitrec.answer.prediction import Prediction, short
from digitrec.comparison.benchmark.measure import Result
from digitrec.comparison.benchmark.measures import BINS
from digitrec.comparison.benchmark.scorecard import is_right
from digitrec.errors.text import percent
from digitrec.report.plots import style

GRID = (3, 5)
"""Rows and columns of the grid of predictions."""
MISTAKES = 30
"""Largest number of misread pictures shown."""


@mpl.rc_context(style.STYLE)
def confusion(found: Result) -> Figure:
    """How often each digit was answered as each: a count in each field, darker for more."""
    counts = np.array(found.card.confusion)
    rows = [at for at in range(11) if at < 10 or counts[at].any()]
    columns = [at for at in range(11) if at < 10 or counts[:, at].any()]
    shown = counts[np.ix_(rows, columns)]
    most = max(shown.max(), 2)
    title = f"Confusion on {found.data}"
    figure, axes = style.plain_axes(title, "answered", "shown on the picture", (7.4, 6.4))
    field = axes.imshow(np.ma.masked_equal(shown, 0), cmap="Greys", norm=LogNorm(1, most))
    for (row, column), count in np.ndenumerate(shown):
        if count:
            ink = "white" if np.log(count) > 0.6 * np.log(most) else style.INK
            axes.text(column, row, f"{count:,}", ha="center", va="center", fontsize=8, color=ink)
    for axis, kinds in ((axes.xaxis, columns), (axes.yaxis, rows)):
        axis.set_ticks(range(len(kinds)), ["none" if at == 10 else str(at) for at in kinds])
    axes.grid(visible=False)
    figure.colorbar(field, ax=axes, label="pictures (logarithmic)", shrink=0.8)
    return figure


@mpl.rc_context(style.STYLE)
def predictions(found: Result, seed: int = 0) -> Figure:
    """A grid of pictures drawn at random, predicted against actual; a wrong one is marked."""
    rows, columns = GRID
    count = min(rows * columns, len(found.samples))
    chosen = np.random.default_rng(seed).choice(len(found.samples), count, replace=False)
    return _sheet(found, sorted(chosen.tolist()), f"Predictions on {found.data}", columns)


@mpl.rc_context(style.STYLE)
def mistakes(found: Result) -> Figure:
    """The misread pictures, highest confidence first."""
    shown = found.misread[:MISTAKES]
    title = f"Misread on {found.data}: {len(shown)} of {len(found.misread)}, the surest first"
    return _sheet(found, shown, title, 6)


def _sheet(found: Result, places: Sequence[int], title: str, columns: int) -> Figure:
    rows = max(1, -(-len(places) // columns))
    figure = Figure(figsize=(1.75 * columns, 1.9 * rows + 0.5))
    figure.suptitle(title)
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, place in zip(cells, places, strict=False):
        style.grey(axes, found.pixels(place), caption(found, place))
    for axes in cells[len(places) :]:
        style.bare(axes)
    return figure


@mpl.rc_context(style.STYLE)
def curves(found: Result) -> Figure:
    """For each digit, precision against recall for a rising threshold of its probability."""
    title = f"Precision and recall of each digit on {found.data}"
    recall = "recall: share of the digit's pictures that are found"
    figure, axes = style.plain_axes(title, recall, "precision: share of the answers that are right", (8.2, 5))
    for curve in found.curves:
        label = f"{curve.digit}  (average precision {percent(curve.average, 2)})"
        axes.plot(curve.recall, curve.precision, linewidth=1.6, label=label, **style.dashed(curve.digit))
    # The axes begin three times as far from 1 as the curves are where both measures are equal.
    gaps = [1 - np.minimum(curve.precision, curve.recall).max() for curve in found.curves]
    low = max(0.0, float(1 - max(0.02, 3 * max(gaps, default=1.0))))
    axes.set(xlim=(low, 1), ylim=(low, 1))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        style.in_percent(axis, decimals=None if low < 0.9 else 1)
    figure.legend(loc="outside right center", title="digit")
    return figure


@mpl.rc_context(style.STYLE)
def coverage(measured: Sequence[Result]) -> Figure:
    """For each set: the accuracy if only the share with the highest confidence were answered."""
    title = "Trusting only the surest answers"
    figure, axes = style.plain_axes(title, "pictures answered", "of those right", (8.2, 4.8))
    for place, found in enumerate(measured):
        points = [point for point in found.card.coverage if point[1] * found.card.n >= style.FEWEST]
        x, y = [covered for _, covered, _ in points], [right for _, _, right in points]
        axes.plot(x, y, label=found.data, **style.dashed(place))
    axes.set_xlim(0, 1)
    style.end_at(1, axes, "y")
    style.in_percent(axes.xaxis)
    style.in_percent(axes.yaxis, decimals=1)
    figure.legend(loc="outside right center", title="set")
    return figure


@mpl.rc_context(style.STYLE)
def reliability(found: Result) -> Figure:
    """Whether confidences are chances: the share right of the answers of each confidence."""
    title = f"Confidence on {found.data}"
    figure, axes = style.plain_axes(title, "confidence", "of those right", (5.6, 4.6))
    axes.plot([0, 1], [0, 1], color=style.INK, alpha=0.5, linewidth=1, label="a chance")
    if known := found.card.reliability:
        x, y = [it.confidence for it in known.bins], [it.right for it in known.bins]
        label = f"{BINS} equally wide bins, ECE {percent(known.ece, 2)}"
        axes.plot(x, y, "o-", color=style.COLOURS[0], label=label)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    style.end_at(1, axes)
    style.in_percent(axes.xaxis, axes.yaxis)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def caption(found: Result, place: int) -> str:
    """In a few words: the predicted digit, its confidence, and the actual digit."""
    outcome, label = found.pairs[place]
    sure = outcome.confidence if isinstance(outcome, Prediction) else None
    mark = "" if is_right(outcome, label) else "  ✗"
    said = short(outcome) if sure is None else f"{short(outcome)} ({percent(sure)})"
    return f"predicted {said}{mark}\nactual {'none' if label is None else label}"
