"""Labelled images to measure with: from a folder, a data set's files, or a set that comes with digitrec."""

from __future__ import annotations

import csv
import gzip
import logging
import struct
import zipfile
import zlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from digitrec import usps
from digitrec.errors import DataError
from digitrec.folders import Skipped, pictures
from digitrec.image import ImageSource

log = logging.getLogger(__name__)

NAMES = ("mnist-test", "samples")
"""Sets known by name: MNIST's 10,000 test digits, and the repository's own pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """An image and what a careful person reads on it."""

    image: ImageSource
    """Not opened yet: a path, or an array, uint8, as the data set holds it."""
    label: int | None
    """0..9; None where refusing is right."""


def read_samples(source: str | Path, limit: int | None = None) -> list[Sample]:
    """The labelled images of a folder, a data set or a name, in its own order; no image is opened.

    Args:
        source: one of these.
            - one of `NAMES`;
            - a folder with ``labels.csv``: columns ``file`` and ``label``, others are ignored; an empty label
              or "none" means that refusing is right;
            - a folder with sub-folders "0" to "9" and perhaps "none"; of the files in them, the pictures
              (`digitrec.folders`), and what was skipped is logged;
            - an ``.npz`` file with arrays ``x``, (N, H, W) or (N, H, W, 3), and ``y``, (N,);
            - the image file of an IDX pair, gzipped or not, its labels beside it under MNIST's names
              (EMNIST's are stored on their side, and turned);
            - a USPS file as `digitrec.usps` describes.
        limit: at most so many, from the beginning, >= 0; None: all.

    Raises:
        DataError: a file is missing, damaged or in none of these forms, or a label is not 0..9; the message
            names the file, and the line where there is one.
    """
    if not str(source):
        raise DataError("an empty name (a variable that is not set?); the folder you are in is called `.`")
    path = Path(source)
    if source == "mnist-test":
        samples = _idx(_package() / "models" / "data" / "t10k-images-idx3-ubyte.gz")
    elif source == "samples":
        samples = _table(_repository_samples() / "labels.csv")
    elif (path / "labels.csv").is_file():
        samples = _table(path / "labels.csv")
    elif path.is_dir():
        samples = _folders(path)
    elif not path.exists():
        raise DataError(f"{path}: no such file or folder; sets known by name: {', '.join(NAMES)}")
    elif path.suffix == ".npz":
        samples = _npz(path)
    elif path.name.startswith(usps.NAMES):
        samples = _arrays(path, *usps.read(path))
    else:
        samples = _idx(path)
    return samples[:limit]


def _package() -> Path:
    return Path(str(resources.files("digitrec")))


def _repository_samples() -> Path:
    folder = _package().parent / "samples"
    if not (folder / "labels.csv").is_file():
        raise DataError(
            "the samples come with a clone of the repository, not with the package; name a folder"
        )
    return folder


def _table(path: Path) -> list[Sample]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = {"file", "label"} - set(rows.fieldnames or ())
            if missing:
                raise DataError(f"{path}, line 1: no column {' or '.join(sorted(missing))}")
            return [_row(path, rows.line_num, row) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a table ({error})") from error


def _row(table: Path, line: int, row: dict[str, str | None]) -> Sample:
    image = table.parent / (row["file"] or "")
    if not image.is_file():
        raise DataError(f"{table}, line {line}: there is no file {row['file'] or ''!r}")
    return Sample(image, _label(row["label"] or "", f"{table}, line {line}"))


def _label(text: str, where: str) -> int | None:
    text = text.strip()
    if text in ("", "none"):
        return None
    if len(text) == 1 and text in "0123456789":
        return int(text)
    raise DataError(f"{where}: label {text!r} is not a digit, nor empty where none is right")


def _folders(path: Path) -> list[Sample]:
    names = sorted(
        entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )
    if not names:
        raise DataError(f"{path}: holds neither labels.csv nor folders named 0 to 9")
    labels = {name: _label(name, str(path / name)) for name in names}
    skipped = Skipped()
    samples = [
        Sample(Path(image), label)
        for name, label in labels.items()
        for image in pictures(str(path / name), skipped)
    ]
    if words := skipped.words():
        log.warning("%s: skipped %s", path, ", ".join(words))
    return samples


def _npz(path: Path) -> list[Sample]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            images, labels = arrays["x"], arrays["y"]
    except KeyError as error:
        raise DataError(f"{path}: needs the arrays x (images) and y (labels)") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged, or not an .npz file of plain arrays") from error
    return _arrays(path, images, labels)


def _idx(path: Path) -> list[Sample]:
    """The samples of an IDX pair: http://yann.lecun.com/exdb/mnist describes the format."""
    if "images-idx3" not in path.name:
        raise DataError(
            f"{path}: not a folder, an .npz file or the images of an IDX pair (...images-idx3...)"
        )
    labels = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    images = _idx_array(path, 3)
    if path.name.startswith("emnist"):
        images = images.transpose(0, 2, 1)
    return _arrays(path, images, _idx_array(labels, 1))


def _idx_array(path: Path, dimensions: int) -> np.ndarray[Any, Any]:
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
    values = np.frombuffer(data, np.uint8, offset=header)
    if values.size != np.prod(shape, dtype=np.int64):
        raise DataError(f"{path}: cut off or too long for its header; fetch it again")
    return values.reshape(shape)


def _arrays(path: Path, images: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> list[Sample]:
    if images.ndim not in (3, 4) or labels.shape != images.shape[:1]:
        raise DataError(f"{path}: {images.shape} images do not go with {labels.shape} labels")
    wrong = np.flatnonzero(~np.isin(labels, range(10)))
    if wrong.size:
        raise DataError(f"{path}: label {labels[wrong[0]]} of image {wrong[0]} is not a digit")
    return [Sample(image, int(label)) for image, label in zip(images, labels, strict=True)]
