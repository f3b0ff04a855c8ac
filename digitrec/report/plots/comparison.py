"""The comparison of models as pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from digitrec.errors.text import duration, percent
from digitrec.lab.training.compare import Contestant, ranked
from digitrec.report.plots.style import COLOURS, INK, STYLE, end_at, logarithmic, mark

LEVELS = ("Low", "Medium", "High")
HATCHES = {"Low": "", "Medium": "//", "High": "xx"}
SHADES = dict(zip(LEVELS, (COLOURS[5], COLOURS[2], COLOURS[0]), strict=True))


@mpl.rc_context(STYLE)
def accuracy(contestants: Sequence[Contestant]) -> Figure:
    """Test accuracy of each model, with its interval."""
    figure, axes = _axes("Test accuracy, with 95 % intervals", "test digits read rightly", "")
    _bars(axes, ranked(contestants), lambda one: one.accuracy.share or 0.0)
    for place, one in enumerate(reversed(ranked(contestants))):
        low, high = one.accuracy.low or 0.0, one.accuracy.high or 0.0
        axes.plot([low, high], [place, place], color=INK, linewidth=2)
        _beside(axes, high, place, percent(one.accuracy.share, 2))
    lowest = min(one.accuracy.low or 0.0 for one in contestants)
    axes.set_xlim(max(0.0, 1 - 1.25 * (1 - lowest)), 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    return figure


@mpl.rc_context(STYLE)
def training(contestants: Sequence[Contestant]) -> Figure:
    """How long each model learned."""
    figure, axes = _axes("Training time", "seconds (logarithmic)", "")
    slowest_last = sorted(contestants, key=lambda one: one.training_s)
    _bars(axes, slowest_last, lambda one: one.training_s)
    for place, one in enumerate(reversed(slowest_last)):
        _beside(axes, one.training_s, place, duration(one.training_s))
    axes.margins(x=0.2)
    logarithmic(axes)
    return figure


@mpl.rc_context(STYLE)
def trade_off(contestants: Sequence[Contestant]) -> Figure:
    """Accuracy against the time for one digit."""
    x = "milliseconds for one digit (logarithmic)"
    return _points(contestants, "Accuracy and speed", x, lambda one: 1000 * one.prediction_s)


@mpl.rc_context(STYLE)
def learning(contestants: Sequence[Contestant]) -> Figure:
    """Accuracy against the time for learning."""
    x = "seconds of training (logarithmic)"
    return _points(contestants, "Accuracy and training time", x, lambda one: one.training_s)


def _points(
    contestants: Sequence[Contestant], title: str, x: str, seconds: Callable[[Contestant], float]
) -> Figure:
    """Accuracy against a time, a mark for each model."""
    figure, axes = _axes(title, x, "test accuracy")
    for place, one in enumerate(ranked(contestants)):
        axes.plot(
            seconds(one), one.accuracy.share or 0.0, mark(place), markersize=10,
            color=COLOURS[place % len(COLOURS)], label=one.title,
        )  # fmt: skip
    axes.margins(0.12)
    logarithmic(axes)
    end_at(1, axes, "y")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    figure.legend(loc="outside right center", title="model")
    return figure


@mpl.rc_context(STYLE)
def complexity(contestants: Sequence[Contestant]) -> Figure:
    """Mean accuracy of the models of each complexity."""
    figure, axes = _axes("Mean accuracy by complexity", "complexity", "mean test accuracy")
    shares = {
        level: [one.accuracy.share or 0.0 for one in contestants if one.complexity == level]
        for level in LEVELS
    }
    there = [level for level in LEVELS if shares[level]]
    means = [float(np.mean(shares[level])) for level in there]
    bars = axes.bar(
        [f"{level}\n(models: {len(shares[level])})" for level in there], means, zorder=2, width=0.6,
        color=[SHADES[level] for level in there], hatch=[HATCHES[level] for level in there],
        edgecolor="white",
    )  # fmt: skip
    on_white = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    axes.set_ylim(max(0.0, 1 - 1.6 * (1 - min(means))), 1)
    axes.bar_label(bars, [percent(mean, 2) for mean in means], label_type="center", bbox=on_white)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    return figure


PICTURES: dict[str, Callable[[Sequence[Contestant]], Figure]] = {
    "Test accuracy": accuracy,
    "Training time": training,
    "Accuracy against time": trade_off,
    "Accuracy against training time": learning,
    "Mean accuracy by complexity": complexity,
}
"""Titles and pictures, in the order of a page."""


def _axes(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.6, 4.2))
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _bars(axes: Axes, contestants: Sequence[Contestant], value: Callable[[Contestant], float]) -> None:
    """A bar for each, the first on top, hatched by complexity."""
    for place, one in enumerate(reversed(contestants)):
        axes.barh(
            place, value(one), color=SHADES[one.complexity], hatch=HATCHES[one.complexity], edgecolor="white",
            height=0.6, zorder=2,
        )  # fmt: skip
    axes.set(yticks=range(len(contestants)), yticklabels=[one.title for one in reversed(contestants)])
    there = [level for level in LEVELS if any(one.complexity == level for one in contestants)]
    marks = [
        Patch(facecolor=SHADES[level], hatch=HATCHES[level], edgecolor="white", label=level)
        for level in there
    ]
    axes.figure.legend(handles=marks, loc="outside right center", title="complexity")


def _beside(axes: Axes, x: float, y: float, words: str) -> None:
    axes.annotate(words, (x, y), (6, 0), va="center", fontsize=9, textcoords="offset points")
