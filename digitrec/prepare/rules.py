"""The printed lines of ruled and squared paper: straight from border to border, and taken out."""

from __future__ import annotations

import numpy as np

from digitrec.prepare.components import Ints
from digitrec.prepare.filters import Mask, quantile

SLOPES = np.tan(np.radians(np.arange(-10, 11)))
"""How far from level a hand-held camera leaves the lines."""
COVERED = 0.65
"""A line is inked along at least this share of the picture's width, and of its two ends."""
END = 0.1
"""Share of the width that is an end."""


def rules(mask: Mask) -> Mask:
    """Return the pixels of a mask, (h, w), that are ink of printed lines only.

    Follow each line across the picture. Remove ink no thicker than the line itself; keep the ink where
    something crosses the line.
    """
    return _level(mask) | _level(mask.T).T


def _level(mask: Mask) -> Mask:
    """Do the same for lines that run roughly along the rows."""
    band = _bands(mask)
    on_line = mask & band
    if not on_line.any():
        return on_line
    thick = _run_lengths(mask)
    return np.asarray(on_line & (thick <= quantile(thick[on_line], 0.5) + 1))


def _bands(mask: Mask) -> Mask:
    """Every place where a line runs, and two pixels more on each side."""
    rows, columns = mask.shape[0] // 2, mask.shape[1] // 2
    half = mask[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).any(axis=(1, 3))
    reach = -(-columns // 8)  # rows that the steepest slope can leave the picture by
    padded = np.zeros((rows + 2 * reach + 2, columns), np.uint8)
    padded[reach + 1 : -reach - 1] = half
    near = padded[:-2] | padded[1:-1] | padded[2:]  # a bent or jagged line still counts
    ends = max(1, round(END * columns))
    at = np.arange(columns)
    drifts = np.round(SLOPES[:, None] * (at - columns / 2)).astype(np.intp)
    inked = [near[np.arange(rows)[:, None] + (reach + drift), at] for drift in drifts]
    along = np.stack([lines.mean(axis=1) for lines in inked])
    best = int(np.argmax((along**4).sum(axis=1)))  # where the lines are sharpest
    band = np.zeros_like(padded)
    for slope in range(max(best - 1, 0), min(best + 2, len(SLOPES))):  # perspective turns some a little
        first, last = inked[slope][:, :ends].mean(axis=1), inked[slope][:, -ends:].mean(axis=1)
        for line in np.flatnonzero(np.minimum(np.minimum(first, last), along[slope]) > COVERED):
            for offset in (0, 1, 2):
                band[line + reach + offset + drifts[slope], at] = 1
    whole = np.zeros(mask.shape, bool)
    whole[: 2 * rows, : 2 * columns] = band[reach + 1 : -reach - 1].repeat(2, axis=0).repeat(2, axis=1)
    return whole


def _run_lengths(mask: Mask) -> Ints:
    """For each pixel of the mask, how many pixels hang together above and below it; 0 elsewhere."""
    turned = np.zeros((mask.shape[1], mask.shape[0] + 1), np.int8)
    turned[:, :-1] = mask.T
    flat = turned.ravel()
    change = np.flatnonzero(np.diff(flat, prepend=0))
    starts, ends = change[::2], change[1::2]
    lengths = np.zeros(len(flat), np.intp)
    lengths[flat > 0] = np.repeat(ends - starts, ends - starts)
    return lengths.reshape(turned.shape)[:, :-1].T
