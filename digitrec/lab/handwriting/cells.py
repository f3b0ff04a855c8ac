"""What cutting a cell out of a form leaves: a digit with no paper around, or with bars along the edges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.lab.handwriting.photo import ink_on_paper
from digitrec.lab.handwriting.props import box_of
from digitrec.lab.handwriting.scenery import Made, page_of, unruled

Pixels = NDArray[np.uint8]

_FORMS = (16, 20, 32)
"""Sides to which readers of forms stretch a digit, px."""


def _cropped(ink: Pixels, rng: np.random.Generator) -> Made:
    """Cropped to the digit's box, each side up to 6 % of its height off, or 2 % into it."""
    page = page_of(ink, rng, 0.3, 0.8)
    pixels = ink_on_paper(page, rng, unruled(rng))
    left, top, right, bottom = box_of(page)
    before, above, after, below = np.rint(len(ink) * rng.uniform(-0.02, 0.06, 4)).astype(int)
    part = slice(top - above, bottom + below), slice(left - before, right + after)
    return pixels[part], page[part]


def _barred(ink: Pixels, rng: np.random.Generator) -> Made:
    """A bar along at least one edge, of 3 to 12 % of the digit's height, as a cell's printed frame leaves."""
    page = page_of(ink, rng, 0.3, 0.6)
    whole = page.copy()
    sides = rng.random(4) < 0.5
    sides[rng.integers(4)] = True
    for side in np.flatnonzero(sides).tolist():
        breadth = round(len(ink) * rng.uniform(0.03, 0.12))
        np.rot90(whole, side)[:breadth] = 255
    return ink_on_paper(whole, rng, unruled(rng)), page


def _squared(ink: Pixels, rng: np.random.Generator) -> Made:
    """Stretched to a small square, half of them to one bit a pixel, light on dark or dark on light."""
    left, top, right, bottom = box_of(ink)
    side = int(rng.choice(_FORMS))
    small = np.asarray(
        Image.fromarray(ink[top:bottom, left:right]).resize((side, side), Image.Resampling.BOX)
    )
    if rng.random() < 0.5:
        small = np.where(small > 100, 255, 0).astype(np.uint8)
    seen = small if rng.random() < 0.5 else 255 - small
    return np.repeat(seen[:, :, None], 3, axis=2), np.where(small > 100, 255, 0).astype(np.uint8)


CELLS: dict[str, Callable[[Pixels, np.random.Generator], Made]] = {
    "cropped to the digit": _cropped,
    "bars along the edges": _barred,
    "stretched to a square": _squared,
}
"""Scenes whose digit is to be read, as `scenery.READ`; none was learned."""
