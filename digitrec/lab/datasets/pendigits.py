"""The file in which the pen's paths of "Pen-Based Recognition of Handwritten Digits" were published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

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


class Written(NamedTuple):
    """A digit as the path of a pen."""

    label: int
    """0..9."""
    writer: str
    """"tr" and the writer's number, of three digits."""
    strokes: list[NDArray[np.float64]]
    """(M, 2) each: x to the right, y downwards from 0, the longer side 100."""


def parse(text: str) -> Iterator[Written]:
    """Yield the digits of a file in pendigits' form, a part of UNIPEN's (I. Guyon et al., ICPR 1994).

    A digit begins with `.SEGMENT DIGIT <strokes> ? "<label>"`; `.COMMENT <label> <writer> <number>` follows;
    between `.PEN_DOWN` and `.PEN_UP` are the points of a stroke, "x y", y upwards. Other lines are skipped.
    """
    for digit in text.split(".SEGMENT DIGIT")[1:]:
        label = int(digit.partition('"')[2][0])
        writer = int(digit.partition(".COMMENT")[2].split()[1])
        drawn = [stroke.partition(".PEN_UP")[0] for stroke in digit.split(".PEN_DOWN")[1:]]
        points = [re.findall(r"^ *(-?\d+) +(-?\d+) *$", stroke, re.MULTILINE) for stroke in drawn]
        strokes = _upright([np.array(stroke, int) for stroke in points if stroke])
        yield Written(label, f"tr{writer:03d}", strokes)


def _upright(strokes: list[np.ndarray[tuple[int, int], np.dtype[np.int64]]]) -> list[NDArray[np.float64]]:
    """Turn the strokes upright; measure from the upper left corner, with the longer side 100."""
    every = np.concatenate(strokes)
    corner = np.array([every[:, 0].min(), every[:, 1].max()])
    scale = 100 / max(1, int(np.ptp(every, axis=0).max()))
    return [(stroke - corner) * (scale, -scale) for stroke in strokes]
