"""Turn a provider's answer into numbers with rows and columns; no other code decides what is a number.

The words of every engine go through the same steps; docs/read.md has the rules with examples.

1. Words are split at spaces. Digits of any script, dashes and marks become ASCII; signs around a number ($,
   %, brackets, a full stop) are removed.
2. Neighbours on one line are joined where their boxes nearly touch: a minus, a split decimal, thousands with
   a narrow space. If the caller expects a number of digits, wider gaps are closed to reach it.
3. A word with letters is not a number, and a word without digits never is. With ``lenient``, letters that
   resemble digits count as digits beside a digit, and a single letter O is a zero.
4. A word that is one decimal number has a value; other words have the reason `NOT_ONE`. A number that its
   provider itself considers more likely wrong than right has no value either.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from digitrec.answer import NOT_SURE, Answer, Candidate, Number, NumberDigit, Sign
from digitrec.image import Box, Place
from digitrec.image.boxes import holds
from digitrec.recognise.normalise import LOOK_ALIKES

Range = tuple[int, int] | None
"""Minimum and maximum number of digits of a number; None: any."""
Fields = Collection[tuple[str, Box]]
"""Names of the fields of a form with their places, as shares of the picture's sides."""
NOT_ONE = "not one number"
"""The reason of a date, a time, a telephone number or a sum: digits and marks, but not one decimal."""
OTHER_LENGTH = "another number of digits"
"""The reason of a number with more or fewer digits than the caller expects."""

TOUCHING = 0.3
"""Maximum gap between the parts of one number, as a share of their height."""
NARROW_SPACE = 0.45
"""Maximum gap between groups of thousands, as a share of their height; two numbers are further apart."""
UNBROKEN = 0.2
"""Maximum gap between the parts of a number in two fields, as a share of their height."""
AFTER_MINUS = 0.8
"""Maximum gap after a minus, as a share of the height of its number."""
BOXED = 1.5
"""Maximum gap between digits in the boxes of a form, as a share of their height; such digits are joined if
the caller expects a number of digits."""
EVEN = 1.25
"""Maximum step between the digits in the boxes of a field, as a multiple of the median step."""

SAME_LINE = 0.5
"""Maximum vertical step between neighbouring boxes on a line, as a share of the taller box's height."""
CLOSE, FAR = 10.0, 1e9
"""Maximum distances of two boxes that show the slope of the lines, as multiples of their height: at first,
and if no box is so close."""
STEEPEST = 0.3
"""Maximum slope of a line."""
LEVEL = 8.0
"""Weight of a vertical step against a horizontal one in the choice of a box's neighbour."""
SAMPLE = 300
"""Approximate number of boxes used for the slope of a page's lines."""
MARKS = {
    **dict.fromkeys("\u2019\u2018`\u00b4\u02bc\uff07", "'"),
    **dict.fromkeys("\uff0c\u066c\u201a\u3001", ","),
    **dict.fromkeys("\uff0e\u066b\u00b7\u2219", "."),
    "\u2212": "-",
}
"""Characters that engines return for an apostrophe, a comma, a point or a minus, besides Unicode's dashes."""
PART = re.compile(r"[-.,'\d]+")
"""A word that may be part of a number."""
CORE = re.compile(r"(?:[-.,]|[^\W_]).*(?:-|[^\W_])|-|[^\W_]")
"""A word without the signs around it."""
DECIMAL = re.compile(
    r"""(?P<sign>-?)(?:
        (?P<groups>\d{1,3}(?P<mark>[.,'])\d{3}(?:(?P=mark)\d{3})*)(?:
            (?!(?P=mark))[.,](?P<cents>\d+) | (?=[.,])(?P=mark)(?P<two>\d\d))?
        | (?P<whole>\d*)[.,](?P<part>\d+)
        | (?P<integer>\d+)
    )(?:(?P<end>[.,])-)?""",
    re.VERBOSE | re.ASCII,
)
"""A number with or without thousands marks and a decimal mark; a mark and a dash mean no cents."""
_INFERRED = {char: str(digit) for char, digit in LOOK_ALIKES.items() if char.isalpha()}
THOUSANDS, GROUP = re.compile(r"-?[1-9]\d{0,2}(?:\d{3})*"), re.compile(r"\d{3}(?:[.,]\d+)?")
"""The parts before and after the space in "1 234.50"."""
SPACED = re.compile(
    r"[^\w.,'-]*(?:-\s*(?:[$\u00a2-\u00a5\u20a0-\u20c0]\s*)?)?"
    r"(?:\d+|[1-9]\d{0,2}(?:\s\d{3})+)(?:[.,]\d+)?[^\w-]*"
)
"""A number with signs around it that may have spaces after its minus and between groups of thousands."""
GROUPED = re.compile(r"(?<![\w.,'-])(?<!\d\s)[1-9]\d{0,2}(?:\s\d{3})+(?!\s?\d)")
"""Groups of thousands between words, without other digits beside them."""


