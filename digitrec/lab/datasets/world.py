"""Digits of people in other countries: scans of Swiss digits, and pen paths of Turkish digits.

They are read from the folder world/ in DIGITREC_DATA, and are not part of digitrec. The sources are
"Numbers", (c) 2017 Alex Schroeder, MIT licence; and "Pen-Based Recognition of Handwritten Digits", E.
Alpaydin and F. Alimoglu, CC BY 4.0. Whole writers are held back, because a writer's digits look alike.
"""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.comparison.datasets.mnist import Digits, intact
from digitrec.errors import DataError
from digitrec.image.pixels import Pixels
from digitrec.lab.datasets.download import Part, existing, in_data, mnist_train, retrieved

PENDIGITS = "pendigits-orig.tra"
"""Name of the published file of pen paths: 7,494 digits of 30 writers."""
PENDIGITS_SHA256 = "a66225d68d7d68591e62944df1ad33b3f5aa608e2df2505844b41f5568a80da4"
"""Checksum of the unpacked file."""
PENDIGITS_HOME = "https://archive.ics.uci.edu/dataset/81"
"""UCI's Machine Learning Repository, doi 10.24432/C5MG6K; its copy of the file is packed by `compress`."""
PENDIGITS_COPIES = (
    "https://raw.githubusercontent.com/kleinplw/HMM-Pendigits/a50dacab2860f6e10389f59d63253354bbc48c3e/data/",
)
"""Folders that hold the unpacked file."""
SWISS: dict[Part, Sequence[str]] = {
    "learned": (
        "0001", "0002", "0004", "0006", "0007", "0010", "0011", "0013", "0014", "0016", "0018", "0019"
    ),
    "held back": ("0008", "0012", "0017"),
}  # fmt: skip
"""Writers of `swiss`, by part; the rest is kept for independent judges."""
TURKISH_HELD_BACK = ("tr005", "tr010", "tr015", "tr020", "tr025", "tr030")
"""Writers of `turkish` that are never used for training: every fifth by number."""
LEARNED_OF_MNIST = 54_000
"""Number of digits of MNIST's training set that the finder and the number reader learn from."""
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
    """For each digit its strokes, (M, 2) each: x to the right, y downwards, the digit's longer side 100."""
    labels: NDArray[np.uint8]
    """(N,), 0..9."""
    writers: NDArray[np.str_]
    """(N,): the name of each digit's writer."""

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> Paths:
        places = np.arange(len(self.labels))[chosen].tolist()
        return Paths([self.strokes[at] for at in places], self.labels[chosen], self.writers[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The single digits of all writers of a part."""

    mnist: Digits
    swiss: Scans
    turkish: Paths


def people(part: Part) -> People:
    """Return the digits of the writers of a part.

    Raises:
        DataError: MNIST or a file of this module is missing or damaged.
    """
    mnist = mnist_train()
    mnist = mnist[:LEARNED_OF_MNIST] if part == "learned" else mnist[LEARNED_OF_MNIST:]
    return People(mnist, swiss(part), turkish(part))


def swiss(part: Part) -> Scans:
    """Return scanned digits of 14 Swiss writers and an American one, (N, 64, 64), ink high.

    They are read from a clone of `SWISS_HOME`, or from swiss_numbers.npz, which omits seven digits with
    doubtful labels.

    Raises:
        DataError: the scans are missing or damaged.
    """
    if clone := existing("world", "numbers"):
        return _pictures(clone, SWISS[part])
    advice = f"or clone {SWISS_HOME} into a folder numbers/ there"
    data = _read("swiss_numbers.npz", ("x", "y", "writer", "bad"), advice)
    chosen = np.isin(data["writer"], SWISS[part]) & ~data["bad"]
    return Scans(data["x"][chosen], data["y"][chosen], data["writer"][chosen])


def swiss_cells(part: Part) -> list[tuple[Path, int]]:
    """Return the files of the digits of `swiss` as scanned, in colour, 75 to 110 pixels, and the labels.

    Raises:
        DataError: world/swiss_cells/labels.csv cannot be read.
    """
    table = in_data("world", "swiss_cells", "labels.csv") or Path("world", "swiss_cells", "labels.csv")
    try:
        rows = csv.DictReader(table.read_text("utf-8").splitlines())
        chosen = [row for row in rows if row["writer"] in SWISS[part]]
        return [(table.parent / row["file"], int(row["label"])) for row in chosen]
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{table}: cannot be read ({error})") from error


def _pictures(clone: Path, writers: Sequence[str]) -> Scans:
    """Read the scans in a clone of `SWISS_HOME`: <writer>_<who>/<label>/<name>.png."""
    files = sorted(file for writer in writers for file in clone.glob(f"{writer}_*/[0-9]/*.png"))
    if not files:
        raise DataError(f"{clone}: holds no folders such as {writers[0]}_CH4M/0; clone {SWISS_HOME} there")
    labels = np.array([int(file.parent.name) for file in files], np.uint8)
    names = np.array([file.parts[-3].partition("_")[0] for file in files])
    return Scans(np.stack([_scan(file) for file in files]), labels, names)


def _scan(file: Path) -> Pixels:
    """Return a scan as ink, (64, 64): transparent pixels are white, and the paper's tone fills the square."""
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

    The original file is fetched once from a public copy if DIGITREC_DATA is not set.

    Raises:
        DataError: the paths are unavailable or damaged.
        NotInstalled: fetching them needs the `train` extra.
    """
    path = in_data("world", PENDIGITS)
    if path and not path.exists():
        every = _recorded()
    else:
        path = path or retrieved(PENDIGITS, PENDIGITS_SHA256, PENDIGITS_COPIES, "world")
        advice = f"put the file of {PENDIGITS_HOME} there, unpacked"
        every = parsed(intact(path, PENDIGITS_SHA256, advice).decode("ascii"))
    is_held_back = np.isin(every.writers, TURKISH_HELD_BACK)
    return every[np.flatnonzero(is_held_back == (part == "held back"))]


def _recorded() -> Paths:
    """Return the digits of pendigits.npz whose labels are reliable."""
    needed = ("pts", "stroke_off", "sample_off", "y", "writer", "bad")
    data = _read("pendigits.npz", needed, f"{PENDIGITS_HOME} has it as {PENDIGITS}")
    strokes = np.split(data["pts"] / 10, data["stroke_off"][1:-1])
    digits = [strokes[first:last] for first, last in pairwise(data["sample_off"].tolist())]
    return Paths(digits, data["y"], data["writer"])[np.flatnonzero(~data["bad"])]


def parsed(text: str) -> Paths:
    """Parse a file in the format of pendigits, a part of UNIPEN's (I. Guyon et al., ICPR 1994).

    A digit begins with `.SEGMENT DIGIT <strokes> ? "<label>"`; `.COMMENT <label> <writer> <number>` follows;
    between `.PEN_DOWN` and `.PEN_UP` are the points of a stroke, "x y", y upwards. Other lines are skipped.
    """
    strokes, labels, writers = [], [], []
    for digit in text.split(".SEGMENT DIGIT")[1:]:
        labels.append(int(digit.partition('"')[2][0]))
        writers.append(f"tr{int(digit.partition('.COMMENT')[2].split()[1]):03d}")
        drawn = [stroke.partition(".PEN_UP")[0] for stroke in digit.split(".PEN_DOWN")[1:]]
        points = [re.findall(r"^ *(-?\d+) +(-?\d+) *$", stroke, re.MULTILINE) for stroke in drawn]
        strokes.append(_upright([np.array(stroke, int) for stroke in points if stroke]))
    return Paths(strokes, np.array(labels, np.uint8), np.array(writers))


def _upright(strokes: Sequence[NDArray[np.int64]]) -> list[NDArray[np.float64]]:
    """Turn the strokes upright; measure from the upper left corner, with the longer side 100."""
    every = np.concatenate(strokes)
    corner = np.array([every[:, 0].min(), every[:, 1].max()])
    scale = 100 / max(1, int(np.ptp(every, axis=0).max()))
    return [(stroke - corner) * (scale, -scale) for stroke in strokes]


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
