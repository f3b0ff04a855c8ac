"""digitrec's own reader of whole numbers: one network finds the lines of writing, another reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress, pairwise
from typing import Self

import numpy as np
from PIL import Image

from digitrec.answer import UNCLEAR, Answer, Candidate, Sign
from digitrec.image import Box, InputSpec, Place, PreparedImage
from digitrec.image.boxes import covered
from digitrec.image.pixels import NUMBERS_SIDE, Pixels
from digitrec.models import sequence
from digitrec.models.committee import chances
from digitrec.models.network import FOLDER, Floats
from digitrec.models.sequence import HEIGHT, Lengths, Reading, SequenceReader, digits_of
from digitrec.prepare import proposals
from digitrec.prepare.finder import Mark
from digitrec.prepare.judge import SEVERAL
from digitrec.prepare.projection import unhidden
from digitrec.providers.base import FREE, BaseProvider, Price
from digitrec.providers.local.lines import CLEARLY, GAP, Line, beside, lines, single, strip, together

WEIGHTS = FOLDER / "digitrec-numbers.npz"
"""The trained weights that judge a reading; the package contains them."""
STRETCH = 1.3
"""Width of a view, as a multiple of the number's own, as in training; several widths gained nothing."""
MARGIN = 0.15
"""Margin around a number in its view, as a share of the number's height."""
EDGE = 0.05
"""Width that is cut off at each edge of a cut-out, as a share of its height: remains of frames."""
LEAST = 0.35
"""Minimum chance of a number; numbers below it are not reported."""
LEAST_EXPECTED = 0.15
"""Minimum chance of a number where one is expected: in a picture that was cut out around it, or of a length
that the caller expects."""
UNSURE = 0.5
"""Marks with a lower chance of being right are also read in parts."""
PARTS = 3
"""Maximum number of likely numbers, of a digit each, on a picture that is also searched for a single digit:
the finder takes parts of a large digit for digits."""
SOME_LETTERS = 0.2
"""Share of letters among the characters above which a line may be a word and a number."""
SPACE, NARROW = 0.3, 0.05
"""Minimum gap between the words of such a line, and between the numbers of other lines, as a share of the
line's height."""
SIGN_INSIDE = 0.9
"""Chance of a sign among the characters above which a line is split around broad signs only: parts of 12:30
are no numbers."""
DIGITS = 0.5
"""Minimum chance of a line whose marks look like digits."""
CLOSER = 0.5, 0.3
"""Margins beside and above a line that is read again as a cut-out, as shares of its height."""
MOST_AGAIN = 100
"""Maximum number of such lines on a page; each takes about as long as a cut-out."""
OUTLINE = 0.06
"""Width of the edges of a mark's box, as a share of its height."""
LEAST_MARKS = 0.003
"""Minimum chance that a line's marks are digits, 0..1: the finder doubts many printed digits."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A picture and the lines on it that may be numbers."""

    picture: Image.Image
    lines: Sequence[Line]
    words: int
    """Number of other lines, which are words."""
    seen: Mapping[Mark, proposals.Reading]
    """The digit network's reading of each mark."""
    typical: float
    """Median height of the lines that look like digits, in pixels; 0 if there are none."""
    expected: Lengths | None
    """Minimum and maximum number of digits of a number; None: any."""
    corner: tuple[float, float]
    """Where the picture's top left corner lies on the whole picture, in pixels."""

    @classmethod
    def of(
        cls, picture: Image.Image, expected: Lengths | None = None, corner: tuple[float, float] = (0.0, 0.0)
    ) -> Self:
        """Find the lines of a picture, as `lines` does, and read their marks."""
        every = lines(picture)
        found = [line for line in every if line.cut_out or line.chance >= LEAST_MARKS]
        marks = [mark for line in found for mark in line.marks if mark is not None]
        seen = dict(zip(marks, proposals.readings([mark.ink for mark in marks], once=True), strict=True))
        heights = [line.box[3] - line.box[1] for line in found if line.chance > DIGITS]
        words, typical = len(every) - len(found), float(np.median(heights or [0]))
        return cls(picture, found, words, seen, typical, expected, corner)

    def limited(self, line: Line) -> Page:
        """Return the page with numbers of at most as many digits as a line has marks."""
        return replace(self, expected=self.expected or (1, int(np.count_nonzero(line.high))))

    def whole(self) -> Page | None:
        """Return a cut-out of several lines with all its marks in one line; None for other pictures."""
        line = together(self.lines)
        return None if line is None else replace(self, lines=[line])


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """Marks that may be a number, and the network's reading of them."""

    page: Page
    line: Line
    """A line of the page, or a part of a line."""
    reading: Reading
    view: Box
    """The part of the picture that was read."""
    whole: Self | None
    """If the marks are part of a longer line: the proposal for that line."""
    chance: float = 0.0
    """The chance that the reading is right, 0..1, as `judged` estimates it; 0 before."""

    @property
    def digits(self) -> str:
        """The digits of the reading."""
        return digits_of(self.reading.text)

    @property
    def seen(self) -> list[proposals.Reading]:
        """The digit network's reading of each high mark."""
        if self.line.reading is not None:
            return [self.line.reading]
        marks = compress(self.line.marks, self.line.high)
        return [self.page.seen[mark] for mark in marks if mark is not None]

    def parts(self) -> list[Line]:
        """Return the boxes of a cut-out, or the line's parts; letters are divided at spaces only."""
        if self.line.cut_out:
            return list(self.line.cells)
        return self.line.split(SPACE if max(self.reading.letters) > SOME_LETTERS else NARROW)


