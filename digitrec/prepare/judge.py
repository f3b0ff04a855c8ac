"""Judge which of the proposals for the picture's digit is right, if any.

Rules and finder propose, our network reads each proposal, and small networks that learned from generated
pictures (`digitrec.lab.finding.judge`) say how likely the reading is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from digitrec import models
from digitrec.answer import UNCLEAR
from digitrec.image import DigitImage, Findings
from digitrec.image.boxes import covered, shared
from digitrec.image.pixels import Size
from digitrec.models import store
from digitrec.models.network import evidence
from digitrec.prepare.components import Box, longer_side
from digitrec.prepare.filters import Floats
from digitrec.prepare.finder import find
from digitrec.prepare.form import laid_out
from digitrec.prepare.found import Ink
from digitrec.prepare.ink import with_paper_around

WEIGHTS = Path(models.__file__).parent / "weights" / "digitrec-judge.npz"
"""The learned weights inside the package."""
MOST = 8
"""Number of the finder's marks that are judged, the largest."""
SMALLEST = 8
"""Least length of a digit, in pixels: a smaller one cannot be read."""
CLEAR = 1.0
"""Least evidence of a proposal, as a share of what the network asks of a digit."""
LIKELY = 0.6
"""Least chance of an answer; a wrong one is worse than a refusal."""
NEAR = 0.06
"""Largest margin of a digit that is near an edge, as a share of the picture's side."""
SAME = 0.3
"""Least share of the union that two boxes have in common if they show the same."""
BESIDE = 0.15
"""Least length of a mark beside a digit, as a share of the digit's."""
SEVERAL, CUT_OFF = "more than one digit", "cut off"
REASONS = (SEVERAL, CUT_OFF, "a sign beside the digit", "texture", "blank")
"""Why the rules refuse a picture."""
CUT = 0.12
"""Share of a digit's ink outside the picture from which the reason for a refusal is "cut off"."""
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


def judged(image: DigitImage, rules: Ink, findings: Findings) -> tuple[Findings, Floats | None]:
    """Return the findings about a picture, and the ink of its digit; None: nothing was found.

    Args:
        image: the picture.
        rules: what the rules found on it.
        findings: the same for a Prediction.
    """
    case = seen(image, rules)
    clear = [one for one in case.proposals if one.evidence >= CLEAR]
    if not clear:
        return findings, rules.fine
    likely = chances(np.array([features(case, one) for one in clear]))
    chosen, chance = clear[int(likely.argmax())], float(likely.max())
    if chance < LIKELY:
        return replace(findings, reason=rules.reason or _reason(case, chosen)), rules.fine
    alike = zip(clear, likely.tolist(), strict=True)  # the rules' ink is finer than the finder's
    chosen = next(one for one, its in alike if one.digit == chosen.digit and its >= LIKELY)
    others = tuple(one.box for one in case.marks if is_beside(one.box, chosen.box))
    left_out = findings.left_out if chosen.source == "rules" else others
    return replace(
        findings, reason=None, digits=1, boxes=(chosen.box,), left_out=left_out, trust=chance
    ), chosen.ink  # fmt: skip


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


def features(case: Case, one: Proposal) -> list[float]:
    """Return the numbers from which a proposal is judged; `_weights` belong to them."""
    length = longer_side(one.box)
    width, height = case.size
    others = [other for other in case.proposals if other is not one]
    agree = [x.evidence for x in others if x.digit == one.digit and shared(x.box, one.box) > SAME]
    opposed = [x.evidence for x in others if x.digit != one.digit and covered(x.box, one.box) > SAME]
    mark = max(case.marks, key=lambda x: shared(x.box, one.box), default=one)
    overlap = shared(mark.box, one.box) if case.marks else 0.0
    chance, missing = (mark.chance, mark.missing) if overlap > SAME else (0.0, 0.0)
    beside = _beside(case, one.box)
    near = _near_edges(one.box, case.size, NEAR)
    touching = _near_edges(one.box, case.size, 0)
    return [
        one.evidence, max(one.evidence - 1.4, 0), max(agree, default=0), max(opposed, default=0),
        chance, chance * one.evidence, missing, overlap, *beside, len(case.marks) > 1,
        *(one.source == source for source in SOURCES), case.rules.plain, case.rules.share,
        *(case.rules.reason == reason for reason in REASONS),
        *(one.reason == reason for reason in REASONS), one.reason is None,
        np.log(length / max(width, height)), np.log(max(length, 4) / 20),
        min(one.box[2] - one.box[0], one.box[3] - one.box[1]) / length,
        near, touching, near == 4, touching == 1, *(one.digit == digit for digit in range(10)),
    ]  # fmt: skip


def _beside(case: Case, box: Box) -> tuple[float, float, float]:
    """Return how much the likeliest mark beside a digit resembles another one, in three measures."""
    marks = [one for one in case.marks if is_beside(one.box, box)]
    if not marks:
        return 0.0, 0.0, 0.0
    chance = np.array([one.chance for one in marks])
    clear = np.minimum([one.evidence for one in marks], 1.5)
    length = np.minimum([longer_side(one.box) / longer_side(box) for one in marks], 1)
    return float((chance * clear).max()), float((chance * length).max()), float((clear * length).max())


def _reason(case: Case, one: Proposal) -> str:
    """Return why the likeliest proposal is refused."""
    if any(mark.missing > CUT for mark in case.marks if shared(mark.box, one.box) > SAME):
        return CUT_OFF
    return SEVERAL if _beside(case, one.box)[0] > LIKELY else UNCLEAR


def chances(rows: Floats) -> Floats:
    """Return how likely proposals are right: features (n, F) to (n,), the mean of several small networks."""
    mean, scale, first, hidden, last, out = _weights()
    inner = np.maximum(np.einsum("nf,kfh->nkh", (rows - mean) / scale, first) + hidden, 0)
    logits = np.einsum("nkh,kh->nk", inner, last) + out
    return np.asarray((1 / (1 + np.exp(-logits))).mean(axis=1))


@cache
def _weights() -> list[Floats]:
    """Return mean and scale of the features, (F,), and the weights of K networks with H hidden units."""
    with np.load(WEIGHTS) as file:
        return [file[name] for name in ("mean", "scale", "first", "hidden", "last", "out")]


def _near_edges(box: Box, size: Size, share: float) -> int:
    """Return to how many edges of a picture a box is nearer than a share of its side, or a pixel."""
    width, height = size
    x, y = max(share * width, 1), max(share * height, 1)
    return sum((box[0] <= x, box[1] <= y, box[2] >= width - x, box[3] >= height - y))


def is_beside(mark: Box, digit: Box) -> bool:
    """Return whether a mark is beside a digit rather than a part of it, and not much shorter."""
    return covered(mark, digit) < SAME and longer_side(mark) >= BESIDE * longer_side(digit)
