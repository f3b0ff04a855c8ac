"""Find the numbers on a picture: marks of writing that stand in a row, near each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.image import Box
from digitrec.prepare import finder
from digitrec.prepare.components import components

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Boxes = NDArray[np.float64]
"""(N, 4): left, top, right and bottom in pixels of the picture."""

SMALL = 512
"""Longer side of a picture that is looked at in small first, in pixels."""
FIRST, FIRST_OF_SMALL = 640, 128
"""Longer side of the network's input at the first look, in pixels; it is doubled until digits are clear."""
LAST = 1280
"""The same at the last look."""
CLEAR = 24
"""Height of the middle one of the digits at which a look suffices, in pixels of the network's input."""
CUT_OUT = 3.5
"""A picture lower than this many of its highest mark's heights was cut out around a number or two."""
LEGIBLE = 16
"""Least height of a digit that can be read, in pixels: a picture of few such heights is no page."""
GAP, GAP_CUT_OUT = 0.75, 1.5
"""Widest gap between two digits of one number, as a share of their height; the second in a cut-out."""
GAP_IN_WORD = 0.4
"""Widest gap between two letters of a word, as a share of their height."""
TALL = 1.8
"""A line as tall as this many of its middle mark has several rows, which hang together by pieces of rules."""
NARROWER = (0.5, 0.3, 0.15)
"""Widest gaps between two digits that divide it, tried in turn, as a share of their height."""
GAP_OF_SIGN = 0.75
"""Widest gap between a digit and a sign, as a share of the widest one between two digits."""
LETTER, NARROW, WIDE, FILLED = 0.4, 0.1, 2.5, 0.15
"""Ink of which the network takes at least this share for other ink is a letter, if its width is between these
multiples of its height and it fills this share of its box; else it is a rule or a frame."""
SHARED = 0.4
"""Least common height of two digits of one number, as a share of the smaller one's height."""
UNEVEN = 2.5
"""Largest ratio of the heights of two digits of one number; a lower mark is a sign."""
RULED = 0.8
"""Least share of the height of two marks that other ink between them covers, if it is a rule."""
LOW = 8
"""What is lower than this on a page is no digit, in pixels of the picture."""
BLOCK = 256
"""Marks that are compared with all others at a time: thousands on a page would take gigabytes."""
SPECK = 0.2
"""A mark at the border of a cut-out with less than this share of the largest mark's area is from outside."""
FRAME = 0.12
"""So is an upright one nearer to a side than this share of the cut-out's height: a piece of its frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Marks in a row that may be one number."""

    box: Box
    """The box around its digits and signs, in pixels of the picture."""
    chance: float
    """Mean chance of its high marks to be digits, weighted by their areas, 0..1."""
    cut_out: bool
    """Whether the picture was cut out around a number or two."""
    boxes: Boxes
    """The boxes of its marks and letters from left to right."""
    marks: Sequence[finder.Mark | None]
    """The same marks as the network sees them; None for a letter."""

    def split(self, space: float) -> list[Line]:
        """Return its parts: its rows if it is too tall for one, else those before and after its widest gap.

        There are none if no gap is as wide as a share of its height, `space`.
        """
        height = self.box[3] - self.box[1]
        if height > TALL * np.median(self.boxes[:, 3] - self.boxes[:, 1]):
            for gap in NARROWER:
                owner = _connected(_beside(self.boxes, gap))
                if len(found := [np.flatnonzero(owner == one) for one in np.unique(owner)]) > 1:
                    return [self._part(at) for at in found]
        ends = np.maximum.accumulate(self.boxes[:-1, 2])
        gaps = self.boxes[1:, 0] - ends
        if not len(gaps) or gaps.max() < space * height:
            return []
        return [self._part(at) for at in np.split(np.arange(len(self.boxes)), [int(gaps.argmax()) + 1])]

    def _part(self, at: NDArray[np.intp]) -> Line:
        return _line(self.boxes[at], [self.marks[one] for one in at], self.cut_out)


