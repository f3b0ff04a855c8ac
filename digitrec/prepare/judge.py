"""Decide which of the proposals for the picture's digit is right, if any.

Both the rules and the finder propose places. Our network reads each proposal, and another network, the mean
of two that were trained on generated pictures (`digitrec.lab.finding.judge`), estimates how likely each
reading is right. It looks at the proposal and what is around it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import get_args

import numpy as np

from digitrec.answer import UNCLEAR
from digitrec.image import DigitImage, Findings
from digitrec.image.boxes import covered, shared
from digitrec.image.pixels import Pixels, Size
from digitrec.models.network import FOLDER, Runner, runner
from digitrec.prepare.closeup import dark_share
from digitrec.prepare.components import Box, breadth, longer_side, on_picture
from digitrec.prepare.filters import Floats
from digitrec.prepare.form import DIGIT, SIDE
from digitrec.prepare.found import Ink, Reason
from digitrec.prepare.ink import card_on, find_ink, shifted
from digitrec.prepare.proposals import SAME, SOURCES, Case, Proposal, Reading, near_edges, readings, seen
from digitrec.prepare.views import view

WEIGHTS = FOLDER / "digitrec-judge.tflite"
"""The trained network that the package contains."""
PLAINLY = 1.2
"""Minimum evidence for a digit of plain strokes that is not judged."""
SURELY = 1.45
"""Minimum evidence for a digit of other strokes that is not judged."""
SOLID = 0.5
"""Maximum share of such a digit's region that is as dark as its ink, except for a 1, which may be thick; a
darker region may show a blot."""
PEN = 0.16
"""Maximum width of a mark that may be a pen (or a 1), as a share of its length; it is always judged."""
LIKELY = 0.5
"""Minimum chance that an answer is right; below it the picture is refused, as wrong answers are worse."""
ENOUGH = 0.9
"""Minimum chance of an answer for which the rules, if they refuse the picture, do not search it again."""
SUREST = 0.998
"""Highest chance of a judged answer: of 1,264 held-out proposals above 99.9 %, 99.8 % were right."""
SEVERAL, CUT_OFF, SIGN = "more than one digit", "cut off", "a sign beside the digit"
REASONS: Sequence[Reason] = get_args(Reason)
CUT = 0.12
"""Minimum share of a digit's ink outside the picture for the reason "cut off"."""


def found(image: DigitImage, ink: Ink) -> tuple[Findings, Reading | None]:
    """Return the findings about a picture and the reading of its digit; search a card if it is refused.

    There is no reading of a picture of MNIST's size, or of one that is refused.

    Args:
        image: the picture.
        ink: the result of the rules' search.
    """
    if image.size == (SIDE, SIDE):
        return ink.findings, None
    findings, reading = _found(image, ink)
    dark = ink.within == (0, 0, *image.size)  # else there is a light card
    card = None if findings.reason in (None, SEVERAL) else card_on(image.picture, dark=dark)
    if card is None:
        return findings, reading
    part, corner = card  # beside the edges of a table or of a photo the finder misses small digits
    inside, its_reading = _found(replace(image, _held=part), find_ink(part))
    if inside.reason:
        return findings, reading
    boxes, left_out = (shifted(some, *corner, image.size) for some in (inside.boxes, inside.left_out))
    return replace(inside, boxes=boxes, left_out=left_out), its_reading


def _found(image: DigitImage, ink: Ink) -> tuple[Findings, Reading | None]:
    """Return the findings and the reading as `found` does, but search no card; judge all but clear cases."""
    reading = alone(image, ink)
    enough = PLAINLY if ink.plain else SURELY
    if reading and reading.evidence >= enough and (reading.digit == 1 or dark_share(ink) <= SOLID):
        return ink.findings, reading
    return _judged(image, ink)


def alone(image: DigitImage, ink: Ink) -> Reading | None:
    """Return the reading of a digit that is alone on the picture, or None; for the arguments see `found`."""
    box = ink.box
    single = ink.reason is None and not ink.left_out and ink.parts == 1
    free = box is not None and not near_edges(box, image.size, 0)
    large = box is not None and longer_side(box) >= DIGIT * ink.shrink  # or thin ink beside it may be lost
    if not (single and free and large and breadth(ink.mask) > PEN and ink.fine is not None):
        return None
    return readings([ink.fine])[0]


def _judged(image: DigitImage, rules: Ink) -> tuple[Findings, Reading | None]:
    """Return the likeliest proposal, or the reason why all are refused."""
    case = seen(image, rules)
    clear, likely = _weighed(image, case)
    if rules.reason is not None and likely.max(initial=0) < ENOUGH:
        case = case.again(image)
        clear, likely = _weighed(image, case)
    if not clear:
        return rules.findings, None
    chosen, chance = clear[int(likely.argmax())], min(float(likely.max()), SUREST)
    if chance < LIKELY:
        return replace(rules.findings, reason=rules.reason or _reason(case, chosen)), None
    alike = zip(clear, likely.tolist(), strict=True)  # the rules' ink is finer than the finder's
    digit = chosen.reading.digit
    chosen = next(one for one, its in alike if one.reading.digit == digit and its >= LIKELY)
    beside = (mark.found for mark in case.beside(chosen.box))
    left_out = tuple(on_picture(mark.whole, case.size) for mark in beside if mark is not None)
    known = (chosen.box, *left_out)  # the finder has no marks of letters
    left_out += tuple(
        box for box in rules.findings.left_out if all(covered(box, other) < SAME for other in known)
    )
    boxes = (chosen.box,)
    findings = replace(rules.findings, reason=None, digits=1, boxes=boxes, left_out=left_out, trust=chance)
    return findings, chosen.reading


