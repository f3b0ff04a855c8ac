"""A second opinion on a picture whose ink the rules refuse: the finder's."""

from __future__ import annotations

from dataclasses import replace

from digitrec.image import DigitImage, Findings
from digitrec.prepare.components import longer_side
from digitrec.prepare.filters import Floats
from digitrec.prepare.finder import Ink, find

DOUBTED = {"blank": 0.97, "cut off": 0.4}
"""Reasons that the finder may doubt, and the least chance of the digit. Not "more than one digit": its chance
does not separate second digits and brackets (20 of 40 digits had less than 0.5, 10 of 25 brackets more)."""
SMALLEST = 8
"""Least length of the digit, in pixels: a smaller one cannot be read."""
UNLIKELY = 0.1
"""Least chance of another mark that may be a second digit."""
BESIDE = 0.5
"""Least length of a second digit, as a share of the digit's."""
CUT = 0.12
"""Largest share of the digit's ink that may lie outside the picture."""


def second_opinion(image: DigitImage, findings: Findings) -> tuple[Findings, Floats] | None:
    """Return the findings and the ink of the one digit that the finder sees; None if it sees none or more.

    The reason of ``findings`` stays, for the engine to overrule.
    """
    likely = DOUBTED.get(findings.reason or "")
    if likely is None:
        return None
    marks = find(image, 0)
    digit = max((one for one in marks if one.chance >= likely), key=_length, default=None)
    if digit is None or digit.missing > CUT or _length(digit) < SMALLEST:
        return None
    beside = [one for one in marks if one is not digit]
    if any(one.chance >= UNLIKELY and _length(one) >= BESIDE * _length(digit) for one in beside):
        return None
    own, others = _area(digit), sum(map(_area, beside))
    return replace(
        findings, digits=1, boxes=(digit.box,), left_out=tuple(one.box for one in beside),
        share=(1 - digit.missing) * own / (own + others), overruled=True,
    ), digit.mask  # fmt: skip


def _length(ink: Ink) -> int:
    return longer_side(ink.box)


def _area(ink: Ink) -> float:
    """Return the ink in square pixels of the picture."""
    left, top, right, bottom = ink.box
    return float(ink.mask.mean()) * (right - left) * (bottom - top)