@dataclass(frozen=True, slots=True)
class _Word(Candidate):
    """Characters without spaces, from an engine's word or joined from several; ASCII in a number."""

    inferred: bool = False
    is_across: bool = False
    """Whether it is, or is a part of, a word with digits in several fields, or in one and outside of it."""

    @property
    def digits(self) -> int:
        return sum(map(str.isdecimal, self.text))

    @property
    def height(self) -> float:
        return 0.0 if self.box is None else self.box[3] - self.box[1]

    @property
    def is_sideways(self) -> bool:
        """Whether the box is too high for its characters to stand beside each other, as on a turned page."""
        width = 0.0 if self.box is None else self.box[2] - self.box[0]
        return len(self.text) > 2 and self.height > len(self.text) / 2 * width

    def part(self, first: int, last: int) -> _Word:
        return replace(self, text=self.text[first:last], signs=self.signs[first:last])

    def cut(self, first: int, last: int) -> _Word:
        """Return a part with its own box and score, or the whole word unchanged.

        Characters without boxes share the width evenly. If all characters have scores, the part gets the
        score of its least certain character.
        """
        if last - first == len(self.text):
            return self
        part = self.part(first, last)
        box = union([sign.box for sign in part.signs])
        if box is None and self.box is not None:
            step = (self.box[2] - self.box[0]) / len(self.text)
            box = self.box[0] + first * step, self.box[1], self.box[0] + last * step, self.box[3]
        return replace(part, box=box, score=self.score_of(range(first, last)))


def numbers_in(
    answer: Answer,
    place: Place,
    *,
    lenient: bool = False,
    expected: Range = None,
    fields: Fields = (),
) -> list[Number]:
    """Return the numbers in an answer, without rows and columns.

    Args:
        answer: words with boxes in pixels of the image that was sent.
        place: where those pixels lie on the user's picture.
        lenient: accept letters that resemble digits.
        expected: minimum and maximum number of digits of each number; None: any.
        fields: no number is joined across the edge of one, and one that goes on in another or outside of all
            is not sure.
    """
    parts: dict[str | None, list[_Word]] = {}
    for candidate in answer.candidates:
        for word in _words(candidate):
            for field, part in _by_field(_core(word, lenient), place, fields):
                parts.setdefault(field, []).append(part)
    found = []
    for field, words in parts.items():
        others = [one for one in parts.items() if field not in (None, one[0])]
        for word in _joined(words, expected):
            if word.digits and not any(map(str.isalpha, word.text)):
                number = replace(_number(word, place, expected), field=field)
                is_cut = word.is_across or any(
                    _goes_on(word, it, other) for other, its in others for it in its
                )
                found.append(number.unless(NOT_SURE) if is_cut and number.reason is None else number)
    return found


def _by_field(word: _Word, place: Place, fields: Fields) -> Iterator[tuple[str | None, _Word]]:
    """Yield the parts of a word and their fields; only a digit in another field starts a part."""
    digits = [at for at, char in enumerate(word.text) if char.isdecimal()] if fields else []
    held = [_field(word.cut(at, at + 1).box, place, fields) for at in digits]
    inside = [(at, field) for at, field in zip(digits, held, strict=True) if field is not None]
    if not inside or any(map(str.isalpha, word.text)):
        yield _field(word.box, place, fields), word
        return
    word = replace(word, is_across=len({*held}) > 1)
    starts = [(at, field) for (_, before), (at, field) in pairwise(inside) if field != before]
    for (start, field), (end, _) in pairwise([(0, inside[0][1]), *starts, (len(word.text), "")]):
        yield field, word.cut(start, end)


