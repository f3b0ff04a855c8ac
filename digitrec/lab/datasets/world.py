"""Digits of people in other countries: Swiss ones, scanned, and Turkish ones, as the path of a pen.

They are read from the folder world/ in DIGITREC_DATA, and are not part of digitrec:
"Numbers", (c) 2017 Alex Schroeder, MIT licence; "Pen-Based Recognition of Handwritten Digits", E. Alpaydin
and F. Alimoglu, CC BY 4.0. Whole writers are held back, since a writer's digits are alike: who has learned
from some knows the others.
"""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.comparison.datasets.mnist import Digits, intact
from digitrec.errors import DataError
from digitrec.lab.datasets import pendigits
from digitrec.lab.datasets.download import in_data, mnist_train, retrieved

Part = Literal["learned", "held back"]

SWISS_LEARNED = (
    "0001", "0002", "0004", "0006", "0007", "0010", "0011", "0013", "0014", "0016", "0018", "0019"
)  # fmt: skip
"""The writers of `swiss` who are learned from; others are kept apart by those who judge."""
SWISS_HELD_BACK = ("0008", "0012", "0017")
"""The writers of `swiss` who are never learned from."""
TURKISH_HELD_BACK = ("tr005", "tr010", "tr015", "tr020", "tr025", "tr030")
"""The writers of `turkish` who are never learned from: every fifth by number."""
LEARNED_OF_MNIST = 54_000
"""Digits of MNIST's training set that the finder and the number reader learn from."""
SWISS_HOME = "https://github.com/kensanata/numbers"
"""The repository of "Numbers" by Alex Schroeder (MIT licence): a folder of PNG files."""


