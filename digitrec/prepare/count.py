"""How many digits the strokes on a picture look like: none, one, or more, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from digitrec.prepare.components import Components, Ints, Scores, components
from digitrec.prepare.filters import Floats, Mask, steepness
from digitrec.prepare.strokes import SMALL, Strokes, framed

NEAR = 0.2
"""Parts of one digit are no further apart than this share of its longer side."""
SPECK = 0.05
"""A part with less than this share of the main part's edges is a speck."""
EVIDENCE = 0.035
"""Below this, what was found is paper grain, a crease or a shadow; see `_evidence`. Faint pencil is little
above, and so are some shadows: in those the network does not recognise a digit."""
ALONG_BORDER = 0.15
"""What touches the picture's border with more than this share of its box's width and height comes in from
outside, as shadows do, and must show `OUTSIDE` times the evidence."""
OUTSIDE = 6.0
SOFTEST = 0.11
"""Ink falls off from its level to the paper's within nine pixels, however blurred the photo; a shadow's
edge does not. As a share of the level, per pixel of the reduced picture; the least sharp of 329 phone
photos of digits has 0.13."""
CLEAREST = 200.0
"""Contrast of this many times the noise is as good as any more."""
LONGEST = 6.0
"""No digit's outline, halved, is longer than this many times its longer side; that of noise is. MNIST's
longest is 4.3."""
RIVAL = 0.25
"""A second digit has at least this share of the main one's edges."""
AS_HIGH = 0.5
"""Two digits side by side, or one above the other, differ in height by no more than this factor."""
OVERLAP = 0.1
"""Two digits side by side share no more than this part of the narrower one's width."""
APART = 0.25
"""One digit above another leaves at least this share of its height free: nearer, it is one in two pieces."""


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """What the strokes look like."""

    reason: str | None
    """"blank", "texture" or "more than one digit"; None: one digit."""
    boxes: tuple[Ints, ...]
    """(left, top, right, bottom) of each digit on the reduced picture, from left to right."""
    mask: Mask
    """The main digit's ink, also when it was refused."""


def count(seen: Strokes, mask: Mask) -> Count:
    """Count the digits among the parts of a mask, which holds everything as dark as the main part."""
    parts = components(mask)
    slopes = steepness(seen.contrast)
    edges = parts.total(slopes)
    main = int(np.argmax(parts.total(seen.seed.astype(np.float32))))
    rivals = _rivals(parts, main, edges, parts.border() > 0, parts.peak(seen.contrast))
    digit = _together(parts, main, edges, mask, rivals)
    own = parts.drawn(digit)
    reason = _nothing(seen, parts, digit, edges, mask, own, slopes)
    if reason is not None:
        return Count(reason, (), own)
    boxes = [_box(parts, digit)]
    for rival in rivals:
        _add(boxes, _box(parts, np.arange(len(parts)) == rival))
    boxes.sort(key=lambda box: int(box[0]))
    return Count("more than one digit" if len(boxes) > 1 else None, tuple(boxes), own)


def _box(parts: Components, chosen: Mask) -> Ints:
    return np.array(
        [
            parts.left[chosen].min(),
            parts.top[chosen].min(),
            parts.right[chosen].max(),
            parts.bottom[chosen].max(),
        ]
    )


def _add(boxes: list[Ints], box: Ints) -> None:
    """Add the box of another digit, or to the one above or below which it is another piece."""
    for i, other in enumerate(boxes[1:], 1):
        if min(box[2], other[2]) - max(box[0], other[0]) > OVERLAP * min(
            box[2] - box[0], other[2] - other[0]
        ):
            boxes[i] = np.concatenate([np.minimum(box[:2], other[:2]), np.maximum(box[2:], other[2:])])
            return
    boxes.append(box)


def _rivals(parts: Components, main: int, edges: Scores, border: Mask, peak: Floats) -> Ints:
    """The parts that look like digits of their own: as high, as dark, as rich, and clear of the main one."""
    height, width = parts.height, parts.width
    shared_x = np.minimum(parts.right, parts.right[main]) - np.maximum(parts.left, parts.left[main])
    shared_y = np.minimum(parts.bottom, parts.bottom[main]) - np.maximum(parts.top, parts.top[main])
    beside = (shared_x < OVERLAP * np.minimum(width, width[main])) & (shared_y > 0)
    above = shared_y < -APART * height[main]
    alike = (height > AS_HIGH * height[main]) & (height < height[main] / AS_HIGH)
    strong = (edges > RIVAL * edges[main]) & (peak > AS_HIGH * peak[main])
    return np.flatnonzero((beside | above) & alike & strong & ~(border & ~border[main]))


def _together(parts: Components, main: int, edges: Scores, mask: Mask, rivals: Ints) -> Mask:
    """Which parts are the digit's: the main one, and what is near it and no mere speck."""
    size = max(parts.width[main], parts.height[main])
    gap_x = np.maximum(parts.left - parts.right[main], parts.left[main] - parts.right)
    gap_y = np.maximum(parts.top - parts.bottom[main], parts.top[main] - parts.bottom)
    keep: Mask = (np.maximum(gap_x, gap_y) < NEAR * size) & (edges > SPECK * edges[main])
    border = parts.border() > 0
    keep &= ~border | border[main]
    keep[rivals] = False
    for part in np.flatnonzero(keep):
        keep[part] = not framed(parts, int(part))[main]
    keep[main] = True
    return keep


def _nothing(
    seen: Strokes, parts: Components, digit: Mask, edges: Scores, mask: Mask, own: Mask, slopes: Floats
) -> str | None:
    """Why there is no digit at all, or None."""
    left, top, right, bottom = (int(side) for side in _box(parts, digit))
    if _outline(own) / 2 > LONGEST * max(right - left, bottom - top):
        return "texture"
    photo = min(mask.shape) > SMALL  # shadows fall on photos; a small scan may be cropped close to its digit
    if photo and np.percentile(slopes[own], 95) < SOFTEST * seen.level:
        return "blank"
    evidence, share = _evidence(seen, parts, digit, edges, mask)
    along_border = parts.border()[digit].sum() > ALONG_BORDER * (right - left + bottom - top)
    if evidence > EVIDENCE * (OUTSIDE if photo and along_border else 1):
        return None
    return "blank" if share > 0.5 else "texture"


def _outline(mask: Mask) -> int:
    """Steps between ink and paper along rows and columns, px."""
    return int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum())


def _evidence(
    seen: Strokes, parts: Components, digit: Mask, edges: Scores, mask: Mask
) -> tuple[float, float]:
    """How surely the strokes found are ink, and which share of all edges away from the border they have.

    Ink has sharp and long edges (the score, for the size of the picture), is far above the noise, and is
    the only thing of its kind on the page.
    """
    others = edges[~digit & (parts.border() == 0)].sum()
    share = float(edges[digit].sum() / (edges[digit].sum() + others))
    clear = min(seen.level / max(seen.noise, 1e-6), CLEAREST)
    return seen.score / max(mask.shape) * share * clear**0.5, share
