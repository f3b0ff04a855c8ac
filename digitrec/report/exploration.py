"""Draw a set of digits: samples, classes, means, pixel values, outliers and similarity."""

from collections.abc import Callable, Sequence

import numpy as np

from digitrec.lab.evaluation.explore import NOTABLE, Exploration
from digitrec.report import plots
from digitrec.report.plots import Figure

SAMPLES = 10
"""Number of digits of each class in the grid of samples."""


@plots.drawn
def samples(seen: Exploration) -> Figure:
    """Draw ten random images of each digit."""
    rng = np.random.default_rng(0)
    canvas = np.zeros((10 * 28, SAMPLES * 28), np.uint8)
    for digit in range(10):
        places = rng.permutation(np.flatnonzero(seen.digits.labels == digit))[:SAMPLES]
        for column, place in enumerate(places):
            canvas[digit * 28 :, column * 28 :][:28, :28] = seen.digits.images[place]
    figure, axes = plots.plain_axes("", "", "label", (6.4, 6.8))
    plots.picture(axes, canvas, f"Ten of each digit of {seen.name}")
    axes.set(yticks=14 + 28 * np.arange(10), yticklabels=range(10))
    return figure


@plots.drawn
def classes(seen: Exploration) -> Figure:
    """Draw the number of images of each digit."""
    title = f"Classes of {seen.name}: {len(seen.digits):,} digits"
    figure, axes = plots.plain_axes(title, "digit", "images", (7.2, 4))
    axes.set_xticks(range(10))
    bars = axes.bar(range(10), seen.counts, color=plots.COLOURS[0], zorder=2)
    axes.bar_label(bars, [f"{count:,}" for count in seen.counts], label_type="center", color="white")
    return figure


@plots.drawn
def averages(seen: Exploration) -> Figure:
    """Draw the mean image of each digit, and where its images differ."""
    figure = Figure(figsize=(11, 3))
    rows = figure.subplots(2, 10)
    for digit in range(10):
        plots.picture(rows[0, digit], seen.mean[digit], str(digit))
        plots.picture(rows[1, digit], np.sqrt(seen.variance[digit]), vmax=128)
    for row, name in zip(rows, ("mean", "standard\ndeviation"), strict=True):
        row[0].set_ylabel(name, fontsize=9)
    figure.suptitle(
        f"Mean and spread (square root of the variance) of each digit of {seen.name}; darker is more"
    )
    return figure


@plots.drawn
def pixels(seen: Exploration) -> Figure:
    """Draw the histogram of pixel values."""
    share = 100 * seen.histogram / seen.histogram.sum()
    title = f"Pixel values of {seen.name}: {share[0]:.0f} % are paper"
    y = "share of all pixels (%, logarithmic)"
    figure, axes = plots.plain_axes(title, "value, from 0 (paper) to 255 (ink)", y, (7.2, 4))
    axes.bar(range(256), share, width=1.0, color=plots.COLOURS[0])
    axes.set(yscale="log", xlim=(-2, 257))
    axes.yaxis.set_major_formatter("{x:g}")
    return figure


@plots.drawn
def notable(seen: Exploration) -> Figure:
    """Draw the faintest, thickest, thinnest and most unusual digits, and those with doubtful labels."""
    figure = Figure(figsize=(12, 8.6))
    rows = figure.subplots(len(seen.notable), NOTABLE)
    for row, kind in zip(rows, seen.notable, strict=True):
        for axes in row:
            plots.bare(axes)
        row[0].set_ylabel(kind.title, fontsize=10)
        for axes, place, remark in zip(row, kind.places, kind.remarks, strict=False):
            plots.picture(axes, seen.digits.images[place], f"no. {place}: {seen.digits.labels[place]}")
            axes.set_xlabel(remark.replace(" the ", "\nthe ").replace(" of ", "\nof "), fontsize=8)
    figure.suptitle(f"Noise and artefacts in {seen.name}: label above, measure below")
    return figure


@plots.drawn
def embedding(seen: Exploration) -> Figure:
    """Draw the t-SNE embedding of the digits."""
    labels = seen.digits.labels[seen.embedded]
    title = f"{len(labels):,} digits of {seen.name} by likeness (t-SNE)"
    figure, axes = plots.plain_axes(title, "near means alike; the axes have no unit", "", (8.4, 7))
    axes.set(xticks=[], yticks=[])
    for digit in range(10):
        x, y = seen.embedding[labels == digit].T
        points = axes.scatter(x, y, s=16, alpha=0.8, linewidths=0, label=str(digit), **plots.marked(digit))
        points.set_rasterized(True)
        if len(x):
            axes.text(np.median(x), np.median(y), str(digit), fontsize=17, weight="bold", ha="center",
                      va="center", bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1.5},
                      color="black")  # fmt: skip
    figure.legend(loc="outside right center", title="digit", markerscale=2)
    return figure


PICTURES: Sequence[Callable[[Exploration], Figure]] = (samples, classes, averages, pixels, notable, embedding)
"""The plots, saved in this order under their functions' names."""
