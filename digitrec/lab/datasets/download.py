"""Downloads: MNIST's 60,000 training digits, and any other file by its checksum.

The training digits are read from the folder that DIGITREC_DATA names
(`$DIGITREC_DATA/mnist/train-images-idx3-ubyte.gz` and so on), or else fetched once from a public mirror.
"""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from digitrec.comparison.datasets.mnist import SHA256, Digits, digits_of, official
from digitrec.errors import DataError, NotInstalled, install_hint

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
"""Folders that hold the four official files, tried in this order."""


def mnist_train(mirrors: Sequence[str] = MIRRORS) -> Digits:
    """Return the 60,000 training digits from DIGITREC_DATA, else from the first working mirror.

    A download shows a progress bar on a terminal and is kept in the user's cache folder.

    Raises:
        DataError: a file is missing or damaged; the message names it.
        NotInstalled: a download needs the `train` extra.
    """
    folder = in_data("mnist")
    if folder:
        advice = "put the official file there, or unset DIGITREC_DATA and it is fetched"
        return digits_of("train", lambda name: official(folder / name, advice))
    return digits_of("train", lambda name: fetched(name, mirrors))


def in_data(*parts: str) -> Path | None:
    """Return a place in the folder that DIGITREC_DATA names; None if it names none."""
    folder = os.environ.get("DIGITREC_DATA")
    return Path(folder, *parts) if folder else None


def fetched(name: str, mirrors: Sequence[str] = MIRRORS) -> bytes:
    """One of the official files, unpacked, from the user's cache or the first mirror that has it.

    Raises:
        DataError: no mirror has an intact copy.
        NotInstalled: the `train` extra is missing.
    """
    return gzip.decompress(retrieved(name, SHA256[name], mirrors, "mnist").read_bytes())


def retrieved(name: str, sha256: str, mirrors: Sequence[str], folder: str) -> Path:
    """Return a file with that checksum from the user's cache, else from the first mirror that has it.

    Args:
        name: of the file, there and here.
        sha256: its checksum.
        mirrors: folders that have it, tried in this order.
        folder: of the cache, and of DIGITREC_DATA.

    Raises:
        DataError: no mirror has an intact copy.
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
            return Path(pooch.retrieve(mirror + name, f"sha256:{sha256}", name, kept, downloader=fetch))
        except (OSError, ValueError) as error:  # OSError: the network or the disk; ValueError: the checksum
            failures.append(f"{mirror} ({type(error).__name__})")
    raise DataError(
        f"{name}: cannot be downloaded: {', '.join(failures)}; try again later, or put the official file "
        f"in a folder {folder}/ and set DIGITREC_DATA to its parent"
    )
