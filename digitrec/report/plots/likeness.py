"""What pictures remind a network of: the digits nearest to one, and a map of many among MNIST's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import Digits
from digitrec.lab.evaluation.nearest import Neighbour
from digitrec.recognise.explain import Explanation
from digitrec.report.plots import style

if TYPE_CHECKING:  # it needs scikit-learn, which what stands before it does not
    from digitrec.lab.evaluation.layout import Layout, Own

COLUMNS = 6
"""Digits of a memory in a row."""
WRONG = style.COLOURS[1]
"""Of what is not as it was read."""
SIDE = 1000
"""Pixels along each side of a map, about, at the size at which it is saved."""
THUMBNAILS = ((30, 48), (80, 36), (200, 26))
"""Up to so many pictures of one's own are drawn so large, px; of more, only marks."""


@mpl.rc_context(style.STYLE)
def reminders(found: Explanation, nearest: Sequence[Neighbour], digits: Digits) -> Figure:
    """What the network was given, and the digits that it reminds it of, the most alike first."""
    figure = Figure(figsize=(9.6, 3.4))
    labels = Counter(one.label for one in nearest)
    told = ", ".join(f"{count} of {len(nearest)} are {label}s" for label, count in labels.most_common())
    figure.suptitle(f"It reminds the network of these of MNIST's training digits: {told}", fontsize=10)
    left, right = figure.subfigures(1, 2, width_ratios=(1, 2.6), squeeze=False).ravel()
    said = found.prediction.digit
    style.picture(left.subplots(), found.digit, "no digit" if said is None else f"read as a {said}")
    cells = right.subplots(-(-len(nearest) // COLUMNS), COLUMNS, squeeze=False).ravel()
    for axes in cells:
        style.bare(axes)
    for axes, one in zip(cells, nearest, strict=False):
        style.picture(axes, digits.images[one.place])
        look: dict[str, Any] = {"color": WRONG, "weight": "bold"} if one.label != found.likeliest[0] else {}
        axes.set_title(f"a {one.label}, {one.likeness:.2f}", fontsize=9, **look)
        axes.set_xlabel(f"no. {one.place}", fontsize=7)
    return figure


@mpl.rc_context(style.STYLE)
def layout(laid: Layout) -> Figure:
    """One's own pictures, each in a frame, among MNIST's digits as marks; near means alike."""
    count = f"{len(laid.own)} own picture{'s' if len(laid.own) > 1 else ''}"
    around = f"{len(laid.around):,} of MNIST's test digits"
    title = f"{count} (framed) among {around}, by likeness in the last layer (t-SNE)"
    words = "near means alike; the axes have no unit"
    figure, axes = style.plain_axes("", words, "", (10.2, 8.8))
    axes.set_title(title, fontsize=10)
    _around(axes, laid)
    side = next((side for most, side in THUMBNAILS if len(laid.own) <= most), None)
    if side is None:
        x, y = laid.own_places.T
        axes.scatter(x, y, s=22, marker="o", color="none", edgecolors="black", linewidths=1)
    else:
        apart = _apart(laid.own_places, 1.15 * side / SIDE)
        for one, at, to in zip(laid.own, laid.own_places, apart, strict=True):
            _thumbnail(axes, one, at, to, side)
    if any(one.read is None or one.misread for one in laid.own) and side is not None:
        words += ". A dashed frame: refused (?), or read as another digit than it shows (shows → read)"
        axes.set_xlabel(words)
    style.bare(axes)
    axes.set(xlim=(-0.06, 1.06), ylim=(-0.06, 1.06))
    figure.legend(loc="outside right center", title="MNIST", markerscale=2)
    return figure


def _around(axes: Axes, laid: Layout) -> None:
    for digit in range(10):
        x, y = laid.places[laid.around.labels == digit].T
        axes.scatter(x, y, s=13, alpha=0.35, linewidths=0, label=str(digit), **style.marked(digit))
        if len(x):
            axes.text(np.median(x), np.percentile(y, 98) + 0.025, str(digit), fontsize=20, weight="bold",
                      ha="center", va="bottom", color="black", alpha=0.55)  # fmt: skip


def _thumbnail(axes: Axes, one: Own, at: NDArray[np.float64], to: NDArray[np.float64], side: int) -> None:
    """The picture near its place, with a line to it where it had to make room."""
    odd = one.read is None or one.misread
    axes.plot(*np.stack([at, to]).T, color="black", linewidth=0.6, zorder=3)
    axes.plot(*at, marker=".", color="black", markersize=3, zorder=3)
    frame = {
        "edgecolor": WRONG if odd else "black", "linewidth": 2 if odd else 0.8, "facecolor": "white",
        "linestyle": "--" if odd else "-", "boxstyle": "square,pad=0.1",
    }  # fmt: skip
    box = OffsetImage(255 - one.digit, zoom=0.6 * side / 28, cmap="gray", norm=Normalize(0, 255))
    axes.add_artist(AnnotationBbox(box, tuple(to), pad=0.05, bboxprops=frame, zorder=4))
    if odd:
        said = "?" if one.read is None else str(one.read)
        words = said if one.label is None else f"{one.label}→{said}"
        axes.annotate(words, tuple(to), (0, -0.36 * side), textcoords="offset points", ha="center", va="top",
                      color=WRONG, weight="bold", fontsize=8, zorder=5)  # fmt: skip


def _apart(places: NDArray[np.float64], side: float) -> NDArray[np.float64]:
    """Places (N, 2) moved as little as it needs for squares of a side on them to lie side by side, about."""
    found = places.copy()
    order = np.arange(len(places))
    for _ in range(200):
        away = found[:, None] - found[None]
        tie = 1e-6 * np.sign(order[:, None] - order)  # two on the same spot part as well
        away += tie[:, :, None]
        overlap = np.clip(side - np.abs(away), 0, None)
        both = (overlap > 0).all(axis=2) & (order[:, None] != order)
        if not both.any():
            break
        lesser = overlap.argmin(axis=2)
        for axis in (0, 1):
            push = np.where(both & (lesser == axis), np.sign(away[:, :, axis]) * overlap[:, :, axis], 0)
            found[:, axis] += 0.3 * push.sum(axis=1)
    return found
