"""The pictures of a benchmark. Engines differ by marker and line as well as by colour."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from digitrec.comparison.benchmark.scorecard import Scorecard, pareto_front
from digitrec.report.plots.style import COLOURS, FEWEST, INK, STYLE, end_at, line, logarithmic, mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE_HEIGHT = 0.3
"""For one entry of a legend, in inches."""
LABEL_WIDTH = 26
"""Characters of an engine's name on one line."""


@mpl.rc_context(STYLE)
def trade_off(cards: Sequence[Scorecard]) -> Figure:
    """Accuracy against cost and against latency, with the engines that nothing beats in all three.

    Bars are 95% Wilson intervals; a filled marker is on the Pareto front. An engine whose price or
    latency is not known is missing from that half.
    """
    figure = Figure(figsize=(9.4, 4.0 + LINE_HEIGHT * ceil(len(cards) / 4)))
    left, right = figure.subplots(1, 2, sharey=True)
    best = {card.engine for card in pareto_front(cards)}
    for place, card in enumerate(cards):
        _point(left, card, card.cost_per_1000, place, filled=card.engine in best)
        median_ms = None if card.latency is None else 1000 * card.latency.p50
        _point(right, card, median_ms, place, filled=card.engine in best)
    left.set(title="Accuracy and cost", xlabel="US dollars for 1,000 pictures", ylabel="accuracy (%)")
    dearest = max((card.cost_per_1000 or 0.0 for card in cards), default=0.0) or 1.0
    left.set_xlim(-0.05 * dearest, 1.1 * dearest)
    right.set(title="Accuracy and latency", xlabel="latency, median (ms)")
    logarithmic(right)
    for axes in (left, right):
        end_at(100, axes, "y")
    figure.legend(
        *right.get_legend_handles_labels(), loc="outside lower center", ncols=4,
        title="filled: no other engine is at once more accurate, cheaper and faster",
    )  # fmt: skip
    return figure


def _point(axes: Axes, card: Scorecard, x: float | None, place: int, *, filled: bool) -> None:
    share, low, high = card.accuracy.share, card.accuracy.low, card.accuracy.high
    if x is None or share is None or low is None or high is None:
        return
    colour = COLOURS[place % len(COLOURS)]
    around = [[100 * (share - low)], [100 * (high - share)]]
    axes.errorbar(
        x, 100 * share, yerr=around, fmt=mark(place), color=colour,
        markerfacecolor=colour if filled else "none", markersize=8, capsize=3, label=_label(card),
    )  # fmt: skip


@mpl.rc_context(STYLE)
def coverage(cards: Sequence[Scorecard]) -> Figure:
    """Accuracy of what is answered, when only the surest share of the pictures is."""
    height = 3.7 + LINE_HEIGHT * ceil(len(cards) / 2)
    figure, axes = _axes("Trusting only the surest", "pictures answered (%)", "of those right (%)", height)
    for place, card in enumerate(cards):
        if card.coverage:
            points = [
                point for point in card.coverage if point[1] * card.accuracy.n >= FEWEST
            ] or card.coverage
            _, covered, right = zip(*points, strict=True)
            _line(axes, [100 * it for it in covered], [100 * it for it in right], place, _label(card))
    axes.set_xlim(left=0)
    end_at(100, axes, "x", "y")
    _legend(axes)
    return figure


@mpl.rc_context(STYLE)
def reliability(cards: Sequence[Scorecard], *, calibrated: bool) -> Figure:
    """How often an answer of a given confidence is right; on the diagonal it is a chance."""
    title = "Calibrated chances" if calibrated else "Engines' own confidence"
    height = 3.7 + LINE_HEIGHT * ceil(len(cards) / 2)
    figure, axes = _axes(title, "confidence (%)", "of those right (%)", height)
    axes.plot([0, 100], [0, 100], color=INK, alpha=0.5, linewidth=1)
    for place, card in enumerate(cards):
        found = card.calibrated if calibrated else card.reliability
        if found is not None:
            bins = [bin for bin in found.bins if bin.answers >= FEWEST]
            x, y = [100 * bin.confidence for bin in bins], [100 * bin.right for bin in bins]
            _line(axes, x, y, place, _label(card), marker=True)
    axes.set(xlim=(0, 100), ylim=(0, 100))
    end_at(100, axes)
    _legend(axes)
    return figure


@mpl.rc_context(STYLE)
def latency(cards: Sequence[Scorecard]) -> Figure:
    """Seconds for one picture: the median, and how long the slow ones take."""
    timed = [(card, card.latency) for card in cards if card.latency is not None][::-1]
    height = 1.6 + 1.6 * LINE_HEIGHT * max(len(timed), 3)
    figure, axes = _axes("Latency", "milliseconds for one picture", "", height)
    for place, (_, spent) in enumerate(timed):
        points = [1000 * seconds for seconds in (spent.p50, spent.p95, spent.p99)]
        axes.plot(points, [place] * 3, color=COLOURS[0], linewidth=2, alpha=0.6)
        for x, marker, name in zip(points, "o|X", ("median", "95 of 100", "99 of 100"), strict=True):
            axes.plot(
                x, place, marker, color=COLOURS[0], markersize=9, markeredgewidth=1.5,
                label="" if place else name,
            )  # fmt: skip
    axes.set(yticks=range(len(timed)), yticklabels=[_label(card) for card, _ in timed])
    logarithmic(axes)
    axes.margins(y=0.2)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _axes(title: str, x: str, y: str, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.2, height))
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _label(card: Scorecard) -> str:
    """The engine's name in lines that fit beside or below a plot."""
    return textwrap.fill(card.name, LABEL_WIDTH)


def _line(
    axes: Axes, x: Sequence[float], y: Sequence[float], place: int, title: str, *, marker: bool = False
) -> None:
    axes.plot(
        x, y, linestyle=line(place), color=COLOURS[place % len(COLOURS)], label=title,
        linewidth=1.8, marker=mark(place) if marker else None,
    )  # fmt: skip


def _legend(axes: Axes) -> None:
    """Below the axes, where it hides no line."""
    handles, names = axes.get_legend_handles_labels()
    if names:
        axes.figure.legend(handles, names, loc="outside lower center", ncols=2)
