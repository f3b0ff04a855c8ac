"""Propose places where the digit may be, by rules and by the finder; our network reads each proposal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, Self, get_args

import numpy as np
from PIL import Image

from digitrec.image import DigitImage
from digitrec.image.boxes import covered
from digitrec.image.pixels import Pixels, Size
from digitrec.models import store
from digitrec.models.network import evidence
from digitrec.prepare import finder
from digitrec.prepare.closeup import fine_size
from digitrec.prepare.components import Box, longer_side
from digitrec.prepare.filters import Floats
from digitrec.prepare.form import DIGIT, laid_out
from digitrec.prepare.found import Ink, Reason
from digitrec.prepare.ink import with_paper_around

MOST = 8
"""Number of the finder's marks that are judged; the largest are taken."""
SAME = 0.3
"""Minimum common area of two boxes that show the same digit, as a share of their union or of the
smaller one."""
BESIDE = 0.15
"""Minimum length of a mark beside a digit, as a share of the digit's length."""
NEAR = 0.06
"""Maximum margin of a digit that counts as near an edge, as a share of the picture's side."""
Source = Literal["rules", "paper around", "finder"]
"""Source of a proposal: the rules; the rules with paper added around the picture, or all of a small picture;
or the finder."""
SOURCES: Sequence[Source] = get_args(Source)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A digit's ink, and our own network's reading of it."""

    ink: Floats
    """(h, w): the digit's ink alone, 0..1."""
    pixels: Pixels
    """(28, 28): the ink in MNIST's form."""
    chances: Floats
    """(10,): the chance of each digit."""
    evidence: float
    """The evidence for a digit, as a multiple of the network's threshold."""

    @property
    def digit(self) -> int:
        """The likeliest digit."""
        return int(self.chances.argmax())

    @property
    def is_clear(self) -> bool:
        """Whether the evidence reaches the network's threshold."""
        return self.evidence >= 1


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """One place where the digit may be, and how the network reads it."""

    source: Source
    reading: Reading
    box: Box
    reason: Reason | None = None
    """Why the rules refuse their own proposal; None if they accept it."""
    chance: float = 0.0
    """The finder's chance that the mark is a digit, 0..1."""
    missing: float = 0.0
    """The finder's estimate of the share of the mark's ink outside the picture, 0..1."""
    found: finder.Ink | None = None
    """The finder's mark."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A picture's size and all proposals for its digit."""

    size: Size
    rules: Ink
    proposals: Sequence[Proposal]

    @property
    def marks(self) -> list[Proposal]:
        """The finder's proposals."""
        return [one for one in self.proposals if one.source == "finder"]

    def beside(self, digit: Box) -> list[Proposal]:
        """Return the marks that stand beside a digit, are not parts of it and are not much shorter."""
        least = BESIDE * longer_side(digit)
        return [one for one in self.marks if covered(one.box, digit) < SAME and longer_side(one.box) >= least]

    def again(self, image: DigitImage) -> Self:
        """Add what the rules find with paper around the picture, which its digit may fill."""
        ink = with_paper_around(image.picture)
        if ink.fine is None or ink.box is None:
            return self
        one = Proposal("paper around", readings([ink.fine])[0], ink.box, ink.reason)
        first = sum(it.source == "rules" for it in self.proposals)
        return replace(self, proposals=[*self.proposals[:first], one, *self.proposals[first:]])


def seen(image: DigitImage, rules: Ink) -> Case:
    """Return the proposals for a picture's digit; ``rules`` is the ink that the rules found.

    A digit that fills a small picture is proposed as it is.
    """
    by_rules: list[tuple[Source, Floats, Box, Reason | None]] = []
    if rules.fine is not None and rules.box is not None:
        by_rules.append(("rules", rules.fine, rules.box, rules.reason))
    by_rules += [("paper around", whole, (0, 0, *image.size), None) for whole in _wholes(image.picture)]
    marks = finder.find(image.picture, 0, MOST)
    found = iter(readings([*(ink for _, ink, _, _ in by_rules), *(one.mask for one in marks)]))
    proposals = [Proposal(source, next(found), box, reason) for source, _, box, reason in by_rules]
    proposals += [
        Proposal("finder", next(found), one.box, None, one.chance, one.missing, one) for one in marks
    ]
    return Case(image.size, rules, proposals)


def _wholes(picture: Image.Image) -> list[Floats]:
    """Return all of a picture of at most twice a digit's size in MNIST as ink, of either polarity."""
    if max(picture.size) > 2 * DIGIT:
        return []
    grey = np.asarray(picture.convert("L").resize(fine_size(*picture.size)), np.float32)
    light = (grey - grey.min()) / max(float(np.ptp(grey)), 1)
    return [1 - light, light]


def near_edges(box: Box, size: Size, share: float = NEAR) -> int:
    """Count the picture's edges that are nearer to a box than this share of a side, or than a pixel."""
    width, height = size
    x, y = max(share * width, 1), max(share * height, 1)
    return sum((box[0] <= x, box[1] <= y, box[2] >= width - x, box[3] >= height - y))


def readings(inks: Sequence[Floats], *, once: bool = False) -> list[Reading]:
    """Read some digits with our own network, each from its ink alone, (h, w), 0..1.

    ``once``: doubtful digits are not read again, as in `store.Model.probabilities`.
    """
    digits = network()
    stack = np.array([laid_out(one) for one in inks], np.uint8).reshape(-1, 28, 28)
    chances = digits.probabilities(stack, [True] * len(stack), once=once)
    clear = (evidence(chances) / digits.input.evidence).tolist()
    return [Reading(*one) for one in zip(inks, stack, chances, clear, strict=True)]


@cache
def network() -> store.Model:
    """Return our own network, which is loaded once."""
    return store.load()
