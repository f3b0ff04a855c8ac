"""Read images and labels from NumPy's .npz files and from IDX pairs.

http://yann.lecun.com/exdb/mnist describes IDX, in which MNIST and EMNIST are published.
"""

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.errors import DataError, ImageError
from digitrec.errors.text import first_line
from digitrec.image.pixels import Pixels, scaled, white

Array = np.ndarray[Any, Any]

PAIRS = [("x", "y"), ("images", "labels")]
"""Names of the images and the labels in an .npz file."""


def read(path: Path) -> tuple[Pixels, Pixels]:
    """Return images (N, H, W) or (N, H, W, channels), 0..255, and labels (N,), 0..9.

    Code in the file is never executed. Pictures of EMNIST, recognised by the file's name, are turned upright.

    Raises:
        DataError: the file is missing, damaged, in neither of the formats, or ambiguous.
    """
    try:
        images, labels = _arrays(path)
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{error.filename or path}: no such file") from error
    except Exception as error:  # zipfile, zlib and NumPy raise any class of error for damaged bytes
        raise DataError(f"{path}: damaged, or not in the format of its name ({first_line(error)})") from error
    images, labels = _checked(path, images, labels)
    return images.swapaxes(1, 2) if path.name.startswith("emnist") else images, labels


def _arrays(path: Path) -> tuple[Array, Array]:
    """Read images and labels in the format that the file's name says."""
    if path.suffix.lower() == ".npz":
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = [pair for pair in PAIRS if set(pair) <= set(arrays)]
            if len(found) != 1:
                needed = " or ".join(map("/".join, PAIRS))
                held = ", ".join(arrays) or "nothing"
                raise DataError(f"{path}: must hold one of {needed}; it holds {held}")
            ((x, y),) = found
            return np.asarray(arrays[x]), np.asarray(arrays[y])
    if "images-idx3" in path.name:
        labels = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
        return _idx_array(path, 3), _idx_array(labels, 1)
    raise DataError(f"{path}: not a folder, an .npz file or the images of an IDX pair (...images-idx3...)")


def _idx_array(path: Path, dimensions: int) -> Array:
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    if data[:4] != bytes((0, 0, 8, dimensions)):
        raise DataError(f"{path}: not an IDX file of bytes in {dimensions} dimension(s)")
    shape = np.frombuffer(data, ">u4", dimensions, offset=4).tolist()
    start = 4 + 4 * dimensions
    if len(data) - start != math.prod(shape):
        raise DataError(f"{path}: shorter or longer than its header says; download it again")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _checked(path: Path, images: Array, labels: Array) -> tuple[Pixels, Pixels]:
    """Return the images as 0..255 and the labels as integers.

    Raises:
        DataError: shapes or types do not match, a label is not 0..9, or the range of pixels is ambiguous.
    """
    plain = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3, 4))
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
