"""Find the numbers on a picture: marks of writing that stand near each other in a row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.image import Box, DigitImage, Findings, Place
from digitrec.image.boxes import covered
from digitrec.image.pixels import Pixels
from digitrec.prepare import finder, judge
from digitrec.prepare.components import Components, Ints, Scores, components, joined
from digitrec.prepare.filters import Floats, Mask
from digitrec.prepare.ink import find_ink
from digitrec.prepare.proposals import Reading, readings
from digitrec.providers.local.rulings import (
    Boxes,
    cells_between,
    in_boxes,
    letters_and_rules,
    ruled_off,
    upright_rules,
)

SMALL = 512
"""Longer side of a picture that is first searched at low resolution, in pixels."""
FIRST, FIRST_OF_SMALL = 640, 128
"""Longer side of the network's first input, in pixels, for large and small pictures; it grows until digits
are clear."""
SHORTER = 3 * finder.STEP, 5 * finder.STEP
"""Shorter side of the first input, in pixels: the minimum, because the finder stretches lower ones, and the
height from which a low and wide picture is not enlarged."""
COARSE = 160
"""Longer side of the network's input, in pixels, that may suffice for a large picture."""
CLEARLY = 1.4
"""Minimum evidence for a digit that decides at which resolution such a picture is read."""
ONE_PIECE = 0.25
"""Minimum share of such a digit's ink that is connected."""
LARGEST, ENLARGED = 6_500_000, 1_000_000
"""Maximum area of the network's input, in pixels; the second one for a picture with under a quarter of it."""
CLEAR, SHARP = 24, 28
"""Median height of the digits, in pixels of the network's input: the minimum that ends the search, and the
target of the next input."""
MANY, SAMPLE, LEGIBLE_SHARE = 12, 30, 0.45
"""From the first number of digits on, a sample of at most the second is read; if less than this share of it
is clear, the page is searched at a higher resolution."""
AROUND = 5
"""Distance from the middle of such ink to the edges of a first look at it, as a multiple of its height."""
SMALLEST, FEW = 4, 3
"""Minimum height of ink that may be a small digit, in pixels of the network's input, and minimum number of
such parts, and of digits among them."""
CUT_OUT = 3.5
"""A picture lower than this many times its median digit was cut out around a number or two."""
LEGIBLE = 16
"""Minimum height of a legible digit, in pixels: a picture only a few times as high is no page."""
GAP, GAP_CUT_OUT = 0.75, 1.5
"""Maximum gap between two digits of one number, as a share of their height: on a page, and in a cut-out."""
GAP_IN_WORD = 0.4
"""Maximum gap between two letters of a word, as a share of their height."""
SAME = 0.5
"""Minimum share of the smaller of two boxes inside the other, for a mark and its digit."""
SHARED = 0.4
"""Minimum common height of two digits of one number, as a share of the smaller one's height."""
UNEVEN = 2.5
"""Maximum ratio of the heights of two digits of one number; a mark that is lower still is a sign."""
BROAD = 0.4
"""Minimum width of a sign such as a plus between two numbers, as a share of the line's height."""
HANGING = 0.25
"""Minimum common height of a number and a sign, as a share of the sign's; a comma hangs below the digits."""
DASH, LEVEL = 1.5, 0.2
"""A minus is wider than the first multiple of its height, and its middle differs from the number's by at most
the second share of the number's height."""
HYPHEN = 0.25
"""Minimum width of a hyphen between two digits, as a share of the line's height."""
POINT = 0.12, 0.4
"""Minimum and maximum height of a decimal point, as shares of the height of the digits beside it."""
MOST_SIGNS = 20_000
"""Maximum number of specks that may be points or hyphens, the largest; noise has 200,000."""
LOW = 8
"""A mark on a page that is lower than this is no digit, in pixels of the picture."""
BLOCK = 256
"""Number of marks compared with all others at a time; all of a page's thousands would take gigabytes."""
SPECK = 0.2
"""A mark at a cut-out's border with less than this share of the largest mark's area is from outside."""
FRAME = 0.12
"""An upright mark nearer to a side than this share of the cut-out's height is a piece of its frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Marks in a row that may be one number."""

    box: Box
    """The box around the line's digits and signs, in pixels of the picture."""
    cut_out: bool
    """Whether the picture was cut out around a number or two."""
    boxes: Boxes
    """The boxes of the line's marks and letters, from left to right."""
    marks: Sequence[finder.Mark | None]
    """For each box, the mark in the network's output; None for a letter."""
    findings: Findings | None = None
    """The search for a single digit on the picture; None if nothing was searched."""
    reading: Reading | None = None
    """The digit network's reading of the single digit, if that search found one."""
    cells: Sequence[Self] = ()
    """The content of each box, if the picture was cut out around digits that stand each in a box."""
    is_bare: bool = False
    """Whether it was cut out and its gaps that are as wide as `GAP` hold no ink, not even a point."""
    hyphens: Sequence[tuple[int, float]] = ()
    """For each hyphen between two high marks: the number of high marks before it, and its left end."""

    def split(self, space: float) -> list[Line]:
        """Split the line at its widest gap.

        Return no parts if no gap is as wide as ``space``, a share of the line's height.
        """
        if self.widest < space:
            return []
        return self._parts([int(self._gaps.argmax())])

    def at_signs(self, digits: Mask, space: float) -> list[Line]:
        """Split the line at the gaps around each sign; both are as wide as ``space``, a share of its height.

        ``digits`` says which of the marks are digits, (N,). A colon is too narrow for a sign.
        """
        height = self.box[3] - self.box[1]
        wide, broad = self._gaps >= space * height, self.boxes[:, 2] - self.boxes[:, 0] >= BROAD * height
        signs = 1 + np.flatnonzero((broad & ~digits)[1:-1] & wide[:-1] & wide[1:])
        return self._parts(np.unique([signs - 1, signs]).tolist())

    def apart(self, space: float) -> list[Line]:
        """Split the line at all gaps as wide as ``space``, a share of its height.

        If no gap is narrower than a third of it, do not: digits in boxes stand evenly, and are one number.
        """
        gaps = self._gaps / (self.box[3] - self.box[1])
        return self._parts(np.flatnonzero((gaps >= space) & (gaps.min(initial=space) < space / 3)).tolist())

    def _parts(self, gaps: Sequence[int]) -> list[Line]:
        """Return the parts of the line between some of its gaps, counted from 0."""
        parts = np.split(np.arange(len(self.boxes)), np.array(gaps, int) + 1)
        return [_line(self.boxes[at], [self.marks[one] for one in at], self.cut_out) for at in parts]

    @property
    def widest(self) -> float:
        """The widest gap between two marks, as a share of the line's height; negative if they overlap."""
        return float(self._gaps.max(initial=-1) / (self.box[3] - self.box[1]))

    @property
    def high(self) -> Mask:
        """Which marks are high enough for a digit, (N,)."""
        height = self.boxes[:, 3] - self.boxes[:, 1]
        return np.asarray(height * UNEVEN > height.max())

    @property
    def chance(self) -> float:
        """Mean chance that a high mark of the line is a digit, weighted by the marks' areas, 0..1."""
        chances = np.array([0.0 if mark is None else mark.chance for mark in self.marks])
        width, height = (self.boxes[:, 2:] - self.boxes[:, :2]).T
        return float(np.average(chances[self.high], weights=(width * height)[self.high]))

    def gaps_are_bare(self, inks: Boxes) -> bool:
        """Return whether no ink, (N, 4), has its middle in a gap as wide as `GAP`; a comma may hang below."""
        _, top, _, bottom = self.box
        wide, x = self._gaps >= GAP * (bottom - top), inks[:, [0, 2]].mean(axis=1)[:, None]
        beside = (inks[:, 3] > top) & (inks[:, 1] < bottom + HANGING * (bottom - top))
        inside = (x > np.maximum.accumulate(self.boxes[:-1, 2])) & (x < self.boxes[1:, 0]) & wide
        return not inside[beside].any()

    @property
    def _gaps(self) -> NDArray[np.float64]:
        """The gaps between the boxes, in pixels; on a page a wide one holds a point and counts as none."""
        gaps = self.boxes[1:, 0] - np.maximum.accumulate(self.boxes[:-1, 2])
        has_point = (gaps > GAP * (self.box[3] - self.box[1])) & (not self.cut_out)
        return np.where(has_point, 0, gaps)


