"""Images and labels from MATLAB's files: Street View House Numbers as cropped digits, and EMNIST.

SVHN (``train_32x32.mat``, http://ufldl.stanford.edu/housenumbers) holds ``X``, (32, 32, 3, N), and ``y``, in
which 10 stands for the digit 0. EMNIST (``emnist-digits.mat``, https://www.nist.gov/itl/products-and-services/
emnist-dataset) holds ``dataset`` with a ``train`` and a ``test`` part, each with ``images``, (N, 784), column
by column, and ``labels``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.datasets import arrayfiles
from digitrec.datasets.arrayfiles import PARTS, Array, Bytes
from digitrec.errors import DataError, NotInstalled
from digitrec.version import install_hint

HEAD = b"MATLAB 5.0 MAT-file"
"""How such a file begins; MATLAB 7.3's are others inside, and neither set comes so."""


def read(path: Path, part: str | None = None, *, either: str = "test") -> tuple[Bytes, Array]:
    """Images (N, H, W) or (N, H, W, 3), 0..255, and labels (N,), 0..9; nothing in the file is run.

    Args:
        path: the file.
        part: which of EMNIST's two parts, "train" or "test"; None: see `either`.
        either: which of them is meant where `part` is None; that is told.

    Raises:
        NotInstalled: SciPy is missing.
        DataError: it is damaged, neither SVHN's nor EMNIST's, or has other labels than digits.
    """
    arrays = _arrays(path, _contents(path))
    x, y = arrayfiles.pair(path, list(arrays), part, either)
    return arrayfiles.checked(path, arrays[x], arrays[y])


def _contents(path: Path) -> Mapping[str, Any]:
    """The variables of a file by their names."""
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise NotInstalled(f"{path}: MATLAB's files need SciPy: {install_hint('stats')}") from error
    try:
        with path.open("rb") as file:
            if not file.read(len(HEAD)).startswith(HEAD):
                raise DataError(f"{path}: not a MATLAB 5 file")
            file.seek(0)
            contents: Mapping[str, Any] = loadmat(file, simplify_cells=True)
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except Exception as error:  # SciPy's parser raises what it likes at foreign bytes
        raise DataError(f"{path}: damaged; fetch it again") from error
    return contents


def _arrays(path: Path, contents: Mapping[str, Any]) -> dict[str, Array]:
    """Images and labels under the names that they have in an .npz file.

    Raises:
        DataError: it is neither set.
    """
    try:
        if "dataset" in contents:
            return dict(pair for part in PARTS for pair in _emnist(contents["dataset"][part], part))
        return _svhn(np.asarray(contents["X"]), np.asarray(contents["y"]))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(f"{path}: neither SVHN's cropped digits (X and y) nor EMNIST's dataset") from error


def _svhn(images: Array, labels: Array) -> dict[str, Array]:
    if images.ndim == 3:  # MATLAB drops the last dimension of one picture
        images = images[..., None]
    return {"x": images.transpose(3, 0, 1, 2), "y": np.where(labels == 10, 0, labels).reshape(-1)}


def _emnist(part: Mapping[str, Any], name: str) -> list[tuple[str, Array]]:
    images, labels = np.asarray(part["images"]), np.asarray(part["labels"])
    return [(f"x_{name}", images.reshape(-1, 28, 28).transpose(0, 2, 1)), (f"y_{name}", labels.reshape(-1))]
