"""Pictures and figures of lesson 2: a neuron. The neurons are trained by the code in the lesson itself."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from lesson import COURSE, main, outputs, picture
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from digitrec.datasets import mnist
from digitrec.datasets.digits import read_digits
from digitrec.plots import style
from digitrec.text import percent
from digitrec.training.fit import fit
from digitrec.training.run import FitConfig

READ = ("digitrec/training/networks.py", "digitrec/training/fit.py")
PAGE = COURSE / "2-neuron.md"
ADDED = 0
"""The digit whose neuron is shown at work."""
Floats = NDArray[np.float64]


def weights_of(axes: Axes, weights: Floats, title: str, most: float) -> None:
    """Weights as a picture: orange above 0, blue below, white at 0."""
    axes.imshow(weights.reshape(28, 28), cmap="PuOr_r", vmin=-most, vmax=most)
    axes.set_title(title, fontsize=9)
    style.bare(axes)


@mpl.rc_context(style.STYLE)
def one_sum(made: dict[str, Any]) -> Figure:
    """A digit times the weights of a neuron."""
    asked, weights = made["asked"], made["weights"][:, ADDED]
    digit = asked.images[asked.labels == ADDED][0]
    products = weights * made["ink"](digit)[0]
    most = np.abs(weights).max()
    figure = Figure(figsize=(8.0, 2.8))
    left, middle, right = figure.subplots(1, 3)
    style.picture(left, digit, "the picture")
    weights_of(middle, weights, "the weights", most)
    plus, minus = products[products > 0].sum(), products[products < 0].sum()
    weights_of(right, products, f"weight x ink: {plus:.1f} for, {-minus:.1f} against", most)
    return figure


@mpl.rc_context(style.STYLE)
def ten(made: dict[str, Any]) -> Figure:
    """The weights of all ten."""
    figure = Figure(figsize=(8.0, 3.6))
    most = 0.7 * np.abs(made["weights"]).max()
    for digit, axes in enumerate(np.ravel(figure.subplots(2, 5))):
        weights_of(axes, made["weights"][:, digit], str(digit), most)
    return figure


@mpl.rc_context(style.STYLE)
def learning(made: dict[str, Any]) -> Figure:
    """The weights of three neurons on their way."""
    shown = (0, 3, 7)
    figure = Figure(figsize=(7.6, 5.6))
    for row, digit in zip(figure.subplots(3, 4), shown, strict=True):
        for axes, (batches, weights) in zip(row, made["kept"].items(), strict=True):
            most = max(np.abs(weights[:, digit]).max(), 1e-9)
            weights_of(axes, weights[:, digit], f"{digit} after {batches} batch{'es' * (batches > 1)}", most)
    return figure


@mpl.rc_context(style.STYLE)
def mistakes(made: dict[str, Any]) -> Figure:
    """Misread digits, the surest first, no two of the same digit."""
    asked = made["asked"]
    chances = made["chances"](asked.images, made["weights"], made["biases"])
    said = chances.argmax(axis=1)
    wrong = np.flatnonzero(said != asked.labels)
    surest = wrong[np.argsort(-chances[wrong].max(axis=1), kind="stable")]
    _, first = np.unique(asked.labels[surest], return_index=True)
    chosen = surest[np.sort(first)][:6]
    figure = Figure(figsize=(8.0, 1.7))
    for axes, at in zip(figure.subplots(1, 6), chosen, strict=True):
        style.picture(axes, asked.images[at], f"read {said[at]}, is {asked.labels[at]}")
    return figure


def multilayer() -> tuple[str, str]:
    """What the lesson's command comes to: accuracy and number of parameters."""
    config = FitConfig("mlp", 8)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "mlp.keras")
        digits = read_digits("mnist-test", 5000)
        result = fit(config, out, digits=digits, test=mnist.mnist_test(), limit_test=2000)
        from digitrec.models import store

        parameters = store.load(out).card["parameters"]
    return percent(result.test_correct / result.test_count, 1), f"{parameters:,}"


def make() -> Mapping[str, str]:
    """Draw the pictures; give each figure in the page by its name."""
    made: dict[str, Any] = {}
    before, learned, *_ = outputs(PAGE, made)
    picture(one_sum(made), "2-sum")
    picture(learning(made), "2-learning")
    picture(ten(made), "2-weights")
    picture(mistakes(made), "2-mistakes")
    asked = made["asked"]
    moved = mnist.Digits(np.roll(asked.images, 2, axis=2), asked.labels)
    mlp, parameters = multilayer()
    return {
        "before": before, "learning": learned, "mlp": mlp, "parameters": parameters,
        "moved": percent(made["accuracy"](moved, made["weights"], made["biases"]), 1),
    }  # fmt: skip


if __name__ == "__main__":
    main(Path(__file__), make, READ)
