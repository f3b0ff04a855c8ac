"""Pictures and figures of lesson 3: convolution, seen in the shipped network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from lesson import COURSE, main, outputs, picture
from matplotlib.figure import Figure
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors.text import percent
from digitrec.models import store
from digitrec.recognise.explain import by_network
from digitrec.report import plots

THREE = 18
"""The digit of the test set whose maps are shown, a 3."""
MAPS = 8
"""Number of maps of each layer that are shown."""
FARTHEST = 4
"""Width of the paper around MNIST's digits, in pixels."""


@mpl.rc_context(plots.STYLE)
def learned(filters: NDArray[np.float32]) -> Figure:
    """Draw the filters of the first layer: orange above 0, violet below, white at 0."""
    most = np.abs(filters).max(axis=(1, 2), keepdims=True)
    tiles = np.pad(filters / most, ((0, -len(filters) % 12), (0, 1), (0, 1)), constant_values=0)
    rows = [np.hstack(tiles[at : at + 12]) for at in range(0, len(tiles), 12)]
    figure = Figure(figsize=(8.0, 0.68 * len(rows)))
    axes = figure.subplots()
    axes.imshow(np.vstack(rows), cmap="PuOr_r", vmin=-1, vmax=1)
    plots.bare(axes)
    return figure


@mpl.rc_context(plots.STYLE)
def maps(digit: NDArray[np.uint8]) -> Figure:
    """Draw the strongest maps of each layer of the first network, each at full brightness."""
    layers = next(iter(by_network(store.load().inside.stages(digit)).values()))
    figure = Figure(figsize=(7.6, 0.96 * len(layers)))
    for axes, (_, stage) in zip(figure.subplots(len(layers), 1), layers, strict=True):
        strongest = np.argsort(-stage.mean(axis=(0, 1)), kind="stable")[:MAPS]
        tiles = [stage[:, :, at] / max(stage[:, :, at].max(), 1e-9) for at in strongest]
        axes.imshow(np.hstack([np.pad(tile, 1, constant_values=1) for tile in tiles]), cmap="gray", vmin=0)
        plots.bare(axes)
        axes.set_ylabel(f"{stage.shape[2]} maps of\n{stage.shape[0]} x {stage.shape[1]}", fontsize=8)
    return figure


def moved() -> tuple[float, float]:
    """Return the shares of 250 moved digits that the ten neurons and digitrec's network read."""
    made = dict[str, Any]()
    outputs(COURSE / "2-neuron.md", made)
    asked = mnist_test()[5000:5250]
    pictures = np.roll(asked.images, FARTHEST, axis=2)
    chances = made["chances"](pictures, made["weights"], made["biases"]), store.load().probabilities(pictures)
    neurons, network = (float((found.argmax(axis=1) == asked.labels).mean()) for found in chances)
    return neurons, network


def make() -> Mapping[str, str]:
    """Draw the pictures; give each figure in the page by its name."""
    filters = np.moveaxis(store.load().inside.weights()[0].kernel[:, :, 0], 2, 0)
    picture(learned(filters), "3-filters")
    picture(maps(mnist_test().images[THREE]), "3-maps")
    neurons, network = moved()
    assert neurons < network - 0.2  # the lesson's point
    return {
        "filters": str(len(filters)), "neurons-moved": percent(neurons, 1),
        "network-moved": percent(network, 1),
    }  # fmt: skip


if __name__ == "__main__":
    main(Path(__file__), make)
