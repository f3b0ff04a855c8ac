"""Separate a digit's pieces from its neighbours: brackets, signs, pens and frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from digitrec.prepare.components import Components, Ints, Scores, components
from digitrec.prepare.filters import Floats, Mask, grow
from digitrec.prepare.strokes import Strokes

INSIDE = 0.12
"""Least share of the main part's edges that a part within the picture needs to be the digit, if the main part
comes in from outside, as a pen does."""
PIECE = 0.06
"""Largest gap between the pieces of one digit, such as seven segments, as a share of its height."""
TALL = 0.75
"""Largest width of all pieces together, as a share of the digit's height."""
BULGE = 0.08
"""Least bow of a round bracket, as a share of its height; a 1 is straighter."""
STEADY = 0.04
"""Largest mean departure of a bracket's line from a parabola, as a share of its height."""
SLIM = 0.85
"""Largest width of a bracket's row, as a share of its width."""
LEVEL = 0.16
"""Largest horizontal offset of a bracket's ends, as a share of its height."""
GRAIN = 0.14
"""Largest share of a bracket's rows with gaps."""
HOOK = 0.08
"""Least reach of a square bracket's ends towards the digit."""
SIGN = (0.15, 0.85)
"""The height of a sign such as "-", "=" or "+" beside a digit, or its width, as a share of the digit's."""
BESIDE = 0.6
"""Largest distance of a sign, as a share of the digit's height."""

FLAT = 3.0
"""Minimum ratio of an underline's length to the height of its box."""
FRAME_FAINT = 0.15
"""A frame's line is at least this share as dark as the digit's ink."""
FRAME_GAPS = 0.012
"""Half of the widest gap in its line, as a share of the picture's longer side."""
FRAMED_TALL = 0.25
"""What it frames is at least this share as high."""
FRAMED_RICH = 0.06
"""And has this share of its edges."""


def main_inside(parts: Components, main: int, edges: Scores, border: Mask) -> int:
    """Return the digit if the main part comes in from outside the picture; else the main part."""
    if not border[main]:
        return main
    inside = np.where(border, 0.0, edges)
    other = int(np.argmax(inside))
    return other if inside[other] > INSIDE * edges[main] else main


