"""Where the ink is on a picture: polarity, paper, strokes, and how many digits they look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from digitrec.image import Polarity
from digitrec.image.pixels import Pixels
from digitrec.prepare.background import Paper, find_polarity
from digitrec.prepare.count import count
from digitrec.prepare.filters import Floats, Mask
from digitrec.prepare.strokes import find_strokes

WORKING_SIDE = 320
"""Longer side of the picture on which the ink is looked for, px: a thin pen is still a pixel wide."""
POLARITY_SIDE = 80
"""The polarity shows on a picture as small as this."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the picture; right and bottom exclusive."""


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """What `find_ink` saw."""

    polarity: Polarity
    """Whether the ink is darker or lighter than the paper."""
    reason: str | None
    """"blank", "texture" or "more than one digit"; None: one digit."""
    boxes: tuple[Box, ...]
    """The box of each digit, from left to right; one when there is one, none when blank."""
    paper: Paper
    """The background."""
    mask: Mask
    """The ink of the digit (of the largest, if there are several) on the reduced picture."""
    shrink: int
    """How many pixels of the picture make one of the mask, along each side."""
    level: float
    """Contrast of the digit's ink, 0..1."""
    noise: float
    """Standard deviation of the paper's contrast."""

    @property
    def box(self) -> Box | None:
        """The box of the digit (of the largest, if there are several); None when nothing is inked."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        if not len(rows):
            return None
        left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
        return (
            int(left) * self.shrink,
            int(top) * self.shrink,
            int(right) * self.shrink,
            int(bottom) * self.shrink,
        )


def find_ink(pixels: Pixels) -> Ink:
    """Find the handwriting on a picture, uint8 (H, W) or (H, W, 3), of any polarity.

    Costs about a millisecond for a small picture and some 20 for a photo of any size, which is looked
    at on a reduced scale.
    """
    shrink = -(-max(pixels.shape[:2]) // WORKING_SIDE)
    picture = Image.fromarray(pixels)
    picture = picture if shrink == 1 else picture.reduce(shrink)
    polarity = find_polarity(_grey(picture))
    view = _view(picture, polarity)
    seen = find_strokes(view)
    if not seen.score:
        return Ink(polarity, "blank", (), seen.paper, seen.seed, shrink, 0.0, seen.noise)
    found = count(seen, seen.inked())
    scale = np.array([pixels.shape[1], pixels.shape[0]] * 2)
    boxes = tuple(tuple(np.minimum(box * shrink, scale).tolist()) for box in found.boxes)
    return Ink(polarity, found.reason, boxes, seen.paper, found.mask, shrink, seen.level, seen.noise)


def close_up(pixels: Pixels, ink: Ink, box: Box, size: tuple[int, int]) -> Floats:
    """The contrast of one part of the picture, enlarged or reduced: (height, width), 0 paper, 1 black.

    Reducing averages, enlarging repeats pixels: what is reduced again to the size it had is the same.

    Args:
        pixels: what `find_ink` was given.
        ink: what it answered.
        box: the part to look at.
        size: width and height of the answer.
    """
    height, width = pixels.shape[:2]
    left, top, right, bottom = box
    part = Image.fromarray(pixels).resize(size, Image.Resampling.BOX, box=box)
    shares = (left / width, top / height, right / width, bottom / height)
    return ink.paper.contrast(_view(part, ink.polarity), shares)


def _grey(picture: Image.Image) -> Floats:
    grey = picture.convert("L")
    small = max(1, max(grey.size) // POLARITY_SIDE)
    return np.asarray(grey if small == 1 else grey.reduce(small), np.float32)


def _view(picture: Image.Image, polarity: Polarity) -> Floats:
    """(channels, h, w), 0..255, dark ink on light paper."""
    values = np.asarray(picture)
    view = np.ascontiguousarray(np.atleast_3d(values).transpose(2, 0, 1), np.float32)
    return 255 - view if polarity == "light on dark" else view