def _goes_on(number: _Word, word: _Word, field: str | None) -> bool:
    """Return whether a field's number goes on in a word of another field, or outside of all.

    An engine may part them, as a printed line between them misleads it.
    """
    if number.box is None or word.box is None or not (word.digits or word.text == "-"):
        return False
    first, last = sorted((number, word), key=lambda one: one.box or ())
    belong = _belong([first], last) if field is None else _is_near(first, last, UNBROKEN)
    return belong and len(_chained([number.box, word.box], 0.0)) == 1


def _field(box: Box | None, place: Place, fields: Fields) -> str | None:
    """Return the name of the field that holds a box of the image that was sent; None: no field."""
    if box is None:
        return None
    width, height = place.size
    left, top, right, bottom = place.box(box)
    shares = left / width, top / height, right / width, bottom / height
    return next((name for name, field in fields if holds(field, shares)), None)


def value_of(text: str) -> Decimal | None:
    """Return the value of a number written in ASCII; None if the text is not one decimal number.

    A mark before groups of three digits separates thousands. A single point is a decimal point, and so is a
    single comma after a zero: "1,234" is 1234, "1.234" is 1.234, "0,125" is 0.125, and "1.234,5" is 1234.5.
    A mark and a dash instead of cents are a decimal mark: "1.234,-" is 1234. So is a mark before two digits
    if it is the same as the one for thousands, as engines often read it: "1.234.50" is 1234.5.
    """
    found = DECIMAL.fullmatch(text)
    if found is None:
        return None
    sign, groups, mark, cents = found["sign"], found["groups"], found["mark"], found["cents"] or found["two"]
    whole, part = found["whole"] or found["integer"] or "0", found["part"]
    if groups is not None:
        is_decimal = mark != "'" and groups.count(mark) == 1 and (mark == "." or groups[0] == "0")
        if is_decimal and cents is None and found["end"] is None:
            whole, part = groups.split(mark)
        else:
            whole, part = groups.replace(mark, ""), cents
    return Decimal(f"{sign}{whole}.{part}" if part else f"{sign}{whole}")


def closed(text: str) -> str:
    """Return a text with ASCII digits and marks, and without the spaces in its numbers ("- 1 234")."""
    plain = "".join(map(_ascii, text.strip()))
    numbers = SPACED if SPACED.fullmatch(plain) else GROUPED
    return numbers.sub(lambda number: "".join(number[0].split()), plain)


def _words(candidate: Candidate) -> Iterator[_Word]:
    """Split a candidate at its spaces.

    Without boxes no gap shows what belongs together, so the spaces inside one number do not split it.
    """
    text = candidate.text
    if candidate.box is None and not candidate.signs:
        text = closed(text)
    signs, ascii_text = candidate.signs or (Sign(),) * len(text), "".join(map(_ascii, text))
    whole = _Word(ascii_text, candidate.score, candidate.box, signs, candidate.chance)
    for found in re.finditer(r"\S+", text):
        yield whole.cut(*found.span())


def _ascii(char: str) -> str:
    raised = unicodedata.decomposition(char).startswith("<su")  # as in 10², which is not 102
    if not raised and (digit := unicodedata.digit(char, None)) is not None:
        return str(digit)
    return "-" if unicodedata.category(char) == "Pd" else MARKS.get(char, char)


def _core(word: _Word, lenient: bool) -> _Word:
    """Turn look-alike letters into digits if requested, and remove signs around a number."""
    if lenient and (word.digits or word.text in ("O", "o")):
        text = "".join(_INFERRED.get(char, char) for char in word.text)
        word = replace(word, text=text, inferred=text != word.text)
    if word.text[:1] == "-" and unicodedata.category(word.text[1:2] or " ") == "Sc":  # "-$7.50"
        word = replace(word, text="-" + word.text[2:], signs=word.signs[:1] + word.signs[2:])
    core = CORE.search(word.text)
    if core is None or PART.fullmatch(word.text):  # a mark may belong to the digits of the next word
        return word
    part = word.part(*core.span())
    return replace(part, box=union([sign.box for sign in part.signs]) or word.box)


