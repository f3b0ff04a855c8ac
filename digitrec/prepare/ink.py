"""Where the ink is on a picture: polarity, paper, strokes, and how many digits they look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from PIL import Image

from digitrec.image import Polarity
from digitrec.prepare.background import is_noise, lightness
from digitrec.prepare.closeup import close_up, cut_out, erased, region
from digitrec.prepare.components import Box, box_of, breadth, longer_side
from digitrec.prepare.cropped import cut_off
from digitrec.prepare.digits import Count, count, recount
from digitrec.prepare.filters import Floats, Mask, grow
from digitrec.prepare.found import Digit, Ink
from digitrec.prepare.margins import NEAR, Cell, bare_around, find_cell, widened
from digitrec.prepare.projection import Projection, find_projection
from digitrec.prepare.strokes import STAINED, SURE, Strokes, coarsely, glance, more_beside, search

GLANCE_SIDE = 160
"""Longer side of the picture at which a glance is taken, px."""
WORKING_SIDE = 320
"""Longer side of the picture on which the ink is looked for, px: a thin pen is still a pixel wide."""
SMALL = 64
"""A picture with a shorter side of at most this many pixels is a drawing or a scan rather than a photo."""
POLARITY_SIDE = 80
"""Longer side of the reduced picture on which the polarity is decided, in pixels."""
COLOUR_SIDE = 40
"""Longer side of the reduced picture on which the ink's colour is found, in pixels."""
COLOUR_WINDOW = 0.25
"""Window for the ink's colour, as a share of the shorter side; the whole of a small picture."""

DIM = 0.15
"""Minimum brightness of chalk and lit segments, as a share of the way from the board to white."""
FRINGES = 3
"""Width of the fade-out around cropped ink, in pixels."""
DECIDED = 1.0
"""Skew that decides the polarity of ink with paper all around."""
PLAIN = 1.2
"""Skew that also excludes a card on a table."""
PEN = 0.16
"""Largest width of a possible pen (or a 1), as a share of its length."""
NOTICED = 0.1
"""Least other dark pixels beside a possible pen, as a share of its own."""
LONGER = 1.2
"""Minimum ratio of a pen's length to the other ink's; brackets and rings are longer than their 1."""
SHORT = 0.3
"""Least length of a digit beside a pen, as a share of the pen's; a shorter stroke is a dash beside a 1."""

SURER = 8.0
"""Minimum ratio of evidence for preferring a digit with added paper to the unpadded reading."""

BESIDE = "without what lies beside it"
"""Reason for another look when the ink may be a pen."""


def find_ink(picture: Image.Image) -> Ink:
    """Find the handwriting on a picture, of mode L or RGB, of any polarity.

    The search runs on a reduced picture, then on the crop at full size. If light and dark are about even, the
    picture may show a light card on a dark table; then only the card is searched, in both polarities.
    """
    view = _View.of(picture)
    ink = _passed_by(view)
    return ink if ink.other is not None or ink.way == BESIDE else replace(ink, other=_in_a_cell(view, ink))


def _passed_by(view: _View) -> Ink:
    """Find the handwriting beside a pen, which is darker, comes in from outside, or looks like a 1."""
    ink = _find(view)
    if ink.within != (0, 0, *view.picture.size):
        return ink
    pen = _may_be_a_pen(view, ink)
    if not pen and ink.reason != "cut off":
        return ink
    rest = replace(_find(_View.of(erased(view.picture, ink))), way=BESIDE)
    if rest.reason is not None or (pen and _length(ink) < LONGER * _length(rest)):
        return ink
    if pen and _length(rest) < SHORT * _length(ink):
        return replace(ink, other=rest)
    own, beside = _length(rest), _length(ink)
    return replace(
        rest, other=ink if pen else None, share=rest.share * own / (own + beside),
        left_out=(ink.digits[0].box, *rest.left_out),
    )  # fmt: skip


def _length(ink: Ink) -> int:
    """Return the longer side of the digit, px."""
    return longer_side(ink.digits[0].box)


def _may_be_a_pen(view: _View, ink: Ink) -> bool:
    """Whether the ink is long and narrow, with other ink on the paper."""
    if ink.reason is not None or view.small or ink.evidence < SURE or breadth(ink.mask) > PEN:
        return False
    contrast = close_up(view.picture, ink, ink.within, ink.mask.shape[::-1])
    return more_beside(contrast, ink.mask, STAINED * ink.level, FRINGES, NOTICED)