def pieces(parts: Components, digit: Mask, rivals: Ints, others: Mask) -> Mask:
    """Which of the others are pieces of a digit, (parts,); they may look like its rivals.

    Each is close to another, like segments, and together they are narrow. A frame around the digit is not
    a piece.
    """
    together = digit.copy()
    together[rivals] = True
    around = (parts.left < parts.left[digit].min()) & (parts.right > parts.right[digit].max())
    around &= (parts.top < parts.top[digit].min()) & (parts.bottom > parts.bottom[digit].max())
    others = others & ~around & (parts.border == 0)
    half = max(1, (round(PIECE * _span(parts.top, parts.bottom, together)) - 1) // 2)
    whole = parts.within(components(grow(parts.drawn(digit | others), half)))
    chained: Mask = np.isin(whole, whole[digit]) & others
    height = _span(parts.top, parts.bottom, chained | together)
    if _span(parts.left, parts.right, chained | together) > TALL * height:
        return np.zeros(len(parts), bool)
    return chained


def _span(first: Ints, last: Ints, chosen: Mask) -> int:
    """Return the extent from the first chosen part to the last."""
    return int(last[chosen].max() - first[chosen].min())


def brackets(parts: Components, chosen: Ints) -> Mask:
    """Which of the chosen parts, (chosen,), are brackets around the others."""
    middles = (parts.left + parts.right)[chosen] / 2
    found = [
        _bracket(parts, int(one), bool(middle > middles.mean()))
        for one, middle in zip(chosen, middles, strict=True)
    ]
    return np.array(found, bool)


def _bracket(parts: Components, part: int, closing: bool) -> bool:
    """Whether a part is a bracket; ")" or "]" for a closing one."""
    left, top = int(parts.left[part]), int(parts.top[part])
    right, bottom = int(parts.right[part]), int(parts.bottom[part])
    drawn = parts.drawn(np.arange(len(parts)) == part)[top:bottom, left:right]
    drawn = drawn if closing else drawn[:, ::-1]
    height, width = drawn.shape
    if height < 12 or width > 0.5 * height:
        return False
    first, last = drawn.argmax(axis=1), width - 1 - drawn[:, ::-1].argmax(axis=1)
    reach = last - first + 1
    if (reach > drawn.sum(axis=1)).mean() > GRAIN:  # two strokes side by side
        return False
    is_slim = bool(reach.max() < SLIM * width)  # no bar along its top, as a 7 has
    is_round = is_slim and _is_round((first + last) / 2 / height)
    return is_round or _is_square(first / height, last / height)


def _is_round(middle: Floats) -> bool:
    """Whether a line's places, (rows,), bend evenly to the right."""
    down = np.linspace(-1, 1, len(middle))
    bend, slant, start = np.polyfit(down, middle, 2)
    off = np.abs(np.polyval((bend, slant, start), down) - middle).mean()
    return bool(-bend > BULGE and 2 * abs(slant) < LEVEL and off < STEADY)


def _is_square(first: Floats, last: Floats) -> bool:
    """Whether a line is straight on its right, and has both ends turned to the left."""
    end = max(1, len(first) // 8)
    middle = slice(2 * end, len(first) - 2 * end)
    straight = float(np.ptp(last[middle])) < 2 * STEADY and float(np.ptp(first[middle])) < 2 * STEADY
    hooks = [float(first[middle].mean() - ends.min()) for ends in (first[:end], first[-end:])]
    return straight and min(hooks) > HOOK


def signs(parts: Components, main: int, peak: Floats, border: Mask) -> Mask:
    """Which parts are signs beside the main one: clear of it, halfway up, dark, and no mere specks."""
    height, width = int(parts.height[main]), int(parts.width[main])
    size = max(height, width)
    gap = np.maximum(parts.left - parts.right[main], parts.left[main] - parts.right)
    middle = ((parts.top + parts.bottom) / 2 - parts.top[main]) / height
    longer = np.maximum(parts.width, parts.height) / size
    sign = (gap > 0) & (gap < BESIDE * size) & (middle > 0.25) & (middle < 0.8) & ~border
    sign &= (longer > SIGN[0]) & (longer < SIGN[1]) & (peak > 0.5 * peak[main])
    return np.asarray(sign & (parts.top > parts.top[main]) & (parts.bottom < parts.bottom[main]))


def underlines(parts: Components, main: int) -> Mask:
    """Which parts are lines under the main one: flat, clear of it, longer on both sides."""
    flat = parts.width > FLAT * parts.height
    longer = (parts.left < parts.left[main]) & (parts.right > parts.right[main])
    return np.asarray(flat & longer & (parts.top >= parts.bottom[main]))


def without_frame(seen: Strokes) -> Strokes | None:
    """Return the strokes without those of a frame around others; None: there is no frame.

    A pencil's line is broken, and each piece alone looks like a sign beside the digit: the frame shows where
    fainter ink is taken in and the gaps are closed.
    """
    sight = seen.sight
    faint = sight.contrast > max(FRAME_FAINT * seen.level, sight.faintest)
    joined = components(grow(faint, max(1, round(FRAME_GAPS * max(faint.shape)))))
    whole = seen.parts.within(joined)
    edges = seen.parts.total(sight.slopes)
    rich = np.bincount(whole, edges, len(joined)).astype(np.float64)
    frames = _frames(joined, rich)
    around = frames[whole]
    if not around.any() or around.all():
        return None
    parts = components(seen.mask & ~seen.parts.drawn(around))
    left = parts.total(sight.slopes)
    main = int(np.argmax(left))
    return replace(seen, parts=parts, main=main, score=seen.score * left[main] / edges[seen.main])


def _frames(joined: Components, rich: Scores) -> Mask:
    """Which of the joined parts lie around another that may be a digit."""
    inside = (
        (joined.left[:, None] < joined.left)
        & (joined.top[:, None] < joined.top)
        & (joined.right[:, None] > joined.right)
        & (joined.bottom[:, None] > joined.bottom)
    )
    alike = (joined.height > FRAMED_TALL * joined.height[:, None]) & (rich > FRAMED_RICH * rich[:, None])
    return np.asarray((inside & alike).any(axis=1))
