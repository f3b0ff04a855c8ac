"""Reading order, rows and columns of the numbers on a page that may be photographed at an angle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digitrec.answer import Number
from digitrec.image import Box

SAME_LINE = 0.5
"""Greatest step from one box to the next on its line, as a share of the taller one's height."""
CLOSE = 10.0
"""Largest distance of boxes that show the slope of the lines, in heights."""
STEEPEST = 0.3
"""Greatest slope of a line."""
SAMPLE = 300
"""Approximate number of boxes used for the slope of a page's lines."""


def arranged(numbers: Sequence[Number]) -> tuple[Number, ...]:
    """Return the numbers in reading order, with their rows, and their columns where they line up.

    Numbers without a box keep their order and come last.
    """
    placed = [(number, number.box) for number in numbers if number.box is not None]
    rows = lines([box for _, box in placed])
    columns = _columns([[placed[at][1] for at in row] for row in rows])
    found = [
        replace(placed[at][0], row=line, column=None if columns is None else columns[line][place])
        for line, row in enumerate(rows) for place, at in enumerate(row)
    ]  # fmt: skip
    return (*found, *(number for number in numbers if number.box is None))


def lines(boxes: Sequence[Box]) -> list[list[int]]:
    """Return the places of the boxes in ``boxes``, line by line, each line from left to right."""
    steep = _slope(boxes)
    found = _chained(boxes, steep)
    return sorted(found, key=lambda line: sum(_middle(boxes[at], steep) for at in line) / len(line))


def _chained(boxes: Sequence[Box], slope: float) -> list[list[int]]:
    """Put each box, from left to right, at the end of the line that it continues best."""
    found: list[list[int]] = []
    for at in sorted(range(len(boxes)), key=lambda at: boxes[at][0]):
        steps = [
            abs(_middle(boxes[at], slope) - _middle(boxes[line[-1]], slope))
            / max(_height(boxes[at]), _height(boxes[line[-1]]), 1e-6)
            for line in found
        ]
        best = min(range(len(found)), key=steps.__getitem__, default=None)
        if best is None or steps[best] > SAME_LINE:
            found.append([at])
        else:
            found[best].append(at)
    return found


def _columns(rows: Sequence[Sequence[Box]]) -> list[list[int]] | None:
    """Return the column of each box in each row; None if the rows do not line up."""
    ends: list[Box] = []  # the lowest box of each column so far
    found: list[list[int]] = []
    middles: list[float] = []
    for row in rows:
        free = set(range(len(ends)))
        found.append([])
        for box in row:
            middle = (box[0] + box[2]) / 2
            fitting = [at for at in free if _is_above(ends[at], box)]
            best = min(fitting, key=lambda at: abs((ends[at][0] + ends[at][2]) / 2 - middle), default=None)
            if best is None:
                best = len(ends)
                ends.append(box)
                middles.append(middle)
            free.discard(best)
            ends[best] = box
            found[-1].append(best)
    if len(ends) > max(*map(len, rows), sum(map(len, rows)) / 2, 0):  # few are below another
        return None
    order = {column: place for place, column in enumerate(sorted(range(len(ends)), key=middles.__getitem__))}
    return [[order[column] for column in row] for row in found]


def _is_above(one: Box, other: Box) -> bool:
    """Return whether the middle of the narrower box is above or below the other box."""
    narrow, wide = sorted((one, other), key=lambda box: box[2] - box[0])
    margin = _height(wide) / 2
    return wide[0] - margin <= (narrow[0] + narrow[2]) / 2 <= wide[2] + margin


def _slope(boxes: Sequence[Box]) -> float:
    """Return how many pixels the lines fall for each pixel to the right, from pairs of neighbours."""
    sides = np.array(boxes, float).reshape(-1, 4)
    x, y, height = (sides[:, 0] + sides[:, 2]) / 2, (sides[:, 1] + sides[:, 3]) / 2, sides[:, 3] - sides[:, 1]
    found = []
    for at in range(0, len(boxes), 1 + len(boxes) // SAMPLE):
        across, down = x - x[at], y - y[at]
        beside = (across > 0) & (across < CLOSE * height[at]) & (np.abs(down) < STEEPEST * across)
        if beside.any():
            nearest = np.flatnonzero(beside)[np.argmin(across[beside])]
            found.append(down[nearest] / across[nearest])
    return float(np.median(found)) if found else 0.0


def _middle(box: Box, slope: float) -> float:
    """Return the height on the page of a box's middle, at the left edge of its line."""
    return (box[1] + box[3] - slope * (box[0] + box[2])) / 2


def _height(box: Box) -> float:
    return box[3] - box[1]
