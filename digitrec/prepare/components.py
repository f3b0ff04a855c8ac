"""Connected parts of a mask, found run by run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from digitrec.prepare.filters import Floats, Mask

Ints = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The 8-connected parts of a mask; every array has one entry for each part."""

    labels: Ints
    """(pixels in the mask,) in reading order: which part each of them belongs to."""
    area: Ints
    """Pixels."""
    left: Ints
    top: Ints
    right: Ints
    """Exclusive."""
    bottom: Ints
    """Exclusive."""

    def __len__(self) -> int:
        return len(self.area)

    @property
    def width(self) -> Ints:
        """Of the box."""
        return self.right - self.left

    @property
    def height(self) -> Ints:
        """Of the box."""
        return self.bottom - self.top

    def total(self, values: Floats, mask: Mask) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The sum of ``values`` over each part of ``mask``."""
        return np.bincount(self.labels, weights=values[mask], minlength=len(self)).astype(np.float64)

    def peak(self, values: Floats, mask: Mask) -> Floats:
        """The largest of ``values`` in each part of ``mask``."""
        peaks = np.zeros(len(self), np.float32)
        np.maximum.at(peaks, self.labels, values[mask])
        return peaks

    def border(self, mask: Mask) -> Ints:
        """How many pixels of each part lie on the edge of the picture."""
        ends = np.cumsum(mask.sum(axis=1))
        starts = np.concatenate([[0], ends[:-1]])
        at = (
            np.arange(ends[0]), np.arange(starts[-1], ends[-1]),
            starts[mask[:, 0]], ends[mask[:, -1]] - 1,
        )  # fmt: skip
        return np.bincount(self.labels[np.concatenate(at)], minlength=len(self))


def components(mask: Mask) -> Components:
    """Label the parts of a mask that hang together, diagonals included."""
    height, width = mask.shape
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = mask
    change = np.flatnonzero(np.diff(padded.ravel()))  # a run cannot pass a row's end: there is a gap of two
    starts, ends = change[::2], change[1::2]
    above_from = np.searchsorted(ends, starts - (width + 2))  # diagonal touch: an end may equal a start
    above_to = np.searchsorted(starts, ends - (width + 2), side="right")
    count = np.maximum(above_to - above_from, 0)
    lower = np.repeat(np.arange(len(starts)), count)
    upper = np.arange(len(lower)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(above_from, count)
    _, part = np.unique(_joined(len(starts), upper, lower), return_inverse=True)
    rows, lengths = starts // (width + 2), ends - starts
    left, right = starts - rows * (width + 2), ends - rows * (width + 2)
    n = int(part.max()) + 1 if len(part) else 0
    return Components(
        labels=np.repeat(part, lengths),
        area=np.bincount(part, weights=lengths, minlength=n).astype(np.intp),
        left=_extreme(np.minimum, width, part, left, n),
        top=_extreme(np.minimum, height, part, rows, n),
        right=_extreme(np.maximum, 0, part, right, n),
        bottom=_extreme(np.maximum, 0, part, rows + 1, n),
    )


def _joined(n: int, a: Ints, b: Ints) -> Ints:
    """Union-find on all pairs at once: each run's smallest connected run."""
    parent = np.arange(n)
    while True:
        low, high = np.minimum(parent[a], parent[b]), np.maximum(parent[a], parent[b])
        if (low == high).all():
            return parent
        np.minimum.at(parent, high, low)
        while ((grand := parent[parent]) != parent).any():
            parent = grand


def _extreme(pick: np.ufunc, start: int, part: Ints, values: Ints, n: int) -> Ints:
    found = np.full(n, start, np.intp)
    pick.at(found, part, values)
    return found