def _weighed(image: DigitImage, case: Case) -> tuple[list[Proposal], Floats]:
    """Return the proposals that the network reads clearly, and the chance that each is right."""
    clear = [one for one in case.proposals if one.reading.is_clear]
    return clear, chances(_network(), *inputs(image, case, clear)) if clear else np.zeros(0, np.float32)


def inputs(image: DigitImage, case: Case, proposals: Sequence[Proposal]) -> tuple[Pixels, Floats]:
    """Return the network's inputs: views, (n, SIDE, SIDE, CHANNELS), and features, (n, F)."""
    views = [view(image.picture, one, case.marks) for one in proposals]
    rows = np.array([features(case, one) for one in proposals], np.float32)
    return np.array(views, np.uint8), rows


def chances(network: Runner, views: Pixels, rows: Floats) -> Floats:
    """Return the chance that each proposal is right, (n,), 0..1; for the arguments see `inputs`."""
    known = {one.ndim: one for one in (views.astype(np.float32), rows)}  # a file may have either order
    return network.run(*(known[len(one.shape)] for one in network.takes))[0][:, 0]


@cache
def _network() -> Runner:
    return runner(WEIGHTS.read_bytes())


def features(case: Case, one: Proposal) -> list[float]:
    """Return the features of a proposal, in the order that the network expects."""
    length, digit, clear = longer_side(one.box), one.reading.digit, one.reading.evidence
    width, height = case.size
    others = [other for other in case.proposals if other is not one]
    agree = [x.reading.evidence for x in others if x.reading.digit == digit and shared(x.box, one.box) > SAME]
    opposed = [
        x.reading.evidence for x in others if x.reading.digit != digit and covered(x.box, one.box) > SAME
    ]
    mark = max(case.marks, key=lambda x: shared(x.box, one.box), default=one)
    overlap = shared(mark.box, one.box) if case.marks else 0.0
    chance, missing = (mark.chance, mark.missing) if overlap > SAME else (0.0, 0.0)
    near = near_edges(one.box, case.size)
    touching = near_edges(one.box, case.size, 0)
    return [
        clear, max(clear - 1.4, 0), max(agree, default=0), max(opposed, default=0),
        chance, chance * clear, missing, overlap,
        *_beside(case, one.box), *_neighbours(case, one.box), len(case.marks) > 1,
        *(one.source == source for source in SOURCES), case.rules.plain,
        *(case.rules.reason == reason for reason in REASONS),
        *(one.reason == reason for reason in REASONS), one.reason is None,
        np.log(length / max(width, height)), np.log(max(length, 4) / 20),
        min(one.box[2] - one.box[0], one.box[3] - one.box[1]) / length,
        near, touching, near == 4, touching == 1, *(digit == each for each in range(10)),
    ]  # fmt: skip


def _beside(case: Case, box: Box) -> tuple[float, float, float]:
    """Return how much the likeliest mark beside a digit looks like another digit, in three measures."""
    marks = case.beside(box)
    if not marks:
        return 0.0, 0.0, 0.0
    chance = np.array([one.chance for one in marks])
    clear = np.minimum([one.reading.evidence for one in marks], 1.5)
    length = np.minimum([longer_side(one.box) / longer_side(box) for one in marks], 1)
    return float((chance * clear).max()), float((chance * length).max()), float((clear * length).max())


def _neighbours(case: Case, box: Box) -> list[float]:
    """Return the features of two marks beside a digit, the nearest and the longest: bracket, pen or digit."""
    marks = case.beside(box)
    if not marks:
        return [0.0] * 24
    nearest = min(marks, key=lambda one: _gap(one.box, box))
    longest = max(marks, key=lambda one: longer_side(one.box))
    return [*_looks(nearest, box, case.size), *_looks(longest, box, case.size)]


def _looks(mark: Proposal, box: Box, size: Size) -> list[float]:
    """Return the features of a mark beside a digit; lengths are shares of the digit's, at most 3."""
    left, top, right, bottom = mark.box
    across, down = left + right - box[0] - box[2], top + bottom - box[1] - box[3]
    lengths = np.array(
        [right - left, bottom - top, _gap(mark.box, box), across / 2, abs(across) / 2, down / 2]
    )
    bend, inked = _bend(mark.reading.ink), mark.reading.ink >= 0.5 * mark.reading.ink.max()
    return [
        1, mark.chance, min(mark.reading.evidence, 1.5), *np.clip(lengths / longer_side(box), -3, 3).tolist(),
        bend if across > 0 else -bend, breadth(inked), near_edges(mark.box, size, 0) > 0,
    ]  # fmt: skip


def _gap(one: Box, other: Box) -> int:
    """Return the distance of two boxes in pixels; 0 if they overlap."""
    across = max(one[0], other[0]) - min(one[2], other[2])
    return max(across, max(one[1], other[1]) - min(one[3], other[3]), 0)


def _bend(ink: Floats) -> float:
    """Return how far a mark's middle is to the right of its ends, as a share of its height, -1..1."""
    rows = ink.sum(axis=1)
    inked = rows > 0
    if inked.sum() < 8:
        return 0.0
    middle = ink[inked] @ np.arange(ink.shape[1]) / rows[inked] / len(ink)
    bend = np.polyfit(np.linspace(-1, 1, len(middle)), middle, 2, w=np.sqrt(rows[inked]))[0]
    return float(np.clip(-bend, -1, 1))


def _reason(case: Case, one: Proposal) -> str:
    """Return why the likeliest proposal is refused."""
    if not case.marks:
        return "blank"
    if any(mark.missing > CUT for mark in case.marks if shared(mark.box, one.box) > SAME):
        return CUT_OFF
    if not case.beside(one.box):
        return UNCLEAR
    return SEVERAL if _beside(case, one.box)[0] > LIKELY else SIGN
