"""A part of a picture seen from near: its contrast, and the ink of one digit alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from digitrec.image import Polarity
from digitrec.image.pixels import Pixels
from digitrec.prepare.filters import Floats, grow, resize

if TYPE_CHECKING:
    from digitrec.prepare.ink import Box, Ink

FINE = 120
"""Longer side of a digit that is cut out, px."""
FRINGE = 0.04
"""Paler than this share of the ink's contrast is paper; MNIST's own digits fade out slowly."""

ERASED = 3
"""What is erased goes with so many pixels of the reduced picture around it: shadow, blur."""


def seen(picture: Image.Image, polarity: Polarity, channels: int) -> Floats:
    """A picture as (channels, h, w), 0..255, dark ink on light paper; one channel of a colourless one."""
    values = np.atleast_3d(np.asarray(picture))[:, :, :channels]
    view = np.ascontiguousarray(values.transpose(2, 0, 1), np.float32)
    return 255 - view if polarity == "light on dark" else view


def close_up(pixels: Pixels, ink: Ink, box: Box, size: tuple[int, int]) -> Floats:
    """The contrast of one part of the picture, enlarged or reduced: (height, width), 0 paper, 1 black.

    Reducing averages, enlarging repeats pixels: what is reduced again to the size it had is the same.

    Args:
        pixels: what `find_ink` was given.
        ink: what it answered.
        box: the part to look at, inside `Ink.within`.
        size: width and height of the answer.
    """
    left, top, right, bottom = box
    part = Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right]))
    part = part.resize(size, Image.Resampling.BOX)
    x, y, end_x, end_y = ink.within
    width, height = end_x - x, end_y - y
    shares = ((left - x) / width, (top - y) / height, (right - x) / width, (bottom - y) / height)
    return ink.paper.contrast(seen(part, ink.polarity, len(ink.paper.colour)), shares)


def region(ink: Ink) -> Box:
    """What `cut_out` shows of a picture: the digit's box with a narrow margin."""
    assert ink.box is not None
    left, top, right, bottom = ink.box
    margin = max(2 * ink.shrink, (max(right - left, bottom - top)) // 16)
    x, y, end_x, end_y = ink.within
    left, top = max(x, left - margin), max(y, top - margin)
    return left, top, min(end_x, right + margin), min(end_y, bottom + margin)


def cut_out(pixels: Pixels, ink: Ink) -> Floats:
    """The digit's ink alone, 0..1, at a scale that makes its longer side about `FINE` pixels."""
    left, top, right, bottom = box = region(ink)
    zoom = FINE / max(right - left, bottom - top)
    size = (max(1, round((right - left) * zoom)), max(1, round((bottom - top) * zoom)))
    contrast = close_up(pixels, ink, box, size)
    near = grow(ink.mask, 2 if ink.shrink == 1 else 1).astype(np.float32)
    x, y = ink.within[:2]
    sides = (left - x, top - y, right - x, bottom - y)
    on_mask = (sides[0] / ink.shrink, sides[1] / ink.shrink, sides[2] / ink.shrink, sides[3] / ink.shrink)
    return strength(contrast, ink.level, ink.noise) * resize(near, *size, box=on_mask)


def strength(contrast: Floats, level: float, noise: float) -> Floats:
    """The contrast as ink, 0..1: what is paler than noise or a fringe is none, the digit's own is 1."""
    low = max(FRINGE * level, 2 * noise)
    return np.asarray(np.clip((contrast - low) / max(level - low, 1e-3), 0, 1))


def erased(pixels: Pixels, ink: Ink) -> Pixels:
    """The picture, uint8 (H, W) or (H, W, 3), with paper in place of that ink and its fringe."""
    height, width = pixels.shape[:2]
    paper = np.dstack([resize(plane, width, height) for plane in ink.paper.colour])
    paper = 255 - paper if ink.polarity == "light on dark" else paper
    mask = grow(ink.mask, ERASED).repeat(ink.shrink, axis=0).repeat(ink.shrink, axis=1)
    gone = np.zeros((height, width), bool)
    part = mask[:height, :width]
    gone[: part.shape[0], : part.shape[1]] = part
    blank = np.broadcast_to(np.clip(paper, 0, 255), np.atleast_3d(pixels).shape).astype(np.uint8)
    return np.where(gone[:, :, None], blank, np.atleast_3d(pixels)).reshape(pixels.shape)
