"""Check whether a caller gave one picture or many, and split arrays of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from digitrec.errors import ImageError
from digitrec.errors.arguments import said
from digitrec.image import DigitImage, ImageSource, Turned
from digitrec.image.arrays import as_array, white

NO_NUMBERS = "OSUT"
"""Kinds of NumPy types whose values are paths or encoded pictures: objects, bytes and strings."""


def one_image(image: ImageSource) -> ImageSource:
    """Return the same picture; refuse a list or a batch.

    Raises:
        TypeError: there are several.
    """
    if (array := as_array(image)) is not None:
        batch = array.ndim > 3 or (array.ndim == 3 and array.shape[2] > 4)
        what = f"shape {array.shape}"
    else:
        many = (list, tuple, set, frozenset, Mapping, Iterator)
        batch = isinstance(image, many) and not hasattr(image, "read")
        what = f"a {type(image).__name__}"
    if batch:
        raise TypeError(f"{what} is not one picture: give several to predict_many or stream")
    return image


def several_images(images: Iterable[ImageSource]) -> Iterable[ImageSource]:
    """Return the same pictures; refuse a single one, or each letter of its name would become a file.

    A batch is an array, a tensor or a PyArrow array; an array of paths or encoded pictures is a list of them.
    All pictures of a batch share one value range, so that a pale picture stays pale.

    Raises:
        TypeError: a single picture, or not an iterable.
        ImageError: the range of an array is ambiguous.
    """
    if hasattr(images, "to_numpy_ndarray"):  # PyArrow's arrays of tensors
        images = images.to_numpy_ndarray()
    if (array := as_array(images)) is not None:
        return array.tolist() if array.ndim == 1 and array.dtype.kind in NO_NUMBERS else _batch(array)
    alone = (str, bytes, bytearray, memoryview, Path, DigitImage, Turned, Image.Image)
    if isinstance(images, alone) or hasattr(images, "read"):
        raise TypeError("this is one picture: give it to predict or compare, or in a list")
    if not isinstance(images, Iterable) or isinstance(images, Mapping):
        raise TypeError(f"pictures come in a list or another iterable, not {said(images)}")
    return images


def _batch(images: NDArray[Any]) -> Iterator[ImageSource]:
    if images.ndim == 2 or (images.ndim == 3 and images.shape[2] <= 4):
        raise TypeError(
            f"shape {images.shape} is one picture: give it to predict or compare, or in a list; "
            "flattened pictures are made (N, 28, 28) by reshape"
        )
    if images.ndim not in (3, 4):
        raise TypeError(f"shape {images.shape} is not a batch; give (N, H, W), or (N, H, W, 3) in colour")
    full = white(images)
    return (_with_range(image, full) for image in images)


def _with_range(image: NDArray[Any], full: float) -> ImageSource:
    """Read a picture in the range of its batch; return a bad one as it is, to fail in its own turn."""
    try:
        return DigitImage.open(image, full=full)
    except ImageError:
        return image