def _in_a_cell(view: _View, ink: Ink) -> Ink | None:
    """Find the handwriting on a picture that its digit may fill, with paper added around it; else None."""
    if ink.reason == "cut off" or (ink.reason == "blank" and not view.small and cut_off(ink.mask)):
        return None
    cell = find_cell(view.grey)
    if cell is None:
        return None
    if view.small and ink.reason == "texture" and (not cell.plain or is_noise(view.grey)):
        return None  # added paper would turn noise into something else
    in_doubt = _in_doubt(ink, cell, *view.picture.size)
    if not (cell.plain or in_doubt):
        return None
    wide, (left, top) = widened(view.picture, cell, view.shrink * view.shrink_again)
    within = _find(_View.of(wide), cell.polarity if cell.plain else None)
    digits = _shifted(within.digits, -left, -top, view.picture.size)
    if ink.digits and digits and _apart(ink.digits[0].box, digits[0].box):
        return None  # a pen that reaches from edge to edge, beside the digit
    barred = cell.box != (0, 0, *view.tiny.size)
    surer = within.evidence > SURER * ink.evidence
    return replace(
        within, digits=digits, way="with paper around", plain=cell.plain,
        left_out=_boxes_shifted(within.left_out, -left, -top, view.picture.size),
        meant=cell.plain and (in_doubt or barred or surer),
    )  # fmt: skip


def _apart(one: Box, other: Box) -> bool:
    """Whether two boxes do not overlap."""
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def _in_doubt(ink: Ink, cell: Cell, width: int, height: int) -> bool:
    """Whether what was found may be less than what a cell shows in the same polarity.

    One digit lost nothing at the edges where it is clear of all four, or touches all.
    """
    if cell.polarity != ink.polarity:
        return False
    if ink.reason is not None or ink.box is None:
        return True
    left, top, right, bottom = ink.box
    clear = min(left, width - right) >= NEAR * width and min(top, height - bottom) >= NEAR * height
    return not clear and ink.box != (0, 0, width, height)


def _find(view: _View, known: Polarity | None = None) -> Ink:
    """Find the handwriting that stands out most; use ``known`` where its polarity is unclear."""
    light, skew = lightness(view.grey)
    plain = abs(skew) > PLAIN
    likelier: Polarity = "light on dark" if light > 0 else "dark on light"
    if known is not None and not plain:
        likelier = known
    dark_around = not plain or likelier == "light on dark"
    card = _on_a_card(view) if dark_around and known is None and not view.small else None
    if card is not None:
        return card
    decided = plain or (abs(skew) > DECIDED and bare_around(view.grey))
    if decided or known is not None or view.small:
        return _of(view, likelier)
    return _of_either(view, likelier)


def _of(view: _View, polarity: Polarity) -> Ink:
    """Find the handwriting of one polarity."""
    projection = view.projected(polarity)
    ink = view.found(projection, view.glance(projection))
    noise = view.small and ink.reason is None and is_noise(view.grey)
    return replace(ink, reason="texture") if noise else ink


def _of_either(view: _View, likelier: Polarity) -> Ink:
    """Find the handwriting in the polarity that shows it more clearly."""
    rarer: Polarity = "dark on light" if likelier == "light on dark" else "light on dark"
    tried = [(one, view.glance(one)) for one in map(view.projected, (likelier, rarer))]
    first, second = sorted(tried, key=lambda one: one[1] is None)
    ink = view.found(*first)
    # A drawing of one polarity shows no plain strokes in the other.
    if ink.reason is None and first[1] is not None and second[1] is None:
        return ink
    return max(ink, view.found(*second), key=_rank)


def _on_a_card(view: _View) -> Ink | None:
    """Find the handwriting on a light card on a darker table; None: there is no card."""
    from digitrec.prepare.cards import cut, find_card  # few pictures have so much dark

    card = find_card(view.grey)
    if card is None:
        return None
    part, box = cut(view.picture, card)
    return _moved(find_ink(part), box, view.picture)


def _rank(ink: Ink) -> tuple[bool, float]:
    return ink.reason is None, ink.evidence


def _moved(ink: Ink, box: Box, picture: Image.Image) -> Ink:
    """Translate a finding on a part of a picture to the whole picture."""
    left, top = box[:2]
    within = (ink.within[0] + left, ink.within[1] + top, ink.within[2] + left, ink.within[3] + top)
    return replace(
        ink, picture=picture, digits=_shifted(ink.digits, left, top, picture.size), within=within, other=None,
        left_out=_boxes_shifted(ink.left_out, left, top, picture.size),
    )  # fmt: skip


