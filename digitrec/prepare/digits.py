"""How many digits the strokes on a picture look like: none, one, or more, and where."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from digitrec.prepare.components import Box, Components, Ints, Scores
from digitrec.prepare.filters import Floats, Mask, quantile
from digitrec.prepare.neighbours import brackets, main_inside, pieces, signs, underlines, without_frame
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
RIVAL = 0.25
"""Least edges of a second digit, as a share of the main one's."""
FAINT = 0.1
"""Least edges of a bracket beside it, as a share of the main one's."""
AS_HIGH = 0.5
"""Largest ratio of the heights of two neighbouring digits."""
OVERLAP = 0.1
"""Largest overlap of two digits side by side, as a share of the narrower one's width."""
APART = 0.25
"""One digit above another leaves at least this share of its height free: nearer, it is one in two pieces."""

FREE = 0.4
"""What is left of a digit leaves at least this share of its own length free on the other side. Whole ones
that just touch an edge fill their picture: 13 of 329 photos and 300 drawings, which leave 0.1 to 0.33."""


DOUBTFUL = ("texture", "more than one digit", "a sign beside the digit")
"""Reasons that the pieces of a frame may cause."""
MANY = 3
"""Largest number of parts of a frame with a digit."""


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """The digits found in the strokes."""

    reason: str | None
    """"blank", "texture", "more than one digit", "a sign beside the digit" or "cut off"; None: one digit."""
    digits: tuple[Mask, ...]
    """(h, w): the ink of each digit, from left to right; empty without a digit."""
    mask: Mask
    """The main digit's ink, also when it was refused."""
    left_out: tuple[Box, ...] = ()
    """Left, top, right, bottom of the other ink that may be writing, in pixels of the mask."""
    share: float = 1.0
    """The digit's share of its own edges and those of the ink left out beside it, 0..1."""


def count(seen: Strokes, small: bool) -> Count:
    """Count the digits in the ink, and name the ink that is left out of a single one."""
    found = _unframed(seen, small)
    return _with_left_out(found, seen) if found.reason is None else found


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


def _unframed(seen: Strokes, small: bool) -> Count:
    """Count the digits in the ink; where that is in doubt, also without a frame around them."""
    found = _count(seen, small)
    if small or (found.reason not in DOUBTFUL and len(seen.parts) < MANY):
        return found
    bare = without_frame(seen)
    return found if bare is None else _count(bare, small)


def _count(seen: Strokes, small: bool) -> Count:
    parts, main, slopes = seen.parts, seen.main, seen.sight.slopes
    edges, border, peak = parts.total(slopes), parts.border > 0, parts.peak(seen.sight.contrast)
    around = np.zeros(0, np.intp)
    if not small:
        main = main_inside(parts, main, edges, border)
        main, around = _bare(parts, main, edges, _rivals(parts, main, edges, border, peak, FAINT))
    rivals = np.setdiff1d(_rivals(parts, main, edges, border, peak), around)
    digit, rivals = _pieced(parts, main, edges, rivals, around)
    signed = not small and bool(signs(parts, main, peak, border).any())
    own = parts.drawn(digit)
    reason = _nothing(seen, digit, edges, own, small)
    if reason is not None:
        return Count(reason, (), own)
    if len(rivals):
        return Count("more than one digit", _each(parts, digit, edges, rivals), own)
    if signed:
        return Count("a sign beside the digit", (own,), own)
    return Count("cut off" if not small and cut_off(own) else None, (own,), own)


def _bare(parts: Components, main: int, edges: Scores, beside: Ints) -> tuple[int, Ints]:
    """Remove brackets around others from the main parts; return the main part and the brackets."""
    every = np.append(main, beside)
    found = brackets(parts, every) if len(beside) else np.zeros(1, bool)
    around = every[found]
    rich = np.where(parts.border > 0, 0, edges)
    rich[around] = 0
    if found[0]:
        inside = int(np.argmax(rich))
        return (inside, around) if rich[inside] > FAINT * edges[main] else (main, beside[:0])
    return main, around


def _pieced(parts: Components, main: int, edges: Scores, rivals: Ints, around: Ints) -> tuple[Mask, Ints]:
    """Which parts are the digit's, (parts,), without brackets and lines under it, and the other rivals."""
    digit = _together(parts, main, edges, rivals)
    none = underlines(parts, main)
    none[around] = True
    digit &= ~none
    other = ~(digit | none)
    if (edges[other] > RIVAL * edges[main]).any():
        digit |= pieces(parts, digit, rivals, other)
    return digit, rivals[~digit[rivals]]


def _each(parts: Components, digit: Mask, edges: Scores, rivals: Ints) -> tuple[Mask, ...]:
    """Return the ink of the main digit and of its rivals, each with its pieces, from left to right."""
    found = [digit]
    for rival in rivals:
        alone = np.arange(len(parts)) == rival
        for i, other in enumerate(found[1:], 1):  # one above or below another is another piece of it
            if _shared_width(_box(parts, alone), _box(parts, other)) > OVERLAP:
                found[i] = other | alone
                break
        else:
            found.append(alone)
    for i, rival in enumerate(found[1:], 1):
        main = int(np.argmax(np.where(rival, edges, 0)))
        taken = np.logical_or.reduce(found)
        found[i] = rival | _together(parts, main, edges, np.flatnonzero(taken & ~rival))
    return tuple(parts.drawn(one) for one in sorted(found, key=lambda one: int(parts.left[one].min())))


def _box(parts: Components, chosen: Mask) -> Ints:
    first = parts.left[chosen].min(), parts.top[chosen].min()
    return np.array([*first, parts.right[chosen].max(), parts.bottom[chosen].max()])


def _shared_width(one: Ints, other: Ints) -> float:
    """By how much two boxes are above each other, as a share of the narrower one's width."""
    shared = min(one[2], other[2]) - max(one[0], other[0])
    return float(shared / min(one[2] - one[0], other[2] - other[0]))


def _rivals(
    parts: Components, main: int, edges: Scores, border: Mask, peak: Floats, least: float = RIVAL
) -> Ints:
    """Return the parts that look like other digits: as high, dark and rich as the main one, and apart."""
    height, width = parts.height, parts.width
    shared_x = np.minimum(parts.right, parts.right[main]) - np.maximum(parts.left, parts.left[main])
    shared_y = np.minimum(parts.bottom, parts.bottom[main]) - np.maximum(parts.top, parts.top[main])
    beside = (shared_x < OVERLAP * np.minimum(width, width[main])) & (shared_y > 0)
    above = shared_y < -APART * height[main]
    alike = (height > AS_HIGH * height[main]) & (height < height[main] / AS_HIGH)
    strong = (edges > least * edges[main]) & (peak > AS_HIGH * peak[main])
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
