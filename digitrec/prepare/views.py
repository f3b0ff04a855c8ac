"""Show a proposal for the picture's digit with its surroundings, for the judge's network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from PIL import Image

from digitrec.image.pixels import Pixels
from digitrec.prepare.components import longer_side
from digitrec.prepare.finder import CLOSER
from digitrec.prepare.form import as_bytes, extent
from digitrec.prepare.proposals import Proposal

SIDE, CHANNELS = 64, 6
"""Side of a view in pixels, and its channels: red, green, blue, the proposal's ink, the ink of the finder's
other marks, and 255 inside the picture."""
Part = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the picture; a part may extend beyond the picture."""


def view(picture: Image.Image, one: Proposal, marks: Sequence[Proposal]) -> Pixels:
    """Return a proposal and what is around it, (SIDE, SIDE, CHANNELS).

    Outside the picture, the colours at its edge are repeated.
    """
    left, top, right, bottom = one.box
    side = CLOSER * longer_side(one.box)
    x, y = (left + right - side) / 2, (top + bottom - side) / 2
    shown, whole = (x, y, x + side, y + side), (0, 0, *picture.size)
    others = [_inked(mark, shown) for mark in marks if mark is not one]
    return np.dstack([
        _scaled(picture, whole, shown, "RGB", "edge"), _inked(one, shown),
        np.maximum.reduce([_nothing(), *others]), _scaled(Image.new("L", (1, 1), 255), whole, shown),
    ])  # fmt: skip


def _inked(one: Proposal, shown: Part) -> Pixels:
    """Return a proposal's ink on the part that is shown, (SIDE, SIDE)."""
    ink = one.reading.ink
    if one.source != "whole picture":
        left, top, right, bottom = extent(ink)
        ink = ink[top:bottom, left:right]
    return _scaled(Image.fromarray(as_bytes(ink)), one.box, shown)


def _scaled(
    image: Image.Image,
    place: Part,
    shown: Part,
    mode: str = "L",
    outside: Literal["constant", "edge"] = "constant",
) -> Pixels:
    """Return the part of an image that is shown, (SIDE, SIDE) or (SIDE, SIDE, 3).

    Args:
        image: the image, of mode L or RGB.
        place: the part of the picture that the image covers.
        shown: the part of the picture that is shown.
        mode: the mode of the result: "L" or "RGB".
        outside: what is shown outside the image: "constant" (0), or "edge": its nearest pixel.
    """
    start, scale = np.array(shown[:2]), SIDE / np.subtract(shown[2:], shown[:2])
    first, last = np.maximum(shown[:2], place[:2]), np.minimum(shown[2:], place[2:])
    if (first >= last).any():
        return _nothing()
    low = np.minimum(np.rint((first - start) * scale), SIDE - 1).astype(int)
    high = np.clip(np.rint((last - start) * scale).astype(int), low + 1, SIDE)
    zoom = np.array(image.size) / np.subtract(place[2:], place[:2])
    box = np.clip((np.array([first, last]) - place[:2]) * zoom, 0, image.size)  # rounding may exceed it
    size = (high - low).tolist()
    part = image.resize(size, Image.Resampling.BILINEAR, tuple(box.ravel()), reducing_gap=3.0)
    pixels = np.asarray(part.convert(mode))
    margins = [(low[1], SIDE - high[1]), (low[0], SIDE - high[0]), (0, 0)]
    return np.pad(pixels, margins[: pixels.ndim], outside)


def _nothing() -> Pixels:
    return np.zeros((SIDE, SIDE), np.uint8)
