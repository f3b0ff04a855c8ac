"""Pictures as rows of a .csv file: a label, and a number for each pixel, as Kaggle and OpenML have MNIST."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from digitrec.comparison.datasets.arrayfiles import Array, Bytes, checked
from digitrec.comparison.datasets.labels import HEADS
from digitrec.errors import DataError

FEWEST = 50
"""A table of fewer columns than this is none of pixels: the smallest pictures handed around are 8x8."""


def read(path: Path) -> tuple[Bytes, Array] | None:
    """Images (N, side, side), 0..255, and labels (N,), 0..9; None where the file has no columns of pixels.

    A first line that is not of numbers heads the columns; the label is in the column it names so (`HEADS`),
    else in the first. A file whose name begins with "emnist" has its pictures on their side; they are turned.

    Raises:
        DataError: it cannot be read, has no labels, or its rows are no square pictures and digits.
    """
    try:
        with _opened(path) as file:
            names = [name.strip().strip('"').casefold() for name in file.readline().split(",")]
            if len(names) < FEWEST:
                return None
            headed = not all(_is_number(name) for name in names)
            place = next((names.index(name) for name in HEADS["label"] if name in names), None)
            side = math.isqrt(len(names) - 1)
            if side**2 != len(names) - 1 or (headed and place is None):
                raise DataError(
                    f"{path}: {len(names)} columns are no label and square picture; one column is the label, "
                    "the others are the pixels"
                )
            if not headed:
                file.seek(0)
            lines = [line for line in file if line.strip()]
            if not lines:
                raise DataError(f"{path}: holds no picture under its {len(names)} heads")
            rows = np.loadtxt(lines, np.float32, comments=None, delimiter=",", quotechar='"', ndmin=2)
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    except ValueError as error:
        raise DataError(f"{path}: not a table of numbers ({str(error).splitlines()[0]})") from error
    if rows.shape[1] != len(names):
        raise DataError(f"{path}: {rows.shape[1]} columns under {len(names)} heads")
    images = np.delete(rows, place or 0, axis=1).reshape(-1, side, side)
    if path.name.startswith("emnist"):
        images = images.transpose(0, 2, 1)
    return checked(path, images, rows[:, place or 0])


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8-sig") as packed:
            yield packed
    else:
        with path.open(encoding="utf-8-sig") as plain:
            yield plain


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
