"""Where the ink is on a picture: polarity, paper, strokes, and how many digits they look like."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from digitrec.decode import Pixels
from digitrec.image import Polarity
from digitrec.prepare.background import Paper, find_polarity
from digitrec.prepare.card import without_table
from digitrec.prepare.closeup import cut_out, erased, region, seen
from digitrec.prepare.digits import Count, count, recount
from digitrec.prepare.filters import Floats, Mask
from digitrec.prepare.strokes import glance, is_sure, search

GLANCE_SIDE = 160
"""Longer side of the picture at which a glance is taken, px."""
WORKING_SIDE = 320
"""Longer side of the picture on which the ink is looked for, px: a thin pen is still a pixel wide."""
SMALL = 64
"""A picture with a shorter side of at most this many pixels is a drawing or a scan rather than a photo."""
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
    """"blank", "texture", "more than one digit" or "cut off"; None: one digit."""
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
    fine: Floats | None
    """The digit's ink alone, 0..1, as `cut_out` gives it; None when nothing is inked."""

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

    It is looked for on a reduced scale, and what was found is looked at again from near.
    """
    small = min(pixels.shape[:2]) <= SMALL
    pixels = pixels if small else without_table(pixels)
    ink = _find(pixels, small)
    if ink.reason != "cut off":
        return ink
    beside = _find(erased(pixels, ink), small)  # a pen that comes in from outside, and a paler digit
    return beside if beside.reason is None else ink


def _find(pixels: Pixels, small: bool) -> Ink:
    """The handwriting that stands out most."""
    picture = Image.fromarray(pixels)
    coarse, shrink = _reduced(picture, GLANCE_SIDE)
    polarity = find_polarity(_grey(coarse))
    view = seen(coarse, polarity, _channels(coarse))
    strokes = glance(view, small) or search(view, small)
    sure = is_sure(strokes)
    if shrink > 1 and not sure:
        closer, shrink = _reduced(picture, WORKING_SIDE)
        strokes = search(seen(closer, polarity, len(view)), small)
    found = count(strokes, small) if strokes.score else Count("blank", (), strokes.mask)
    size = np.array([pixels.shape[1], pixels.shape[0]] * 2)
    boxes = tuple(tuple(np.minimum(box * shrink, size).tolist()) for box in found.boxes)
    sight = strokes.sight
    ink = Ink(
        polarity, found.reason, boxes, sight.paper, found.mask, shrink, strokes.level, sight.noise, None
    )
    if ink.box is None:
        return ink
    ink = replace(ink, fine=cut_out(pixels, ink))
    return _again(pixels, ink) if sure and shrink > 1 and not ink.reason else ink


def _reduced(picture: Image.Image, side: int) -> tuple[Image.Image, int]:
    """The picture with its longer side at most so long, and by what it was divided."""
    shrink = -(-max(picture.size) // side)
    return (picture if shrink == 1 else picture.reduce(shrink)), shrink


def _again(pixels: Pixels, ink: Ink) -> Ink:
    """What looked like one digit on the reduced scale, looked at from near."""
    assert ink.fine is not None
    found = recount(ink.fine)
    if found.reason is None:
        return ink
    left, top, right, bottom = region((pixels.shape[0], pixels.shape[1]), ink)
    zoom = max(right - left, bottom - top) / max(ink.fine.shape)
    places = [(np.array([left, top] * 2) + zoom * box).round().astype(int) for box in found.boxes]
    return replace(ink, reason=found.reason, boxes=tuple(tuple(place.tolist()) for place in places))


def _channels(picture: Image.Image) -> int:
    """How many channels differ: 1 for a picture without colours."""
    values = np.asarray(picture)
    if values.ndim == 2:
        return 1
    first = values[:, :, 0]
    return 3 if (values[:, :, 1] != first).any() or (values[:, :, 2] != first).any() else 1


def _grey(picture: Image.Image) -> Floats:
    grey = picture.convert("L")
    small = -(-max(grey.size) // POLARITY_SIDE)
    return np.asarray(grey if small == 1 else grey.reduce(small), np.float32)
