"""Crop at full size: the contrast of a part of the picture, and the ink of one digit alone."""

import numpy as np
from PIL import Image

from digitrec.prepare.background import contrast_to
from digitrec.prepare.components import Box
from digitrec.prepare.filters import Floats, edges, grow, quantile, resize
from digitrec.prepare.found import Ink

FINE = 120
"""Longer side of a cut-out digit, in pixels; from two thirds to one and a half of this if its pixels are only
averaged."""
FRINGE = 0.04
"""Pixels paler than this share of the ink's contrast are paper; MNIST's own digits fade out slowly."""


def close_up(picture: Image.Image, ink: Ink, box: Box, size: tuple[int, int]) -> Floats:
    """Return the contrast of a part of the picture, scaled to (height, width): 0 paper, 1 black.

    Reducing averages and enlarging repeats pixels, so reducing an enlarged picture restores it.

    Args:
        picture: the picture that was given to `find_ink`.
        ink: the result of `find_ink`.
        box: the part, inside `Ink.within`.
        size: width and height of the result.
    """
    left, top, right, bottom = box
    by = max(1, (right - left) // size[0])
    whole = by > 1 and size == (-(-(right - left) // by), -(-(bottom - top) // by))
    part = picture.reduce(by, box) if whole else picture.resize(size, Image.Resampling.BOX, box)
    x, y, end_x, end_y = ink.within
    width, height = end_x - x, end_y - y
    shares = ((left - x) / width, (top - y) / height, (right - x) / width, (bottom - y) / height)
    return contrast_to(ink.paper, ink.projection.view(part), shares)


def region(ink: Ink) -> Box:
    """Return the part of the picture that `cut_out` shows: the digit's box with a narrow margin."""
    box = ink.box
    assert box is not None
    left, top, right, bottom = box
    margin = max(2 * ink.shrink, (max(right - left, bottom - top)) // 16)
    x, y, end_x, end_y = ink.within
    left, top = max(x, left - margin), max(y, top - margin)
    return left, top, min(end_x, right + margin), min(end_y, bottom + margin)


def cut_out(picture: Image.Image, ink: Ink) -> Floats:
    """Return the digit's ink alone, 0..1, its longer side about `FINE` pixels."""
    left, top, right, bottom = box = region(ink)
    size = fine_size(right - left, bottom - top)
    contrast = close_up(picture, ink, box, size)
    near = grow(ink.mask, 2 if ink.shrink == 1 else 1).astype(np.float32)
    x, y, by = *ink.within[:2], ink.shrink
    on_mask = (left - x) / by, (top - y) / by, (right - x) / by, (bottom - y) / by
    return strength(contrast, ink.level, ink.noise) * resize(near, *size, box=on_mask)


def dark_share(ink: Ink) -> float:
    """Return the share of a digit's region that is more like its ink than like the paper around it, 0..1.

    It is high for a blot, of which only the outline is found, because strokes are narrower.
    """
    assert ink.fine is not None
    size = ink.fine.shape[1], ink.fine.shape[0]
    shown = ink.projection.view(ink.picture.resize(size, Image.Resampling.NEAREST, region(ink)))
    paper = quantile(np.concatenate(edges(shown)), 0.5)
    dark = float(shown[ink.fine >= 0.5 * ink.fine.max()].mean())
    return float((shown < (paper + dark) / 2).mean())


def fine_size(width: int, height: int) -> tuple[int, int]:
    """Return the size of a cut-out of a part of this size; reducing by a whole number is fastest."""
    by = round(max(width, height) / FINE)
    if by > 1:
        return -(-width // by), -(-height // by)
    zoom = FINE / max(width, height)
    return max(1, round(width * zoom)), max(1, round(height * zoom))


def strength(contrast: Floats, level: float, noise: float) -> Floats:
    """Return the contrast as ink, 0..1: 0 for noise and faint edges, 1 at the digit's level."""
    low = max(FRINGE * level, 2 * noise)
    return np.asarray(np.clip((contrast - low) / max(level - low, 1e-3), 0, 1))
