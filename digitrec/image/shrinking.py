"""Pictures far larger than needed, made smaller piece by piece, so that no second copy is ever whole."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from digitrec.image.pixels import check_range, scaled, white_of_file

ENOUGH_SIDE = 750
"""Shorter side that a picture keeps at least when it is made smaller, in px, if the caller sets no other."""
NUMBERS_SIDE = 1500
"""The same where the numbers on a page are read, whose digits are smaller."""
MOST_PIXELS = 4_000_000
"""One that has more pixels afterwards is long and thin, and made smaller still."""
PIECE = 1 << 18
"""Pixels of a piece."""
ROWS = 512
"""Its rows."""
HAS_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
"""Pillow's modes with transparency of their own; others may name a transparent colour."""

Box = tuple[int, int, int, int]


def factor(size: tuple[int, int], enough: int = ENOUGH_SIDE) -> int:
    """By what both sides of a picture of this width and height are divided, >= 1.

    Args:
        size: width and height in pixels.
        enough: the shorter side stays at least this, in pixels, unless `MOST_PIXELS` are exceeded.
    """
    width, height = size
    thin = math.ceil(math.sqrt(width * height / MOST_PIXELS))
    return max(1, min(size) // enough, thin)


def shrunk(picture: Image.Image, by: int) -> Image.Image:
    """Divide both sides of a decoded picture of any mode (rounded up); return L, RGB or RGBA.

    Each output pixel is the mean of the pixels it covers, weighted by opacity.

    Raises:
        ImageError: a number in it is negative or not finite.
    """
    eight_bits = _eight_bits(picture, by)
    small: Image.Image | None = None
    for box in _pieces(picture.size, by):
        part = eight_bits(picture.crop(box)).reduce(by)
        if small is None:
            small = Image.new(part.mode, (-(-picture.width // by), -(-picture.height // by)))
        small.paste(part, (box[0] // by, box[1] // by))
    assert small is not None, "a picture has pixels"
    return small


def _pieces(size: tuple[int, int], by: int) -> Iterator[Box]:
    """Boxes that cover a picture, each side a multiple of ``by`` but for the last ones."""
    width, height = size
    rows = by * max(1, ROWS // by)
    columns = by * max(1, PIECE // min(rows, height) // by)
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            yield left, top, min(left + columns, width), min(top + rows, height)


def _eight_bits(picture: Image.Image, by: int) -> Callable[[Image.Image], Image.Image]:
    """Return a function that converts a piece of the picture to eight bits a channel."""
    if picture.mode.startswith(("I", "F")):
        white = _white(picture, by)
        return lambda piece: Image.fromarray(scaled(np.asarray(piece), white))
    if picture.mode in HAS_ALPHA or "transparency" in picture.info:
        return lambda piece: piece.convert("RGBA")
    mode = "L" if picture.mode in ("1", "L") else "RGB"
    return lambda piece: piece.convert(mode)


def _white(picture: Image.Image, by: int) -> float:
    """Return the value of white in a picture of numbers."""
    low, high, dtype = math.inf, -math.inf, np.dtype(np.uint8)
    for box in _pieces(picture.size, by):
        values = np.asarray(picture.crop(box))
        low, high, dtype = min(low, float(values.min())), max(high, float(values.max())), values.dtype
        check_range(low, high)
    return white_of_file(high, dtype)
