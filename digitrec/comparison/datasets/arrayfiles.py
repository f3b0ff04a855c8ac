"""Images and labels as arrays, from the files in which they are handed around: .npz and IDX."""

from __future__ import annotations

import gzip
import logging
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.errors import DataError

log = logging.getLogger(__name__)

Array = np.ndarray[Any, Any]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]

PAIRS = (("x", "y"), ("images", "labels"))
"""Names of the images and the labels in an .npz file."""
PARTS = ("test", "train")
"""The parts of an .npz file as Keras has it: ``x_test`` and ``y_test``, ``x_train`` and ``y_train``."""
CHANNELS = (1, 3, 4)
"""Grey, RGB, RGB with opacity."""


def read_npz(path: Path, part: str | None = None, *, either: str = "test") -> tuple[Bytes, Array]:
    """Images (N, H, W) or (N, H, W, channels), 0..255, and labels (N,), 0..9.

    Args:
        path: the file; nothing in it is run (``allow_pickle`` is off).
        part: which of `PARTS`; None: the pair that is there.
        either: which of `PARTS` is meant where both are there and `part` is None; that is told.

    Raises:
        DataError: it is damaged, has no such pair or several, or they are no images and digits.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            x, y = pair(path, list(arrays.files), part, either)
            images, labels = arrays[x], arrays[y]
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except Exception as error:  # zipfile, zlib and NumPy's parsers raise what they like at foreign bytes
        raise DataError(f"{path}: damaged, or not an .npz file of plain arrays") from error
    if not isinstance(images, np.ndarray) or not isinstance(labels, np.ndarray):
        raise DataError(f"{path}: {x} or {y} is no array")
    return checked(path, images, labels)


def pair(path: Path, keys: list[str], part: str | None, either: str) -> tuple[str, str]:
    """The names under which a file with these keys has images and labels; `part`, `either` as in `read_npz`.

    Raises:
        DataError: it has no such pair, or several.
    """
    of_keras: list[tuple[str, str]] = [(f"x_{name}", f"y_{name}") for name in PARTS if part in (None, name)]
    known: list[tuple[str, str]] = [*(PAIRS if part is None else ()), *of_keras]
    found = [pair for pair in known if set(pair) <= set(keys)]
    if not found:
        needed, there = " or ".join(map("/".join, known)), ", ".join(keys) or "nothing"
        raise DataError(f"{path}: needs the arrays {needed}; it holds {there}")
    if len(found) > 1 and found != of_keras:
        raise DataError(f"{path}: holds both {' and '.join(map('/'.join, found))}; keep one of them")
    if len(found) > 1:
        other = next(name for name in PARTS if name != either)
        log.warning("%s: its %s part is meant; the other is %s:%s", path, either, path, other)
        return of_keras[PARTS.index(either)]
    return found[0]


def read_idx(path: Path) -> tuple[Bytes, Array]:
    """The same of an IDX pair: http://yann.lecun.com/exdb/mnist describes the format.

    Raises:
        DataError: a file of the two is missing, damaged, or no such file.
    """
    if "images-idx3" not in path.name:
        raise DataError(
            f"{path}: not a folder, an .npz file or the images of an IDX pair (...images-idx3...)"
        )
    labels = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    images = _idx_array(path, 3)
    if path.name.startswith("emnist"):
        images = images.transpose(0, 2, 1)
    return checked(path, images, _idx_array(labels, 1))


def _idx_array(path: Path, dimensions: int) -> Bytes:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: damaged; fetch it again") from error
    header = 4 + 4 * dimensions
    if len(data) < header or data[:4] != bytes((0, 0, 8, dimensions)):
        raise DataError(f"{path}: not an IDX file of bytes in {dimensions} dimension(s)")
    shape = struct.unpack(f">{dimensions}I", data[4:header])
    if len(data) - header != math.prod(shape):
        raise DataError(f"{path}: cut off or too long for its header; fetch it again")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def checked(path: Path, images: Array, labels: Array) -> tuple[Bytes, Array]:
    """The same, the images as 0..255 and the labels as integers.

    Raises:
        DataError: their shapes or types do not fit, a label is not 0..9, or it is not plain what a pixel's
            value means.
    """
    plain = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in CHANNELS)
    if not plain or labels.shape != images.shape[:1] or 0 in images.shape[1:3]:
        raise DataError(
            f"{path}: {images.shape} images do not go with {labels.shape} labels; they must be (N, height, "
            "width), perhaps with 1, 3 or 4 channels, and (N,)"
        )
    if labels.dtype.kind not in "iuf":
        raise DataError(f"{path}: labels of type {labels.dtype} are no digits")
    wrong = np.flatnonzero(~np.isin(labels, range(10)))
    if wrong.size:
        raise DataError(f"{path}: label {labels[wrong[0]]:g} of image {wrong[0]} is not a digit")
    return _bytes(path, images), labels.astype(np.uint8)


def _bytes(path: Path, images: Array) -> Bytes:
    """The images as 0..255: what stands for white is told from the whole set."""
    if images.dtype.kind not in "buif":
        raise DataError(f"{path}: images of type {images.dtype} have no pixels")
    if not images.size:
        return images.astype(np.uint8)
    low, high = float(images.min()), float(images.max())
    if not (math.isfinite(low) and math.isfinite(high)) or low < 0:
        raise DataError(f"{path}: pixel values from {low:g} to {high:g}; scale them to 0..1 or 0..255")
    full = _full(images.dtype, high)
    if full is None:
        raise DataError(f"{path}: is {high:g} the brightest there is? Scale the values to 0..1 or 0..255")
    if full == 255 and images.dtype == np.uint8:
        return images
    scaled: Bytes = np.rint(images.astype(np.float32) * np.float32(255 / full)).astype(np.uint8)
    return scaled


def _full(kind: np.dtype[Any], high: float) -> float | None:
    """What a full pixel is where the highest of all is ``high``; None where that is not plain."""
    if high <= 1:
        return 1.0
    if high == 16:  # scikit-learn's digits
        return 16.0
    if kind == np.uint8 or 128 <= high <= 255:
        return 255.0
    return 65535.0 if high <= 65535 and kind.itemsize == 2 and high >= 32768 else None
