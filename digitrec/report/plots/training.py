"""Curves of training, and the trials of a search for settings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from digitrec.errors.text import percent
from digitrec.lab.training.run import Epoch
from digitrec.lab.training.tune import Study
from digitrec.report.plots import style


@mpl.rc_context(style.STYLE)
def curves(history: Sequence[Epoch], name: str) -> Figure:
    """Accuracy and loss after each epoch, on the digits learned from and on those held back."""
    figure = Figure(figsize=(9.6, 4.2))
    figure.suptitle(f"Training of {name}")
    accuracy, loss = figure.subplots(1, 2)
    epochs = [row.epoch for row in history]
    accuracy.plot(
        epochs, [row.accuracy for row in history], "o-", color=style.COLOURS[0], label="learned from"
    )
    loss.plot(epochs, [row.loss for row in history], "o-", color=style.COLOURS[0])
    if any(not math.isnan(row.validation_loss) for row in history):
        held_back = [row.validation_accuracy for row in history]
        accuracy.plot(epochs, held_back, "s--", color=style.COLOURS[1], label="held back")
        loss.plot(epochs, [row.validation_loss for row in history], "s--", color=style.COLOURS[1])
    accuracy.set(title="Accuracy", xlabel="epoch", ylabel="digits read rightly")
    loss.set(title="Loss", xlabel="epoch", ylabel="mean cross-entropy (nats)")
    style.in_percent(accuracy.yaxis)
    for axes in (accuracy, loss):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, names = accuracy.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, title="digits")
    return figure


@mpl.rc_context(style.STYLE)
def trials(study: Study) -> Figure:
    """The accuracy of each trial, and the best so far."""
    title = f"{len(study.trials)} trials; the best reads {percent(study.best.accuracy, 2)}"
    figure, axes = style.plain_axes(title, "trial", "digits held back that are read rightly")
    for state, marker, colour in (("complete", "o", style.COLOURS[0]), ("pruned", "x", style.COLOURS[1])):
        tried = {it.number: it.accuracy for it in study.trials if it.state == state and it.accuracy}
        axes.plot(list(tried), list(tried.values()), marker, color=colour, label=state)
    finished = [it for it in study.trials if it.state == "complete"]
    best = np.maximum.accumulate([it.accuracy or 0.0 for it in finished])
    axes.step([it.number for it in finished], best, where="post", color=style.COLOURS[0], label="best so far")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.in_percent(axes.yaxis, decimals=1)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


@mpl.rc_context(style.STYLE)
def importance(study: Study) -> Figure:
    """How much of the difference between trials each setting explains."""
    x = "share of the variance of accuracy that it explains"
    figure, axes = style.plain_axes("Importance of each setting", x, "")
    ordered = sorted(study.importance.items(), key=lambda item: item[1])
    names, shares = [name.replace("_", " ") for name, _ in ordered], [share for _, share in ordered]
    bars = axes.barh(names, shares, color=style.COLOURS[0], height=0.6, zorder=2)
    axes.bar_label(bars, [percent(share, 0) for share in shares], padding=4)
    style.in_percent(axes.xaxis)
    axes.margins(x=0.12)
    return figure