def lines(picture: Image.Image) -> list[Line]:
    """Return all that may be a number on a picture, from top to bottom; a word with a letter is one line."""
    look, found = _marks(picture)
    if not found:
        return []
    marks: list[finder.Mark | None] = [*found]
    boxes = np.array([mark.box for mark in found], float)
    cut_out = picture.height < CUT_OUT * max(LEGIBLE, (boxes[:, 3] - boxes[:, 1]).max())
    if cut_out:
        inside = ~_from_outside(boxes, picture.size)
        boxes, marks = boxes[inside], [marks[at] for at in np.flatnonzero(inside)]
        linked = _beside(boxes, GAP_CUT_OUT)
    else:
        letters, rules = _letters_and_rules(look)
        linked = _beside(boxes, GAP)
        linked &= ~_ruled_off(rules, np.array([mark.place for mark in found]), linked)
        boxes = np.concatenate([boxes, letters])
        linked = _with_letters(boxes, linked)
        marks += [None] * len(letters)
    owner = _connected(linked)
    groups = [np.flatnonzero(owner == one) for one in np.unique(owner)]
    made = [_line(boxes[group], [marks[at] for at in group], cut_out) for group in groups]
    legible = [one for one in made if cut_out or (one.chance > 0 and one.box[3] - one.box[1] >= LOW)]
    return sorted(legible, key=lambda one: (one.box[1], one.box[0]))


def _marks(picture: Image.Image) -> tuple[finder.Look, Sequence[finder.Mark]]:
    """Return the marks at the least resolution at which most are clear, and the look that shows them."""
    longest = max(picture.size)
    side = FIRST_OF_SMALL if longest <= SMALL else FIRST
    while True:
        look = finder.look_at(picture, (0, 0, *picture.size), side)
        marks = list(finder.marks_in(look))
        digits = [mark for mark in marks if mark.chance > 0.5] or marks
        heights = [mark.place[3] - mark.place[1] for mark in digits]
        if (heights and np.median(heights) >= CLEAR) or side >= min(longest, LAST):
            return look, marks
        side *= 2


def _from_outside(boxes: Boxes, size: tuple[int, int]) -> Mask:
    """Return which marks are pieces of a frame or of writing beside the part that was cut out, (N,)."""
    left, top, right, bottom = boxes.T
    area = (right - left) * (bottom - top)
    border = (left < 1) | (top < 1) | (right > size[0] - 1) | (bottom > size[1] - 1)
    near = np.minimum(left, size[0] - right) < FRAME * size[1]
    upright = bottom - top > right - left
    return np.asarray((border | (near & upright)) & (area < SPECK * area.max()))


def _beside(boxes: Boxes, gap: float, *, with_signs: bool = True) -> Mask:
    """Return which marks stand beside each other in one number, (N, N)."""
    blocks = (boxes[at : at + BLOCK] for at in range(0, len(boxes), BLOCK))
    return np.concatenate([_beside_others(block, boxes, gap, with_signs) for block in blocks])


def _beside_others(some: Boxes, boxes: Boxes, gap: float, with_signs: bool) -> Mask:
    """Return which of all marks stand beside some of them, (M, N)."""
    one_left, one_top, one_right, one_bottom = some.T[..., None]
    left, top, right, bottom = boxes.T
    one_height, height = one_bottom - one_top, bottom - top
    higher, lower = np.maximum(one_height, height), np.minimum(one_height, height)
    apart = np.maximum(one_left, left) - np.minimum(one_right, right)
    shared = np.minimum(one_bottom, bottom) - np.maximum(one_top, top)
    digits = (higher < UNEVEN * lower) & (shared > SHARED * lower) & (apart < gap * higher)
    sign = (higher >= UNEVEN * lower) & (shared > 0.5 * lower) & (apart < GAP_OF_SIGN * gap * higher)
    return np.asarray(digits | sign if with_signs else digits)


