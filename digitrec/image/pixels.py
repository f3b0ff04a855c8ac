"""Pixels as they are kept everywhere: upright, opaque, eight bits a channel, not too many."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from digitrec.errors import ImageError

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Size = tuple[int, int]
"""Width and height in pixels."""

MAX_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded; Pillow's own limit is 89 million."""

_PIECE = 1 << 18
"""Numbers that are brought to 0..255 at a time."""


class Decoded(NamedTuple):
    """A picture as it was read."""

    held: Pixels | Image.Image
    """An array, or Pillow's picture of mode L or RGB."""
    size: Size
    """Upright width and height before it was shrunk."""
    name: str
    """A name for messages."""
    sha256: str
    """SHA-256 of the input, in hex."""
    frames: int = 1
    """Number of pictures in its file."""


def too_large() -> str:
    """Explain that a picture has more than `MAX_PIXELS`, and what to do."""
    return f"more than {MAX_PIXELS // 1_000_000} million pixels; scale it down first"


def check_size(size: tuple[int, int], name: str) -> None:
    """Refuse a picture of this width and height, under this name, that cannot be read.

    Raises:
        ImageError: it is too large, or has no pixels.
    """
    if size[0] * size[1] > MAX_PIXELS:
        raise ImageError(f"{name}: {too_large()}")
    if 0 in size:
        raise ImageError(f"{name}: the picture has no pixels")


def digest(pixels: Pixels) -> str:
    """Return the SHA-256 of a picture, in hex; the same bytes in another shape differ."""
    found = hashlib.sha256(pixels.data)
    found.update(repr(pixels.shape).encode())
    return found.hexdigest()


def scaled(values: np.ndarray[Any, Any], full: float) -> Pixels:
    """Numbers of any type from 0 to ``full`` as 0..255; what is above is white.

    Raises:
        ImageError: one is negative or not finite.
    """
    if values.dtype == np.uint8 and full == 255:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    found = np.empty(values.shape, np.uint8)
    rows = max(1, len(values) * _PIECE // max(1, values.size))
    for top in range(0, len(values), rows):  # in float64, so in pieces
        numbers = values[top : top + rows].astype(np.float64)
        check_range(float(numbers.min()), float(numbers.max()))
        found[top : top + rows] = np.round(np.minimum(numbers * (255.0 / full), 255.0))
    return found


def check_range(low: float, high: float) -> None:
    """Check that the least and the greatest value of an array can be pixels.

    Raises:
        ImageError: one is negative or not finite.
    """
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        raise ImageError("<array>: pixel values must be finite and not negative")


def white_of_file(high: float, dtype: np.dtype[Any]) -> float:
    """Return the value of white in a file's 16-bit or float pixels whose maximum is ``high``."""
    if dtype.kind == "f" and high <= 1:
        return 1.0
    return 255.0 if high <= 255 and dtype.itemsize != 2 else max(high, 65535.0)


def opaque(picture: Image.Image) -> Image.Image:
    """Transparency on white; on black where nothing visible is dark, or white ink would vanish."""
    alpha = np.asarray(picture.getchannel("A"))
    visible = alpha > 128
    dark = np.asarray(picture.convert("L"))[visible] < 128
    light_ink = bool(visible.any() and not visible.all() and dark.mean() < 0.001)
    backdrop = Image.new("RGBA", picture.size, "black" if light_ink else "white")
    return Image.alpha_composite(backdrop, picture).convert("RGB")
