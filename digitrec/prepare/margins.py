"""What cutting a cell out of a form leaves around a digit: bars along its edges, or no paper at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image

from digitrec.image import Polarity
from digitrec.prepare.components import Box, components
from digitrec.prepare.filters import Floats, Mask, edges, quantile, running

WINDOW = 0.5
"""What departs from its surroundings and is narrower than this share of the shorter side may be ink."""
LONG_WINDOW = 0.3
"""Or than this share of the longer one, where a 1 fills the shorter."""
CLEAR = 40.0
"""Ink differs from its paper by at least so many of 255 steps."""
NEAR = 0.06
"""What is nearer to an edge than this share of the picture's side has no margin there."""
MOST = 0.65
"""At most this share of a cell is ink."""
HALF = 0.5
"""And at most this share of its edges."""
FULL = 0.95
"""A bar along an edge fills its lines to at least this share."""
BROADEST = 0.2
"""And is at most so broad, as a share of the picture's side."""
BLUR = 3
"""Within so many lines of its end nothing is inked."""
PLAIN = 50.0
"""Plain ink differs from its paper by so many of 255 steps."""
WHOLE = 0.6
"""More than this share of plain ink hangs together."""
GREY = 0.2
"""And few pixels are neither ink nor paper: mean distance from the nearer, as a share of the contrast."""
MARGIN = 0.2
"""The paper that is put around a cell, as a share of its longer side."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture, or what lies within its bars, that its digit may fill."""

    box: Box
    """Left, top, right and bottom of it, as pixels of the reduced picture."""
    light: bool
    """Whether its ink is lighter than its paper."""
    plain: bool
    """Whether it shows little but one connected piece of ink, so that nothing else can be meant."""

    @property
    def polarity(self) -> Polarity:
        """That of its ink."""
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
    """Whether nothing begins or ends along the edges, nor a little inside: a quick look at eight lines."""
    y, x = (round(NEAR * side) for side in grey.shape)
    lines = (grey[0], grey[y], grey[-1 - y], grey[-1], grey[:, 0], grey[:, x], grey[:, -1 - x], grey[:, -1])
    return all(float(np.abs(line[2:] - line[:-2]).max(initial=0)) < CLEAR / 2 for line in lines)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What would be ink, were ink of one polarity."""

    light: bool
    away: Floats
    """(h, w): how much darker than the paper each pixel within the bars is, of 255."""
    level: float
    """What is further away than this is ink."""
    ink: Mask
    """(h, w): that."""
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
        """Whether it reaches two opposite edges, or nearly, and yet leaves paper."""
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
    """How many of the first lines are inked from end to end."""
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
