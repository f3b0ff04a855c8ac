"""Find labelled images: in a folder, in a data set's files, or in digitrec itself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from digitrec.comparison.datasets import arrayfiles, labels
from digitrec.comparison.datasets.mnist import SHIPPED
from digitrec.comparison.datasets.sampling import sampled
from digitrec.errors import DataError
from digitrec.image import ImageSource
from digitrec.image.folders import Skipped, pictures
from digitrec.image.pixels import Pixels

log = logging.getLogger(__name__)

NAMES = ("mnist-test",)
"""Sets known by name: MNIST's 10,000 test digits."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """An image and its label."""

    image: ImageSource
    """A path, or an array of uint8."""
    label: int | None
    """The digit, 0..9; None if a refusal is right."""
    group: str = ""
    """Source of the picture, such as a book; "" without groups."""

    @property
    def truth(self) -> int | str | None:
        """The right answer: the label."""
        return self.label


def read_samples(
    source: str | Path, limit: int | None = None, *, part: str = "test", known: Sequence[str] = NAMES
) -> list[Sample]:
    """List the labelled images of a folder, a file or a named data set, in order; open no image.

    Log a warning about images that are left out.

    Args:
        source: one of these.
            - a folder with ``labels.csv``, a table that `.labels` describes: columns
              ``file`` and ``label``; the label "none" means that refusing is right;
            - a folder with sub-folders "0" to "9" and perhaps "none"; of the files in them, the pictures
              (`digitrec.image.folders`);
            - one of `NAMES`, where there is no folder of that name;
            - an ``.npz`` file with arrays ``x`` (or ``images``), (N, H, W) or (N, H, W, channels), and ``y``
              (or ``labels``), (N,); of Keras' own, with ``x_train``, ``y_train``, ``x_test`` and ``y_test``,
              `part` is used, and with "mnist.npz:train" or "mnist.npz:test" that part;
            - a ``.csv`` file, gzipped or not, with a line for each picture, its label and its pixels, as
              Kaggle has MNIST; or the table of a folder, called otherwise;
            - the image file of an IDX pair, gzipped or not, its labels beside it under MNIST's names
              (EMNIST's are stored on their side, and turned).
        limit: largest number of pictures, >= 0, all labels in proportion (`sampled`); None: all.
        part: "train" or "test", for a file that holds both.
        known: names of sets for the error about a file that does not exist.

    Raises:
        DataError: a file is missing, damaged or in none of these forms, or a label is missing, not 0..9, or
            contradicts another; the message names the file, and the line where there is one.
    """
    if not str(source):
        raise DataError("an empty name (a variable that is not set?); the folder you are in is called `.`")
    name, _, named = str(source).rpartition(":")
    if named in arrayfiles.PARTS and name.endswith(".npz"):
        samples = _samples(arrayfiles.read(Path(name), named))
    else:
        samples = _read(str(source), Path(source), part, known)
    return [samples[place] for place in sampled([sample.label for sample in samples], limit)]


def _read(source: str, path: Path, part: str, known: Sequence[str]) -> list[Sample]:
    if source in NAMES and path.is_dir():
        log.warning("%s: using the folder %s instead of the set of that name", source, path.resolve())
    elif source in NAMES:
        path = SHIPPED / "t10k-images-idx3-ubyte.gz"
    if (path / "labels.csv").is_file():
        return _table(path / "labels.csv")
    if path.is_dir():
        return _folders(path)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; sets known by name: {', '.join(known)}")
    if path.name.removesuffix(".gz").endswith(".csv") and not arrayfiles.is_pixel_table(path):
        return _table(path)
    return _samples(arrayfiles.read(path, either=part))


def _table(path: Path) -> list[Sample]:
    rows = labels.read(path)
    listed = {row.file.resolve() for row in rows}
    kinds = {file.suffix.lower() for file in listed}
    folders = {row.file.parent for row in rows}
    beside = [file for folder in folders for file in _entries(folder) if file.suffix.lower() in kinds]
    missing = sorted(file.name for file in beside if file.resolve() not in listed)
    _warn(path, missing, "not in the table, but of the same kind as its files")
    return [Sample(row.file, labels.label(row.said, row.where)) for row in rows]


def _folders(path: Path) -> list[Sample]:
    entries = _entries(path)
    folders = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    shown = {folder: labels.label(folder.name, str(folder)) for folder in folders}
    if not shown:
        raise DataError(f"{path}: holds neither labels.csv nor folders named 0 to 9")
    skipped = Skipped()
    samples = [
        Sample(Path(image), label)
        for folder, label in shown.items() for image in pictures(str(folder), skipped)
    ]  # fmt: skip
    if words := skipped.words():
        log.warning("%s: skipped %s", path, ", ".join(words))
    outside = [entry.name for entry in entries if entry not in shown]
    _warn(path, outside, "hidden, or not in a folder 0 to 9")
    return samples


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from error


def _warn(where: Path, names: Sequence[str], what: str) -> None:
    """Log a warning about skipped files, with their number, the reason and the first name."""
    if names:
        log.warning("%s: left out %d (%s), such as %s", where, len(names), what, names[0])


def _samples(arrays: tuple[Pixels, Pixels]) -> list[Sample]:
    return [Sample(image, int(label)) for image, label in zip(*arrays, strict=True)]
