"""Pictures and figures of lesson 4: training and overfitting, seen in six short runs of one network."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from lesson import main, picture
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from digitrec.datasets.digits import read_digits
from digitrec.datasets.mnist import mnist_test
from digitrec.handwriting.augment import augment
from digitrec.plots import style
from digitrec.text import percent
from digitrec.training.batches import GENTLE
from digitrec.training.fit import fit
from digitrec.training.run import Epoch, FitConfig

READ = ("digitrec/training/networks.py", "digitrec/training/batches.py", "digitrec/training/epochs.py")
EPOCHS = {100: 80, 400: 40, 1600: 12}
"""Digits that are learned from, and how many times each is seen."""
CURVES = 400
"""The digits of the runs whose curves are drawn."""
TESTED = 2000
"""Digits that each network is measured with in the end."""
NINE = 7
"""The digit of the test set that is changed in many ways."""


@dataclass(frozen=True)
class Run:
    """What one run came to."""

    history: tuple[Epoch, ...]
    share: float
    """Of the test digits, read rightly at its best on those held back, 0..1."""

    @property
    def best(self) -> int:
        """The epoch whose loss on the digits held back was lowest; 1 is the first."""
        return int(np.argmin([epoch.validation_loss for epoch in self.history])) + 1


def run(count: int, *, augmented: bool) -> Run:
    """Learn from so many digits, as many held back, to the end even where nothing is gained."""
    config = FitConfig(
        "mlp", EPOCHS[count], batch=50, augment=augmented, validation=0.5, patience=EPOCHS[count]
    )
    with tempfile.TemporaryDirectory() as folder:
        digits = read_digits("mnist-test", 2 * count)
        result = fit(config, Path(folder, "mlp.keras"), digits=digits, test=mnist_test(), limit_test=TESTED)
    return Run(result.history, result.test_correct / result.test_count)


def runs() -> dict[tuple[int, bool], Run]:
    """All of them, by the number of digits and whether these were changed."""
    return {(count, changed): run(count, augmented=changed) for count in EPOCHS for changed in (False, True)}


@mpl.rc_context(style.STYLE)
def curves(history: tuple[Epoch, ...], best: int) -> Figure:
    """Accuracy and loss, epoch by epoch, with the best epoch marked."""
    epochs = [epoch.epoch for epoch in history]
    figure = Figure(figsize=(8.4, 3.4))
    accuracy, loss = figure.subplots(1, 2)
    for axes, learned, held_back in (
        (accuracy, [one.accuracy for one in history], [one.validation_accuracy for one in history]),
        (loss, [one.loss for one in history], [one.validation_loss for one in history]),
    ):
        axes.plot(epochs, learned, color=style.COLOURS[0], label="learned from")
        axes.plot(epochs, held_back, color=style.COLOURS[1], linestyle="--", label="held back")
        axes.axvline(best, color=style.COLOURS[6], linewidth=1, linestyle=":")
        axes.set_xlabel("epoch")
    accuracy.set(title="Accuracy", ylabel="read rightly")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0))
    loss.set(title="Loss", ylim=(0, None))
    loss.text(best, loss.get_ylim()[1] * 0.93, " lowest", fontsize=8)
    loss.legend()
    return figure


@mpl.rc_context(style.STYLE)
def amounts(found: Mapping[tuple[int, bool], Run]) -> Figure:
    """How many more are read rightly by whoever has learned from more."""
    figure = Figure(figsize=(6.4, 3.4))
    axes = figure.subplots()
    for place, (changed, label) in enumerate(((False, "as they are"), (True, "changed anew in each epoch"))):
        shares = [found[count, changed].share for count in EPOCHS]
        look = {"color": style.COLOURS[place], "marker": style.mark(place), "linestyle": style.line(place)}
        axes.plot(list(EPOCHS), shares, label=label, **look)
    axes.set_xscale("log")
    axes.set(xlabel="digits learned from", ylabel="read rightly")
    axes.set_xticks(list(EPOCHS), [str(count) for count in EPOCHS])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend()
    return figure


@mpl.rc_context(style.STYLE)
def variants() -> Figure:
    """A digit, and what a network is shown in its place."""
    digit = mnist_test().images[NINE]
    changed = augment(np.repeat(digit[None], 19, axis=0), np.random.default_rng(0), GENTLE)
    rows = [np.hstack(list(part)) for part in np.split(np.concatenate([digit[None], changed]), 2)]
    figure = Figure(figsize=(8.4, 1.8))
    style.picture(figure.subplots(), np.vstack(rows))
    return figure


def make() -> Mapping[str, str]:
    """Draw the pictures; give each figure in the page by its name."""
    found = runs()
    plain, changed = found[CURVES, False], found[CURVES, True]
    picture(curves(plain.history, plain.best), "4-overfitting")
    picture(curves(changed.history, changed.best), "4-augmented")
    picture(amounts(found), "4-amount")
    picture(variants(), "4-variants")
    last, least = plain.history[-1], plain.history[plain.best - 1]
    few, many = min(EPOCHS), max(EPOCHS)
    assert last.accuracy > last.validation_accuracy + 0.05, last  # it overfits
    assert plain.best < EPOCHS[CURVES], plain.best  # and gains nothing in the end
    assert found[many, False].share > found[few, False].share + 0.05  # more digits help
    assert changed.share > plain.share  # changing them helps
    return {
        "learned": percent(last.accuracy, 1), "held-back": percent(last.validation_accuracy, 1),
        "least": f"{least.validation_loss:.3f}", "last": f"{last.validation_loss:.3f}",
        "best": str(plain.best), "plain": percent(plain.share, 1), "changed": percent(changed.share, 1),
        "few": percent(found[few, False].share, 1), "few-changed": percent(found[few, True].share, 1),
        "many": percent(found[many, False].share, 1), "many-changed": percent(found[many, True].share, 1),
    }  # fmt: skip


if __name__ == "__main__":
    main(Path(__file__), make, READ)