def union(boxes: Sequence[Box | None]) -> Box | None:
    """Return the box around all boxes; None if one of the boxes is unknown."""
    known = [box for box in boxes if box is not None]
    if not known or len(known) < len(boxes):
        return None
    lefts, tops, rights, bottoms = zip(*known, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _joined(words: Sequence[_Word], expected: Range) -> list[_Word]:
    """Join the parts of numbers: words beside each other on one line."""
    placed = [word for word in words if word.box is not None]
    found = [word for word in words if word.box is None]
    for line in lines([word.box for word in placed if word.box is not None]):
        parts: list[_Word] = []
        for word in (placed[at] for at in line):
            if parts and _is_currency_after_minus(parts[-1], word):
                parts[-1] = replace(parts[-1], box=union((parts[-1].box, word.box)))
            elif parts and not _ends(parts[-1], word) and _belong(parts, word):
                parts[-1] = _together(parts[-1], word)
            else:
                parts.append(word)
        found += parts if expected is None else _filled(parts, *expected)
    return found


def _ends(last: _Word, word: _Word) -> bool:
    """Return whether an engine that judges whole numbers parts two words."""
    return last.chance is not None and last.text[-1].isdecimal() and word.text[0].isdecimal()


def _belong(before: Sequence[_Word], word: _Word) -> bool:
    """Return whether a word continues the number that ends just before it."""
    last = before[-1]
    if last.text == "-" and word.digits and word.text[0] != "-":
        is_after = len(before) > 1 and any(map(str.isalnum, before[-2].text))
        is_between = is_after and _gap(before[-2], last) < 2 * _gap(last, word)  # two words
        return not is_between and _is_near(last, word, AFTER_MINUS)
    are_groups = THOUSANDS.fullmatch(last.text) and GROUP.fullmatch(word.text)
    return _is_near(last, word, NARROW_SPACE if are_groups else TOUCHING)


def _is_currency_after_minus(last: _Word, word: _Word) -> bool:
    is_pair = last.text == "-" and unicodedata.category(word.text[0]) == "Sc" and len(word.text) == 1
    return is_pair and _gap(last, word) < AFTER_MINUS * word.height


def _filled(parts: Sequence[_Word], least: int, most: int) -> list[_Word]:
    """Join neighbours with fewer digits than expected if they have the expected number together.

    A row of neighbours is divided at its wider steps, or not at all, or as soon as there are enough digits,
    whichever gives only numbers of that length first. If none does, its wider steps divide it.
    """

    def fits(run: Sequence[_Word]) -> bool:
        return least <= _digits(run) <= most

    found: list[_Word] = []
    for row in _runs(parts, lambda run, part: _are_boxed(run[-1], part, least)):
        rest = _runs(row, lambda run, part: _digits(run) < least and _digits([*run, part]) <= most)
        even = _evenly(row)
        for run in next((runs for runs in (even, [row], rest) if all(map(fits, runs))), even):
            found += [reduce(_together, run)] if fits(run) else run
    return found


def _evenly(row: Sequence[_Word]) -> list[list[_Word]]:
    """Divide a row of digits in boxes where a step is wider than the others: there a number ends."""
    ends = _wider_steps([word.box for word in row if word.box is not None])
    return [[*row[start:end]] for start, end in pairwise([0, *ends, len(row)])]


def _wider_steps(boxes: Sequence[Box]) -> list[int]:
    """Return the positions of the boxes before which the step between middles is wider than the others."""
    steps = [after[0] + after[2] - before[0] - before[2] for before, after in pairwise(boxes)]
    usual = median(steps or [0])
    return [at + 1 for at, step in enumerate(steps) if step > EVEN * usual]


def _runs(parts: Sequence[_Word], belongs: Callable[[list[_Word], _Word], bool]) -> list[list[_Word]]:
    """Divide parts where one does not belong to those before it."""
    runs: list[list[_Word]] = []
    for part in parts:
        if runs and belongs(runs[-1], part):
            runs[-1].append(part)
        else:
            runs.append([part])
    return runs


def _digits(run: Sequence[_Word]) -> int:
    return sum(word.digits for word in run)


def _are_boxed(last: _Word, word: _Word, least: int) -> bool:
    return max(last.digits, word.digits) < least and _is_near(last, word, BOXED)


def of_boxes(numbers: Sequence[Number], size: tuple[int, int]) -> Number | None:
    """Join the digits that stand each in a box of a form.

    Args:
        numbers: two numbers or more on a picture, each with a box.
        size: the picture's width and height.

    Returns:
        One number, or None if the numbers are not an even row of single digits, or have another length than
        the caller expects. Where a step is wider, a printed point may divide the boxes.
    """
    words = [
        _Word(
            one.text, one.confidence, one.box,
            tuple(Sign(digit.confidence, digit.box) for digit in one.digits), one.calibrated, one.inferred,
        )
        for one in numbers
    ]  # fmt: skip
    joined = _joined(words, (len(numbers), len(numbers)))
    is_one = len(joined) == 1 and joined[0].digits == len(joined[0].text) == len(numbers)
    as_expected = all(one.reason != OTHER_LENGTH for one in numbers)
    boxes = sorted((one.box for one in numbers if one.box), key=lambda box: box[0] + box[2])
    is_even = not _wider_steps(boxes)
    return _number(joined[0], Place(size), None) if is_one and is_even and as_expected else None


def _is_near(last: _Word, word: _Word, gap: float) -> bool:
    """Return whether two parts of numbers have less than this gap, a share of the larger one's height."""
    are_parts = all(PART.fullmatch(one.text) and not one.is_sideways for one in (last, word))
    return are_parts and _gap(last, word) < gap * max(last.height, word.height)


def _gap(left: _Word, right: _Word) -> float:
    assert left.box is not None and right.box is not None
    return right.box[0] - left.box[2]


def _together(left: _Word, right: _Word) -> _Word:
    score = None if left.score is None or right.score is None else min(left.score, right.score)
    chance = None if left.chance is None or right.chance is None else left.chance * right.chance
    box, inferred = union((left.box, right.box)), left.inferred or right.inferred
    text, is_across = left.text + right.text, left.is_across or right.is_across
    return _Word(text, score, box, left.signs + right.signs, chance, inferred, is_across)


def _number(word: _Word, place: Place, expected: Range) -> Number:
    first = len(word.text) - len(word.text.lstrip("'"))
    word = word.part(first, len(word.text.rstrip(".,'")))  # without a full stop
    if value_of(word.text) is None and word.text[0] in ".," and value_of(word.text[1:]) is not None:
        word = word.part(1, len(word.text))  # the point of "Fr. 9.95"
    value, reason = value_of(word.text), None
    if value is None:
        reason = NOT_ONE
    elif expected is not None and not expected[0] <= word.digits <= expected[1]:
        value, reason = None, OTHER_LENGTH
    elif word.chance is not None and word.chance < 0.5:
        value, reason = None, NOT_SURE
    digits = tuple(
        NumberDigit(int(char), sign.score, sign.box and place.box(sign.box))
        for char, sign in zip(word.text, word.signs, strict=True) if char.isdecimal()
    )  # fmt: skip
    box = word.box and place.box(word.box)
    return Number(
        word.text, value, digits, box, word.score, word.chance, reason=reason, inferred=word.inferred
    )


def arranged(numbers: Sequence[Number]) -> tuple[Number, ...]:
    """Return the numbers in reading order with their rows, and with columns if they line up.

    Numbers without a box keep their order and come last.
    """
    placed = [(number, number.box) for number in numbers if number.box is not None]
    rows = lines([box for _, box in placed])
    columns = _columns([[placed[at][1] for at in row] for row in rows])
    found = [
        replace(placed[at][0], row=line, column=None if columns is None else columns[line][place])
        for line, row in enumerate(rows) for place, at in enumerate(row)
    ]  # fmt: skip
    return (*found, *(number for number in numbers if number.box is None))


def lines(boxes: Sequence[Box]) -> list[list[int]]:
    """Return the boxes' positions in ``boxes``, line by line, each line from left to right."""
    steep = _slope(boxes)
    found, level = _chained(boxes, steep), _chained(boxes, 0.0)
    if len(level) < len(found):  # boxes of different heights look like a slope
        steep, found = 0.0, level
    return sorted(found, key=lambda line: sum(_middle(boxes[at], steep) for at in line) / len(line))


def _chained(boxes: Sequence[Box], slope: float) -> list[list[int]]:
    """Append each box, from left to right, to the line that it continues best."""
    found: list[list[int]] = []
    for at in sorted(range(len(boxes)), key=lambda at: boxes[at][0]):
        steps = [
            abs(_middle(boxes[at], slope) - _middle(boxes[line[-1]], slope))
            / max(_height(boxes[at]), _height(boxes[line[-1]]), 1e-6)
            for line in found
        ]
        best = min(range(len(found)), key=steps.__getitem__, default=None)
        if best is None or steps[best] > SAME_LINE:
            found.append([at])
        else:
            found[best].append(at)
    return found


def _columns(rows: Sequence[Sequence[Box]]) -> list[list[int]] | None:
    """Return the column of each box in each row; None if the rows do not line up."""
    columns: dict[int, list[Box]] = {}
    found: list[list[int]] = []
    for row in rows:
        places = [
            (left, (left + right) / 2, right, (right - left + bottom - top) / 2)
            for left, top, right, bottom in row
        ]
        below = _below([*columns.values()], places)
        for at, place in enumerate(places):
            columns.setdefault(below.setdefault(at, len(columns)), []).append(place)
        found.append([below[at] for at in range(len(row))])
    if len(columns) > max(*map(len, rows), sum(map(len, rows)) / 2, 0):  # few boxes stand below another box
        return None
    usual = np.array([np.median(places, axis=0) for places in columns.values()]).reshape(-1, 4)
    order = usual[:, 1].argsort(kind="stable")
    left, middle, right, _ = usual[order].T
    is_apart = (right[:-1] <= middle[1:]) & (middle[:-1] <= left[1:])
    ranks = order.argsort().tolist()
    ranked = [[ranks[column] for column in row] for row in found]
    return ranked if is_apart.all() and all(row == sorted(row) for row in ranked) else None


def _below(columns: Sequence[Sequence[Box]], row: Sequence[Box]) -> dict[int, int]:
    """Return which box of a row stands in which column; well aligned boxes of full columns come first.

    Args:
        columns: left, middle, right and reach of each column's boxes; the middle of the box below is at most
            the longer reach away.
        row: the same of the row's boxes.
    """
    last, new = np.array([boxes[-1] for boxes in columns]).reshape(1, -1, 4), np.array(row).reshape(-1, 1, 4)
    steps = np.abs(last - new)[..., :3]
    is_near = steps[..., 1] <= np.maximum(last, new)[..., 3]
    away = steps.min(axis=-1) + new[..., 3] / [len(boxes) for boxes in columns]
    away[~is_near] = np.inf
    found: dict[int, int] = {}
    while np.isfinite(away).any():
        at, column = divmod(int(away.argmin()), len(columns))
        found[at] = column
        away[at], away[:, column] = np.inf, np.inf
    return found


def _slope(boxes: Sequence[Box]) -> float:
    """Return how many pixels the lines fall per pixel to the right, from pairs of neighbours."""
    sides = np.array(boxes, float).reshape(-1, 4)
    found = _slopes(sides, CLOSE) or _slopes(sides, FAR)  # in a wide list, no box is close
    return float(np.median(found)) if found else 0.0


def _slopes(sides: NDArray[np.float64], most: float) -> list[float]:
    """Return the slopes of pairs of neighbours, (N, 4), at most so many heights apart."""
    x, y, height = (sides[:, 0] + sides[:, 2]) / 2, (sides[:, 1] + sides[:, 3]) / 2, sides[:, 3] - sides[:, 1]
    found = []
    for at in range(0, len(sides), 1 + len(sides) // SAMPLE):
        across, down = x - x[at], y - y[at]
        beside = (across > 0) & (across < most * height[at]) & (np.abs(down) < STEEPEST * across)
        beside &= np.abs(down) < height[at]  # in a wide table, a box of the next row may be no steeper
        if beside.any():
            nearest = np.flatnonzero(beside)[np.argmin((across + LEVEL * np.abs(down))[beside])]
            found.append(float(down[nearest] / across[nearest]))
    return found


def _middle(box: Box, slope: float) -> float:
    """Return the vertical position of a box's middle, projected to the left end of its line."""
    return (box[1] + box[3] - slope * (box[0] + box[2])) / 2


def _height(box: Box) -> float:
    return box[3] - box[1]
