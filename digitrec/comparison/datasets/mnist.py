"""Load the MNIST digits as NumPy arrays. The 10,000 test digits come with the package.

MNIST was made by Yann LeCun, Corinna Cortes and Christopher J.C. Burges from NIST's Special Databases 1 and
3; its customary licence is CC BY-SA 3.0.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitrec.errors import DataError

SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
"""The official files and their checksums."""

NO_DIGIT = 10
"""The label of a picture that shows no digit."""

SHIPPED = Path(__file__).parent / "data"
"""Folder of the test digits."""


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """Images of digits with their labels."""

    images: NDArray[np.uint8]
    """(N, 28, 28), ink high, 0..255."""
    labels: NDArray[np.uint8]
    """(N,), 0..9, or `NO_DIGIT` in training sets."""

    def __len__(self) -> int:
        return len(self.labels)

    def __add__(self, other: Digits) -> Digits:
        images, labels = (self.images, other.images), (self.labels, other.labels)
        return Digits(np.concatenate(images), np.concatenate(labels))

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> Digits:
        return Digits(self.images[chosen], self.labels[chosen])


@cache
def mnist_test() -> Digits:
    """Return the 10,000 test digits that come with the package; needs no network and no setting.

    Raises:
        DataError: the installed package is damaged.
    """
    return digits_of("t10k", lambda name: official(SHIPPED / name, "install digitrec again"))


def digits_of(part: str, file: Callable[[str], bytes]) -> Digits:
    """Return the digits of a part, "t10k" or "train"; ``file`` unpacks the file with a name."""
    images = np.frombuffer(file(f"{part}-images-idx3-ubyte.gz"), np.uint8, offset=16)
    labels = np.frombuffer(file(f"{part}-labels-idx1-ubyte.gz"), np.uint8, offset=8)
    return Digits(images.reshape(-1, 28, 28), labels)


def official(path: Path, advice: str) -> bytes:
    """Return the unpacked content of an official file; errors are those of `intact`."""
    return gzip.decompress(intact(path, SHA256[path.name], advice))


def intact(path: Path, sha256: str, advice: str) -> bytes:
    """Return the content of a file if it has this checksum.

    Raises:
        DataError: the file cannot be read or has another checksum; the message ends with the advice.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); {advice}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"{path}: damaged, or a different file of that name; {advice}")
    return content