def lines(picture: Image.Image) -> list[Line]:
    """Return all possible numbers and all words on a picture, from top to bottom; each is a line."""
    look, found = _marks(picture)
    if not found:
        return []
    parts = components(look.kinds[..., 0] < 0.5)
    owners = _owners(parts, found)
    share = parts.total(look.kinds[..., 2]) / parts.area
    found = [replace(mark, attached=float(share[own])) for mark, own in zip(found, owners, strict=True)]
    typical = float(np.median([mark.box[3] - mark.box[1] for mark in _digits(found) or found]))
    tall = typical * len(look.kinds) / picture.height
    letters, rules = letters_and_rules(look, parts, zip(owners, found, strict=True), tall)
    rules |= upright_rules(look, tall)
    scale, are_dashes = np.tile(np.array(picture.size) / look.kinds.shape[1::-1], 2), _are_dashes(parts)
    if picture.height < CUT_OUT * max(LEGIBLE, typical):
        made = _lines_of_cut_out(found, letters, rules, picture.size, scale)
    else:
        made = _lines_of_page(found, letters, rules, parts, scale)
    dashes = parts.boxes[are_dashes] * scale
    digits = parts.boxes[[own for own in owners if not are_dashes[own]]] * scale
    every = np.concatenate([dashes, *(line.boxes for line in made)])
    made = [
        line if line.cells else _with_minus(_hyphenated(line, dashes, digits), dashes, every) for line in made
    ]
    made = [replace(line, is_bare=line.cut_out and line.gaps_are_bare(parts.boxes * scale)) for line in made]
    return sorted(made, key=lambda one: (one.box[1], one.box[0]))


