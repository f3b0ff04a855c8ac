"""The comparison of models as pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from digitrec.errors.text import duration, percent
from digitrec.lab.training.compare import Contestant, ranked
from digitrec.report.plots import style

LOOKS: dict[str, dict[str, Any]] = {
    "Low": {"facecolor": style.COLOURS[5], "hatch": ""},
    "Medium": {"facecolor": style.COLOURS[2], "hatch": "//"},
    "High": {"facecolor": style.COLOURS[0], "hatch": "xx"},
}
"""Colour and hatching of each complexity."""


@mpl.rc_context(style.STYLE)
def accuracy(contestants: Sequence[Contestant]) -> Figure:
    """Test accuracy of each model, with its interval."""
    best_last = ranked(contestants)[::-1]
    figure, axes = style.plain_axes("Test accuracy, with 95 % intervals", "test digits read rightly", "")
    _bars(axes, best_last, [one.accuracy.share or 0.0 for one in best_last])
    for place, one in enumerate(best_last):
        low, high = one.accuracy.low or 0.0, one.accuracy.high or 0.0
        axes.plot([low, high], [place, place], color=style.INK, linewidth=2)
        _beside(axes, high, place, percent(one.accuracy.share, 2))
    lowest = min(one.accuracy.low or 0.0 for one in contestants)
    axes.set_xlim(max(0.0, 1 - 1.25 * (1 - lowest)), 1)
    style.in_percent(axes.xaxis, decimals=1)
    return figure


@mpl.rc_context(style.STYLE)
def training(contestants: Sequence[Contestant]) -> Figure:
    """Training time of each model."""
    slowest_first = sorted(contestants, key=lambda one: -one.training_s)
    figure, axes = style.plain_axes("Training time", "seconds (logarithmic)", "")
    _bars(axes, slowest_first, [one.training_s for one in slowest_first])
    for place, one in enumerate(slowest_first):
        _beside(axes, one.training_s, place, duration(one.training_s))
    axes.margins(x=0.2)
    style.logarithmic(axes)
    return figure


@mpl.rc_context(style.STYLE)
def trade_off(contestants: Sequence[Contestant]) -> Figure:
    """Accuracy against the time for one digit."""
    x = "milliseconds for one digit (logarithmic)"
    return _points(contestants, "Accuracy and speed", x, lambda one: 1000 * one.prediction_s)


@mpl.rc_context(style.STYLE)
def learning(contestants: Sequence[Contestant]) -> Figure:
    """Accuracy against the training time."""
    x = "seconds of training (logarithmic)"
    return _points(contestants, "Accuracy and training time", x, lambda one: one.training_s)


def _points(
    contestants: Sequence[Contestant], title: str, x: str, seconds: Callable[[Contestant], float]
) -> Figure:
    """Accuracy against a time, a mark for each model."""
    figure, axes = style.plain_axes(title, x, "test accuracy")
    for place, one in enumerate(ranked(contestants)):
        share = one.accuracy.share or 0.0
        axes.plot(
            seconds(one), share, style.mark(place), markersize=10, color=style.colour(place), label=one.title
        )
    axes.margins(0.12)
    style.logarithmic(axes)
    style.end_at(1, axes, "y")
    style.in_percent(axes.yaxis, decimals=1)
    figure.legend(loc="outside right center", title="model")
    return figure


@mpl.rc_context(style.STYLE)
def complexity(contestants: Sequence[Contestant]) -> Figure:
    """Mean accuracy of the models of each complexity."""
    figure, axes = style.plain_axes("Mean accuracy by complexity", "complexity", "mean test accuracy")
    means = []
    for level in _levels(contestants):
        shares = [one.accuracy.share or 0.0 for one in contestants if one.complexity == level]
        means.append(fmean(shares))
        name = f"{level}\n(models: {len(shares)})"
        bars = axes.bar(name, means[-1], zorder=2, width=0.6, edgecolor="white", **LOOKS[level])
        on_white = {"facecolor": "white", "edgecolor": "none", "pad": 2}
        axes.bar_label(bars, [percent(means[-1], 2)], label_type="center", bbox=on_white)
    axes.set_ylim(max(0.0, 1 - 1.6 * (1 - min(means))), 1)
    style.in_percent(axes.yaxis, decimals=1)
    return figure


PICTURES: dict[str, Callable[[Sequence[Contestant]], Figure]] = {
    "Test accuracy": accuracy,
    "Training time": training,
    "Accuracy against time": trade_off,
    "Accuracy against training time": learning,
    "Mean accuracy by complexity": complexity,
}
"""Titles and pictures, in the order of a page."""


def _levels(contestants: Sequence[Contestant]) -> list[str]:
    return [level for level in LOOKS if any(one.complexity == level for one in contestants)]


def _bars(axes: Axes, contestants: Sequence[Contestant], lengths: Sequence[float]) -> None:
    """A bar for each, the last one on top, hatched by complexity."""
    for place, (one, length) in enumerate(zip(contestants, lengths, strict=True)):
        axes.barh(place, length, height=0.6, zorder=2, edgecolor="white", **LOOKS[one.complexity])
    axes.set(yticks=range(len(contestants)), yticklabels=[one.title for one in contestants])
    marks = [Patch(edgecolor="white", label=level, **LOOKS[level]) for level in _levels(contestants)]
    axes.figure.legend(handles=marks, loc="outside right center", title="complexity")


def _beside(axes: Axes, x: float, y: float, words: str) -> None:
    axes.annotate(words, (x, y), (6, 0), va="center", fontsize=9, textcoords="offset points")