@dataclass(frozen=True, slots=True, eq=False)
class Scans(Digits):
    """Scanned digits with their writers."""

    writers: NDArray[np.str_]
    """(N,): the name of each digit's writer."""


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Digits as the paths of a pen."""

    strokes: Sequence[Sequence[NDArray[np.float64]]]
    """For each digit its strokes, (M, 2) each: x to the right, y downwards, its longer side 100."""
    labels: NDArray[np.uint8]
    """(N,), 0..9."""
    writers: NDArray[np.str_]
    """(N,): the name of each digit's writer."""

    def __getitem__(self, part: slice) -> Paths:
        return Paths(self.strokes[part], self.labels[part], self.writers[part])


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The single digits of all writers of a part."""

    mnist: Digits
    swiss: Scans
    turkish: Paths


def people(part: Part) -> People:
    """Return the digits of the writers that are learned from or held back.

    Raises:
        DataError: MNIST or a file of this module is missing or damaged.
    """
    mnist = mnist_train()
    mnist = mnist[:LEARNED_OF_MNIST] if part == "learned" else mnist[LEARNED_OF_MNIST:]
    return People(mnist, swiss(part), turkish(part))


def swiss(part: Part) -> Scans:
    """Return scanned digits of 14 Swiss writers and an American one, (N, 64, 64), ink high.

    They are read from a clone of `SWISS_HOME`, or else from swiss_numbers.npz, which leaves out seven digits
    whose labels are doubtful.

    Raises:
        DataError: they are not there, or damaged.
    """
    clone = in_data("world", "numbers")
    if clone and clone.is_dir():
        return _pictures(clone, SWISS_HELD_BACK if part == "held back" else SWISS_LEARNED)
    advice = f"or clone {SWISS_HOME} into a folder numbers/ there"
    data = _read("swiss_numbers.npz", ("x", "y", "writer", "bad"), advice)
    chosen = _of(part, data, SWISS_HELD_BACK)
    return Scans(data["x"][chosen], data["y"][chosen], data["writer"][chosen])


def swiss_cells() -> list[tuple[Path, int]]:
    """Return file and label of the held-back Swiss digits as scanned: in colour, 75 to 110 pixels.

    Raises:
        DataError: world/swiss_cells/labels.csv cannot be read.
    """
    folder = in_data("world", "swiss_cells") or Path("world", "swiss_cells")
    try:
        rows = list(csv.DictReader((folder / "labels.csv").read_text("utf-8").splitlines()))
        held = [row for row in rows if row["writer"] in SWISS_HELD_BACK]
        return [(folder / row["file"], int(row["label"])) for row in held]
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{folder / 'labels.csv'}: cannot be read ({error})") from error


def _pictures(clone: Path, writers: Sequence[str]) -> Scans:
    """Read the scans in a clone of `SWISS_HOME`: <writer>_<who>/<label>/<name>.png."""
    files = sorted(
        file for writer in writers for file in clone.glob(f"{writer}_*/[0-9]/*.png")
    )  # by writer, label and name
    if not files:
        raise DataError(f"{clone}: holds no folders such as {writers[0]}_CH4M/0; clone {SWISS_HOME} there")
    labels = np.array([int(file.parent.name) for file in files], np.uint8)
    names = np.array([file.parts[-3].partition("_")[0] for file in files])
    return Scans(np.stack([_scan(file) for file in files]), labels, names)


def _scan(file: Path) -> NDArray[np.uint8]:
    """One scan as ink, (64, 64): what is transparent is white, and the paper's tone fills the square."""
    try:
        picture = Image.open(file).convert("RGBA")
    except OSError as error:
        raise DataError(f"{file}: no picture, or a damaged one; clone {SWISS_HOME} again") from error
    white = Image.new("RGBA", picture.size, "white")
    ink = 255 - np.asarray(Image.alpha_composite(white, picture))[:, :, :3].min(axis=2)
    side = max(ink.shape)
    square = Image.new("L", (side, side), int(np.median(ink)))
    square.paste(Image.fromarray(ink), ((side - ink.shape[1]) // 2, (side - ink.shape[0]) // 2))
    return np.asarray(square.resize((64, 64), Image.Resampling.BICUBIC))


def turkish(part: Part) -> Paths:
    """Return the pen paths of 30 Turkish writers, from pendigits.npz or the original file.

    That file is fetched once from a public copy where DIGITREC_DATA names no folder.

    Raises:
        DataError: they are unavailable, or are damaged.
        NotInstalled: fetching them needs the `train` extra.
    """
    path = in_data("world", pendigits.NAME)
    if path and not path.exists():
        return _turkish_arrays(part)
    path = path or retrieved(pendigits.NAME, pendigits.SHA256, pendigits.COPIES, "world")
    content = intact(path, pendigits.SHA256, f"put the file of {pendigits.HOME} there, unpacked")
    every = pendigits.parse(content.decode("ascii"))
    written = [one for one in every if (one.writer in TURKISH_HELD_BACK) == (part == "held back")]
    labels = np.array([one.label for one in written], np.uint8)
    return Paths([one.strokes for one in written], labels, np.array([one.writer for one in written]))


def _turkish_arrays(part: Part) -> Paths:
    needed = ("pts", "stroke_off", "sample_off", "y", "writer", "bad")
    data = _read("pendigits.npz", needed, f"{pendigits.HOME} has it as {pendigits.NAME}")
    points = data["pts"] / 10
    every = [points[a:b] for a, b in zip(data["stroke_off"], data["stroke_off"][1:], strict=False)]
    chosen = _of(part, data, TURKISH_HELD_BACK)
    first, last = data["sample_off"][chosen], data["sample_off"][chosen + 1]
    written = [every[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    return Paths(written, data["y"][chosen], data["writer"][chosen])


def _of(part: Part, data: Mapping[str, NDArray[Any]], held_back: Sequence[str]) -> NDArray[np.intp]:
    """Return the indices of the well-labelled digits that the part's writers wrote."""
    held = np.isin(data["writer"], held_back)
    return np.flatnonzero((held if part == "held back" else ~held) & ~data["bad"])


def _read(name: str, needed: Sequence[str], home: str) -> dict[str, NDArray[Any]]:
    path = in_data("world", name)
    advice = f"{home}; to learn from MNIST alone: --data mnist-train"
    if path is None:
        raise DataError(f"world/{name}: set DIGITREC_DATA to the folder that holds it; {advice}")
    try:
        with path.open("rb") as opened, np.load(opened) as file:
            return {key: file[key] for key in needed}
    except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: missing, damaged, or another file ({error}); {advice}") from error
