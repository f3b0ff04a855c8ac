"""How these pictures look, and how they are kept: dark on white, told apart without colour."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitrec.plots.benchmark import COLOURS, INK, LINES, MARKERS, STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "INK", "MARKERS", "STYLE", "bare", "line", "picture", "save", "sheet"]

DPI = 120
"""Dots per inch of a saved picture: 1,000 to 1,400 pixels wide."""


def save(figure: Figure, path: Path) -> Path:
    """Write the figure as a PNG on white; the folder is made when it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DPI, facecolor="white", metadata={"Software": None})
    return path


def line(place: int) -> Any:
    """How the line at a place is dashed, so that it and its colour (of fewer) come together only once."""
    return LINES[(place + place // len(COLOURS)) % len(LINES)]


def bare(axes: Axes) -> None:
    """Take frame, ticks and grid from a picture that needs none."""
    axes.grid(visible=False)
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set_visible(False)


def picture(axes: Axes, pixels: NDArray[Any], title: str = "", *, darkest: float = 255) -> None:
    """Show a digit as it is kept, ink high, as dark ink on white."""
    axes.imshow(pixels, cmap="gray_r", vmin=0, vmax=darkest)
    axes.set_title(title, fontsize=9)
    bare(axes)


def sheet(figure: Figure, pictures: Sequence[NDArray[Any]], titles: Sequence[str], columns: int) -> None:
    """Pictures in rows, each under its title; grey or RGB, dark on light or not, as they are."""
    rows = max(1, -(-len(pictures) // columns))
    cells = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for axes in cells:
        bare(axes)
    for axes, pixels, title in zip(cells, pictures, titles, strict=False):
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255)
        axes.set_title(title, fontsize=9)
