"""Arrays into pixels: their shape is checked, and what value is white is told from the values."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from digitrec.errors import ImageError
from digitrec.errors.arguments import number
from digitrec.image import shrinking
from digitrec.image.pixels import Decoded, check_size, digest, opaque, scaled

ROUNDING = 1e-3
"""By so much may a value go beyond white where it was calculated."""


def as_array(value: object) -> np.ndarray[Any, Any] | None:
    """The array in a NumPy array, in a tensor or in any other object with ``__array__``; else None.

    Raises:
        ImageError: the object cannot be turned into an array, such as a tensor that requires gradients.
    """
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, str | bytes | Image.Image) or not hasattr(value, "__array__"):
        return None
    try:
        return np.asarray(value)
    except Exception as error:  # any library's own
        raise ImageError(f"<array>: a {type(value).__name__} that gives no array ({error})") from error


def from_array(values: np.ndarray[Any, Any], full: float | None = None) -> Decoded:
    """The picture in an array, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).

    Args:
        values: integers, floats or booleans, from 0 on.
        full: the value that is white, > 0; None: as `white` tells from the values.

    Raises:
        ImageError: another shape, another type, values that are no pixels, or a range that is not plain.
        TypeError, ValueError: ``full`` is no such number.
    """
    if full is not None:
        full = number("full", full, 0, above=True)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        raise ImageError(
            f"<array>: shape {values.shape} is not (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); "
            "several pictures are for predict_many"
        )
    _check_numbers(values)
    check_size((values.shape[1], values.shape[0]), "<array>")
    full = white(values) if full is None else full
    by = shrinking.factor((values.shape[1], values.shape[0]))
    found = scaled(values, full) if by == 1 else np.asarray(shrinking.shrunk_array(values, full, by))
    pixels = np.ascontiguousarray(found)
    sha256 = digest(pixels)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = np.asarray(opaque(Image.fromarray(pixels)))
    return pixels, "<array>", sha256


def white(values: np.ndarray[Any, Any]) -> float:
    """The value that stands for white in an array, told from its values where they make it plain.

    Booleans and numbers up to 1 are shares of 1. Whole numbers from 0 to just 16 are scikit-learn's digits.
    Otherwise it is 255 for what reaches 17 to 255, and 65535 for what reaches 4,096 to 65,535. An array of
    one value throughout is blank at any of them.

    Raises:
        ImageError: it could be several: values that reach 2 to 16, 256 to 4,095 (10 or 12 bits?), or more
            than 65,535; or they are no pixels.
    """
    _check_numbers(values)
    if values.dtype == np.bool_ or not values.size:
        return 1.0
    high = float(values.max())
    if 16 < high <= 255 + ROUNDING:
        return 255.0
    low = float(values.min())
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = np.isfinite(values)
        low = float(values.min(where=finite, initial=np.inf))
        high = float(values.max(where=finite, initial=-np.inf))
        low, high = (low, high) if low <= high else (0.0, 0.0)
    if high <= 1 + ROUNDING:
        return 1.0
    if 16 < high <= 255 + ROUNDING or low == high <= 255:
        return 255.0
    if 4095 < high <= 65535 or low == high <= 65535:
        return 65535.0
    if low == 0 and high == 16 and all(np.array_equal(row, np.floor(row)) for row in values):
        return 16.0
    raise ImageError(
        f"<array>: its values reach {high:g}, and whether that is white cannot be told; divide it by the "
        f"value that is, or say it: digitrec.DigitImage.open(array, full=...)"
    )


def _check_numbers(values: np.ndarray[Any, Any]) -> None:
    if values.dtype.kind not in "biuf":
        raise ImageError(f"<array>: values of type {values.dtype} are not pixels")
