"""Pictures and figures of lesson 1: what a picture is to a computer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from lesson import COURSE, NETWORK, ROOT, main, merely_shrunk, outputs, picture
from matplotlib.figure import Figure
from PIL import Image

import digitrec
from digitrec.datasets.loader import read_samples
from digitrec.datasets.mnist import mnist_test
from digitrec.evaluation.explain import explain
from digitrec.image import DigitImage
from digitrec.models import store
from digitrec.plots import style
from digitrec.prepare import mnist

READ = (NETWORK, "digitrec/prepare/mnist.py", "digitrec/prepare/ink.py")
SEVEN = 0
"""The digit of the test set that is shown."""
ROWS, COLUMNS = slice(6, 15), slice(5, 18)
"""The part of it whose numbers are shown: that of the lesson's first block of Python."""
SHOWN = ("photo-shadow.jpg", "blackboard.jpg", "photo-small.jpg", "squared-pencil.jpg", "red-ink.jpg")
SIDES = (28, 14, 7, 4)


@mpl.rc_context(style.STYLE)
def numbers() -> Figure:
    """A digit, and the numbers of a part of it."""
    digit = mnist_test().images[SEVEN]
    figure = Figure(figsize=(8.4, 3.6))
    whole, part = figure.subplots(1, 2, width_ratios=(1, 1.35))
    whole.imshow(digit, cmap="gray", vmin=0, vmax=255)
    whole.set_title("28 x 28 pixels", fontsize=9)
    style.bare(whole)
    top, left = ROWS.start - 0.5, COLUMNS.start - 0.5
    height, width = ROWS.stop - ROWS.start, COLUMNS.stop - COLUMNS.start
    whole.add_patch(
        mpl.patches.Rectangle((left, top), width, height, fill=False, color=style.COLOURS[1], lw=2)
    )
    part.imshow(digit[ROWS, COLUMNS], cmap="gray", vmin=0, vmax=255)
    for (row, column), value in np.ndenumerate(digit[ROWS, COLUMNS]):
        colour = "black" if value > 127 else "white"
        part.text(column, row, str(value), ha="center", va="center", fontsize=6.5, color=colour)
    part.set_title("the part in the frame, as the computer has it", fontsize=9)
    style.bare(part)
    return figure


@mpl.rc_context(style.STYLE)
def resolution() -> Figure:
    """The same digit with fewer and fewer pixels."""
    digit = Image.fromarray(mnist_test().images[SEVEN])
    figure = Figure(figsize=(8.0, 2.2))
    for axes, side in zip(figure.subplots(1, len(SIDES)), SIDES, strict=True):
        small = np.asarray(digit.resize((side, side), Image.Resampling.BOX))
        style.picture(axes, small, f"{side} x {side} = {side * side} numbers", darkest=max(1, small.max()))
    return figure


@mpl.rc_context(style.STYLE)
def photos() -> Figure:
    """Photos, shrunk as they are and prepared, with what the network reads of each."""
    network = store.load()
    figure = Figure(figsize=(8.4, 5.2))
    for column, name in zip(figure.subplots(3, len(SHOWN)).T, SHOWN, strict=True):
        path = ROOT / "samples" / name
        shrunk = merely_shrunk(path)
        column[0].imshow(Image.open(path), cmap="gray")
        column[0].set_title(name, fontsize=8)
        read = int(network.probabilities(shrunk[None]).argmax())
        column[1].imshow(shrunk, cmap="gray", vmin=0, vmax=255)
        column[1].set_title(f"shrunk: read as {read}", fontsize=8)
        prepared = mnist.steps(DigitImage.open(path))[-1][1]
        column[2].imshow(prepared, cmap="gray", vmin=0, vmax=255)
        column[2].set_title(f"prepared: read as {digitrec.predict(path).digit}", fontsize=8)
        for axes in column:
            style.bare(axes)
    return figure


@mpl.rc_context(style.STYLE)
def steps() -> Figure:
    """The steps of one photo's preparation."""
    found = explain(ROOT / "samples" / "photo-shadow.jpg")
    shown = [("the photo", found.picture), *found.steps]
    figure = Figure(figsize=(8.4, 2.0))
    for axes, (name, pixels) in zip(figure.subplots(1, len(shown)), shown, strict=True):
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
        axes.set_title(name, fontsize=8)
        style.bare(axes)
    return figure


@mpl.rc_context(style.STYLE)
def layout() -> Figure:
    """What is the same in all of MNIST's digits: a box of 20 pixels, the centre of mass in the middle."""
    test = mnist_test()
    figure = Figure(figsize=(8.0, 2.3))
    for axes, digit in zip(figure.subplots(1, 4), (1, 4, 6, 7), strict=True):
        pixels = test.images[int(np.flatnonzero(test.labels == digit)[0])]
        rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
        corner = (columns[0] - 0.5, rows[0] - 0.5)
        size = (columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
        mass = pixels.astype(float)
        centre = (mass.sum(0) @ np.arange(28) / mass.sum(), mass.sum(1) @ np.arange(28) / mass.sum())
        style.picture(axes, pixels, f"box {size[0]} x {size[1]}")
        axes.add_patch(mpl.patches.Rectangle(corner, *size, fill=False, color=style.COLOURS[0], lw=1.5))
        axes.plot(*centre, "+", color=style.COLOURS[1], markersize=14, markeredgewidth=2.5)
        axes.axis("on")
        axes.set_frame_on(True)
        for side in axes.spines.values():
            side.set_visible(True)
    return figure


def read_rightly() -> tuple[int, int, int]:
    """Of the samples that show a digit: how many are read rightly when shrunk, when prepared, and all."""
    samples = [one for one in read_samples(ROOT / "samples") if one.label is not None]
    paths = [Path(str(one.image)) for one in samples]
    labels = np.array([one.label for one in samples])
    shrunk = store.load().probabilities(np.stack([merely_shrunk(path) for path in paths])).argmax(axis=1)
    prepared = [outcome.digit for outcome in digitrec.predict_many(paths)]
    right = int((shrunk == labels).sum()), int((np.array(prepared) == labels).sum())
    assert right[0] < 0.6 * right[1], right  # the lesson's point
    return *right, len(labels)


def make() -> Mapping[str, str]:
    """Draw the pictures; give each figure in the page by its name."""
    picture(numbers(), "1-numbers")
    picture(resolution(), "1-resolution")
    picture(layout(), "1-layout")
    picture(photos(), "1-photos")
    picture(steps(), "1-steps")
    shrunk, prepared, count = read_rightly()
    grid, changes, centred, _ = outputs(COURSE / "1-pictures.md")
    return {
        "grid": grid, "changes": changes, "centred": centred, "photos": str(count),
        "shrunk": str(shrunk), "prepared": str(prepared),
    }  # fmt: skip


if __name__ == "__main__":
    main(Path(__file__), make, READ)
