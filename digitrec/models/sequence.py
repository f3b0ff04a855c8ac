"""Read a number from a grey strip: a network reads each column, and a beam search joins the columns.

The network is trained by `digitrec.lab.reading` with connectionist temporal classification (CTC): A. Graves
and others, ICML 2006.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from digitrec.image.pixels import Pixels
from digitrec.models.network import FOLDER, Floats, runner, softmax

Lengths = tuple[int, int]
"""Minimum and maximum number of digits of a number."""

SHIPPED = FOLDER / "digitrec-reader.tflite"
"""The network that the package contains."""
ALPHABET = "0123456789.,-"
"""Characters that the network distinguishes."""
OTHER, BLANK = len(ALPHABET), len(ALPHABET) + 1
"""The classes after the characters: a letter, another sign or a scrawl; and CTC's blank."""
SIGN_ALONE = 0.97
"""Minimum chance of a sign on one side of a number only, as in "$12": such a sign may be a straight "1"."""
SECOND = 0.8
"""Weight of the second output where the first sees another sign."""
HEIGHT = 32
"""Height of a strip, px."""
COLUMN = 4
"""Width of a column, px."""
STEP = 32
"""The width of the network's strips is a multiple of this, px."""
WIDEST = 512
"""Maximum width of a strip, px."""
BEAM = 8
"""Number of texts that the search keeps after each column."""
UNLIKELY = 1e-3
"""The search ignores characters with a lower chance in a column."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The likeliest text of a strip, or of several strips that show the same number."""

    text: str
    """Characters of `ALPHABET`; empty if the network reads nothing."""
    chance: float
    """Chance of the text's digits, 0..1: the sum over all paths and over all signs between the digits."""
    places: tuple[float, ...]
    """Where each character begins, as a share of the strip's width, 0..1."""
    chances: tuple[float, ...]
    """Highest chance of each character in any column, 0..1."""
    look: int = 0
    """Index of the strip that this text comes from."""
    each: tuple[float, ...] = ()
    """Chance of the text's digits in each strip, 0..1."""
    rival: float = 0.0
    """Chance of the second likeliest sequence of digits, 0..1."""
    letters: tuple[float, ...] = (0.0,)
    """Share of letters and scrawls among the characters of each strip, 0..1."""
    sign: float = 0.0
    """Highest chance of a sign from the first to the last character, 0..1: "12:30" or "3/4"."""
    beside: float = 0.0
    """Highest chance of a sign before or after them, 0..1: "(12)"."""


