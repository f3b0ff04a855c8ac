"""One picture or many: what was given, where it is given to the wrong function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.arguments import said
from digitrec.errors import ImageError
from digitrec.image import DigitImage, ImageSource, Turned
from digitrec.image.decode import white


def one(image: ImageSource) -> ImageSource:
    """The same picture; a list or a batch of them is refused.

    Raises:
        TypeError: there are several.
    """
    if isinstance(image, np.ndarray):
        batch = image.ndim > 3 or (image.ndim == 3 and image.shape[2] > 4)
        what = f"shape {image.shape}"
    else:
        many = (list, tuple, set, frozenset, Mapping, Iterator)
        batch = isinstance(image, many) and not hasattr(image, "read")
        what = f"a {type(image).__name__}"
    if batch:
        raise TypeError(f"{what} is not one picture: give several to predict_many or stream")
    return image


def several(images: Iterable[ImageSource]) -> Iterable[ImageSource]:
    """The same pictures; one alone is refused, or each letter of a name would be taken for a file.

    The range of a batch's values is told from all of it, so that a pale picture in it is read as pale.

    Raises:
        TypeError: it is one picture, or none at all.
        ImageError: an array's range is not plain.
    """
    if isinstance(images, np.ndarray):
        return _batch(images)
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
        raise TypeError(f"shape {images.shape} is no batch: that is (N, H, W), or (N, H, W, 3) in colour")
    full = white(images)
    return (_with_range(image, full) for image in images)


def _with_range(image: NDArray[Any], full: float) -> ImageSource:
    """The picture, read in the range of its batch; one that is none fails where its turn comes."""
    try:
        return DigitImage.open(image, full=full)
    except ImageError:
        return image