def _lines_of_page(
    marks: Sequence[finder.Mark], letters: Ints, rules: Mask, parts: Components, scale: Scores
) -> list[Line]:
    """Return the marks and letters that stand beside each other, or around a sign; rules divide them.

    ``scale`` leads from the network's input to the picture.
    """
    boxes, places = np.array([mark.box for mark in marks], float), np.array([mark.place for mark in marks])
    count = len(marks)
    letter_boxes = letters * scale
    near = np.flatnonzero(beside(boxes, 2 * GAP, letter_boxes).any(axis=0))  # noise has thousands of letters
    used = np.append(np.arange(count), count + near)
    signed = np.zeros((count + len(letters),) * 2, bool)
    signed[np.ix_(used, used)] = _around_signs(np.concatenate([places, letters[near]]), parts)
    signed[count:, count:] = False  # letters alone are a word
    linked = beside(boxes, GAP) | signed[:count, :count]
    linked &= ~ruled_off(rules, places, linked)
    signed[:count, :count] &= linked
    boxes = np.concatenate([boxes, letter_boxes])
    every: list[finder.Mark | None] = [*marks, *[None] * len(letters)]
    chance = np.array([mark.chance for mark in marks])
    groups = _groups(_with_letters(boxes, linked, chance) | signed)
    made = [_line(boxes[group], [every[at] for at in group], cut_out=False) for group in groups]
    return [one for one in made if one.box[3] - one.box[1] >= LOW]


