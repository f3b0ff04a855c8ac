"""A light card on a dark table: the table is taken away before polarity and ink are looked for.

Else the card, lighter than what lies around it, would be the ink.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from digitrec.image.pixels import Pixels
from digitrec.prepare.components import components
from digitrec.prepare.filters import Floats, Mask, grow, quantile

SIDE = 80
"""A card shows on a picture as small as this, px."""
DARKER = 0.6
"""A table gives back less than this share of the card's light."""
SMALLEST = 0.06
"""A card covers at least this share of the picture."""
NARROWEST = 0.45
"""Its shorter side is at least this share of its longer one: a thick 1 on a dark ground is narrower."""
STRAIGHT = 0.86
"""It fills at least this share of the smallest rectangle around it; a thick 0 with its inside does not."""
INKED = 0.25
"""What is dark on it covers at most this share of it, less than what a thick 0 encloses."""
TURNS = np.radians(np.arange(0, 90, 5))

_EDGE = 2  # pixels along the card's edge that are its shadow, or half table
_REACH = 8  # how far the card's own colours are continued, standard deviations in pixels


def without_table(pixels: Pixels) -> Pixels:
    """A photo of a light card on something dark, as if the card went on; any other picture as it is.

    uint8 (H, W) or (H, W, 3) to the same.
    """
    step = max(1, max(pixels.shape[:2]) // SIDE)
    few = pixels[::step, ::step]
    card = _card(few.astype(np.float32).reshape(*few.shape[:2], -1).mean(axis=2))
    if card is None:
        return pixels
    height, width = pixels.shape[:2]
    size = (card.shape[1] * step, card.shape[0] * step)
    fills = [_enlarged(_continued(plane, card), size) for plane in np.atleast_3d(few).transpose(2, 0, 1)]
    inside = _enlarged(np.where(card, np.uint8(255), np.uint8(0)), size)[:height, :width, None]
    fill = np.dstack(fills)[:height, :width]
    return np.where(inside > 127, np.atleast_3d(pixels), fill).reshape(pixels.shape)


def _card(grey: Floats) -> Mask | None:
    """The card's pixels but for its edge, (h, w); None: there is none."""
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    light, dark = quantile(grey, 0.98), float(np.median(edge))
    if dark >= DARKER * light:
        return None
    bright = grey > (light * DARKER + dark) / 2
    parts = components(bright)
    largest = int(np.argmax(parts.area))
    own = parts.drawn(np.arange(len(parts)) == largest)
    reaches = own[0].any() + own[-1].any() * 1 + own[:, 0].any() + own[:, -1].any()
    if reaches > 1 or parts.area[largest] < SMALLEST * grey.size:
        return None
    around = components(~own)
    filled = own | around.drawn(around.border() == 0)
    if filled.sum() - own.sum() > INKED * filled.sum() or not _rectangular(filled):
        return None
    inner = grow(np.pad(filled, 1), _EDGE, np.minimum)[1:-1, 1:-1]
    return inner if inner.any() else None


def _rectangular(shape: Mask) -> bool:
    """Whether it fills the smallest rectangle around it, turned anyhow, which is not too narrow."""
    y, x = np.nonzero(shape)
    across = np.outer(np.cos(TURNS), x) + np.outer(np.sin(TURNS), y)
    down = np.outer(np.cos(TURNS), y) - np.outer(np.sin(TURNS), x)
    widths, heights = np.ptp(across, axis=1) + 1, np.ptp(down, axis=1) + 1
    best = int(np.argmin(widths * heights))
    sides = sorted((float(widths[best]), float(heights[best])))
    return sides[0] > NARROWEST * sides[1] and len(x) > STRAIGHT * sides[0] * sides[1]


def _continued(plane: Pixels, card: Mask) -> Pixels:
    """One channel with the card's own colours going on beyond it."""
    blur = ImageFilter.GaussianBlur(_REACH)
    paper = np.median(plane[card])
    light = card & (plane > 0.8 * paper)
    share = np.asarray(Image.fromarray(np.where(light, np.uint8(255), np.uint8(0))).filter(blur), np.float32)
    sums = np.asarray(Image.fromarray(np.where(light, plane, np.uint8(0))).filter(blur), np.float32)
    near = 255 * sums / np.maximum(share, 1)
    return np.asarray(np.where(share > 16, np.minimum(near, 255), paper), np.uint8)


def _enlarged(values: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))