class LocalNumbers(BaseProvider):
    """Reads the numbers on a whole picture."""

    wants = InputSpec(encoding="rgb", preparation="numbers", enough=NUMBERS_SIDE)
    price: Price | None = FREE

    def __init__(self, name: str = "local", reader: SequenceReader | None = None) -> None:
        """Load the network.

        Args:
            name: the provider's name in answers.
            reader: the network that reads a number's strips; None: the one in the package.
        """
        self.name = name
        self._reader = reader or SequenceReader()

    def load(self) -> None:
        """Run the networks on a blank picture, because their first run is their slowest."""
        self._found(Page.of(Image.new("RGB", (128, 64), "white")))
        self._reader.look(np.full((HEIGHT, 96), 255, np.uint8))

    @np.errstate(under="ignore")  # chances may be too small for a float
    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Return a candidate for each number; ``timeout`` (seconds) has no effect."""
        found = self._found(Page.of(unhidden(image.picture()), image.digits))
        return Answer(tuple(map(_candidate, found)), model_version=self._reader.version)

    def _found(self, page: Page) -> list[Proposal]:
        """Return the proposals of a page that are reported."""
        lines = [(line, self._judged(page, line)) for line in page.lines]
        found = [one for _, judged_line in lines for one in judged_line]
        likely = [one for one in found if one.chance >= UNSURE]
        several = page.expected is not None and page.expected[0] >= 2
        if several or sum(len(one.digits) for one in likely) >= 2:
            again = [line for line, before in lines if _is_doubtful(line, before)][:MOST_AGAIN]
            found = [
                one for line, before in lines
                for one in (self._closer(page, line, before) if line in again else before)
            ]  # fmt: skip
        if not several and (alone := self.alone(page, likely)):
            found = _with_alone(found, judged(alone))
        return self._as_one(page, _reported(found))

    def _as_one(self, page: Page, found: list[Proposal]) -> list[Proposal]:
        """Read a cut-out's lines as one number, too; return that if it has other digits or is likelier.

        If it has other digits but is unlikely, the lines are doubtful.
        """
        whole = page.whole()
        if whole is None or _width(whole.lines[0].box) > sequence.WIDEST:
            return found
        one = self._best(whole, whole.lines[0], None)
        theirs = "".join(part.digits for part in sorted(found, key=lambda part: part.line.box))
        if one.digits == theirs and (len(found) != 1 or one.chance <= found[0].chance):
            return found
        if one.chance >= LEAST_EXPECTED:
            return [one]
        return [_doubted(part) for part in found]  # they may be parts of a number

    def _closer(self, page: Page, line: Line, before: list[Proposal]) -> list[Proposal]:
        """Read a line of a page again, as a cut-out.

        Args:
            page: the page.
            line: one of its lines.
            before: the proposals for the line.

        Returns:
            The new proposals if they are likely, else those from before. A rule beside the line looks like
            a one, so a single one does not count.
        """
        left, top, right, bottom = line.box
        x, y = CLOSER[0] * (bottom - top), CLOSER[1] * (bottom - top)
        part = Place(page.picture.size).box((left - x, top - y, right + x, bottom + y))
        around = Page.of(page.picture.crop(part), page.expected, part[:2])
        found = [one for inner in around.lines for one in self._judged(around, inner)]
        closer = [
            one for one in found
            if one.digits != "1" and covered(_on_page(one, one.line.box), line.box) > 0.5
        ]  # fmt: skip
        return closer if _mean(closer) >= UNSURE else before

    def _judged(self, page: Page, line: Line, whole: Proposal | None = None) -> list[Proposal]:
        """Return the proposals for a line, or for its parts if these are likelier."""
        if line.cells:
            return [self._boxed(page, line)]
        one = self._best(page, line, whole)
        if whole and len(one.digits) < np.count_nonzero(line.high):
            one = _doubted(one)  # a mark that cannot be read may be a digit of the number
        if line.cut_out:
            return self._apart(page, line, one)
        if one.chance >= UNSURE:
            return [one]
        if one.reading.sign > SIGN_INSIDE:
            return self._in_sum(page, line) or [one]
        sides = [self._judged(page, part, one) for part in one.parts()]
        if not sides or np.mean([_mean(side) for side in sides]) <= one.chance:
            return [one]
        return [part for side in sides for part in side]

    def _in_sum(self, page: Page, line: Line) -> list[Proposal]:
        """Return the likely numbers of a sum such as 54 + 6 = 60; none if there are fewer than two."""
        clear = [mark is not None and page.seen[mark].evidence >= CLEARLY for mark in line.marks]
        parts = line.at_signs(np.array(clear), SPACE)
        found = [one for part in parts if len(parts) > 1 for one in self._judged(page, part)]
        numbers = [
            one for one in found
            if one.chance >= UNSURE or all(mark.evidence >= CLEARLY for mark in one.seen)
        ]  # fmt: skip
        return numbers if sum(one.chance >= UNSURE for one in numbers) > 1 else []

    def _apart(self, page: Page, line: Line, one: Proposal) -> list[Proposal]:
        """Return the proposals for the numbers beside each other on a cut-out, or the one for its line."""
        apart = replace(page, lines=line.apart(GAP))
        parts = [self._best(apart, part, None) for part in apart.lines] if len(apart.lines) > 1 else []
        if not parts or not all(part.digits and part.chance >= _least(part) for part in parts):
            return [one]
        points = _signs([one])
        is_no_number = points > 1 or (line.is_bare and points > _signs(parts))  # no point stands in the gap
        return parts if _mean(parts) >= (UNSURE if is_no_number else one.chance) else [one]

    def _boxed(self, page: Page, line: Line) -> Proposal:
        """Return the proposal for a row of boxes, read as a whole or box by box; letters make it doubtful."""
        whole = self._in_marks(page, line, None)
        each = [self._in_marks(replace(page, expected=None), cell, whole) for cell in line.cells]
        joined = _in_boxes(whole, each)
        best = max(joined, whole, key=lambda one: one.chance)
        is_doubtful = None in line.marks
        if joined.digits == whole.digits:
            # The sides of boxes look like commas to the reader of the row, but a few may be real.
            signs = len(whole.reading.text) - len(joined.reading.text)
            are_sides = signs >= max(2, (len(line.cells) - 1) / 2)
            best = replace(joined if are_sides else whole, chance=best.chance)
            is_doubtful |= signs > 0 and not are_sides
        return _doubted(best) if is_doubtful else best

    def _in_marks(self, page: Page, line: Line, whole: Proposal | None) -> Proposal:
        """Return `_best`; a reading with more digits than marks is doubtful, because sides look like ones."""
        one = self._best(page.limited(line), line, whole)
        return one if len(one.digits) <= np.count_nonzero(line.high) else _doubted(one)

    def _best(self, page: Page, line: Line, whole: Proposal | None) -> Proposal:
        """Return the likeliest proposal for a line."""
        return max(map(judged, self.read_line(page, line, whole)), key=lambda one: one.chance)

    def read_line(self, page: Page, line: Line, whole: Proposal | None = None) -> list[Proposal]:
        """Read a line of a page.

        Args:
            page: the page.
            line: a line of the page, or a part of a line.
            whole: the result's `Proposal.whole`.

        Returns:
            The strip's reading; if it has a likely sign, also one without the brackets around it; and the
            digit network's reading of the line's marks, if it differs.
        """
        boxes = _views(page.picture, line.box, wide=line.cut_out and len(page.lines) == 1)
        looks = [self._reader.look(_strip(page.picture, box)) for box in boxes]
        readings = [_reading(looks, page.expected)]
        if readings[0].sign > 0.5:
            bare = _reading(list(map(sequence.without_signs, looks)), page.expected)
            if bare.text != readings[0].text:
                readings.append(bare)
        made = [Proposal(page, line, one, boxes[one.look], whole) for one in readings]
        rival = _of_marks(made[0])
        return made if rival is None or rival.digits in [one.digits for one in made] else [*made, rival]

    def alone(self, page: Page, likely: Sequence[Proposal]) -> Proposal | None:
        """Search for a single digit on a page, as `predict` does, and read it.

        Return a page's only mark with the reason if the search refuses it, or None if several marks, several
        digits or a digit with a sign are refused, or if the ``likely`` numbers on the page cannot be parts of
        one digit.
        """
        may_be_parts = len(likely) <= PARTS and all(len(one.digits) == 1 for one in likely)
        line = single(page.lines, page.picture) if page.lines and may_be_parts else None
        if line is None:
            return None
        one = self.read_line(replace(page, expected=None), line)[0]
        if line.reading is not None:
            return replace(one, reading=_answered(one.reading, line.reading))
        return one if len(one.reading.text) < 2 else None


def _with_alone(found: list[Proposal], alone: Proposal) -> list[Proposal]:
    """Add the proposal for a page's single digit.

    It replaces those inside it if it is likelier than all of them, or if the search refuses it. The search
    sees no minus, so that digit with a minus stays.
    """
    inside = [one for one in found if covered(one.line.box, alone.line.box) >= proposals.SAME]
    search = alone.line.findings
    is_refused = search is not None and search.reason is not None
    if [one.reading.text for one in inside] == [f"-{alone.digits}"]:
        return found
    if inside and not is_refused and alone.chance <= math.prod(one.chance for one in inside):
        return found
    return [*(one for one in found if one not in inside), alone]


def _reading(looks: Sequence[Floats], expected: Lengths | None) -> Reading:
    """Read strips of one number.

    The reading has the expected number of digits if its chance reaches `LEAST_EXPECTED`, else any number.
    """
    reading = sequence.read(looks)
    if expected is None or expected[0] <= len(digits_of(reading.text)) <= expected[1]:
        return reading
    fitting = sequence.read(looks, expected)
    return fitting if fitting.chance >= LEAST_EXPECTED else reading


def _of_marks(one: Proposal) -> Proposal | None:
    """Return a proposal with the digit network's clear reading of each mark; None if some are not clear.

    A lone one where the strip has no digit counts as unclear, because rules look like ones.
    """
    seen, expected = one.seen, one.page.expected
    is_expected = expected is None or expected[0] <= len(seen) <= expected[1]
    are_clear = len(seen) == np.count_nonzero(one.line.high) and all(mark.is_clear for mark in seen)
    text = "".join(str(mark.digit) for mark in seen)
    if not (seen and is_expected and are_clear) or (text == "1" and not one.digits):
        return None
    left, _, right, _ = one.view
    chances = tuple(float(mark.chances.max()) for mark in seen)
    starts = (one.line.boxes[one.line.high, 0] - left) / (right - left)
    own = replace(
        one.reading, text=text, chance=math.prod(chances), chances=chances,
        places=tuple(starts.tolist()), each=(0.0,) * len(one.reading.each), rival=one.reading.chance,
    )  # fmt: skip
    return replace(one, reading=own)


def _on_page(one: Proposal, box: Box) -> Box:
    """Return a box of a proposal's page in pixels of the whole picture."""
    x, y = one.page.corner
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def _is_doubtful(line: Line, found: Sequence[Proposal]) -> bool:
    """Return whether a line of a page may hold digits that were not read; 12:30 is no number."""
    has_sign = any(one.reading.sign > SIGN_INSIDE for one in found)
    return not (line.cut_out or has_sign) and line.chance >= DIGITS and _mean(found) < UNSURE


