"""The paper under the ink: its colour everywhere, and how far each pixel departs from it towards the ink's colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digitrec.image import Polarity
from digitrec.prepare.filters import Floats, resize, running

CELLS = 8
"""The paper's colour is kept on a grid with this many cells to the window: light changes slowly."""
DARKEST = 0.25
"""Paper is taken to be at least this share of the brightest paper, or noise in deep shadow would pass for ink."""


EDGE_WEIGHT = 0.5
"""How much the picture's edge counts against the skew for the polarity; 0.25 to 0.5 decides all our sets alike."""


@dataclass(frozen=True, slots=True, eq=False)
class Paper:
    """The background of one picture, seen as dark ink on light paper."""

    colour: Floats
    """(h, w, channels) on a coarse grid over the whole picture, 0..255."""
    direction: Floats
    """(channels,): contrast along these weights is 1 for ink that takes away all light."""

    def contrast(self, view: Floats, box: tuple[float, float, float, float] | None = None) -> Floats:
        """How far each pixel departs from the paper towards the ink: 0 paper, up to about 1.

        Args:
            view: (h, w, channels), 0..255, dark ink on light paper.
            box: the part of the coarse grid that ``view`` shows; None: all of it.
        """
        height, width, channels = view.shape
        total = np.zeros((height, width), np.float32)
        for channel in range(channels):
            paper = resize(self.colour[:, :, channel], width, height, box)
            total += self.direction[channel] * (1 - view[:, :, channel] / paper)
        return total


def find_paper(view: Floats, window: float) -> Paper:
    """The paper of a picture with dark ink on light paper.

    Args:
        view: (h, w, channels), 0..255.
        window: what is darker than its surroundings and narrower than this, px, is no paper.
    """
    height, width, channels = view.shape
    cell = max(1.0, window / CELLS)
    size = max(1, round(width / cell)), max(1, round(height / cell))
    cells = max(3, round(window / cell))
    planes = [_closing(resize(view[:, :, channel], *size), cells) for channel in range(channels)]
    darkest = max(1.0, DARKEST * max(float(plane.max()) for plane in planes))
    colour = np.maximum(np.stack(planes, axis=-1), np.float32(darkest))
    paper = Paper(colour, np.full(channels, 1 / channels, np.float32))
    return paper if channels == 1 else Paper(colour, _ink_direction(view, paper))


def _closing(plane: Floats, size: int) -> Floats:
    """Fill what is darker than its surroundings and narrower than ``size``."""
    widths = [min(size, side) for side in plane.shape]
    for axis, width in enumerate(widths):
        plane = _continued(plane, width - 1, axis)
    for pick in (np.maximum, np.minimum):
        for axis, width in enumerate(widths):
            plane = running(plane, width, axis, pick)
    return plane


def _continued(plane: Floats, by: int, axis: int) -> Floats:
    """Continue each end by its point reflection, so that a slope of light goes on beyond the edge."""
    plane = np.moveaxis(plane, axis, 0)
    by_end = np.arange(1, by + 1) % max(len(plane), 1)
    before = 2 * plane[:1] - plane[by_end[::-1]]
    after = 2 * plane[-1:] - plane[len(plane) - 1 - by_end]
    return np.moveaxis(np.concatenate([before, plane, after]), 0, axis)


def _ink_direction(view: Floats, paper: Paper) -> Floats:
    """The direction from the paper's colour to the ink's, from the pixels that depart most."""
    height, width, channels = view.shape
    away = np.stack(
        [1 - view[:, :, c] / resize(paper.colour[:, :, c], width, height) for c in range(channels)], axis=-1
    ).reshape(-1, channels)
    strength = away.sum(axis=1)
    most = max(8, len(strength) // 100)
    ink = np.maximum(away[np.argpartition(strength, -most)[-most:]].mean(axis=0), 1e-3)
    return np.asarray(ink / ink.sum(), np.float32)


def find_polarity(grey: Floats) -> Polarity:
    """Whether the ink of a picture, (h, w), is dark or light.

    Ink is the minority that departs from its surroundings (the skew of that departure, blind to slow
    changes of light), and the paper is what lies along the edge (which decides where a digit fills the
    picture and is no minority).
    """
    away = grey - _local_mean(grey, max(3, min(grey.shape) // 2))
    skew = float((away**3).mean()) / (float((away**2).mean()) ** 1.5 + 1e-6)
    edge = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    inside = (float(grey.mean()) - float(edge)) / (float(grey.std()) + 1e-6)
    return "light on dark" if skew + EDGE_WEIGHT * inside > 0 else "dark on light"


def _local_mean(grey: Floats, size: int) -> Floats:
    """The mean over a square window, cut off at the edges."""
    for axis in (0, 1):
        grey = np.moveaxis(grey, axis, 0)
        n = len(grey)
        sums = np.concatenate([np.zeros_like(grey[:1]), np.cumsum(grey, axis=0, dtype=np.float64)])
        first = np.maximum(np.arange(n) - size // 2, 0)
        last = np.minimum(np.arange(n) + size // 2 + 1, n)
        grey = np.moveaxis(((sums[last] - sums[first]) / (last - first)[:, None]).astype(np.float32), 0, axis)
    return grey
