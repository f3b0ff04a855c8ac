"""Digits of people in other countries: Swiss ones, scanned, and Turkish ones, as the path of a pen.

They are read from the folder world/ in the one that DIGITREC_DATA names, and are no part of digitrec. Whole
writers are held back, since a writer's digits are alike: who has learned from some knows the others.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from digitrec.errors import DataError
from digitrec.models import pen, strokes
from digitrec.samples import Sample

Part = Literal["learned", "held back"]

SWISS_HELD_BACK = ("0008", "0012", "0017")
"""The writers of `swiss` who are never learned from."""
TURKISH_HELD_BACK = ("tr005", "tr010", "tr015", "tr020", "tr025", "tr030")
"""The writers of `turkish` who are never learned from: every fifth by number."""
SWISS_HOME = "https://github.com/kensanata/numbers"
"""Where "Numbers" is at home, by Alex Schroeder, under the MIT licence: a folder of PNG files."""
TURKISH_HOME = "https://archive.ics.uci.edu/dataset/81"
"""Where the pen's paths are at home, by E. Alpaydin and F. Alimoglu, under CC BY 4.0: pendigits-orig.tra."""

_SIDE = 112  # of the pictures in which held-back paths are drawn
_SEED = 2026


@dataclass(frozen=True, slots=True, eq=False)
class Scans:
    """Scanned digits."""

    images: NDArray[np.uint8]
    """(N, 64, 64), ink high."""
    labels: NDArray[np.uint8]
    """(N,), 0..9."""

    def __getitem__(self, part: slice) -> Scans:
        return Scans(self.images[part], self.labels[part])


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Digits as a pen went."""

    strokes: Sequence[Sequence[pen.Path]]
    """For each digit its strokes, (M, 2) each: x to the right, y downwards, its longer side 100."""
    labels: NDArray[np.uint8]
    """(N,), 0..9."""

    def __getitem__(self, part: slice) -> Paths:
        return Paths(self.strokes[part], self.labels[part])


def swiss(part: Part) -> Scans:
    """The scanned digits of 14 Swiss writers and an American one, without those doubtfully labelled.

    Raises:
        DataError: they are not there, or damaged.
    """
    data = _read("swiss_numbers.npz", ("x", "y", "writer", "bad"), SWISS_HOME)
    chosen = _of(part, data, SWISS_HELD_BACK)
    return Scans(data["x"][chosen], data["y"][chosen])


def turkish(part: Part) -> Paths:
    """The pen's paths of 30 Turkish writers.

    Raises:
        DataError: they are not there, or damaged.
    """
    needed = ("pts", "stroke_off", "sample_off", "y", "writer", "bad")
    data = _read("pendigits.npz", needed, TURKISH_HOME)
    points = data["pts"] / 10
    every = [points[a:b] for a, b in zip(data["stroke_off"], data["stroke_off"][1:], strict=False)]
    chosen = _of(part, data, TURKISH_HELD_BACK)
    first, last = data["sample_off"][chosen], data["sample_off"][chosen + 1]
    written = [every[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    return Paths(written, data["y"][chosen])


def swiss_dev(limit: int | None = None) -> list[Sample]:
    """The scanned digits of the writers held back, at most so many."""
    scans = swiss("held back")
    return _samples(scans.images[:limit], scans.labels)


def turkish_dev(limit: int | None = None) -> list[Sample]:
    """The paths of the writers held back, at most so many, each drawn once with a pen of its own."""
    paths = turkish("held back")
    images = [
        drawn(one, np.random.default_rng((_SEED, place))) for place, one in enumerate(paths.strokes[:limit])
    ]
    return _samples(images, paths.labels)


def drawn(digit: Sequence[pen.Path], rng: np.random.Generator) -> NDArray[np.uint8]:
    """One digit drawn along its strokes with any pen: (112, 112), uint8, ink high."""
    return strokes.put(digit, strokes.any_pen(rng), rng, _SIDE)


def _samples(images: Sequence[Any] | NDArray[np.uint8], labels: NDArray[np.uint8]) -> list[Sample]:
    return [Sample(image, label) for image, label in zip(images, labels.tolist(), strict=False)]


def _of(part: Part, data: Mapping[str, NDArray[Any]], held_back: Sequence[str]) -> NDArray[np.intp]:
    """The places of the well-labelled digits that the part's writers wrote."""
    held = np.isin(data["writer"], held_back)
    return np.flatnonzero((held if part == "held back" else ~held) & ~data["bad"])


def _read(name: str, needed: Sequence[str], home: str) -> dict[str, NDArray[Any]]:
    folder = os.environ.get("DIGITREC_DATA")
    advice = f"{home} is its home; without it: --data mnist-train"
    if not folder:
        raise DataError(f"world/{name}: set DIGITREC_DATA to the folder that holds it; {advice}")
    path = Path(folder, "world", name)
    try:
        with np.load(path) as file:
            return {key: file[key] for key in needed}
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); {advice}") from error
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: damaged, or not the file that is meant ({error}); {advice}") from error
