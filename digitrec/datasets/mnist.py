"""The MNIST digits: 60,000 to train on, 10,000 to test with, as NumPy arrays.

The test digits come with the package. The training digits are read from the folder that DIGITREC_DATA
names (`$DIGITREC_DATA/mnist/train-images-idx3-ubyte.gz` and so on) or else fetched once from a public mirror.

MNIST is the work of Yann LeCun, Corinna Cortes and Christopher J.C. Burges, made from NIST's Special
Databases 1 and 3, and customarily licensed CC BY-SA 3.0.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from digitrec.errors import DataError, NotInstalled
from digitrec.version import install_hint

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
"""Folders that hold the four official files, tried in this order."""

SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
"""The official files and their checksums."""

NO_DIGIT = 10
"""The label of a picture that shows no digit."""

_SHIPPED = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """Images of digits and what they show."""

    images: NDArray[np.uint8]
    """(N, 28, 28), ink high, 0..255."""
    labels: NDArray[np.uint8]
    """(N,), 0..9; `NO_DIGIT` where a network learns what it is not to recognise."""

    def __len__(self) -> int:
        return len(self.labels)

    def __add__(self, other: Digits) -> Digits:
        images, labels = (self.images, other.images), (self.labels, other.labels)
        return Digits(np.concatenate(images), np.concatenate(labels))

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> Digits:
        return Digits(self.images[chosen], self.labels[chosen])


def mnist_test() -> Digits:
    """The 10,000 test digits that come with the package; needs neither network nor setting.

    Raises:
        DataError: the installed package is damaged.
    """
    return _digits("t10k", lambda name: _checked(_SHIPPED / name, "install digitrec again"))


def mnist_train(mirrors: Sequence[str] = MIRRORS) -> Digits:
    """The 60,000 training digits, from DIGITREC_DATA or else from the first of `mirrors` that has them.

    A download shows a progress bar on a terminal and is kept in the user's cache folder.

    Raises:
        DataError: a file is missing or damaged; the message names it.
        NotInstalled: a download needs the `train` extra.
    """
    folder = os.environ.get("DIGITREC_DATA")
    if folder:
        advice = "put the official file there, or unset DIGITREC_DATA and it is fetched"
        return _digits("train", lambda name: _checked(Path(folder, "mnist", name), advice))
    return _digits("train", lambda name: fetched(name, mirrors))


def _digits(part: str, file: Callable[[str], bytes]) -> Digits:
    images = np.frombuffer(file(f"{part}-images-idx3-ubyte.gz"), np.uint8, offset=16)
    labels = np.frombuffer(file(f"{part}-labels-idx1-ubyte.gz"), np.uint8, offset=8)
    return Digits(images.reshape(-1, 28, 28), labels)


def _checked(path: Path, advice: str) -> bytes:
    """The unpacked content of one of the official files."""
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); {advice}") from error
    if hashlib.sha256(packed).hexdigest() != SHA256[path.name]:
        raise DataError(f"{path}: damaged, or not the official MNIST file; {advice}")
    return gzip.decompress(packed)


def fetched(name: str, mirrors: Sequence[str] = MIRRORS) -> bytes:
    """One of the official files, unpacked, from the user's cache or the first mirror that has it.

    Raises:
        DataError: no mirror gives it intact.
        NotInstalled: the `train` extra is missing.
    """
    return gzip.decompress(retrieved(name, SHA256[name], mirrors, "mnist"))


def retrieved(name: str, sha256: str, mirrors: Sequence[str], folder: str) -> bytes:
    """The content of a file of that checksum, as `retrieved_file` finds it."""
    advice = f"put the official file in a folder {folder}/ and set DIGITREC_DATA to its parent"
    return retrieved_file(name, f"sha256:{sha256}", mirrors, folder, advice).read_bytes()


def retrieved_file(name: str, checksum: str, mirrors: Sequence[str], folder: str, advice: str) -> Path:
    """A file of that checksum from the user's cache, in `folder`, or the first mirror that has it.

    Args:
        name: of the file, there and here.
        checksum: "sha256:..." or "md5:...".
        mirrors: folders that have it, tried in this order.
        folder: of the cache.
        advice: what to do where none gives it, besides trying again.

    Raises:
        DataError: no mirror gives it intact.
        NotInstalled: the `train` extra is missing.
    """
    try:
        import pooch
    except ImportError as error:
        raise NotInstalled(f"fetching {name} needs pooch: {install_hint('train')}") from error
    pooch.get_logger().setLevel("WARNING")  # the progress bar says it all
    fetch = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=30)
    kept = platformdirs.user_cache_path("digitrec") / folder
    failures = []
    for mirror in mirrors:
        try:
            return Path(pooch.retrieve(mirror + name, checksum, name, kept, downloader=fetch))
        except (OSError, ValueError) as error:  # OSError: the network or the disk; ValueError: the checksum
            failures.append(f"{mirror} ({type(error).__name__})")
    raise DataError(f"{name}: no mirror gave it intact: {', '.join(failures)}; try again later, or {advice}")