def _signs(found: Sequence[Proposal]) -> int:
    """Return how many characters of the readings are no digits."""
    return sum(len(one.reading.text) - len(one.digits) for one in found)


def _mean(found: Sequence[Proposal]) -> float:
    """Return the mean chance; 0 if there are no proposals."""
    return float(np.mean([one.chance for one in found] or [0.0]))


def _doubted(one: Proposal) -> Proposal:
    """Return a proposal that is at most as likely as the least likely number on a page."""
    return replace(one, chance=min(one.chance, LEAST))


def _in_boxes(whole: Proposal, cells: Sequence[Proposal]) -> Proposal:
    """Join the readings of a cut-out's boxes; the chance is that of them all."""
    left, _, right, _ = whole.view
    readings = [one.reading for one in cells]
    starts = [(one.line.box[0] - left) / (right - left) for one in cells for _ in one.reading.text]
    joined = replace(
        whole.reading, text="".join(one.text for one in readings),
        chance=math.prod(one.chance for one in readings), places=tuple(starts),
        chances=tuple(chance for one in readings for chance in one.chances),
    )  # fmt: skip
    return replace(whole, reading=joined, chance=math.prod(one.chance for one in cells))


def _reported(found: Sequence[Proposal]) -> list[Proposal]:
    """Return the proposals that are likely enough; one beside doubtful digits may be a part of a number."""
    if not found:
        return []
    is_doubtful = np.array([one.chance < UNSURE and one.line.chance >= DIGITS for one in found])
    lines_of = np.array([id(_of_line(one)) for one in found])
    near = beside(np.array([_on_page(one, one.line.box) for one in found]), GAP)
    is_part = ((near | (lines_of == lines_of[:, None])) & is_doubtful).any(axis=1)
    return [
        _doubted(one) if part and one.chance >= UNSURE else one
        for one, part in zip(found, is_part, strict=True) if one.chance >= _least(one)
    ]  # fmt: skip


