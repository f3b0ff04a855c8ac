"""Labelled images to measure with: from a folder, a data set's files, or a set that comes with digitrec."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from digitrec.comparison.datasets import arrayfiles, labels
from digitrec.comparison.datasets.sampling import sampled
from digitrec.errors import DataError
from digitrec.errors.text import count
from digitrec.image import ImageSource
from digitrec.image.folders import Skipped, pictures
from digitrec.image.pixels import Pixels

log = logging.getLogger(__name__)

NAMES = ("mnist-test", "samples")
"""Sets known by name: MNIST's 10,000 test digits, and the repository's own pictures."""
SHOWN = 3
"""Names of files in a warning at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """An image and what a careful person reads on it."""

    image: ImageSource
    """Not opened yet: a path, or an array, uint8, as the data set holds it."""
    label: int | None
    """0..9; None where refusing is right."""


def read_samples(
    source: str | Path, limit: int | None = None, *, part: str = "test", known: Sequence[str] = NAMES
) -> list[Sample]:
    """The labelled images of a folder, a data set or a name, in its own order; no image is opened.

    What is left out, and what is doubtful, is told as a warning of the logger.

    Args:
        source: one of these.
            - a folder with ``labels.csv``, a table that `.labels` describes: columns
              ``file`` and ``label``; the label "none" means that refusing is right;
            - a folder with sub-folders "0" to "9" and perhaps "none"; of the files in them, the pictures
              (`digitrec.image.folders`);
            - one of `NAMES`, where there is no folder of that name;
            - an ``.npz`` file with arrays ``x`` (or ``images``), (N, H, W) or (N, H, W, channels), and ``y``
              (or ``labels``), (N,); of Keras' own, with ``x_train``, ``y_train``, ``x_test`` and ``y_test``,
              `part` is meant, and with "mnist.npz:train" or "mnist.npz:test" that part;
            - a ``.csv`` file, gzipped or not, with a line for each picture, its label and its pixels, as
              Kaggle has MNIST; or the table of a folder, called otherwise;
            - the image file of an IDX pair, gzipped or not, its labels beside it under MNIST's names
              (EMNIST's are stored on their side, and turned);
            - the ``.mat`` file of SVHN's cropped digits, or a USPS file, as
              `digitrec.comparison.datasets.arrayfiles` describes.
        limit: at most so many, >= 0, drawn by `sampled`: each label in its share; None: all.
        part: "train" or "test": which is meant of a file that holds both.
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
    samples = [samples[place] for place in sampled([sample.label for sample in samples], limit)]
    if torn := _contradictions(samples):
        log.warning(
            "%s: %s twice with different labels, such as %s: one of the labels is wrong",
            source, count(len(torn), "picture"), " and ".join(torn[0]),
        )  # fmt: skip
    return samples


def _read(source: str, path: Path, part: str, known: Sequence[str]) -> list[Sample]:
    if source in NAMES:
        path = _named(source, path)
    if (path / "labels.csv").is_file():
        return _table(path / "labels.csv")
    if path.is_dir():
        return _folders(path)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; sets known by name: {', '.join(known)}")
    if path.name.removesuffix(".gz").endswith(".csv") and not arrayfiles.is_pixel_table(path):
        return _table(path)
    return _samples(arrayfiles.read(path, either=part))


def _named(name: str, here: Path) -> Path:
    """The folder or file that a name stands for; a folder of that name comes before the set."""
    package = Path(str(resources.files("digitrec")))
    known: Path | None = package / "comparison" / "datasets" / "data" / "t10k-images-idx3-ubyte.gz"
    if name == "samples":
        folders = (folder / "samples" for folder in (package.parent, *here.absolute().parents))
        known = next((folder.resolve() for folder in folders if _is_of_a_clone(folder)), None)
    if here.is_dir():
        if here.resolve() != known:
            log.warning("%s: the folder %s is meant, not the set of that name", name, here.resolve())
        return here
    if known is None:
        raise DataError(
            "samples: there is no folder of that name here, and the set of that name comes with a clone "
            "of the repository, not with the package; go into the clone, or name a folder"
        )
    if name == "samples":
        log.warning("%s: there is no folder of that name here, so the set %s is meant", name, known)
    return known


def _is_of_a_clone(samples: Path) -> bool:
    return (samples.parent / "digitrec" / "cli.py").is_file() and (samples / "labels.csv").is_file()


def _table(path: Path) -> list[Sample]:
    rows = labels.read(path)
    listed = {row.file.resolve() for row in rows}
    kinds = {file.suffix.lower() for file in listed}
    beside = [file for folder in {row.file.parent for row in rows} for file in _entries(folder)]
    missing = sorted(
        file.name for file in beside if file.suffix.lower() in kinds and file.resolve() not in listed
    )
    _warn(path, missing, "not in the table, but beside its files and of the same kind")
    return [Sample(row.file, row.label) for row in rows]


def _folders(path: Path) -> list[Sample]:
    entries = _entries(path)
    folders = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    if not folders:
        raise DataError(f"{path}: holds neither labels.csv nor folders named 0 to 9")
    shown = {folder: labels.label(folder.name, str(folder)) for folder in folders}
    skipped = Skipped()
    samples = [
        Sample(Path(image), label)
        for folder, label in shown.items()
        for image in pictures(str(folder), skipped)
    ]
    if words := skipped.words():
        log.warning("%s: skipped %s", path, ", ".join(words))
    outside = [entry.name for entry in entries if entry not in shown]
    _warn(path, outside, "hidden, or not in a folder 0 to 9")
    return samples


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be looked into ({error.strerror}); check its rights") from error


def _warn(where: Path, names: Sequence[str], what: str) -> None:
    """Warn of files that are left out: their number, the reason, and the first of them."""
    if names:
        more = ", ..." if len(names) > SHOWN else ""
        log.warning("%s: left out %d (%s): %s%s", where, len(names), what, ", ".join(names[:SHOWN]), more)


def _samples(arrays: tuple[Pixels, Pixels]) -> list[Sample]:
    return [Sample(image, int(label)) for image, label in zip(*arrays, strict=True)]


def _contradictions(samples: Sequence[Sample]) -> list[tuple[str, str]]:
    """Names of equal pictures with different labels; a file with a size of its own is not read."""
    sizes = [_size(sample.image) for sample in samples]
    common = Counter(sizes)
    first: dict[bytes, int] = {}
    torn: dict[bytes, tuple[str, str]] = {}
    for place, (sample, size) in enumerate(zip(samples, sizes, strict=True)):
        if size is not None and common[size] > 1:
            with suppress(OSError):  # reading the picture reports it
                image = sample.image
                data = image.read_bytes() if isinstance(image, Path) else np.asarray(image).tobytes()
                key = hashlib.sha256(data).digest()
                other = first.setdefault(key, place)
                if samples[other].label != sample.label:
                    torn.setdefault(key, (_called(samples, other), _called(samples, place)))
    return list(torn.values())


def _size(image: ImageSource) -> int | None:
    """Bytes; None if unknown."""
    with suppress(OSError):
        return image.stat().st_size if isinstance(image, Path) else np.asarray(image).nbytes
    return None


def _called(samples: Sequence[Sample], place: int) -> str:
    image, label = samples[place].image, samples[place].label
    name = image.name if isinstance(image, Path) else f"no. {place}"
    return f"{name} ({labels.NONE if label is None else label})"
