"""Get files by their checksums: MNIST's 60,000 training digits, fonts and others.

A file is read from the folder in DIGITREC_DATA (for example
`$DIGITREC_DATA/mnist/train-images-idx3-ubyte.gz`) or fetched once from a public copy.
"""

import csv
import gzip
import os
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Literal

from digitrec.comparison.datasets.mnist import SHA256, Digits, digits_of, intact, official
from digitrec.engine.config import user_folder
from digitrec.errors import DataError
from digitrec.providers.base import requires

Part = Literal["learned", "held back"]
""""held back": writers and fonts for measuring only; "learned": those for training."""
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
"""Folders that hold the four official files, tried in this order."""
_FONT_COPIES = "https://cdn.jsdelivr.net/npm/@fontsource/{name}@{version}/files/"


def mnist_train(mirrors: Sequence[str] = MIRRORS) -> Digits:
    """Return the 60,000 training digits from DIGITREC_DATA, else from the first working mirror.

    A download shows a progress bar on a terminal and is kept in the user's cache folder.

    Raises:
        DataError: a file is missing or damaged; the message names it.
        NotInstalled: a download needs the `train` extra.
    """
    folder = in_data("mnist")

    def content(name: str) -> bytes:
        if folder:
            advice = "put the official file there, or unset DIGITREC_DATA and it is fetched"
            return official(folder / name, advice)
        return gzip.decompress(retrieved(name, SHA256[name], mirrors, "mnist").read_bytes())

    return digits_of("train", content)


def in_data(*parts: str) -> Path | None:
    """Return a path inside the folder in DIGITREC_DATA; None if the variable is not set."""
    folder = os.environ.get("DIGITREC_DATA")
    return Path(folder, *parts) if folder else None


def existing(*parts: str) -> Path | None:
    """Return a path inside the folder in DIGITREC_DATA; None if it does not exist."""
    path = in_data(*parts)
    return path if path and path.exists() else None


def retrieved(name: str, sha256: str, mirrors: Sequence[str], folder: str) -> Path:
    """Return a file with that checksum from the user's cache, else from the first mirror that has it.

    Args:
        name: name of the file, on the mirror and in the cache.
        sha256: the file's checksum.
        mirrors: folders that have the file, tried in this order.
        folder: folder in the cache, and in DIGITREC_DATA.

    Raises:
        DataError: no mirror has an intact copy.
        NotInstalled: the `train` extra is missing.
    """
    with requires(f"fetching {name}", "train"):
        import pooch
    pooch.get_logger().setLevel("WARNING")  # the progress bar is enough
    fetch = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=30)
    kept = user_folder("cache") / folder
    failures = []
    for mirror in mirrors:
        try:
            return Path(pooch.retrieve(mirror + name, f"sha256:{sha256}", name, kept, downloader=fetch))
        except (OSError, ValueError) as error:  # OSError: network or disk; ValueError: checksum
            failures.append(f"{mirror} ({type(error).__name__})")
    raise DataError(
        f"{name}: cannot be downloaded: {', '.join(failures)}; try again later, or put the official file "
        f"in a folder {folder}/ and set DIGITREC_DATA to its parent"
    )


def listed_fonts() -> list[dict[str, str]]:
    """Return the rows of data/fonts.csv: Fontsource's name, version, kind, part and the file's checksum.

    The fonts are under the SIL Open Font License 1.1 or the Apache License 2.0. Whole fonts are held back,
    not single characters.
    """
    table = resources.files("digitrec.lab.datasets").joinpath("data/fonts.csv").read_text("utf-8")
    return list(csv.DictReader(table.splitlines()))


def font_files(part: Part) -> tuple[str, ...]:
    """Return the font files of a part; fonts that look like handwriting come first.

    They are read from the folder fonts/ in DIGITREC_DATA, else fetched once (5 MB) into the user's cache.

    Raises:
        DataError: a font is unavailable, or its checksum differs.
        NotInstalled: fetching them needs the `train` extra.
    """
    chosen = sorted((font for font in listed_fonts() if font["part"] == part), key=lambda font: font["kind"])
    return tuple(str(_font_file(**font)) for font in chosen)


def _font_file(name: str, version: str, sha256: str, **_: str) -> Path:
    """Return a font's file (Latin letters and digits, upright, of ordinary weight) with its checksum."""
    file, folder = f"{name}-latin-400-normal.woff", existing("fonts")
    if folder is None:
        return retrieved(file, sha256, (_FONT_COPIES.format(name=name, version=version),), "fonts")
    advice = f"put files/{file} of the package @fontsource/{name} {version} there (https://fontsource.org)"
    intact(folder / file, sha256, advice)
    return folder / file
