"""Bring ink into MNIST's form: 28x28, ink high, the digit 20 pixels long with its centre of mass central."""

from typing import Any

import numpy as np
from PIL import Image

from digitrec.image.pixels import Pixels
from digitrec.prepare.components import Box, box_of, longer_side
from digitrec.prepare.filters import Floats, Mask, grow, resize, spread, steepness

SIDE = 28
DIGIT = 20
"""Longer side of a digit in MNIST, in pixels."""
STROKE = 0.10
"""Minimum stroke width, as a share of the digit's longer side; 95 % of MNIST's digits have wider strokes."""
FAINT = 64
"""Minimum value of the brightest pixel of ink in MNIST's form; fainter ink is prepared like any other."""
PALE = 0.08
"""Ink paler than this does not count for the size of a digit or of a mark, 0..1."""


def laid_out(fine: Floats) -> Pixels:
    """Return a digit's ink alone in MNIST's form."""
    return placed(thickened(fine))


def _stroke(fine: Floats) -> float:
    """Return the mean stroke width, in pixels: twice the ink's area divided by the length of its outline.

    The outline is measured as total variation, which blur does not change.
    """
    return 2 * float(fine.sum()) / max(float(steepness(fine).sum()), 1e-6)


def thickened(fine: Floats) -> Floats:
    """Thicken strokes to at least MNIST's width."""
    missing = (STROKE * longer_side(extent(fine)) - _stroke(fine)) / 2
    if missing <= 0:
        return fine
    radius = int(np.ceil(missing))
    fine = np.pad(fine, radius)
    inner = grow(fine, radius - 1)
    outer = spread(inner, diagonal=radius % 2 == 0)  # one more step of `grow`
    return np.asarray(inner + np.float32(missing - (radius - 1)) * (outer - inner))


def extent(fine: Floats) -> Box:
    """Return the box of the ink; the whole picture if there is no ink."""
    return box_of(fine > PALE) or (0, 0, fine.shape[1], fine.shape[0])


def placed(fine: Floats) -> Pixels:
    """Scale to 20 pixels and place on 28x28 with the centre of mass in the middle."""
    left, top, right, bottom = box = extent(fine)
    scale = DIGIT / longer_side(box)
    width, height = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    small = as_bytes(resize(fine, width, height, box, Image.Resampling.BOX))
    mass = max(int(small.sum()), 1)
    y = round(SIDE / 2 - float(small.sum(axis=1) @ np.arange(height)) / mass)
    x = round(SIDE / 2 - float(small.sum(axis=0) @ np.arange(width)) / mass)
    y, x = min(max(y, 0), SIDE - height), min(max(x, 0), SIDE - width)
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    canvas[y : y + height, x : x + width] = small
    return canvas


def square(data: bytes) -> Pixels:
    """Return 784 bytes as a picture, (28, 28)."""
    return np.frombuffer(data, np.uint8).reshape(SIDE, SIDE)


def as_bytes(values: Floats) -> Pixels:
    return (np.clip(values, 0, 1) * 255).round().astype(np.uint8)


def in_form(stack: Pixels) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which images of a stack, (N, 28, 28), are in MNIST's form.

    The ink's box is 20 pixels long (19 for 13 of the 60,000 training images). Its centre of mass is within
    half a pixel of the middle, because MNIST rounded it. Fainter ink is not ready for a network.
    """
    ink = stack.astype(np.float32)
    down, across = ink @ _ONES, _ONES @ ink
    longer = np.maximum(_length(down > 0), _length(across > 0))
    mass = np.maximum(down.sum(axis=1), 1)
    at = np.arange(SIDE, dtype=np.float32)
    off_y, off_x = down @ at / mass - SIDE / 2, across @ at / mass - SIDE / 2
    middle = (np.abs(off_y) < 0.6) & (np.abs(off_x) < 0.6)
    return np.asarray((longer >= DIGIT - 1) & (longer <= DIGIT) & middle & (stack.max(axis=(1, 2)) >= FAINT))


_ONES = np.ones(SIDE, np.float32)
"""Multiplying by this sums rows or columns several times faster than np.sum does for 28 numbers."""


def _length(inked: Mask) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the number of places from the first to the last inked one in each row of (N, 28)."""
    return np.asarray(SIDE - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1))
