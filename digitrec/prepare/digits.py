"""Count the digits that the strokes on a picture look like: none, one or more; and say where they are."""

from dataclasses import dataclass

import numpy as np

from digitrec.prepare.components import Box, Components, Ints, Scores
from digitrec.prepare.filters import Floats, Mask
from digitrec.prepare.found import Reason
from digitrec.prepare.strokes import EVERY, SPECK, Strokes, framed

NEAR = 0.2
"""Largest gap between the parts of one digit, as a share of its longer side, or of its height if one part is
above the other."""
EVIDENCE = 0.035
"""Ink with less evidence (see `Strokes.evidence`) is paper grain, a crease or a shadow. Faint
pencil has little more, and so have some shadows, in which the network does not recognise a digit."""
RIVAL = 0.25
"""Minimum edge strength of a second digit, as a share of the main digit's."""
ALIKE = 0.5
"""Minimum height and contrast of a second digit, as a share of the main digit's."""


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """The digits found in the strokes."""

    reason: Reason | None
    """None: one digit."""
    boxes: tuple[Box, ...]
    """Left, top, right, bottom of each digit, from left to right, in pixels of the mask."""
    mask: Mask
    """The main digit's ink, also when the picture was refused."""
    parts: int
    """Number of connected parts of that ink."""
    left_out: tuple[Box, ...] = ()
    """Left, top, right, bottom of other ink that may be writing, in pixels of the mask."""


def count(seen: Strokes, small: bool) -> Count:
    """Count the digits in the ink; beside a single digit, also return the ink that is left out."""
    parts, main = seen.parts, seen.main
    edges, border = parts.total(seen.sight.slopes), parts.border > 0
    rivals = _rivals(parts, main, edges, border, parts.peak(seen.sight.contrast))
    digit = _together(parts, main, edges, rivals) & ~_underlines(parts, main)
    own, pieces = parts.drawn(digit), int(digit.sum())
    reason = _nothing(seen, digit, edges)
    if reason is not None:
        return Count(reason, (), own, pieces)
    box: Box = tuple(_box(parts, digit).tolist())
    boxes = parts.boxes
    if len(rivals):
        several = sorted([box, *map(tuple, boxes[rivals].tolist())])
        return Count("more than one digit", tuple(several), own, pieces)
    if not small and cut_off(own):
        return Count("cut off", (box,), own, pieces)
    left = ~digit & (edges > SPECK * edges[digit].sum())
    return Count(None, (box,), own, pieces, tuple(map(tuple, boxes[left].tolist())))


def _underlines(parts: Components, main: int) -> Mask:
    """Return which parts are lines under the main part: below it, and longer on both sides."""
    longer = (parts.left < parts.left[main]) & (parts.right > parts.right[main])
    return np.asarray(longer & (parts.top >= parts.bottom[main]))


def _box(parts: Components, chosen: Mask) -> Ints:
    first = parts.left[chosen].min(), parts.top[chosen].min()
    return np.array([*first, parts.right[chosen].max(), parts.bottom[chosen].max()])


def _rivals(parts: Components, main: int, edges: Scores, border: Mask, peak: Floats) -> Ints:
    """Return the parts that look like other digits: as high, dark and edged as the main part, and apart."""
    height = parts.height
    shared_x = np.minimum(parts.right, parts.right[main]) - np.maximum(parts.left, parts.left[main])
    shared_y = np.minimum(parts.bottom, parts.bottom[main]) - np.maximum(parts.top, parts.top[main])
    beside = (shared_x < 0) & (shared_y > 0)
    above = shared_y < -NEAR * height[main]
    alike = (height > ALIKE * height[main]) & (height < height[main] / ALIKE) & (peak > ALIKE * peak[main])
    strong = edges > RIVAL * edges[main]
    return np.flatnonzero((beside | above) & alike & strong & ~(border & ~border[main]))


def _together(parts: Components, main: int, edges: Scores, rivals: Ints) -> Mask:
    """Return which parts form the digit: the main part, and parts larger than specks near what is found."""
    reach, border = NEAR * max(parts.width[main], parts.height[main]), parts.border > 0
    fit = (edges > SPECK * edges[main]) & (~border | border[main]) & ~framed(parts, main, EVERY)
    fit[rivals] = False
    keep: Mask = np.arange(len(parts)) == main
    while True:
        left, top, right, bottom = _box(parts, keep)
        gap_x = np.maximum(parts.left - right, left - parts.right)
        gap_y = np.maximum(parts.top - bottom, top - parts.bottom)
        more = keep | (fit & (np.maximum(gap_x, gap_y) < reach))
        if np.array_equal(more, keep):
            return keep
        keep = more


def _nothing(seen: Strokes, digit: Mask, edges: Scores) -> Reason | None:
    """Return why the ink shows no digit; None if it shows one."""
    mine, others = float(edges[digit].sum()), float(edges[~digit & (seen.parts.border == 0)].sum())
    share = mine / (mine + others) if mine else 0.0  # the gradient at a single pixel's middle is 0
    if seen.evidence * share > EVIDENCE:
        return None
    return "blank" if share > 0.5 else "texture"


def cut_off(ink: Mask) -> bool:
    """Return whether one edge of a photo, or two that meet, cut off a digit's ink, (h, w)."""
    sides: list[Mask] = [np.asarray(ink.any(axis=axis)) for axis in (1, 0)]
    return any(side[0] or side[-1] for side in sides) and not any(side[0] and side[-1] for side in sides)
