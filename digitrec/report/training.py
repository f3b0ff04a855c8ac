"""Draw the curves of training."""

from __future__ import annotations

import math
from collections.abc import Sequence

from digitrec.lab.training.run import Epoch
from digitrec.report import plots
from digitrec.report.plots import Figure


@plots.drawn
def curves(history: Sequence[Epoch], name: str) -> Figure:
    """Accuracy and loss after each epoch, on the digits learned from and on those held back."""
    figure = Figure(figsize=(9.6, 4.2))
    figure.suptitle(f"Training of {name}")
    accuracy, loss = figure.subplots(1, 2)
    epochs = [row.epoch for row in history]
    accuracy.plot(
        epochs, [row.accuracy for row in history], "o-", color=plots.COLOURS[0], label="learned from"
    )
    loss.plot(epochs, [row.loss for row in history], "o-", color=plots.COLOURS[0])
    if any(not math.isnan(row.validation_loss) for row in history):
        held_back = [row.validation_accuracy for row in history]
        accuracy.plot(epochs, held_back, "s--", color=plots.COLOURS[1], label="held back")
        loss.plot(epochs, [row.validation_loss for row in history], "s--", color=plots.COLOURS[1])
    accuracy.set(title="Accuracy", xlabel="epoch", ylabel="digits read rightly")
    loss.set(title="Loss", xlabel="epoch", ylabel="mean cross-entropy (nats)")
    plots.in_percent(accuracy.yaxis)
    for axes in (accuracy, loss):
        axes.locator_params(axis="x", integer=True)
    handles, names = accuracy.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, title="digits")
    return figure
