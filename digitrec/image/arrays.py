"""Turn arrays into pixels: check their shape and find the value of white from the values."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from digitrec.errors import ImageError
from digitrec.errors.arguments import number
from digitrec.image import shrinking
from digitrec.image.pixels import Decoded, check_size, digest, opaque, scaled

ROUNDING = 1e-3
"""Tolerance for values above white, from rounding."""


def as_array(value: object) -> np.ndarray[Any, Any] | None:
    """Return the array of a NumPy array, a tensor or any other object with ``__array__``; else None.

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


def from_array(values: np.ndarray[Any, Any], full: float | None, enough: int) -> Decoded:
    """Return the picture in an array, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).

    Args:
        values: integers, floats or booleans, >= 0.
        full: the value of white, > 0; None: `white` finds it from the values.
        enough: as for `digitrec.image.shrinking.factor`.

    Raises:
        ImageError: another shape or type, values that are not pixels, or an ambiguous range.
        TypeError, ValueError: ``full`` is not a finite number > 0.
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
    size = values.shape[1], values.shape[0]
    check_size(size, "<array>")
    full = white(values) if full is None else full
    by = shrinking.factor(size, enough)
    pixels = np.ascontiguousarray(scaled(values, full))
    if by > 1:
        pixels = np.asarray(Image.fromarray(pixels).reduce(by))
    sha256 = digest(pixels)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = np.asarray(opaque(Image.fromarray(pixels)))
    return Decoded(pixels, size, "<array>", sha256)


def white(values: np.ndarray[Any, Any]) -> float:
    """Return the value of white in an array, found from its maximum.

    1 for booleans and a maximum up to 1; 16 for whole numbers with the minimum 0 and the maximum 16
    (scikit-learn's digits); 255 for a maximum of 17 to 255; 65535 for a maximum of 4,096 to 65,535. An array
    of one value throughout is blank in any range.

    Raises:
        ImageError: the range is ambiguous, with a maximum of 2 to 16, 256 to 4,095 (10 or 12 bits?), or more
            than 65,535; or the values are not pixels.
    """
    _check_numbers(values)
    if values.dtype == np.bool_ or not values.size:
        return 1.0
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):  # a bad picture does not spoil the range of its batch
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if high <= 1 + ROUNDING:
        return 1.0
    if 16 < high <= 255 + ROUNDING or low == high <= 255:
        return 255.0
    if 4095 < high <= 65535 or low == high <= 65535:
        return 65535.0
    if low == 0 and high == 16 and all(np.array_equal(row, np.floor(row)) for row in values):
        return 16.0
    raise ImageError(
        f"<array>: the maximum {high:g} may or may not be white; divide the array by the value of white, or "
        "give that value: digitrec.DigitImage.open(array, full=...)"
    )


def _check_numbers(values: np.ndarray[Any, Any]) -> None:
    if values.dtype.kind not in "biuf":
        raise ImageError(f"<array>: values of type {values.dtype} are not pixels")
