"""How many digits the strokes on a picture look like: none, one, or more, and where."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from digitrec.prepare.components import Box, Components, Ints, Scores
from digitrec.prepare.filters import Floats, Mask, quantile
from digitrec.prepare.strokes import Strokes, framed, outline

NEAR = 0.2
"""Largest gap between the parts of one digit, as a share of its longer side."""
SPECK = 0.05
"""Share of the main part's edges below which a part is a speck."""
EVIDENCE = 0.035
"""Below this, what was found is paper grain, a crease or a shadow; see `_evidence`. Faint pencil is little
above, and so are some shadows: in those the network does not recognise a digit."""
ALONG_BORDER = 0.15
"""What touches the picture's border with more than this share of its box's width and height comes in from
outside, as shadows do, and must show `OUTSIDE` times the evidence."""
OUTSIDE = 6.0
SOFTEST = 0.05
"""Ink falls off from its level to the paper's within twenty pixels, however blurred the photo; most shadows'
edges do not, and in the others the network recognises no digit. As a share of the level, per pixel of the
reduced picture; a blur of 6 % of the digit's height leaves more."""
LONGEST = 6.0
"""No digit's outline, halved, is longer than this many times its longer side; that of noise is. MNIST's
longest is 4.3."""
INSIDE = 0.12
"""Least share of the main part's edges that a part within the picture needs to be the digit, if the main part
comes in from outside, as a pen does."""
FLAT = 3.0
"""Least ratio of an underline's length to the height of its box."""
RIVAL = 0.25
"""Least edges of a second digit, as a share of the main one's."""
FAINT = 0.05
"""Least edges of ink that is left out, as a share of the digit's."""
AS_HIGH = 0.5
"""Largest ratio of the heights of two neighbouring digits."""
OVERLAP = 0.1
"""Largest overlap of two digits side by side, as a share of the narrower one's width."""
APART = 0.25
"""One digit above another leaves at least this share of its height free: nearer, it is one in two pieces."""

FREE = 0.4
"""What is left of a digit leaves at least this share of its own length free on the other side. Whole ones
that just touch an edge fill their picture: 13 of 329 photos and 300 drawings, which leave 0.1 to 0.33."""


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """The digits found in the strokes."""

    reason: str | None
    """"blank", "texture", "more than one digit" or "cut off"; None: one digit."""
    boxes: tuple[Box, ...]
    """Left, top, right, bottom of each digit, from left to right, in pixels of the mask."""
    mask: Mask
    """The main digit's ink, also when it was refused."""
    left_out: tuple[Box, ...] = ()
    """Left, top, right, bottom of the other ink that may be writing, in pixels of the mask."""
    share: float = 1.0
    """The digit's share of its own edges and those of the ink left out beside it, 0..1."""


def count(seen: Strokes, small: bool) -> Count:
    """Count the digits in the ink, and name the ink that is left out of a single one."""
    parts, main = seen.parts, seen.main
    edges, border, peak = parts.total(seen.sight.slopes), parts.border > 0, parts.peak(seen.sight.contrast)
    if not small:
        main = _main_inside(parts, main, edges, border)
    rivals = _rivals(parts, main, edges, border, peak)
    digit = _together(parts, main, edges, rivals) & ~_underlines(parts, main)
    own = parts.drawn(digit)
    reason = _nothing(seen, digit, edges, own, small)
    if reason is not None:
        return Count(reason, (), own)
    if len(rivals):
        return Count("more than one digit", _each(parts, digit, rivals), own)
    box: Box = tuple(_box(parts, digit).tolist())
    if not small and cut_off(own):
        return Count("cut off", (box,), own)
    return _with_left_out(Count(None, (box,), own), seen)


def _with_left_out(found: Count, seen: Strokes) -> Count:
    """Add the parts as dark as the digit, and not much smaller, that are not its own."""
    parts = seen.parts
    edges, peak = parts.total(seen.sight.slopes), parts.peak(seen.sight.contrast)
    own = parts.total(found.mask.astype(np.float32)) > 0
    left = ~own & (edges > FAINT * edges[own].sum()) & (peak > AS_HIGH * peak[own].max())
    if not left.any():
        return found
    boxes = np.stack([parts.left, parts.top, parts.right, parts.bottom], axis=1)
    digit = _box(parts, own)
    around = (boxes[:, :2] <= digit[:2]).all(axis=1) & (boxes[:, 2:] >= digit[2:]).all(axis=1)
    mine = float(edges[own].sum())
    share = mine / (mine + float(edges[left & ~around].sum()))
    return replace(found, left_out=tuple(map(tuple, boxes[left].tolist())), share=share)


