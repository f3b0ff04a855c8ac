"""Pictures and figures of lesson 6: where it fails, and why MNIST is not the world."""

import re
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from lesson import in_form, main, picture, table
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from digitrec.comparison.benchmark.measures import proportion
from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.lab.handwriting import strokes
from digitrec.lab.handwriting.scenes import READ as SCENES
from digitrec.lab.handwriting.scenes import scenes
from digitrec.lab.handwriting.writer import Writer
from digitrec.models import store
from digitrec.report import plots

ACCURACY = "docs/accuracy.md"
SEED = 6
WRITTEN = 40
"""Number of digits of each kind from the synthetic hand."""
SETS = {
    "mnist-test": "MNIST's test digits",
    "photos-dev": "phone photos of digits on paper",
    "canvas-dev": "drawn on screens",
    "hwd1000": "HWD-1000: drawn on a screen, 28x28",
    "usps-train": "USPS, 16x16",
    "optdigits32-train": "Optdigits, 32x32, one bit",
    "swiss-dev": "Swiss writers held out",
    "turkish-dev": "Turkish writers held out",
    "fonts-dev": "printed in fonts held out",
}
"""The sets of digits of `ACCURACY`, as the page calls them."""


def shares(cells: list[str]) -> tuple[float, float, float]:
    """Return the accuracy of a row of `ACCURACY` and its interval, in per cent."""
    low, high = re.findall(r"[\d.]+", cells[2])
    return float(cells[1].rstrip("%")), float(low), float(high)


@mpl.rc_context(plots.STYLE)
def left(test: Digits, chances: NDArray[np.float32]) -> Figure:
    """Draw the misread test digits, the surest first."""
    said = chances.argmax(axis=1)
    wrong = np.flatnonzero(said != test.labels)
    wrong = wrong[np.argsort(-chances[wrong].max(axis=1))][:32]
    figure = Figure(figsize=(8, 4.9))
    cells = figure.subplots(4, 8).ravel()
    for axes in cells:
        plots.bare(axes)
    for axes, place in zip(cells, wrong, strict=False):
        plots.picture(axes, test.images[place], f"{test.labels[place]}, read as {said[place]}")
    return figure


def own_hand() -> str:
    """Return the shipped network's accuracy on digits of the synthetic hand, equally many of each kind."""
    rng, labels = np.random.default_rng(SEED), np.repeat(np.arange(10), WRITTEN)
    images = in_form(strokes.draw(int(label), rng, 112) for label in labels)
    right = store.load().probabilities(images).argmax(axis=1) == labels
    return f"{100 * right.mean():.1f} %"


@mpl.rc_context(plots.STYLE)
def sets(rows: Mapping[str, list[str]]) -> Figure:
    """Draw the accuracy on each set of digits, with its interval."""
    figure = Figure(figsize=(8, 3))
    axes = figure.subplots()
    measured_sets = [(name, title) for name, title in reversed(SETS.items()) if name in rows]
    for place, (name, title) in enumerate(measured_sets):
        share, low, high = shares(rows[name])
        axes.errorbar(
            share, place, xerr=[[share - low], [high - share]], fmt="o", color=plots.COLOURS[0], capsize=3
        )
        axes.text(-0.02, place, f"{title}, {rows[name][0]}", transform=axes.get_yaxis_transform(), ha="right",
                  va="center", fontsize=9)  # fmt: skip
    axes.set(yticks=[], xlabel="share right, with the 95 per cent interval")
    axes.xaxis.set_major_formatter(mpl.ticker.PercentFormatter(100, decimals=1))
    return figure


@mpl.rc_context(plots.STYLE)
def staged(rows: Mapping[str, list[str]], test: Digits) -> Figure:
    """Draw one picture of each scene, with its accuracy."""
    figure = Figure(figsize=(8, 3.7))
    cells = figure.subplots(2, 7).ravel()
    for axes in cells:
        plots.bare(axes)
    for axes, kind in zip(cells, SCENES, strict=False):
        (one,) = scenes(kind, Writer(test), 1, SEED)
        small = Image.fromarray(one.pixels)
        small.thumbnail((150, 150))
        title = re.sub(" (beside it|on a |of a |by 2)", r"\n\1", kind)
        plots.grey(axes, np.asarray(small), f"{title}\n{rows[kind][1]}")
    return figure


def measured(rows: Mapping[str, list[str]]) -> dict[str, str]:
    """Return the figures that stand in `ACCURACY` already."""
    told = {"mnist": "mnist-test", "swiss": "swiss-dev", "shadow": "edge of a shadow", "ring": "in a ring",
            "plain": "plain paper"}  # fmt: skip
    figures = {name: rows[key][1].replace("%", " %") for name, key in told.items()}
    interval = rows["mnist-test"][2].replace("%", " %")
    hard = shares(rows["edge of a shadow"])[0], shares(rows["in a ring"])[0]
    assert max(hard) < shares(rows["plain paper"])[0], "scenes must be harder than plain paper"
    return figures | {"interval": interval}


def needed(share: float) -> int:
    """Return how many pictures, all read correctly, give an interval with this lower end."""
    n = 1
    while (proportion(n, n).low or 0.0) < share:
        n += 1
    return n


def make() -> Mapping[str, str]:
    """Draw the pictures; give each figure in the page by its name."""
    test, rows = mnist_test(), table(ACCURACY)
    chances = store.load().probabilities(test.images)
    wrong = chances.argmax(axis=1) != test.labels
    picture(left(test, chances), "6-left")
    picture(sets(rows), "6-sets")
    picture(staged(rows, test), "6-scenes")
    low = proportion(20, 20).low
    own = {"wrong": str(int(wrong.sum())), "twenty": f"{100 * (low or 0):.0f} %", "needed": str(needed(0.99))}
    return measured(rows) | own | {"own-ours": own_hand()}


if __name__ == "__main__":
    main(Path(__file__), make)