def _of_line(one: Proposal) -> Proposal:
    """Return the proposal for the whole line, if this one is for a part."""
    return one if one.whole is None else _of_line(one.whole)


def _least(one: Proposal) -> float:
    """Return the minimum chance at which a proposal is reported."""
    search = one.line.findings
    if search and search.reason == UNCLEAR:
        return 1
    is_alone = len(one.line.marks) == len(one.page.lines) == 1
    is_expected = one.line.cut_out and not (search or is_alone)
    return LEAST_EXPECTED if is_expected else LEAST


def _answered(reading: Reading, one: proposals.Reading) -> Reading:
    """Return the reading; if it differs, with the digit network's answer, which is surer for one digit."""
    text, chance = str(one.digit), float(one.chances.max())
    if digits_of(reading.text) == text:
        return reading
    each = (0.0,) * len(reading.each)
    return replace(reading, text=text, chance=chance, each=each, places=(0.0,), chances=(chance,))


def _views(picture: Image.Image, box: Box, *, wide: bool) -> list[Box]:
    """Return the parts of a picture that the network reads for one number.

    Args:
        picture: the picture.
        box: the box around the number's marks.
        wide: the picture was cut out around this number. The box may lack marks of the number or contain
            others, so the picture's whole width and nearly the whole picture are read as well.
    """
    left, top, right, bottom = box
    margin = MARGIN * (bottom - top)
    around = left - margin, top - margin, right + margin, bottom + margin
    if not wide:
        return [around]
    width, height = picture.size
    edge = min(EDGE * height, (width - 1) / 2)  # of a tall and narrow picture a pixel remains
    return [
        around,
        (0, max(0, around[1]), width, min(height, around[3])),
        (edge, edge, width - edge, height - edge),
    ]


