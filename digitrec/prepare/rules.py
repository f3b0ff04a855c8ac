"""The printed lines of ruled and squared paper: found as straight lines from border to border, and taken out."""

from __future__ import annotations

import numpy as np

from digitrec.prepare.components import Ints
from digitrec.prepare.filters import Mask

SLOPES = np.tan(np.radians(np.arange(-10, 11)))
"""How far from level a hand-held camera leaves the lines."""
COVERED = 0.7
"""A line is inked along at least this share of the picture's width, and of its two ends."""
END = 0.1
"""Share of the width that is an end."""


def rules(mask: Mask) -> Mask:
    """The pixels of a mask, (h, w), that are ink of printed lines only.

    A line is followed across the picture; where the ink on it is no thicker than the line itself, it goes;
    where something crosses the line, the ink stays.
    """
    return _level(mask) | _level(mask.T).T


def _level(mask: Mask) -> Mask:
    """The same for lines that run roughly along the rows."""
    band = _bands(mask)
    on_line = mask & band
    if not on_line.any():
        return on_line
    thick = _run_lengths(mask)
    return on_line & (thick <= 1.5 * np.median(thick[on_line]) + 1)


def _bands(mask: Mask) -> Mask:
    """Every place where a line runs, three pixels high."""
    height, width = mask.shape
    columns = np.arange(0, width, 2)
    reach = -(-width // 8)  # rows that the steepest slope can leave the picture by
    padded = np.zeros((height + 2 * reach + 2, width), np.uint8)
    padded[reach + 1 : -reach - 1] = mask
    near = padded[:-2] | padded[1:-1] | padded[2:]  # a bent or jagged line still counts
    end = max(1, round(END * len(columns)))
    band = np.zeros_like(padded)
    for slope in SLOPES:
        drift = np.round(slope * (np.arange(width) - width / 2)).astype(np.intp)
        rows = np.arange(height)[:, None] + reach + drift[columns]
        inked = near[rows, columns]
        starts, ends = inked[:, :end].mean(axis=1), inked[:, -end:].mean(axis=1)
        lines = np.flatnonzero((inked.mean(axis=1) > COVERED) & (starts > COVERED) & (ends > COVERED))
        for line in lines:
            at = line + reach + 1 + drift
            for offset in (-1, 0, 1):
                band[at + offset, np.arange(width)] = 1
    return band[reach + 1 : -reach - 1] > 0


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
