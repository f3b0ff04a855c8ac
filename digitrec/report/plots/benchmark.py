"""The pictures of a benchmark. Engines differ by marker and line as well as by colour."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import ceil
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digitrec.comparison.benchmark.scorecard import Scorecard, pareto_front
from digitrec.report.plots import style

LINE_HEIGHT = 0.3
"""Height of an entry of a legend, in inches."""
LABEL_WIDTH = 26
"""Characters of an engine's name on one line."""


@mpl.rc_context(style.STYLE)
def trade_off(cards: Sequence[Scorecard]) -> Figure:
    """Accuracy against cost and against latency, with the engines that nothing beats in all three.

    Bars are 95% Wilson intervals; a filled marker is on the Pareto front. An engine with an unknown price
    or latency is missing from that half.
    """
    figure = Figure(figsize=(9.4, 4.0 + LINE_HEIGHT * ceil(len(cards) / 4)))
    left, right = figure.subplots(1, 2, sharey=True)
    best = pareto_front(cards)
    for place, card in enumerate(cards):
        median_ms = None if card.latency is None else 1000 * card.latency.p50
        _point(left, card, card.cost_per_1000, place, filled=card in best)
        _point(right, card, median_ms, place, filled=card in best)
    left.set(title="Accuracy and cost", xlabel="US dollars for 1,000 pictures", ylabel="accuracy (%)")
    dearest = max((card.cost_per_1000 or 0.0 for card in cards), default=0.0) or 1.0
    left.set_xlim(-0.05 * dearest, 1.1 * dearest)
    right.set(title="Accuracy and latency", xlabel="latency, median (ms)")
    style.logarithmic(right)
    for axes in (left, right):
        style.end_at(100, axes, "y")
    title = "filled: no other engine is at once more accurate, cheaper and faster"
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=4, title=title)
    return figure


def _point(axes: Axes, card: Scorecard, x: float | None, place: int, *, filled: bool) -> None:
    share, low, high = card.accuracy.share, card.accuracy.low, card.accuracy.high
    if x is None or share is None or low is None or high is None:
        return
    around = [[100 * (share - low)], [100 * (high - share)]]
    axes.errorbar(
        x, 100 * share, yerr=around, fmt=style.mark(place), color=style.colour(place), label=_label(card),
        markerfacecolor=style.colour(place) if filled else "none", markersize=8, capsize=3,
    )  # fmt: skip


@mpl.rc_context(style.STYLE)
def coverage(cards: Sequence[Scorecard]) -> Figure:
    """Accuracy of the answers, if only the share with the highest confidence is answered."""
    figure, axes = _axes("Trusting only the surest", "pictures answered (%)", cards)
    for place, card in enumerate(cards):
        points = [
            point for point in card.coverage if point[1] * card.accuracy.n >= style.FEWEST
        ] or card.coverage
        _line(axes, card, place, [(covered, right) for _, covered, right in points])
    axes.set_xlim(left=0)
    style.end_at(100, axes, "x", "y")
    _legend(axes)
    return figure


@mpl.rc_context(style.STYLE)
def reliability(cards: Sequence[Scorecard], *, calibrated: bool) -> Figure:
    """How often an answer of a given confidence is right; on the diagonal it is a chance."""
    title = "Calibrated chances" if calibrated else "Engines' own confidence"
    figure, axes = _axes(title, "confidence (%)", cards)
    axes.plot([0, 100], [0, 100], color=style.INK, alpha=0.5, linewidth=1)
    for place, card in enumerate(cards):
        found = card.calibrated if calibrated else card.reliability
        if found is not None:
            bins = [(bin.confidence, bin.right) for bin in found.bins if bin.answers >= style.FEWEST]
            _line(axes, card, place, bins, marker=style.mark(place))
    axes.set(xlim=(0, 100), ylim=(0, 100))
    style.end_at(100, axes)
    _legend(axes)
    return figure


@mpl.rc_context(style.STYLE)
def latency(cards: Sequence[Scorecard]) -> Figure:
    """Seconds for one picture: the median and the two slow percentiles."""
    timed = [(card, card.latency) for card in cards if card.latency is not None][::-1]
    size = (5.2, 1.6 + 1.6 * LINE_HEIGHT * max(len(timed), 3))
    figure, axes = style.plain_axes("Latency", "milliseconds for one picture", "", size)
    for place, (_, spent) in enumerate(timed):
        points = [1000 * seconds for seconds in (spent.p50, spent.p95, spent.p99)]
        axes.plot(points, [place] * 3, color=style.COLOURS[0], linewidth=2, alpha=0.6)
        for x, marker, name in zip(points, "o|X", ("median", "95 of 100", "99 of 100"), strict=True):
            look: dict[str, Any] = {"color": style.COLOURS[0], "markersize": 9, "markeredgewidth": 1.5}
            axes.plot(x, place, marker, label="" if place else name, **look)
    axes.set(yticks=range(len(timed)), yticklabels=[_label(card) for card, _ in timed])
    style.logarithmic(axes)
    axes.margins(y=0.2)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _axes(title: str, x: str, cards: Sequence[Scorecard]) -> tuple[Figure, Axes]:
    """Axes with room for a legend of all engines below."""
    return style.plain_axes(title, x, "of those right (%)", (5.2, 3.7 + LINE_HEIGHT * ceil(len(cards) / 2)))


def _label(card: Scorecard) -> str:
    """The engine's name in lines that fit beside or below a plot."""
    return textwrap.fill(card.name, LABEL_WIDTH)


def _line(
    axes: Axes, card: Scorecard, place: int, points: Sequence[tuple[float, float]], marker: str | None = None
) -> None:
    """A line through shares of 1, drawn in per cent."""
    if points:
        x, y = ([100 * share for share in shares] for shares in zip(*points, strict=True))
        axes.plot(x, y, label=_label(card), linewidth=1.8, marker=marker, **style.dashed(place))


def _legend(axes: Axes) -> None:
    """Below the axes, where it hides no line."""
    handles, names = axes.get_legend_handles_labels()
    if names:
        axes.figure.legend(handles, names, loc="outside lower center", ncols=2)