def _width(box: Box) -> float:
    """Return the width of a box's strip as the network learned it, in pixels."""
    return (box[2] - box[0]) * HEIGHT / (box[3] - box[1]) * STRETCH


def _strip(picture: Image.Image, box: Box) -> Pixels:
    return strip(picture, box, (min(sequence.WIDEST, max(8, round(_width(box)))), HEIGHT))


def _candidate(one: Proposal) -> Candidate:
    """Return a proposal with its box, and with the chance and the box of each character."""
    one = _with_hyphens(one)
    boxes = [_on_page(one, box) for box in _boxes(one)]
    signs = tuple(Sign(*pair) for pair in zip(one.reading.chances, boxes, strict=True))
    return Candidate(one.reading.text, one.reading.chance, _on_page(one, one.line.box), signs, one.chance)


def _with_hyphens(one: Proposal) -> Proposal:
    """Write the hyphens that the reader left out: 555-1234 is not one number."""
    digits = [at for at, sign in enumerate(one.reading.text) if sign.isdigit()]
    if not one.line.hyphens or len(digits) != np.count_nonzero(one.line.high):
        return one
    left, _, right, _ = one.view
    signs = list(zip(one.reading.text, one.reading.chances, one.reading.places, strict=True))
    for before, start in reversed(one.line.hyphens):
        if signs[digits[before] - 1][0].isdigit():  # else the reader took it for a minus or a point
            signs.insert(digits[before], ("-", 1.0, (start - left) / (right - left)))
    text, chances, places = map(tuple, zip(*signs, strict=True))
    return replace(one, reading=replace(one.reading, text="".join(text), chances=chances, places=places))


