"""Whether a part of the digit lies outside the picture."""

from __future__ import annotations

import numpy as np

from digitrec.prepare.filters import Mask

FREE = 0.4
"""What is left of a digit leaves at least this share of its own length free on the other side. Whole ones
that just touch an edge fill their picture: 13 of 329 photos and 300 drawings, which leave 0.1 to 0.33."""


def cut_off(ink: Mask) -> bool:
    """Whether a digit's ink, (h, w), runs out of a photo on one side, or on two that meet in a corner."""
    sides: tuple[Mask, ...] = np.asarray(ink.any(axis=1)), np.asarray(ink.any(axis=0))
    return any(map(_runs_out, sides)) and not any(side[0] and side[-1] for side in sides)


def _runs_out(lines: Mask) -> bool:
    """Whether the inked rows, or columns, reach one end of the picture and are clear of the other."""
    places = np.flatnonzero(lines)
    if not len(places):
        return False
    first, last = int(places[0]), int(places[-1])
    free = FREE * (last + 1 - first)
    before, after = first, len(lines) - 1 - last
    return (before == 0 and after > free) or (after == 0 and before > free)
