"""Cells cropped from forms: remove bars along the edges, and add missing paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image

from digitrec.image import Polarity
from digitrec.prepare.components import Box, components
from digitrec.prepare.filters import Floats, Mask, edges, quantile, running

WINDOW = 0.5
"""Largest width of ink, as a share of the shorter side."""
LONG_WINDOW = 0.3
"""Largest width of ink, as a share of the longer side, where a 1 fills the shorter."""
CLEAR = 40.0
"""Least contrast of ink with its paper, 0..255."""
NEAR = 0.06
"""Least margin, as a share of the picture's side."""
MOST = 0.65
"""Largest share of ink in a cell."""
HALF = 0.5
"""Largest share of ink along a cell's edges."""
FULL = 0.95
"""Least share of each line that a bar along an edge fills."""
BROADEST = 0.2
"""Largest breadth of a bar, as a share of the picture's side."""
BLUR = 3
"""Number of empty lines after the end of a bar."""
PLAIN = 50.0
"""Least contrast of plain ink with its paper, 0..255."""
WHOLE = 0.6
"""Least share of plain ink in one connected part."""
GREY = 0.2
"""Largest mean distance of a plain cell's pixels from ink or paper, as a share of the contrast."""
MARGIN = 0.2
"""Paper added around a cell, as a share of its longer side."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture, or the area within its bars, that its digit may fill."""

    box: Box
    """Left, top, right and bottom of it, as pixels of the reduced picture."""
    light: bool
    """Whether its ink is lighter than its paper."""
    plain: bool
    """Whether it shows little but one connected piece of ink."""

    @property
    def polarity(self) -> Polarity:
        """Polarity of its ink."""
        return "light on dark" if self.light else "dark on light"


def find_cell(grey: Floats) -> Cell | None:
    """Return the cell that a picture may be, or None if it has margins enough and no bars.

    Args:
        grey: (h, w), 0..255, the picture reduced.
    """
    if bare_around(grey):
        return None
    size = _window(grey)
    seen = [_Seen.of(_paper(view, size) - view, light) for light, view in ((False, grey), (True, 255 - grey))]
    filled = [one for one in seen if one.at_edges <= HALF and (one.ink.shape != grey.shape or one.fills)]
    if not filled:
        return None
    likelier = min(filled, key=lambda one: one.at_edges)  # more of the edges is paper
    return Cell(likelier.box, likelier.light, likelier.plain)


def bare_around(grey: Floats) -> bool:
    """Whether no ink crosses the edges or lies just inside, judged by eight lines."""
    y, x = (round(NEAR * side) for side in grey.shape)
    lines = (grey[0], grey[y], grey[-1 - y], grey[-1], grey[:, 0], grey[:, x], grey[:, -1 - x], grey[:, -1])
    return all(float(np.abs(line[2:] - line[:-2]).max(initial=0)) < CLEAR / 2 for line in lines)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """The possible ink of one polarity."""

    light: bool
    away: Floats
    """(h, w): how much darker than the paper each pixel within the bars is, 0..255."""
    level: float
    """Contrast above which a pixel is ink."""
    ink: Mask
    """(h, w): the ink."""
    box: Box
    """As `Cell.box`."""

    @classmethod
    def of(cls, away: Floats, light: bool) -> Self:
        level = max(CLEAR, quantile(away, 0.98)) / 2
        ink = np.asarray(away > level)
        box = left, top, right, bottom = _within_bars(ink)
        within = slice(top, bottom), slice(left, right)
        return cls(light, away[within], level, ink[within], box)

    @property
    def at_edges(self) -> float:
        """The share of ink along the edges, 0..1."""
        return float(np.concatenate(edges(self.ink)).mean())

    @property
    def fills(self) -> bool:
        """Whether it nearly reaches two opposite edges, and leaves paper."""
        ink = self.ink
        return float(ink.mean()) <= MOST and any(_reaches(np.asarray(ink.any(axis=axis))) for axis in (0, 1))

    @property
    def plain(self) -> bool:
        """See `Cell.plain`."""
        full = 2 * self.level
        between = float(np.clip(np.minimum(self.away, full - self.away), 0, None).mean())
        ink = self.ink
        if full < PLAIN or between > GREY * full or not ink.any():
            return False
        return bool(components(ink).area.max() > WHOLE * ink.sum())


def _reaches(lines: Mask) -> bool:
    inked, near = np.flatnonzero(lines), NEAR * len(lines)
    return len(inked) > 0 and bool(inked[0] <= near and inked[-1] >= len(lines) - 1 - near)


def _within_bars(ink: Mask) -> Box:
    """Return the area between bars along the edges; all of it without bars."""
    bars = [_full(side) for side in (ink.T, ink, ink.T[::-1], ink[::-1])]
    height, width = ink.shape
    left, top, right, bottom = bars
    across, down = slice(left, width - right), slice(top, height - bottom)
    sides = (ink.T[:, down], ink[:, across], ink.T[::-1][:, down], ink[::-1][:, across])
    left, top, right, bottom = (_end(bar, side) for bar, side in zip(bars, sides, strict=True))
    return left, top, width - right, height - bottom


def _full(lines: Mask) -> int:
    """Count the first lines that are inked from end to end."""
    most = round(BROADEST * len(lines))
    full = lines[: most + 1].mean(axis=1) >= FULL
    count = int(full.argmin()) if not full.all() else len(full)
    return count if count <= most else 0


def _end(bar: int, lines: Mask) -> int:
    """Return the first line clear of a bar ``bar`` lines broad; 0 without a bar."""
    if not bar:
        return 0
    clear = np.flatnonzero(~lines[bar : bar + BLUR + 1].any(axis=1))
    return bar + int(clear[0]) if len(clear) else 0


def widened(picture: Image.Image, cell: Cell, shrink: int) -> tuple[Image.Image, tuple[int, int]]:
    """Put a margin of paper around the cell; return the picture's corner on the result, x, y, px."""
    left, top, right, bottom = (shrink * side for side in cell.box)
    part = picture.crop((left, top, min(right, picture.width), min(bottom, picture.height)))
    margin = round(MARGIN * max(part.size))
    planes = []
    for band in part.reduce(shrink).split():
        plane = np.asarray(band, np.float32)
        size = _window(plane)
        paper = 255 - _paper(255 - plane, size) if cell.light else _paper(plane, size)
        full = Image.fromarray(paper.astype(np.uint8)).resize(part.size, Image.Resampling.BILINEAR)
        planes.append(np.pad(np.asarray(full), margin, mode="edge"))
    wide = Image.merge(part.mode, [Image.fromarray(plane) for plane in planes])
    wide.paste(part, (margin, margin))
    return wide, (margin - left, margin - top)


def _window(plane: Floats) -> int:
    """Return the width, px, below which a departure from the surroundings may be ink."""
    height, width = plane.shape
    return int(max(3, round(WINDOW * min(height, width)), round(LONG_WINDOW * max(height, width))))


def _paper(plane: Floats, size: int) -> Floats:
    """Return the paper's light: fill dark parts narrower than ``size``, also along the edges.

    `background.bare` instead continues the picture's light beyond its edges, and with it the ink there.
    """
    half = size // 2
    for pick, beyond in ((np.maximum, 0.0), (np.minimum, 255.0)):
        plane = np.pad(plane, half, constant_values=beyond)
        for axis in (0, 1):
            plane = running(plane, 2 * half + 1, axis, pick)
    return plane
