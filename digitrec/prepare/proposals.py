"""What may be the digit on a picture: proposals of rules and finder, and how our network reads each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from digitrec.image import DigitImage
from digitrec.image.boxes import covered
from digitrec.image.pixels import Size
from digitrec.models import store
from digitrec.models.network import evidence
from digitrec.prepare.components import Box, longer_side
from digitrec.prepare.filters import Floats
from digitrec.prepare.finder import find
from digitrec.prepare.form import laid_out
from digitrec.prepare.found import Ink
from digitrec.prepare.ink import with_paper_around

MOST = 8
"""Number of the finder's marks that are judged, the largest."""
SMALLEST = 8
"""Least length of a digit, in pixels: a smaller one cannot be read."""
SAME = 0.3
"""Least share of the union that two boxes have in common if they show the same."""
BESIDE = 0.15
"""Least length of a mark beside a digit, as a share of the digit's."""
SOURCES = ("rules", "paper around", "finder")
"""Who proposes: the rules, the rules with paper added around the picture, and the finder."""


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """One place where the digit may be, and how the network reads it."""

    source: str
    """One of `SOURCES`."""
    ink: Floats
    box: Box
    reason: str | None = None
    """Why the rules refuse what they propose."""
    chance: float = 0.0
    """The finder's chance that it is a digit, 0..1."""
    missing: float = 0.0
    """The finder's estimate of the share of its ink outside the picture, 0..1."""
    digit: int = 0
    evidence: float = 0.0
    """The network's evidence for this digit, as a share of what it asks elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """All that was found on a picture."""

    size: Size
    rules: Ink
    proposals: Sequence[Proposal]

    @property
    def marks(self) -> list[Proposal]:
        """The finder's proposals."""
        return [one for one in self.proposals if one.source == "finder"]

    def beside(self, digit: Box) -> list[Proposal]:
        """Return the marks beside a digit, rather than parts of it, that are not much shorter."""
        least = BESIDE * longer_side(digit)
        return [one for one in self.marks if covered(one.box, digit) < SAME and longer_side(one.box) >= least]


def seen(image: DigitImage, rules: Ink) -> Case:
    """Return all that is found on a picture on which the rules found this ink."""
    wide = with_paper_around(image.picture)
    found = [
        Proposal(source, one.fine, one.box, one.reason)
        for source, one in zip(SOURCES, (rules, wide), strict=False)
        if one.fine is not None and one.box is not None
    ]
    marks = [one for one in find(image, 0, MOST) if longer_side(one.box) >= SMALLEST]
    found += [Proposal("finder", one.mask, one.box, None, one.chance, one.missing) for one in marks]
    digits, clear = clearness([one.ink for one in found])
    read = [replace(one, digit=a, evidence=b) for one, a, b in zip(found, digits, clear, strict=True)]
    return Case(image.size, rules, read)


def clearness(inks: Sequence[Floats]) -> tuple[list[int], list[float]]:
    """Return how our own network reads each digit's ink, and its evidence as a share of what it asks."""
    network = _network()
    stack = np.array([laid_out(one) for one in inks], np.uint8).reshape(-1, 28, 28)
    read = network.probabilities(stack, [True] * len(stack))
    return read.argmax(axis=1).tolist(), (evidence(read) / network.input.evidence).tolist()


@cache
def _network() -> store.Model:
    return store.load()
