"""Read images and labels from the common files of data sets.

- ``.npz`` with ``x`` and ``y`` or ``images`` and ``labels``, or Keras' four arrays;
- ``.csv`` with a label and the pixels of a square picture in each row, as Kaggle and OpenML have MNIST;
- an IDX pair (http://yann.lecun.com/exdb/mnist describes the format), labels beside the images.
"""

from __future__ import annotations

import gzip
import logging
import math
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.errors import DataError, ImageError
from digitrec.errors.text import first_line
from digitrec.image.pixels import Pixels, scaled, white

log = logging.getLogger(__name__)

Array = np.ndarray[Any, Any]

LABELS = ("label", "digit", "class", "target")
"""Names of the column of labels in a .csv file, in any case."""
PAIRS = [("x", "y"), ("images", "labels")]
"""Names of the images and the labels in an .npz file."""
PARTS = ("test", "train")
"""The parts of Keras' .npz files: ``x_test`` and ``y_test``, ``x_train`` and ``y_train``."""
CHANNELS = (1, 3, 4)
"""Numbers of channels: grey, RGB, RGBA."""
FEWEST = 50
"""Minimum number of columns of a table of pixels; the smallest common pictures are 8x8."""


def read(path: Path, part: str | None = None, *, either: str = "test") -> tuple[Pixels, Pixels]:
    """Return images (N, H, W) or (N, H, W, channels), 0..255, and labels (N,), 0..9.

    Nothing in the file is executed. Pictures of EMNIST, known by name, are turned upright.

    Args:
        path: the file.
        part: which of `PARTS` to take from an .npz file; None: the pair that is there.
        either: the part to take, with a warning, if both are there and `part` is None.

    Raises:
        DataError: the file is missing, damaged, in none of the formats, or ambiguous.
    """
    try:
        images, labels = _arrays(path, part, either)
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{error.filename or path}: no such file") from error
    except Exception as error:  # zipfile, zlib and NumPy raise any class at damaged bytes
        raise DataError(f"{path}: damaged, or not in the format of its name ({first_line(error)})") from error
    if path.name.startswith("emnist"):
        images = images.transpose(0, 2, 1)
    return _checked(path, images, labels)


def is_pixel_table(path: Path) -> bool:
    """Return whether a .csv file has columns of pixels, and not of files and labels.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return _content(path).partition(b"\n")[0].count(b",") + 1 >= FEWEST
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error


def _arrays(path: Path, part: str | None, either: str) -> tuple[Array, Array]:
    """Read images and labels in the format that the file's name says."""
    if path.suffix == ".npz":
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            x, y = _pair(path, list(arrays), part, either)
            return np.asarray(arrays[x]), np.asarray(arrays[y])
    if path.name.removesuffix(".gz").endswith(".csv"):
        return _read_csv(path)
    if "images-idx3" in path.name:
        labels = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
        return _idx_array(path, 3), _idx_array(labels, 1)
    raise DataError(f"{path}: not a folder, an .npz file or the images of an IDX pair (...images-idx3...)")


def _content(path: Path) -> bytes:
    """Return the bytes of a file, decompressed if it is gzipped."""
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def _pair(path: Path, keys: Sequence[str], part: str | None, either: str) -> tuple[str, str]:
    """Return the names of the images and labels in a file with these keys."""
    of_keras = [(f"x_{name}", f"y_{name}") for name in PARTS if part in (None, name)]
    known = of_keras if part else [*PAIRS, *of_keras]
    found = [pair for pair in known if set(pair) <= set(keys)]
    if len(found) == 2 and found == of_keras:
        other = next(name for name in PARTS if name != either)
        log.warning("%s: using its %s part; the other is %s:%s", path, either, path, other)
        return of_keras[PARTS.index(either)]
    if len(found) != 1:
        needed = " or ".join(map("/".join, known))
        raise DataError(f"{path}: must hold one of {needed}; it holds {', '.join(keys) or 'nothing'}")
    return found[0]


def _idx_array(path: Path, dimensions: int) -> Array:
    data = _content(path)
    if data[:4] != bytes((0, 0, 8, dimensions)):
        raise DataError(f"{path}: not an IDX file of bytes in {dimensions} dimension(s)")
    shape = np.frombuffer(data, ">u4", dimensions, offset=4).tolist()
    start = 4 + 4 * dimensions
    if len(data) - start != math.prod(shape):
        raise DataError(f"{path}: shorter or longer than its header says; download it again")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _read_csv(path: Path) -> tuple[Array, Array]:
    """Read a CSV; its label column has a name of `LABELS`, or is the first without a header."""
    lines = _content(path).decode("utf-8-sig").splitlines()
    names = [name.strip().strip('"').casefold() for name in lines[0].split(",")]
    headed = not all(re.fullmatch(r"[-+.\de]+", name) for name in names)
    place = next((names.index(name) for name in LABELS if name in names), None)
    side = math.isqrt(len(names) - 1)
    if side**2 != len(names) - 1 or (headed and place is None):
        raise DataError(
            f"{path}: its {len(names)} columns must be one label and the pixels of a square picture"
        )
    records = [line for line in lines[headed:] if line.strip()]
    if not records:
        raise DataError(f"{path}: holds no picture under its header")
    rows = np.loadtxt(records, np.float32, comments=None, delimiter=",", quotechar='"', ndmin=2)
    images = np.delete(rows, place or 0, axis=1).reshape(-1, side, side)
    return images, rows[:, place or 0]


def _checked(path: Path, images: Array, labels: Array) -> tuple[Pixels, Pixels]:
    """Return the images as 0..255 and the labels as integers.

    Raises:
        DataError: shapes or types do not match, a label is not 0..9, or the range of pixels is ambiguous.
    """
    plain = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in CHANNELS)
    if not plain or labels.shape != images.shape[:1] or 0 in images.shape[1:3]:
        raise DataError(
            f"{path}: images must be (N, height, width), perhaps with 1, 3 or 4 channels, and labels (N,), "
            f"not {images.shape} and {labels.shape}"
        )
    if labels.dtype.kind not in "iuf" or images.dtype.kind not in "buif":
        raise DataError(f"{path}: images and labels must be numbers, not {images.dtype} and {labels.dtype}")
    wrong = np.flatnonzero(~np.isin(labels, range(10)))
    if wrong.size:
        raise DataError(f"{path}: label {labels[wrong[0]]:g} of image {wrong[0]} is not a digit")
    try:
        return scaled(images, white(images)), labels.astype(np.uint8)
    except ImageError as error:
        raise DataError(f"{path}: {str(error).removeprefix('<array>: ')}") from error
