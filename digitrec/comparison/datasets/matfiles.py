"""Street View House Numbers as cropped digits (``train_32x32.mat``), from a MATLAB 5 file.

SVHN (Y. Netzer et al., http://ufldl.stanford.edu/housenumbers, for non-commercial use) has its pictures in
``X``, (32, 32, 3, N), and its labels in ``y``, in which 10 stands for the digit 0.
"""

from __future__ import annotations

import subprocess  # nosec B404 # no shell; this interpreter runs our own script
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from digitrec.comparison.datasets.arrayfiles import Array, Bytes, checked
from digitrec.errors import DataError, NotInstalled, install_hint

WANTED = ("X", "y")
"""SVHN's names of its pictures and its labels."""
_CONVERT = """
import sys
import numpy
from scipy.io import loadmat
found = loadmat(sys.argv[1], variable_names=["X", "y"])
numpy.savez(sys.argv[2], **{name: found[name] for name in ("X", "y") if name in found})
"""


def read(path: Path) -> tuple[Bytes, Array]:
    """Return images (N, H, W, 3), 0..255, and labels (N,), 0..9; no code in the file is run.

    SciPy reads the file in a process of its own, because some damaged files make SciPy crash.

    Raises:
        DataError: the file is not a MATLAB 5 file, is damaged, or holds something other than SVHN's digits.
        NotInstalled: the extra `stats` is missing.
    """
    if find_spec("scipy") is None:
        raise NotInstalled(f"{path.name} needs SciPy: {install_hint('stats')}")
    with tempfile.TemporaryDirectory() as folder:
        converted = Path(folder, "arrays.npz")
        command = [sys.executable, "-P", "-c", _CONVERT, str(path.absolute()), str(converted)]
        done = subprocess.run(  # nosec B603 # noqa: S603 (our own code, and no shell reads the command)
            command, capture_output=True, text=True, check=False
        )
        try:
            with np.load(converted, allow_pickle=False) as arrays:
                images, labels = (arrays[name] for name in WANTED)
        except (OSError, KeyError, ValueError, EOFError) as error:
            why = (done.stderr.strip().splitlines() or ["no array of numbers called X or y"])[-1][:200]
            raise DataError(
                f"{path}: not a MATLAB 5 file of SVHN's cropped digits, X and y, or damaged ({why}); give "
                "other sets as .npz or IDX"
            ) from error
    if images.ndim == 3:  # MATLAB drops the last dimension of one picture
        images = images[..., None]
    if images.ndim != 4 or sum(side != 1 for side in labels.shape) > 1:
        raise DataError(
            f"{path}: X must be (height, width, 3, N) and y (N, 1), not {images.shape}, {labels.shape}"
        )
    return checked(path, images.transpose(3, 0, 1, 2), np.where(labels == 10, 0, labels).reshape(-1))