def _boxes(one: Proposal) -> list[Box]:
    """Return the box of each character, which ends where the next one begins.

    Digits have their marks' boxes instead if there are as many marks.
    """
    start, top, end, bottom = one.line.box
    if len(one.reading.text) == 1:
        return [one.line.box]
    left, _, right, _ = one.view
    edges = [left + place * (right - left) for place in (*one.reading.places, 1.0)]
    inside = [min(max(edge, start), end) for edge in edges]
    if any(last <= first for first, last in pairwise(inside)):  # the reader's places end before the line does
        inside = np.linspace(start, end, len(edges)).tolist()
    boxes: list[Box] = [(first, top, last, bottom) for first, last in pairwise(inside)]
    marks = one.line.boxes[one.line.high].tolist()
    if len(marks) == len(one.digits):
        digits = [at for at, sign in enumerate(one.reading.text) if sign.isdigit()]
        for at, (x, y, end_x, end_y) in zip(digits, marks, strict=True):
            boxes[at] = x, y, end_x, end_y
    return boxes


def features(one: Proposal) -> list[float]:
    """Return the features of a proposal, in the order that the trained weights expect.

    Args:
        one: a proposal with at least one digit.
    """
    line, reading, digits = one.line, one.reading, one.digits
    count = len(digits)
    left, top, right, bottom = line.box
    width, height = one.page.picture.size
    lines_here, typical = len(one.page.lines), one.page.typical or bottom - top
    marks = [mark for mark in line.marks if mark is not None]
    likely = [mark.chance for mark in marks]
    seen = one.seen
    clear = np.array([mark.evidence for mark in seen] or [0.0], np.float32)
    as_many = len(seen) == count
    same = [int(digit) == mark.digit for digit, mark in zip(digits, seen, strict=False)]
    own = [np.log(mark.chances[int(digit)] + 1e-3) for digit, mark in zip(digits, seen, strict=False)]
    is_single = count == 1 and as_many and all(same) and seen[0].is_clear
    search, refused = line.findings, line.findings and line.findings.reason
    return [
        reading.chance, np.log(1.001 - reading.chance), min(reading.each), reading.each[-1], reading.rival,
        max(reading.letters), min(reading.letters), reading.letters[-1],
        min(reading.chances), float(np.mean(reading.chances)), len(reading.text) > count,
        *(count == length for length in (1, 2, 3, 4)), count / 8,
        digits.count("1") / count, digits.count("0") / count,
        *(digits == str(digit) for digit in range(10)),
        line.chance, min(likely, default=0.0), max((mark.missing for mark in marks), default=0.0),
        np.log(max(len(marks), 0.5) / count), 1 - len(marks) / len(line.marks),
        np.log((bottom - top) / HEIGHT), np.log((right - left) / (bottom - top) / count),
        np.log((bottom - top) / typical), (bottom - top) / height, (right - left) / width,
        line.cut_out, lines_here == 1, np.log(lines_here), np.log1p(one.page.words),
        one.page.words / (one.page.words + lines_here),
        float(clear.min()), float(clear.mean()), as_many, as_many and float(np.mean(same)),
        as_many and float(min(own)), as_many and float(sum(own)),
        is_single, is_single and float(seen[0].chances.max()),
        search is not None, search.trust if search and not refused else 0.0, refused == SEVERAL,
        line.widest, *_of_whole(one.whole),
        max((mark.attached for mark in marks), default=0.0),
        max(map(_outline, marks), default=0.0),
        reading.sign**4, reading.beside**4,  # half of the pictures that taught the network have signs
    ]  # fmt: skip


def _outline(mark: Mark) -> float:
    """Return the share of a mark's pixels at the edges of its box, 0..1: much of a frame's corner."""
    height, width = mark.mask.shape
    edge = max(1.5, OUTLINE * height)
    y, x = np.nonzero(mark.mask)
    inside = (x >= edge) & (x < width - edge) & (y >= edge) & (y < height - edge)
    return float(1 - inside.mean())


def _of_whole(one: Proposal | None) -> tuple[float, ...]:
    """Return the features of the line that a proposal is a part of; zeros for a whole line."""
    return (1, max(one.reading.letters), one.line.widest, one.reading.chance) if one else (0,) * 4


def judged(one: Proposal) -> Proposal:
    """Return a proposal with the chance that it is right; without digits it has none."""
    chance = float(chances(np.array([features(one)]), WEIGHTS)[0]) if one.digits else 0.0
    return replace(one, chance=chance)
