"""Training curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from digitrec.lab.training.run import Epoch
from digitrec.report.plots.style import COLOURS, STYLE


@mpl.rc_context(STYLE)
def curves(history: Sequence[Epoch], name: str) -> Figure:
    """Accuracy and loss after each epoch, on the digits learned from and on those held back."""
    figure = Figure(figsize=(9.6, 4.2))
    accuracy, loss = figure.subplots(1, 2)
    epochs = [row.epoch for row in history]
    learned: dict[str, Any] = {
        "color": COLOURS[0],
        "marker": "o",
        "linestyle": "-",
        "label": "learned from",
    }
    held_back: dict[str, Any] = {
        "color": COLOURS[1],
        "marker": "s",
        "linestyle": "--",
        "label": "held back",
    }
    accuracy.plot(epochs, [row.accuracy for row in history], **learned)
    loss.plot(epochs, [row.loss for row in history], **learned)
    if any(not math.isnan(row.validation_loss) for row in history):
        accuracy.plot(epochs, [row.validation_accuracy for row in history], **held_back)
        loss.plot(epochs, [row.validation_loss for row in history], **held_back)
    accuracy.set(title="Accuracy", xlabel="epoch", ylabel="digits read rightly")
    loss.set(title="Loss", xlabel="epoch", ylabel="mean cross-entropy (nats)")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0))
    for axes in (accuracy, loss):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle(f"Training of {name}")
    handles, names = accuracy.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, title="digits")
    return figure
