"""The file in which the pen's paths of "Pen-Based Recognition of Handwritten Digits" were published."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

NAME = "pendigits-orig.tra"
SHA256 = "a66225d68d7d68591e62944df1ad33b3f5aa608e2df2505844b41f5568a80da4"
"""Of the file, unpacked: 7,494 digits of 30 writers."""
HOME = "https://archive.ics.uci.edu/dataset/81"
"""UCI's Machine Learning Repository, doi 10.24432/C5MG6K; there the file is packed, by `compress`."""
COPIES = (
    "https://raw.githubusercontent.com/kleinplw/HMM-Pendigits/a50dacab2860f6e10389f59d63253354bbc48c3e/data/",
)
"""Folders that hold the file as it is."""


@dataclass(frozen=True, slots=True)
class Written:
    """A digit as the pen went."""

    label: int
    """0..9."""
    writer: str
    """"tr" and the writer's number, of three digits."""
    strokes: list[NDArray[np.float64]] = field(repr=False, compare=False)
    """(M, 2) each: x to the right, y downwards from 0, the longer side 100."""


def parse(text: str) -> list[Written]:
    """Parse the digits of a file in pendigits' form, a part of UNIPEN's (I. Guyon et al., ICPR 1994).

    A digit begins with `.SEGMENT DIGIT <strokes> ? "<label>"`; `.COMMENT <label> <writer> <number>` follows;
    between `.PEN_DOWN` and `.PEN_UP` are the points of a stroke, "x y", y upwards. Other lines are skipped.
    """
    lines = text.splitlines()
    starts = [place for place, line in enumerate(lines) if line.startswith(".SEGMENT DIGIT")]
    return [_digit(lines[start:end]) for start, end in pairwise([*starts, len(lines)])]


def _digit(lines: list[str]) -> Written:
    label = int(lines[0].rpartition('"')[0][-1])
    writer = next(line.split()[2] for line in lines if line.startswith(".COMMENT"))
    strokes: list[list[list[int]]] = []
    down = False
    for line in lines:
        if line.startswith("."):
            down = line.startswith(".PEN_DOWN") or (down and not line.startswith(".PEN_UP"))
            if line.startswith(".PEN_DOWN"):
                strokes.append([])
        elif down and line.strip():
            strokes[-1].append([int(number) for number in line.split()])
    return Written(
        label, f"tr{int(writer):03d}", _upright([np.array(stroke) for stroke in strokes if stroke])
    )


def _upright(strokes: list[np.ndarray[tuple[int, int], np.dtype[np.int64]]]) -> list[NDArray[np.float64]]:
    """Turn the strokes upright; measure from the upper left corner, with the longer side 100."""
    every = np.concatenate(strokes)
    corner = np.array([every[:, 0].min(), every[:, 1].max()])
    scale = 100 / max(1, int(np.ptp(every, axis=0).max()))
    return [(stroke - corner) * (scale, -scale) for stroke in strokes]