def _letters_and_rules(look: finder.Look) -> tuple[Boxes, Mask]:
    """Return the letters, in pixels of the picture, and which pixels of the network's input are rules."""
    other = look.kinds[..., 2]
    parts = components(look.kinds[..., 0] < 0.5)
    is_letter = parts.total(other) > LETTER * parts.area
    is_letter &= (parts.width > NARROW * parts.height) & (parts.width < WIDE * parts.height)
    is_letter &= parts.area > FILLED * parts.width * parts.height
    places = np.stack([parts.left, parts.top, parts.right, parts.bottom], axis=1)[is_letter]
    boxes = np.array([look.on_picture(place) for place in places.tolist()], float).reshape(-1, 4)
    return boxes, (other > 0.5) & ~parts.drawn(is_letter)


def _with_letters(boxes: Boxes, linked: Mask) -> Mask:
    """Return which marks and letters hang together, (N, N).

    Args:
        boxes: first of the marks, then of the letters.
        linked: which of the marks may be one number, (M, M). A number does not go on beyond a word's space.
    """
    marks = len(linked)
    near = _beside(boxes, GAP_IN_WORD, with_signs=False)
    near[:marks, :marks] &= linked
    word = _connected(near)
    has_letter = np.isin(word, word[marks:])[:marks]
    near[:marks, :marks] |= linked & ~has_letter & ~has_letter[:, None]
    return near


def _ruled_off(rules: Mask, places: NDArray[np.intp], linked: Mask) -> Mask:
    """Return between which of the linked marks a rule stands, as between the cells of a table, (N, N)."""
    other = rules.copy()
    other[:, 1:-1] |= rules[:, :-2] | rules[:, 2:]  # a rule may lean
    found = np.zeros(linked.shape, bool)
    for one, two in np.argwhere(np.triu(linked, 1)).tolist():
        left, right = sorted((places[one][0] + places[one][2], places[two][0] + places[two][2]))
        top, bottom = min(places[one][1], places[two][1]), max(places[one][3], places[two][3])
        between = other[top:bottom, left // 2 : right // 2]
        found[one, two] = found[two, one] = bool((between.mean(axis=0) > RULED).any())
    return found


def _connected(linked: Mask) -> NDArray[np.intp]:
    """Return for each mark the first one that it is connected with, directly or through others, (N,)."""
    owner = np.arange(len(linked))
    marks, others = np.nonzero(linked)
    while True:
        found = owner.copy()
        np.minimum.at(found, marks, owner[others])
        if (found == owner).all():
            return owner
        owner = found


def _line(boxes: Boxes, marks: Sequence[finder.Mark | None], cut_out: bool) -> Line:
    order = np.argsort(boxes[:, 0])
    boxes, marks = boxes[order], [marks[at] for at in order]
    chances = np.array([0.0 if mark is None else mark.chance for mark in marks])
    height = boxes[:, 3] - boxes[:, 1]
    digits = height * UNEVEN > height.max()
    area = height * (boxes[:, 2] - boxes[:, 0])
    left, top = boxes[:, :2].min(axis=0).tolist()
    right, bottom = boxes[:, 2:].max(axis=0).tolist()
    chance = float(np.average(chances[digits], weights=area[digits]))
    return Line((left, top, right, bottom), chance, bool(cut_out), boxes, marks)


def strip(picture: Image.Image, box: Box, size: tuple[int, int]) -> Pixels:
    """Return a part of the picture in grey, (height, width), scaled to a width and height in pixels.

    Where the box reaches beyond the picture, the picture's edge continues.
    """
    left, top, right, bottom = box
    inside = (
        max(0.0, left),
        max(0.0, top),
        min(float(picture.width), right),
        min(float(picture.height), bottom),
    )
    across, down = size[0] / (right - left), size[1] / (bottom - top)
    width = max(1, min(size[0], round((inside[2] - inside[0]) * across)))
    height = max(1, min(size[1], round((inside[3] - inside[1]) * down)))
    part = picture.resize((width, height), Image.Resampling.BILINEAR, inside, reducing_gap=2.0).convert("L")
    before_x = min(size[0] - width, round((inside[0] - left) * across))
    before_y = min(size[1] - height, round((inside[1] - top) * down))
    around = (before_y, size[1] - height - before_y), (before_x, size[0] - width - before_x)
    return np.pad(np.asarray(part), around, mode="edge")
