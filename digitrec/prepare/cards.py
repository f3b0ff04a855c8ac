"""Find a light card, note or screen on a darker table: a picture of its own within the picture."""

import numpy as np
from PIL import Image

from digitrec.prepare.components import Box, box_of, breadth, components
from digitrec.prepare.filters import Floats, Mask, grow

OPEN = 0.12
"""Maximum share of the picture's edge that a card may touch."""
SQUARE = 0.88
"""Minimum share of the smallest rotated rectangle that a card fills; a thick digit is rounder."""
NARROW = 0.4
"""Minimum width of a card, as a share of its length; a thick 1 on a dark ground is narrower."""
ALONE = 0.25
"""Maximum area of a light part beside a card, as a share of the card's; a larger one is another card."""


def find_card(grey: Floats) -> Mask | None:
    """Return the inside of the only light card on a darker ground, without its rim, (h, w), or None.

    Args:
        grey: the picture reduced to `digitrec.prepare.ink.GLANCE_SIDE`, (h, w), 0..255.
    """
    level = _between(grey)
    light: Mask = np.asarray(grey > level)
    parts = components(light)
    if not len(parts):
        return None
    largest = int(np.argmax(parts.area))
    if parts.border[largest] >= OPEN * 2 * sum(light.shape):  # many drawings on black do
        return None
    shape = parts.drawn(np.arange(len(parts)) == largest)
    filled = _spanned(shape) & _spanned(shape.T).T  # without dents
    if filled.all() or breadth(filled) <= NARROW or _squareness(filled) <= SQUARE:
        return None
    if components(light & ~filled).area.max(initial=0) > ALONE * parts.area[largest]:
        return None
    inside: Mask = grow(filled, 2, np.minimum)
    return inside if inside.any() else None


def _squareness(shape: Mask) -> float:
    """Return the share that a shape fills of the smallest rectangle around it; try turns by 5 degrees."""
    turns = np.radians(np.arange(0, 90, 5))
    y, x = np.nonzero(shape)
    along = np.outer(np.cos(turns), x) + np.outer(np.sin(turns), y)
    across = np.outer(np.cos(turns), y) - np.outer(np.sin(turns), x)
    sides = (np.ptp(along, axis=1) + 1) * (np.ptp(across, axis=1) + 1)
    return float(len(x) / sides.min())


def cut(picture: Image.Image, card: Mask) -> tuple[Image.Image, Box]:
    """Crop to the card, paint the outside in the card's colour, and return the card's box in the picture."""
    whole = np.asarray(Image.fromarray(card).resize(picture.size, Image.Resampling.NEAREST))
    box = box_of(whole)
    assert box is not None, "a card has pixels"
    part, own = np.asarray(picture.crop(box)), whole[box[1] : box[3], box[0] : box[2]]
    colour = np.percentile(part[own][::7], 60, axis=0).astype(np.uint8)
    return Image.fromarray(np.where(own[:, :, None] if part.ndim == 3 else own, part, colour)), box


def _between(grey: Floats) -> float:
    """Return the level that separates light from dark best (N. Otsu, IEEE Trans. SMC 9, 1979)."""
    counts = np.bincount(grey.astype(np.uint8).ravel(), minlength=256).astype(np.float64)
    below = np.cumsum(counts)
    sums = np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    means = sums / np.maximum(below, 1) - (sums[-1] - sums) / np.maximum(above, 1)
    return float(np.argmax(below * above * means**2))


def _spanned(part: Mask) -> Mask:
    """Fill each row from its first to its last pixel."""
    seen: Mask = np.logical_or.accumulate(part, axis=1)
    return np.asarray(seen & np.logical_or.accumulate(part[:, ::-1], axis=1)[:, ::-1])