def _shifted(digits: Sequence[Digit], right: int, down: int, size: tuple[int, int]) -> tuple[Digit, ...]:
    """Translate the digits of a part of a picture to the whole picture."""
    boxes = _boxes_shifted([one.box for one in digits], right, down, size)
    return tuple(replace(one, box=box) for one, box in zip(digits, boxes, strict=True))


def _boxes_shifted(boxes: Sequence[Box], right: int, down: int, size: tuple[int, int]) -> tuple[Box, ...]:
    """Translate the boxes of a part of a picture to the whole picture."""
    by = np.array((right, down) * 2)
    return tuple(_on_picture(by + box, size) for box in boxes)


def _on_picture(box: np.ndarray[Any, np.dtype[Any]], size: tuple[int, int]) -> Box:
    """Clip a box, (4,), to a picture of that size: at least one pixel."""
    width, height = size
    left, top, right, bottom = np.clip(box.round().astype(int), 0, size * 2).tolist()
    left, top = min(left, width - 1), min(top, height - 1)
    return left, top, max(right, left + 1), max(bottom, top + 1)


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A picture and its reduced copy."""

    picture: Image.Image
    coarse: Image.Image
    shrink: int
    tiny: Image.Image
    shrink_again: int
    grey: Floats
    small: bool

    @classmethod
    def of(cls, picture: Image.Image) -> Self:
        coarse, shrink = _reduced(picture, GLANCE_SIDE)
        tiny, again = _reduced(coarse, POLARITY_SIDE)
        grey = np.asarray(tiny.convert("L"), np.float32)
        return cls(picture, coarse, shrink, tiny, again, grey, min(picture.size) <= SMALL)

    def projected(self, polarity: Polarity) -> Projection:
        """Return the channel in which ink of one polarity stands out."""
        tiny, _ = _reduced(self.tiny, COLOUR_SIDE)
        return find_projection(tiny, polarity, (1.0 if self.small else COLOUR_WINDOW) * min(tiny.size))

    def glance(self, projection: Projection) -> Strokes | None:
        """Return the strokes if nothing else stands out."""
        return glance(projection.view(self.coarse), self.small)

    def found(self, projection: Projection, plain: Strokes | None) -> Ink:
        """Find the ink in one channel; `plain` holds the strokes of a quick look at it."""
        shrink = self.shrink
        strokes = plain or coarsely(projection.view(self.coarse), self.small)
        near = strokes is not None and shrink > 1
        if strokes is None:
            closer, shrink = _reduced(self.picture, WORKING_SIDE)
            strokes = search(projection.view(closer), self.small)
        dim = projection.polarity == "light on dark" and not self.small and strokes.level < DIM
        nothing = dim or not strokes.score
        found = Count("blank", (), strokes.mask) if nothing else count(strokes, self.small)
        sight = strokes.sight
        ink = Ink(
            self.picture, projection, found.reason, (), (0, 0, *self.picture.size), sight.paper, found.mask,
            shrink, strokes.level, sight.noise, strokes.evidence, None,
        )  # fmt: skip
        if ink.box is None:
            return ink
        ink = replace(ink, fine=cut_out(self.picture, ink), share=found.share)
        ink = replace(ink, left_out=tuple(map(ink.full_size, found.left_out)))
        ink = replace(ink, digits=tuple(self._cut(ink, found.digits)))
        return _again(ink) if near and not ink.reason else ink

    def _cut(self, ink: Ink, masks: Sequence[Mask]) -> Iterator[Digit]:
        """Return a digit for the ink on each mask."""
        for mask in masks:
            one = replace(ink, mask=mask)
            assert one.box is not None
            assert ink.fine is not None
            yield Digit(one.box, ink.fine if len(masks) == 1 else cut_out(self.picture, one))


def _reduced(picture: Image.Image, side: int) -> tuple[Image.Image, int]:
    """Reduce the picture so that its longer side is at most ``side``; return it and the divisor."""
    shrink = -(-max(picture.size) // side)
    return (picture if shrink == 1 else picture.reduce(shrink)), shrink


def _again(ink: Ink) -> Ink:
    """Look at full scale at what looked like one digit on the reduced scale."""
    assert ink.fine is not None
    found = recount(ink.fine)
    if found.reason is None:
        return ink
    left, top, right, bottom = region(ink)
    zoom = max(right - left, bottom - top) / max(ink.fine.shape)
    digits = []
    for mask in found.digits:
        box = box_of(mask)
        assert box is not None
        place = np.array([left, top] * 2) + zoom * np.array(box)
        digits.append(Digit(_on_picture(place, ink.picture.size), ink.fine * grow(mask, FRINGES)))
    return replace(ink, reason=found.reason, digits=tuple(digits))