def _lines_of_cut_out(
    marks: Sequence[finder.Mark], letters: Ints, rules: Mask, size: tuple[int, int], scale: Scores
) -> list[Line]:
    """Return the marks that stand beside each other, or a row of boxes with its letters, if there are any.

    ``size`` is the picture's; ``scale`` leads from the network's input to it.
    """
    boxes = np.array([mark.box for mark in marks], float)
    inside = np.flatnonzero(~_from_outside(boxes, size))
    boxes, marks = boxes[inside], [marks[at] for at in inside.tolist()]
    places = np.array([mark.place for mark in marks])
    cells = cells_between(rules, places)
    groups = cells or _groups(beside(boxes, GAP_CUT_OUT))
    made = [_line(boxes[group], [marks[at] for at in group], cut_out=not cells) for group in groups]
    if not cells:
        return made
    letters = letters[in_boxes(letters, rules, places)]
    row = _line(np.concatenate([boxes, letters * scale]), [*marks, *[None] * len(letters)], cut_out=True)
    return [replace(row, cells=made)]


def together(lines: Sequence[Line]) -> Line | None:
    """Return a cut-out's lines as one, without specks; the finder may have missed marks between them.

    Return None for a single line, for lines below each other, and for those of a page.
    """
    if len(lines) < 2 or not all(line.cut_out for line in lines):
        return None
    boxes = np.array([line.box for line in lines])
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    largest = (width * height).argmax()
    is_beside = beside(boxes, np.inf)[largest]
    if (~is_beside & (height * UNEVEN > height[largest])).any():
        return None
    row = [line for line, is_near in zip(lines, is_beside, strict=True) if is_near]
    marks = [mark for line in row for mark in line.marks]
    return _line(np.concatenate([line.boxes for line in row]), marks, cut_out=True)


def single(lines: Sequence[Line], picture: Image.Image) -> Line | None:
    """Search the picture for a single digit; return the line of that digit's marks, in the digit's own box.

    If the search finds no digit, return the picture's only mark with these findings, or None if it has more.

    Args:
        lines: the picture's lines.
        picture: the picture.
    """
    image = DigitImage.open(picture)
    findings, reading = judge.found(image, find_ink(image.picture))
    digit = image.place.box(findings.boxes[0]) if findings.reason is None and findings.boxes else None
    own = [
        (box, mark) for line in lines for box, mark in zip(line.boxes, line.marks, strict=True)
        if digit is None or covered(box.tolist(), digit) > SAME
    ]  # fmt: skip
    if digit is None:
        return replace(lines[0], findings=findings) if len(own) == 1 else None
    if not own:
        return None
    boxes, marks = zip(*own, strict=True)
    line = _line(np.array(boxes), marks, lines[0].cut_out)
    return replace(line, box=digit, findings=findings, reading=reading)


Seen = tuple[finder.Look, Sequence[finder.Mark]]
"""The network's output for a picture, and its marks."""