def _main_inside(parts: Components, main: int, edges: Scores, border: Mask) -> int:
    """Return the digit if the main part comes in from outside the picture; else the main part."""
    if not border[main]:
        return main
    inside = np.where(border, 0.0, edges)
    other = int(np.argmax(inside))
    return other if inside[other] > INSIDE * edges[main] else main


def _underlines(parts: Components, main: int) -> Mask:
    """Which parts are lines under the main one: flat, clear of it, longer on both sides."""
    flat = parts.width > FLAT * parts.height
    longer = (parts.left < parts.left[main]) & (parts.right > parts.right[main])
    return np.asarray(flat & longer & (parts.top >= parts.bottom[main]))


def _each(parts: Components, digit: Mask, rivals: Ints) -> tuple[Box, ...]:
    """Return the boxes of the main digit and of its rivals, from left to right."""
    found = [_box(parts, digit)]
    for rival in rivals:
        box = _box(parts, np.arange(len(parts)) == rival)
        for i, other in enumerate(found[1:], 1):  # one above or below another is another piece of it
            if _shared_width(box, other) > OVERLAP:
                found[i] = np.append(np.minimum(box, other)[:2], np.maximum(box, other)[2:])
                break
        else:
            found.append(box)
    return tuple(sorted(tuple(box.tolist()) for box in found))


def _box(parts: Components, chosen: Mask) -> Ints:
    first = parts.left[chosen].min(), parts.top[chosen].min()
    return np.array([*first, parts.right[chosen].max(), parts.bottom[chosen].max()])


def _shared_width(one: Ints, other: Ints) -> float:
    """By how much two boxes are above each other, as a share of the narrower one's width."""
    shared = min(one[2], other[2]) - max(one[0], other[0])
    return float(shared / min(one[2] - one[0], other[2] - other[0]))


def _rivals(parts: Components, main: int, edges: Scores, border: Mask, peak: Floats) -> Ints:
    """Return the parts that look like other digits: as high, dark and rich as the main one, and apart."""
    height, width = parts.height, parts.width
    shared_x = np.minimum(parts.right, parts.right[main]) - np.maximum(parts.left, parts.left[main])
    shared_y = np.minimum(parts.bottom, parts.bottom[main]) - np.maximum(parts.top, parts.top[main])
    beside = (shared_x < OVERLAP * np.minimum(width, width[main])) & (shared_y > 0)
    above = shared_y < -APART * height[main]
    alike = (height > AS_HIGH * height[main]) & (height < height[main] / AS_HIGH)
    strong = (edges > RIVAL * edges[main]) & (peak > AS_HIGH * peak[main])
    return np.flatnonzero((beside | above) & alike & strong & ~(border & ~border[main]))


def _together(parts: Components, main: int, edges: Scores, rivals: Ints) -> Mask:
    """Which parts are the digit's: the main one, and what is near it and no mere speck."""
    size = max(parts.width[main], parts.height[main])
    gap_x = np.maximum(parts.left - parts.right[main], parts.left[main] - parts.right)
    gap_y = np.maximum(parts.top - parts.bottom[main], parts.top[main] - parts.bottom)
    keep: Mask = (np.maximum(gap_x, gap_y) < NEAR * size) & (edges > SPECK * edges[main])
    border = parts.border > 0
    keep &= ~border | border[main]
    keep[rivals] = False
    for part in np.flatnonzero(keep):
        keep[part] = not framed(parts, int(part))[main]
    keep[main] = True
    return keep


def _nothing(seen: Strokes, digit: Mask, edges: Scores, own: Mask, small: bool) -> str | None:
    """Return why there is no digit, or None."""
    border = seen.parts.border
    left, top, right, bottom = (int(side) for side in _box(seen.parts, digit))
    if outline(own) / 2 > LONGEST * max(right - left, bottom - top):
        return "texture"
    if not small and quantile(seen.sight.slopes[own], 0.95) < SOFTEST * seen.level:
        return "blank"
    mine, others = float(edges[digit].sum()), float(edges[~digit & (border == 0)].sum())
    share = mine / (mine + others) if mine else 0.0  # the gradient at a single pixel's middle is 0
    along_border = border[digit].sum() > ALONG_BORDER * (right - left + bottom - top)
    if seen.evidence * share > EVIDENCE * (OUTSIDE if not small and along_border else 1):
        return None
    return "blank" if share > 0.5 else "texture"


def cut_off(ink: Mask) -> bool:
    """Whether a digit's ink, (h, w), runs out of a photo on one side, or on two that meet in a corner."""
    sides: list[Mask] = [np.asarray(ink.any(axis=axis)) for axis in (1, 0)]
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
