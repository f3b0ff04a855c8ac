"""Connected parts of masks, found run by run; several masks of one picture are labelled at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from digitrec.prepare.filters import Floats, Mask

T = TypeVar("T", bound=np.generic)
Ints = np.ndarray[Any, np.dtype[np.intp]]
Scores = np.ndarray[Any, np.dtype[np.float64]]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom exclusive."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The 8-connected parts of a stack of masks; every array but `labels` has one entry for each part."""

    masks: Mask
    """(layers, h, w): the masks whose parts were labelled."""
    labels: Ints
    """(pixels in the masks,) in reading order: the number of the part that each pixel belongs to."""
    places: Ints
    """(pixels in the masks,): each pixel's position on its mask, counted row by row."""
    layer: Ints
    """The mask of each part; the parts of one mask follow one another."""
    area: Ints
    """Number of pixels."""
    left: Ints
    top: Ints
    right: Ints
    """Exclusive."""
    bottom: Ints
    """Exclusive."""
    border: Ints
    """Number of pixels on the edge of the picture; a pixel in a corner counts twice."""

    def __len__(self) -> int:
        return len(self.area)

    @property
    def width(self) -> Ints:
        """Width of each part's box."""
        return self.right - self.left

    @property
    def height(self) -> Ints:
        """Height of each part's box."""
        return self.bottom - self.top

    @property
    def boxes(self) -> Ints:
        """Left, top, right and bottom of each part, (N, 4)."""
        return np.stack([self.left, self.top, self.right, self.bottom], axis=1)

    def inside(self, values: Floats) -> Floats:
        """Look up ``values``, (h, w), at each pixel of `labels`."""
        return values.ravel()[self.places]

    def total(self, values: Floats) -> Scores:
        """Sum ``values``, (h, w), over each part."""
        return np.bincount(self.labels, self.inside(values), len(self)).astype(np.float64)

    def peak(self, values: Floats) -> Floats:
        """Return the largest of ``values``, (h, w), in each part."""
        peaks = np.zeros(len(self), np.float32)
        np.maximum.at(peaks, self.labels, self.inside(values))
        return peaks

    def drawn(self, values: NDArray[T], layer: int = 0) -> NDArray[T]:
        """Return a picture, (h, w), of one layer: each part in its own value of (parts,), the rest 0."""
        picture = np.zeros(self.masks.shape, values.dtype)
        picture[self.masks] = values[self.labels]
        return np.asarray(picture[layer])


def components(masks: Mask) -> Components:
    """Label the connected parts of masks; pixels that touch diagonally are connected.

    Args:
        masks: one mask, (h, w), or several of one picture, (layers, h, w).
    """
    masks = masks if masks.ndim == 3 else masks[None]
    layers, height, width = masks.shape
    padded = np.zeros((layers, height + 1, width + 2), bool)  # an empty row separates one layer from the next
    padded[:, :-1, 1:-1] = masks
    flat = padded.ravel()
    change = np.flatnonzero(flat[1:] != flat[:-1])  # two empty columns end each row's last run
    starts, ends = change[::2], change[1::2]
    above_from = np.searchsorted(ends, starts - (width + 2))  # diagonal touch: an end may equal a start
    above_to = np.searchsorted(starts, ends - (width + 2), side="right")
    count = np.maximum(above_to - above_from, 0)
    lower = np.repeat(np.arange(len(starts)), count)
    upper = np.arange(len(lower)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(above_from, count)
    root = joined(len(starts), upper, lower)
    first = root == np.arange(len(root))
    part = (np.cumsum(first) - 1)[root]
    rows, lengths = starts // (width + 2), ends - starts
    left, right = starts - rows * (width + 2), ends - rows * (width + 2)
    layer, rows = rows // (height + 1), rows % (height + 1)
    edge = lengths * ((rows == 0) * 1 + (rows == height - 1)) + (left == 0) + (right == width)
    n = int(first.sum())
    before = np.cumsum(lengths) - lengths
    return Components(
        masks=masks,
        labels=np.repeat(part, lengths),
        places=np.arange(lengths.sum()) + np.repeat(rows * width + left - before, lengths),
        layer=layer[first],
        area=np.bincount(part, weights=lengths, minlength=n).astype(np.intp),
        left=_extreme(np.minimum, width, part, left, n),
        top=rows[first],  # runs are in reading order, and a part has the number of its first run
        right=_extreme(np.maximum, 0, part, right, n),
        bottom=_extreme(np.maximum, 0, part, rows + 1, n),
        border=np.bincount(part, weights=edge, minlength=n).astype(np.intp),
    )


def box_of(mask: Mask) -> Box | None:
    """Return left, top, right and bottom (exclusive) of a mask's pixels, (h, w); None: the mask is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def on_picture(box: Sequence[float], size: tuple[int, int]) -> Box:
    """Extend a box to whole pixels, and clip it to a picture of this size; at least one pixel remains."""
    left, top = (min(max(int(low), 0), most - 1) for low, most in zip(box[:2], size, strict=True))
    right, bottom = (math.ceil(high) for high in box[2:])
    return left, top, min(max(right, left + 1), size[0]), min(max(bottom, top + 1), size[1])


def longer_side(box: Box) -> int:
    """Return the longer side of a box."""
    return max(box[2] - box[0], box[3] - box[1])


def breadth(mask: Mask) -> float:
    """Return the width of a mask's shape, (h, w), as a share of its length, whichever way it is turned.

    Measured by second moments, to which each pixel adds those of a square; 0..1.
    """
    rows, columns = np.nonzero(mask)
    down, across = rows - rows.mean(), columns - columns.mean()
    var_y, var_x = float((down * down).mean()), float((across * across).mean())
    both = float((down * across).mean())
    middle, half = (var_y + var_x) / 2 + 1 / 12, (((var_y - var_x) / 2) ** 2 + both**2) ** 0.5
    return float(((middle - half) / (middle + half)) ** 0.5)


def joined(n: int, a: Ints, b: Ints) -> Ints:
    """Join n things by pairs (a, b), directly or through others; return the first thing of each one's group.

    This is union-find on all pairs at once.
    """
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