def _marks(picture: Image.Image) -> Seen:
    """Return the marks at the lowest resolution at which most are clear, and the network's output there."""
    longest, shortest = max(picture.size), min(picture.size)
    side = FIRST_OF_SMALL if longest <= SMALL else FIRST
    most = min(LARGEST, max(ENLARGED, 4 * longest * shortest))
    last = min(round((most * longest / shortest) ** 0.5), most // SHORTER[0])
    side = min(last, max(side, round(longest / shortest * np.clip(shortest, *SHORTER))))
    closest = SMALL if longest <= SMALL else min(longest, last)
    look, marks = coarse = _overview(picture, side)
    if longest > SMALL:
        coarse = _overview(picture, COARSE)
        if _is_enough(picture, coarse[1], marks):
            return _with_small(picture, _with_rows(picture, coarse, closest), (look, marks), last)
    while True:
        typical = np.median([_height(mark) for mark in _digits(marks) or marks] or [1])
        is_large = typical >= CLEAR
        if (is_large and _are_legible(marks)) or side >= min(longest, last):
            break
        side = min(round(side * (2 if is_large else min(2, SHARP / typical))), last)
        look, marks = _overview(picture, side)
    wide = look, marks
    found = _with_rows(picture, wide, closest) if marks else coarse  # digits too large for all other inputs
    return found if longest <= SMALL else _with_small(picture, found, wide, last)


def _with_rows(picture: Image.Image, found: Seen, side: int) -> Seen:
    """Return a look at so many pixels if rows of digits looked like one mark; else what was found.

    A gap runs across such marks. Few marks of a page have one; of a small picture, each counts.
    """
    gaps = [not mark.mask.any(axis=1).all() for mark in found[1]]
    if sum(gaps) <= (0 if side <= SMALL else len(gaps) / 2):
        return found
    closer = _overview(picture, side)
    if side > SMALL and not _are_legible(closer[1]):  # the paper's grain
        return found
    digits = _clear_boxes(closer[1])
    return closer if _in_rows(digits) and len(digits) > len(_clear_boxes(found[1])) else found


def _with_small(picture: Image.Image, found: Seen, wide: Seen, last: int) -> Seen:
    """Return a closer look if it shows small digits beside large ones, as in a heading; else what was found.

    ``wide`` is a look in which small digits have no marks; but they are ink. ``last`` is the longer side of
    the largest input, in pixels.
    """
    (look, marks), side = wide, max(wide[0].kinds.shape[:2])
    parts, marked = components(look.kinds[..., 0] < 0.5), np.zeros(look.kinds.shape[:2], bool)
    for left, top, right, bottom in (mark.place for mark in marks):
        marked[top:bottom, left:right] = 1
    is_small = (parts.height >= SMALLEST) & (parts.height < CLEAR) & (4 * parts.width >= parts.height)
    small = parts.boxes[is_small & (parts.total(marked) == 0)]
    typical = float(np.median(small[:, 3] - small[:, 1])) if len(small) else 0.0
    seen = sum(_height(mark) < 2 * typical for mark in _digits(marks))
    if side >= min(last, max(picture.size)) or len(small) < max(FEW, seen + 1):
        return found
    if not _shows_digits(picture, small * (max(picture.size) / side)):
        return found
    closer = _overview(picture, min(last, round(side * SHARP / typical)))
    if not _are_legible(closer[1]):
        return found
    now = _clear_boxes(_digits(closer[1]))
    new = [box for box in now if all(covered(box, mark.box) <= SAME for mark in found[1])]
    # In a photo of a newspaper, small print is no reason to read the large digits at another resolution.
    before = _clear_boxes(_digits(found[1]))
    return closer if len(new) >= max(FEW, len(before) + 1) else found


def _shows_digits(picture: Image.Image, small: Scores) -> bool:
    """Return whether there is a clear digit around the middle one of some boxes, in the picture's pixels."""
    middles, reach = (small[:, :2] + small[:, 2:]) / 2, AROUND * np.median(small[:, 3] - small[:, 1])
    x, y = middles[np.abs(middles - np.median(middles, axis=0)).sum(axis=1).argmin()]
    left, top = max(0, round(x - reach)), max(0, round(y - reach))
    part = picture.crop(
        (left, top, min(round(x + reach), picture.width), min(round(y + reach), picture.height))
    )
    return bool(_clear_boxes(_overview(part, round(2 * AROUND * SHARP))[1]))


def _are_legible(marks: Sequence[finder.Mark]) -> bool:
    """Return whether some of many digits are clear; from afar, rows of small digits look like large ones."""
    digits = _digits(marks)
    if len(digits) < MANY:
        return True
    some = digits[:: math.ceil(len(digits) / SAMPLE)]
    return len(_clear([mark.ink for mark in some])) > LEGIBLE_SHARE * len(some)


def _overview(picture: Image.Image, side: int) -> Seen:
    look = finder.look_at(picture, (0, 0, *picture.size), side)
    return look, list(finder.marks_in(look))


def _is_enough(picture: Image.Image, coarse: Sequence[finder.Mark], closer: Sequence[finder.Mark]) -> bool:
    """Return whether some marks are digits, and a higher resolution shows no digits elsewhere.

    At a low resolution a column of small numbers can look like a digit, so the picture's own ink is read. At
    a high resolution the network takes pieces of a large digit and the paper's grain for digits. Rulings look
    like ones, so ones elsewhere do not count.
    """
    high = [mark for mark in coarse if _height(mark) >= CLEAR]
    inks = [finder.ink_of(picture, mark).mask for mark in high]
    digits = _clear(inks)
    if not any(_is_in_one_piece(inks[at]) for at in digits):
        return False
    others = _clear_boxes(_digits(closer))
    return all(any(covered(box, high[at].box) > SAME for at in digits) for box in others)


def _clear_boxes(marks: Sequence[finder.Mark]) -> list[Box]:
    """Return the boxes of the marks that are clear digits, except ones, which may be anything upright."""
    return [marks[at].box for at, digit in _clear([mark.ink for mark in marks]).items() if digit != 1]


def _in_rows(boxes: Sequence[Box]) -> bool:
    """Return whether one box is below another; from afar such digits can look like one mark."""
    return bool(boxes) and max(box[1] for box in boxes) > min(box[3] for box in boxes)


def _is_in_one_piece(ink: Floats) -> bool:
    """Return whether the largest connected part has a good share of the ink, (h, w)."""
    parts = components(ink > 0.4)
    return bool(parts.area.max(initial=0) > ONE_PIECE * parts.area.sum())


def _clear(inks: Sequence[Floats]) -> dict[int, int]:
    """Return the digit of each ink, (h, w), that our own network reads clearly, by its place in the list."""
    seen = readings(inks, once=True)
    return {at: one.digit for at, one in enumerate(seen) if one.evidence >= CLEARLY}


def _digits(marks: Sequence[finder.Mark]) -> list[finder.Mark]:
    return [mark for mark in marks if mark.chance > 0.5]


def _height(mark: finder.Mark) -> int:
    return mark.place[3] - mark.place[1]


def _from_outside(boxes: Boxes, size: tuple[int, int]) -> Mask:
    """Return which marks are pieces of a frame or of writing outside the cut-out, (N,)."""
    left, top, right, bottom = boxes.T
    area = (right - left) * (bottom - top)
    border = (left < 1) | (top < 1) | (right > size[0] - 1) | (bottom > size[1] - 1)
    near = np.minimum(left, size[0] - right) < FRAME * size[1]
    upright = bottom - top > right - left
    return np.asarray((border | (near & upright)) & (area < SPECK * area.max()))


def beside(boxes: Boxes, gap: float, others: Boxes | None = None, *, with_signs: bool = True) -> Mask:
    """Return which marks stand beside each other in one number, (N, N), or beside ``others``, (N, M)."""
    others = boxes if others is None else others
    blocks = (boxes[at : at + BLOCK] for at in range(0, len(boxes), BLOCK))
    return np.concatenate([_beside_others(block, others, gap, with_signs) for block in blocks])


def _beside_others(some: Boxes, boxes: Boxes, gap: float, with_signs: bool) -> Mask:
    """Return which of all marks stand beside some of them, (M, N)."""
    one_left, one_top, one_right, one_bottom = some.T[..., None]
    left, top, right, bottom = boxes.T
    one_height, height = one_bottom - one_top, bottom - top
    higher, lower = np.maximum(one_height, height), np.minimum(one_height, height)
    apart = np.maximum(one_left, left) - np.minimum(one_right, right)
    shared = np.minimum(one_bottom, bottom) - np.maximum(one_top, top)
    digits = (higher < UNEVEN * lower) & (shared > SHARED * lower)
    sign = (higher >= UNEVEN * lower) & (shared > HANGING * lower)
    return np.asarray((digits | sign if with_signs else digits) & (apart < gap * higher))


def _around_signs(places: Ints, parts: Components) -> Mask:
    """Return which marks have a decimal point or a hyphen in the gap between them, (N, N).

    Both are parts of all ink. A point stands on the marks' base line, and about in the middle of the gap:
    after 3 as in "3. 47" it is no decimal point. A hyphen stands at half their height, and near both.
    """
    linked = np.zeros((len(places),) * 2, bool)
    starts, ends, height = places[:, 1], places[:, 3], places[:, 3] - places[:, 1]
    specks, width, low = parts.boxes, parts.width, parts.height
    longer = np.maximum(width, low)
    are_wide = _are_dashes(parts) & (width < height.max())
    are_small = (low + 1 > POINT[0] * height.min()) & (longer - 1 < POINT[1] * height.max())
    signs = np.flatnonzero(are_wide | are_small)
    for at in signs[np.argsort(-longer[signs], kind="stable")[:MOST_SIGNS]]:
        left, _, right, bottom = specks[at]
        # The network's input is coarse: a size may be a pixel more or less.
        is_point = (low[at] + 1 > POINT[0] * height) & (longer[at] - 1 < POINT[1] * height)
        is_point &= np.abs(bottom - ends) < POINT[1] * height
        is_hyphen = are_wide[at] & (width[at] < height) & _are_level(specks[at : at + 1], starts, ends)
        before, after = left - places[:, 2], places[:, 0] - right
        gaps = [np.where((is_point | is_hyphen) & (gap >= 0), gap, np.inf) for gap in (before, after)]
        one, other = (int(gap.argmin()) for gap in gaps)
        near, far = sorted((gaps[0][one], gaps[1][other]))
        if far < (GAP_IN_WORD * height[one] if is_hyphen[one] else min(GAP * height[one], UNEVEN * near)):
            linked[one, other] = linked[other, one] = True
    return linked


def _are_dashes(parts: Components) -> Mask:
    """Return which parts may be a minus."""
    return np.asarray((parts.width > DASH * parts.height) & (parts.width >= 4))  # others are specks


def _hyphenated(line: Line, dashes: Boxes, digits: Boxes) -> Line:
    """Return the line with its hyphens; the reader leaves out some of them.

    ``digits`` are the boxes of the ink with marks: the mark of a digit may include a hyphen beside it.
    """
    left, top, right, bottom = line.box
    middles = line.boxes[line.high][:, [0, 2]].mean(axis=1)
    wide = dashes[:, 2] - dashes[:, 0] > HYPHEN * (bottom - top)
    inside = (dashes[:, 0] > left) & (dashes[:, 2] < right)
    hyphens = []
    for dash in dashes[wide & inside & _are_level(dashes, top, bottom)]:
        before = int(np.count_nonzero(middles < (dash[0] + dash[2]) / 2))
        beyond = (digits[:, 2] <= dash[0] + 1) | (digits[:, 0] >= dash[2] - 1)
        if (beyond | (digits[:, 1] > dash[3]) | (digits[:, 3] < dash[1])).all() and 0 < before < len(middles):
            hyphens.append((before, float(dash[0])))
    return replace(line, hyphens=hyphens)


def _are_level(dashes: Boxes | Ints, top: float | Ints, bottom: float | Ints) -> Mask:
    """Return which dashes are low, and about in the middle of a line's height, (N,); also one for N marks."""
    low, middle = dashes[:, 3] - dashes[:, 1], (dashes[:, 1] + dashes[:, 3]) / 2
    is_level = np.abs(middle - (top + bottom) / 2) < LEVEL * (bottom - top)
    return np.asarray((low * UNEVEN < bottom - top) & is_level)


def _with_minus(line: Line, dashes: Boxes, every: Boxes) -> Line:
    """Return the line with the minus before it in its box; the finder takes few of them for marks.

    A dash between other ink and the number, as in 2-7, is no minus, but one after a space is, as in CHF -7.
    ``every`` are the boxes of all marks and dashes.
    """
    left, top, right, bottom = line.box
    height = bottom - top

    def before(boxes: Boxes, start: float) -> Boxes:
        is_near = (boxes[:, 0] < start - 1) & (boxes[:, 2] > start - GAP * height) & (boxes[:, 2] <= left)
        return boxes[is_near & (boxes[:, 1] < bottom) & (boxes[:, 3] > top)]

    near = before(dashes, left)
    is_minus = (near[:, 2] - near[:, 0] < height) & _are_level(near, top, bottom)
    if len(near) != 1 or not is_minus.all():
        return line
    behind = before(every, near[0, 0])[:, 2].max(initial=-np.inf)
    if near[0, 0] - behind < 2 * (left - near[0, 2]):
        return line
    return replace(line, box=(float(near[0, 0]), top, right, bottom))


def _owners(parts: Components, marks: Sequence[finder.Mark]) -> list[int]:
    """Return the number of the part of all ink that contains each mark."""
    drawn, owners = parts.drawn(np.arange(len(parts))), []
    for mark in marks:
        left, top, right, bottom = mark.place
        owners.append(int(np.bincount(drawn[top:bottom, left:right][mark.mask]).argmax()))
    return owners


def _with_letters(boxes: Boxes, linked: Mask, chance: Floats) -> Mask:
    """Return which marks and letters are connected, (N, N).

    Args:
        boxes: the boxes of the marks, then those of the letters.
        linked: which marks may be one number, (M, M). The space after a word ends a number.
        chance: the chance of each mark that it is a digit, (M,). Marks with more letters are a word.
    """
    marks = len(linked)
    near = beside(boxes, GAP_IN_WORD, with_signs=False)
    near[:marks, :marks] &= linked
    word = joined(len(near), *np.nonzero(near))
    more_letters = np.bincount(word, np.append(-chance, np.ones(len(near) - marks)))
    is_word = (more_letters > 0)[word]
    numbers = beside(boxes, GAP, with_signs=False)
    numbers[:marks, :marks] = linked
    return near | (numbers & ~is_word & ~is_word[:, None])


def _groups(linked: Mask) -> list[NDArray[np.intp]]:
    """Return the marks that are connected, directly or through others, (N, N)."""
    owner = joined(len(linked), *np.nonzero(linked))
    return [np.flatnonzero(owner == one) for one in np.unique(owner)]


def _line(boxes: Boxes, marks: Sequence[finder.Mark | None], cut_out: bool) -> Line:
    order = np.argsort(boxes[:, 0])
    boxes = boxes[order]
    left, top = boxes[:, :2].min(axis=0).tolist()
    right, bottom = boxes[:, 2:].max(axis=0).tolist()
    return Line((left, top, right, bottom), cut_out, boxes, [marks[at] for at in order])


def strip(picture: Image.Image, box: Box, size: tuple[int, int]) -> Pixels:
    """Return a part of the picture in grey, (height, width), scaled to a width and height in pixels.

    Where the box reaches beyond the picture, the picture's edge continues.
    """
    left, top, right, bottom = box
    inside = Place(picture.size).box(box)
    across, down = size[0] / (right - left), size[1] / (bottom - top)
    width = max(1, min(size[0], round((inside[2] - inside[0]) * across)))
    height = max(1, min(size[1], round((inside[3] - inside[1]) * down)))
    part = picture.resize((width, height), Image.Resampling.BILINEAR, inside, reducing_gap=2.0).convert("L")
    before_x = min(size[0] - width, round((inside[0] - left) * across))
    before_y = min(size[1] - height, round((inside[1] - top) * down))
    around = (before_y, size[1] - height - before_y), (before_x, size[0] - width - before_x)
    return np.pad(np.asarray(part), around, mode="edge")