class SequenceReader:
    """A network in a LiteRT file; several threads may use it at once."""

    def __init__(self, path: Path = SHIPPED) -> None:
        content = path.read_bytes()
        self.version = f"{path.stem}-{hashlib.sha256(content).hexdigest()[:12]}"
        """The file's name and the first 12 hex digits of its SHA-256."""
        # One runner for each width, because a change of width takes longer than a run.
        self._runners = cache(lambda _: runner(content))

    def look(self, strip: Pixels) -> Floats:
        """Return the chance of each class in each column by both outputs, (2, W / COLUMN, 15).

        The second also sees brackets, colons and slashes, which the first takes for digits or points. The
        first reads more digits.

        Args:
            strip: (HEIGHT, W) uint8.

        Raises:
            ValueError: the strip has another height, or is wider than `WIDEST`.
        """
        height, width = strip.shape
        if height != HEIGHT or not 0 < width <= WIDEST:
            raise ValueError(f"a strip is {HEIGHT} pixels high and up to {WIDEST} wide, got {strip.shape}")
        wide = -(-width // STEP) * STEP
        picture = np.full((1, HEIGHT, wide, 1), strip.mean(), np.float32)
        picture[0, :, :width, 0] = strip
        both = self._runners(wide).run(picture)
        return np.array([softmax(one[0, : -(-width // COLUMN)]) for one in both])


def read(looks: Sequence[Floats], lengths: Lengths | None = None) -> Reading:
    """Read one number from the network's output for one strip or more; chances are averaged over the strips.

    Args:
        looks: the outputs, each (2, T, 15), as returned by `SequenceReader.look`.
        lengths: minimum and maximum number of digits; None: any number.
    """
    found = [
        replace(one, look=at)
        for at, outputs in enumerate(looks)
        for one in search(_alone(_joined(outputs)), lengths).values()
    ]
    chances: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(looks))
    for one in found:
        chances[digits_of(one.text)][one.look] += one.chance
    order = sorted(chances, key=lambda digits: -sum(chances[digits]))
    if not order:
        return Reading("", 0.0, (), (), letters=tuple(map(_letters_in, looks)))
    means = [sum(chances[digits]) / len(looks) for digits in order[:2]]
    best = max((one for one in found if digits_of(one.text) == order[0]), key=lambda one: one.chance)
    sign, beside = _signs_in(looks[best.look], best.places)
    return replace(
        best,
        chance=means[0], each=tuple(chances[order[0]]), rival=sum(means[1:]),
        letters=tuple(map(_letters_in, looks)), sign=sign, beside=beside,
    )  # fmt: skip


def _joined(outputs: Floats) -> Floats:
    """Return the columns of a strip, (T, 15): where the first output sees another sign, the mean of both.

    The first often takes a digit beside a sign for another sign. The mean is geometric, so a letter stays one
    unless both outputs doubt it.
    """
    first, second = outputs
    other, mean = first[:, [OTHER]], first ** (1 - SECOND) * second**SECOND
    mean /= np.maximum(mean.sum(axis=1, keepdims=True), UNLIKELY)
    return np.asarray((1 - other) * first + other * mean)


def _alone(columns: Floats) -> Floats:
    """Return the columns of a strip, (T, 15), with blanks for signs before and after the digits ("$5 each").

    A sign that may be a digit counts as a blank only with its chance of being a sign.
    """
    digits = np.flatnonzero(columns[:, :10].max(axis=1, initial=0) > 0.5)
    if not len(digits):
        return columns
    found = columns.copy()
    for beside in (found[: digits[0]], found[digits[-1] + 1 :]):
        beside[:, BLANK] += beside[:, OTHER]
    return found


def _letters_in(outputs: Floats) -> float:
    """Return the share of letters and scrawls among the characters of a strip, 0..1, by the first output."""
    other, blank = outputs[0][:, [OTHER, BLANK]].mean(axis=0).tolist()
    return float(other / max(1 - blank, 1e-6))


def _signs_in(outputs: Floats, places: Sequence[float]) -> tuple[float, float]:
    """Return the highest chances of a sign from the first to the last character, and before or after them."""
    sign = outputs[1][:, OTHER]
    first, last = (round(places[at] * len(sign)) for at in (0, -1)) if places else (0, len(sign))
    inside = slice(max(0, first - 1), last + 2)
    return float(sign[inside].max()), float(np.delete(sign, inside).max(initial=0))


def without_signs(outputs: Floats) -> Floats:
    """Return the outputs for a strip, (2, T, 15), with blanks for likely signs around the digits."""
    columns, sign = outputs[0].copy(), outputs[1][:, OTHER]
    is_sign = sign > 0.5
    digits = np.flatnonzero((columns[:, :10].max(axis=1) > 0.5) & ~is_sign)
    if len(digits):
        sides = slice(digits[0]), slice(digits[-1] + 1, None)
        # Brackets stand in pairs, and the first output takes both for digits; a "$" it knows.
        are_brackets = all((is_sign & (columns[:, OTHER] < 0.5))[side].any() for side in sides)
        for side in sides:
            if are_brackets or sign[side].max(initial=0) > SIGN_ALONE:
                columns[side][is_sign[side]] = np.eye(BLANK + 1)[BLANK]
    return np.stack([columns, outputs[1]])


def digits_of(text: str) -> str:
    """Return a text without its signs."""
    return "".join(character for character in text if character.isdigit())


def search(columns: Floats, lengths: Lengths | None = None) -> dict[str, Reading]:
    """Return the likeliest texts of a strip by prefix beam search.

    Args:
        columns: (T, 15), the chance of each class.
        lengths: minimum and maximum number of digits; None: any number.
    """
    fewest, most = lengths or (0, len(columns))
    beams = {"": _Beam(1.0, 0.0, ())}
    for column, row in enumerate(columns.tolist()):
        beams = _extended(beams, column, row, most)
    return {
        text: _reading(text, beam, columns) for text, beam in beams.items() if len(digits_of(text)) >= fewest
    }


@dataclass(slots=True)
class _Beam:
    """The paths of one text up to a column."""

    blank: float
    """Chance of the paths that end in a blank."""
    character: float
    """Chance of the paths that end in the text's last character."""
    starts: tuple[int, ...]
    """Column in which each character begins, on the likeliest of these paths."""

    @property
    def total(self) -> float:
        return self.blank + self.character


def _extended(beams: dict[str, _Beam], column: int, row: list[float], most: int) -> dict[str, _Beam]:
    """Return the likeliest texts after one more column."""
    found = {text: _kept(text, beam, row) for text, beam in beams.items()}
    likely = [(ALPHABET[at], chance) for at, chance in enumerate(row[:OTHER]) if chance > UNLIKELY]
    if not likely:  # most columns
        return found
    for text, beam in beams.items():
        full = sum(map(str.isdigit, text)) >= most
        for character, chance in likely:
            if full and character.isdigit():
                continue
            before = beam.blank if text.endswith(character) else beam.total
            if before > 0:
                longer = found.setdefault(text + character, _Beam(0.0, 0.0, ()))
                if before * chance > longer.total:
                    longer.starts = (*beam.starts, column)
                longer.character += before * chance
    return dict(sorted(found.items(), key=lambda item: -item[1].total)[:BEAM])


def _kept(text: str, beam: _Beam, row: list[float]) -> _Beam:
    """Return the paths that do not add a character: a blank, or the last character again."""
    again = beam.character * row[ALPHABET.index(text[-1])] if text else 0.0
    return _Beam(beam.total * row[BLANK], again, beam.starts)


def _reading(text: str, beam: _Beam, columns: Floats) -> Reading:
    """Return a text with each character's place and its highest chance in a column."""
    ends = (*beam.starts[1:], len(columns))
    chances = tuple(
        float(columns[start:end, ALPHABET.index(character)].max())
        for character, start, end in zip(text, beam.starts, ends, strict=False)  # an empty text has one end
    )
    return Reading(text, beam.total, tuple(start / len(columns) for start in beam.starts), chances)
