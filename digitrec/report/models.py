"""Plot the training of a model, and write the comparison of models: a table, plots and models.md."""

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any, get_args

import numpy as np

from digitrec.errors.text import duration, percent
from digitrec.lab.training.compare import TIMED, Contestant, equals, ranked, winner
from digitrec.lab.training.run import Epoch
from digitrec.lab.training.zoo import Complexity
from digitrec.report import plots
from digitrec.report.plots import Axes, Figure
from digitrec.report.rows import Table, markdown_page, markdown_table


def table(contestants: Sequence[Contestant], digits: int) -> Table:
    """Return the comparison as a table, the most accurate first."""
    rows = [
        (
            one.kind.title, percent(one.accuracy.share, 2), one.accuracy.interval(2),
            duration(one.training_s), duration(one.prediction_s), f"{one.size_bytes / 1000:,.0f} kB",
            one.kind.complexity, one.file.name,
        )
        for one in ranked(contestants)
    ]  # fmt: skip
    note = (
        f"All models learned from the same {digits:,} digits; networks hold back a tenth. The accuracy, with "
        "Wilson's interval, is that of the saved file. The time for one digit is measured in a batch of "
        f"{TIMED}."
    )
    head = ("model", "test accuracy", "95 % interval", "training", "one digit", "size", "complexity", "file")
    return Table(head, rows, range(1, 6), "Models compared", note)


def verdict(contestants: Sequence[Contestant]) -> str:
    """Return the winner and the rule by which it wins."""
    as_good = equals(contestants)
    won = winner(contestants)
    if len(contestants) == 1:
        return f"The winner: {won.kind.title}, the only one compared."
    if len(as_good) == 1:
        return f"The winner: {won.kind.title}, significantly more accurate than every other."
    names = ", ".join(one.kind.title for one in as_good)
    return (
        f"The winner: {won.kind.title}. {names} do not differ significantly in accuracy (McNemar's exact "
        "test); of these it is the fastest on one digit."
    )


def markdown(contestants: Sequence[Contestant], digits: int, pictures: Mapping[str, str]) -> str:
    """Return the page in Markdown; `pictures` maps titles to paths relative to it."""
    found = table(contestants, digits)
    made = "Written by `digitrec models compare`; do not edit."
    tested = f"{contestants[0].accuracy.n:,} test digits of MNIST"
    speed = "Networks predict on one core, scikit-learn on all."
    parts = [made, f"{found.note} {speed}", markdown_table(found), verdict(contestants)]
    return markdown_page(found.title, parts, pictures, tested)


@plots.drawn
def accuracy(contestants: Sequence[Contestant]) -> Figure:
    """Draw each model's test accuracy with its interval."""
    best_last = ranked(contestants)[::-1]
    figure, axes = plots.plain_axes("Test accuracy, with 95 % intervals", "correct test digits", "")
    shares = [one.accuracy.share or 0.0 for one in best_last]
    lows, highs = ([getattr(one.accuracy, end) or 0.0 for one in best_last] for end in ("low", "high"))
    around = np.abs(np.array([lows, highs]) - shares)
    _bars(axes, best_last, shares, [percent(share, 2) for share in shares], xerr=around, ecolor=plots.INK)
    axes.set_xlim(max(0.0, 1 - 1.25 * (1 - min(lows))), 1)
    plots.in_percent(axes.xaxis, decimals=1)
    return figure


@plots.drawn
def training(contestants: Sequence[Contestant]) -> Figure:
    """Draw each model's training time."""
    slowest_first = sorted(contestants, key=lambda one: -one.training_s)
    figure, axes = plots.plain_axes("Training time", "seconds (logarithmic)", "")
    seconds = [one.training_s for one in slowest_first]
    _bars(axes, slowest_first, seconds, list(map(duration, seconds)))
    axes.margins(x=0.2)
    plots.logarithmic(axes)
    return figure


@plots.drawn
def trade_off(contestants: Sequence[Contestant]) -> Figure:
    """Draw accuracy against the time for one digit, a marker for each model."""
    x = "milliseconds for one digit (logarithmic)"
    figure, axes = plots.plain_axes("Accuracy and speed", x, "test accuracy")
    for place, one in enumerate(ranked(contestants)):
        look = plots.marked(place) | {"linestyle": "", "markersize": 10, "label": one.kind.title}
        axes.plot(1000 * one.prediction_s, one.accuracy.share or 0.0, **look)
    axes.margins(0.12)
    plots.logarithmic(axes)
    plots.end_at_one(axes)
    plots.in_percent(axes.yaxis, decimals=1)
    figure.legend(loc="outside right center", title="model")
    return figure


@plots.drawn
def complexity(contestants: Sequence[Contestant]) -> Figure:
    """Draw the mean accuracy of the models of each complexity."""
    figure, axes = plots.plain_axes("Mean accuracy by complexity", "complexity", "mean test accuracy")
    shares: dict[str, list[float]] = {level: [] for level in get_args(Complexity)}
    for one in contestants:
        shares[one.kind.complexity].append(one.accuracy.share or 0.0)
    means = {f"{level}\n(models: {len(rates)})": fmean(rates) for level, rates in shares.items() if rates}
    bars = axes.bar(list(means), list(means.values()), width=0.6, zorder=2, color=plots.COLOURS[0])
    on_white = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    axes.bar_label(bars, [percent(mean, 2) for mean in means.values()], label_type="center", bbox=on_white)
    axes.set_ylim(max(0.0, 1 - 1.6 * (1 - min(means.values()))), 1)
    plots.in_percent(axes.yaxis, decimals=1)
    return figure


PICTURES: dict[str, Callable[[Sequence[Contestant]], Figure]] = {
    "Test accuracy": accuracy,
    "Training time": training,
    "Accuracy against time": trade_off,
    "Mean accuracy by complexity": complexity,
}
"""Titles and plots, in the order of the page."""


def _bars(
    axes: Axes,
    contestants: Sequence[Contestant],
    lengths: Sequence[float],
    labels: Sequence[str],
    **look: Any,
) -> None:
    """Draw a bar with a label for each model, the last one on top."""
    names = [one.kind.title for one in contestants]
    places = range(len(names))
    bars = axes.barh(places, lengths, 0.6, tick_label=names, color=plots.COLOURS[0], zorder=2, **look)
    axes.bar_label(bars, labels, padding=6, fontsize=9)


@plots.drawn
def learning_curves(history: Sequence[Epoch], name: str) -> Figure:
    """Draw accuracy and loss after each epoch, on training and on validation digits."""
    figure = Figure(figsize=(9.6, 4.2))
    figure.suptitle(f"Training of {name}")
    left, right = figure.subplots(1, 2)
    epochs = [row.epoch for row in history]
    left.set(title="Accuracy", ylabel="correct digits")
    right.set(title="Loss", ylabel="mean cross-entropy (nats)")
    for axes, kind in ((left, "accuracy"), (right, "loss")):
        learned, held_back = ([getattr(row, part + kind) for row in history] for part in ("", "validation_"))
        axes.plot(epochs, learned, "o-", color=plots.COLOURS[0], label="learned from")
        if not all(map(math.isnan, held_back)):
            axes.plot(epochs, held_back, "s--", color=plots.COLOURS[1], label="held back")
        axes.set_xlabel("epoch")
        axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    plots.in_percent(left.yaxis)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, title="digits")
    return figure
