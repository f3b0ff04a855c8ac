"""A second opinion where the rules are unsure: the finder proposes marks, and our own network judges them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from PIL import Image

from digitrec.image import DigitImage, Findings
from digitrec.image.pixels import Size
from digitrec.models import store
from digitrec.models.network import evidence
from digitrec.prepare.components import Box, breadth, longer_side
from digitrec.prepare.filters import Floats
from digitrec.prepare.finder import Ink, find
from digitrec.prepare.form import laid_out
from digitrec.prepare.found import Ink as Rules
from digitrec.prepare.ink import with_paper_around

MOST = 8
"""Number of marks that are judged, the largest."""
PLAINLY = 1.4
"""Least evidence for a mark, as a share of what the network asks elsewhere: among several marks one
resembles a digit by chance."""
LIKELY = 0.3
"""Least chance that the finder gives the digit, or a second one."""
SURE = 0.95
"""The same of a second one beside a digit that rules and network agree on."""
UNLIKELY = 0.1
"""Least chance of a second digit if the network takes it for one."""
NEAR = 0.06
"""Largest margin of a digit that fills a picture, as a share of the picture's side."""
BESIDE = 0.25
"""Least length of a second digit, as a share of the digit's."""
TWIN = 0.5
"""The same beside that digit."""
PEN = 0.16
"""Largest width of a possible pen (or a 1), as a share of its length."""
SEVERAL = "more than one digit"
SHARED = 0.3
"""Largest overlap of two digits' boxes, as a share of the smaller one."""
SMALLEST = 8
"""Least length of a digit, in pixels: a smaller one cannot be read."""
CUT = 0.12
"""Largest share of the digit's ink that may lie outside the picture."""


def clearest(picture: Image.Image, ink: Rules) -> Rules | None:
    """Return the ink of the one digit that our own network takes for one, or None.

    That is what the rules found, or what they find with paper around a picture that its digit fills.
    """
    clear = _clearness_of(ink)
    if clear >= PLAINLY and ink.box is not None and not any(_at_edges(ink.box, picture.size)):
        return ink
    wide = with_paper_around(picture)
    fills = wide.reason is None and all(_at_edges(wide.boxes[0], picture.size))
    if fills and _clearness_of(wide) >= max(PLAINLY, clear):
        return wide
    return ink if clear >= 1 else None


def _clearness_of(ink: Rules) -> float:
    """Return how clear the digit is that the rules found, as `_clearness`; 0 if they found none."""
    return 0.0 if ink.reason is not None or ink.fine is None else float(_clearness([ink.fine])[0])


def _at_edges(box: Box, size: Size) -> list[bool]:
    """Return whether a box reaches each edge of a picture: left, top, right, bottom."""
    near = [NEAR * side for side in size]
    return [
        box[0] <= near[0], box[1] <= near[1], box[2] >= size[0] - near[0], box[3] >= size[1] - near[1]
    ]  # fmt: skip


def second_opinion(
    image: DigitImage, findings: Findings, found: Rules | None
) -> tuple[Findings, Floats] | None:
    """Return the findings and the ink of the digit that finder and network see; None if they do not object.

    The findings have a reason if there is a second digit, or if part of the digit is outside the picture.

    Args:
        image: the picture.
        findings: what the rules say of it.
        found: the ink of the digit if the network takes it for one; a narrow one may be a pen.
    """
    marks = [one for one in find(image, 0, MOST) if longer_side(one.box) >= SMALLEST]
    clear = _clearness([one.mask for one in marks])
    plain = clear * [one.chance >= LIKELY for one in marks]
    if found is not None:
        box = found.boxes[0]
        least = LIKELY if may_be_a_pen(found) else SURE
        plain *= [one.chance >= least and _is_beside(one.box, box, TWIN) for one in marks]
    if plain.max(initial=0) < PLAINLY:
        return None
    if found is not None and not may_be_a_pen(found) and found.fine is not None:
        return replace(findings, reason=SEVERAL, boxes=found.boxes, digits=1), found.fine
    digit = marks[int(plain.argmax())]
    beside = [one for one in marks if one is not digit]
    like_digits = [
        one for one, some in zip(marks, clear, strict=True)
        if one.chance >= LIKELY or (some >= 1 and (findings.reason == SEVERAL or one.chance > UNLIKELY))
    ]  # fmt: skip
    two = any(_is_beside(one.box, digit.box, BESIDE) for one in like_digits if one is not digit)
    own, others = _area(digit), sum(map(_area, beside))
    return replace(
        findings, reason=SEVERAL if two else "cut off" if digit.missing > CUT else None, digits=1,
        boxes=(digit.box,), left_out=tuple(one.box for one in beside),
        share=(1 - digit.missing) * own / (own + others),
    ), digit.mask  # fmt: skip


def may_be_a_pen(ink: Rules) -> bool:
    """Whether the one digit that was found is long and narrow."""
    return ink.reason is None and breadth(ink.mask) <= PEN


def _clearness(digits: list[Floats]) -> Floats:
    """Return the evidence for each digit's ink as a share of what the network asks elsewhere, (N,)."""
    network = _network()
    stack = np.array([laid_out(one) for one in digits], np.uint8).reshape(-1, 28, 28)
    return evidence(network.probabilities(stack, [True] * len(stack))) / network.input.evidence


@cache
def _network() -> store.Model:
    return store.load()


def _is_beside(mark: Box, digit: Box, least: float) -> bool:
    """Return whether a mark is beside a digit rather than a part of it, and has this share of its length."""
    width, height = (
        max(min(mark[side + 2], digit[side + 2]) - max(mark[side], digit[side]), 0) for side in (0, 1)
    )
    apart = width * height < SHARED * min(_size(mark), _size(digit))
    return apart and longer_side(mark) >= least * longer_side(digit)


def _size(box: Box) -> int:
    """Return the area of a box in square pixels."""
    return (box[2] - box[0]) * (box[3] - box[1])


def _area(ink: Ink) -> float:
    """Return the ink in square pixels of the picture."""
    return float(ink.mask.mean()) * _size(ink.box)
