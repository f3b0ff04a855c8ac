"""Results for a picture: an engine's raw Answer, and the Prediction, Sheet or Failure made from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields, is_dataclass, replace
from decimal import Decimal
from math import fsum
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from digitrec.errors import BadAnswer, DigitrecError
from digitrec.image import Box, ImageRef

if TYPE_CHECKING:
    import pandas
    from _typeshed import DataclassInstance


Share = Annotated[float, Meta(ge=0, le=1)]
Text = Annotated[str, Meta(min_length=1)]
Ten = Annotated[tuple[Share, ...], Meta(min_length=10, max_length=10)]

DEEPEST = 100
"""Levels of lists and dicts that ``Answer.raw`` may have; the vendors' have fewer than 20."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What a provider says about one character of a `Candidate`."""

    score: Share | None = None
    """The provider's own confidence scaled to 0..1, or None where it gave none."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the image that was sent, or None."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One piece of text that a provider read."""

    text: Text
    """The text as the provider spelled it, never empty."""
    score: Share | None = None
    """The provider's own confidence scaled to 0..1, or None where it gave none."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the image that was sent, or None."""
    signs: tuple[Sign, ...] = ()
    """Its characters, one `Sign` for each, where the provider tells them apart; else empty."""
    chance: Share | None = None
    """Chance 0..1 that all of ``text`` is right, where the provider brings its own calibration; else None."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer about one image, in one form for every provider."""

    candidates: tuple[Candidate, ...] = ()
    """The words it read, in reading order; for a classifier its best class. Empty: it read nothing."""
    probabilities: Ten | None = None
    """Chance of each digit 0..9, summing to 1, where the provider is a classifier; else None."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The provider's own answer, unabridged: a dict of what JSON knows, at most `DEEPEST` levels deep."""
    model_version: str | None = None
    """The provider's name for the model that answered; None if the provider gives no name."""
    reason: Text | None = None
    """The provider's reason why the image shows no digit; None if it gives no reason, or sees a digit."""


def checked(answer: object) -> Answer:
    """Return the answer if each field has the documented type and range.

    Numbers are finite ints or floats; bool and NumPy's float32 are not accepted, so give ``float(x)``. Texts
    can be encoded as UTF-8, and ``raw`` as JSON. An answer that passes can be normalised
    (`digitrec.recognise.normalise`), stored, recorded and loaded again.

    Raises:
        BadAnswer: a field is wrong; the message says which, and shows no text of the answer.
    """
    if not isinstance(answer, Answer):
        raise _bad(f"it is of the type {type(answer).__name__}, not an Answer")
    if not isinstance(answer.raw, dict):
        raise _bad("raw is not a dict")
    if (why := no_json(answer.raw)) is not None:
        raise _bad(f"raw {why}")
    for name, kind in _KINDS.items():
        value = getattr(answer, name)
        try:
            same = msgspec.json.decode(msgspec.json.encode(value, enc_hook=_float), type=kind)
        except (TypeError, ValueError) as error:
            raise _bad(f"{name}: {error}") from error
        if same != value:  # JSON has no tuples, and NaN becomes null
            raise _bad(f"{name} has the wrong type, such as a list instead of a tuple")
    _check_sums(answer)
    return answer


_KINDS = {name: kind for name, kind in get_type_hints(Answer, include_extras=True).items() if name != "raw"}


def _float(value: object) -> float:
    """Return NumPy's float64, which is a float, as one.

    Raises:
        TypeError: the value is of another type.
    """
    if not isinstance(value, float):
        raise TypeError(f"{type(value).__name__} is not allowed")
    return float(value)


def _check_sums(answer: Answer) -> None:
    """Check that there is a sign for each character, and that probabilities sum to 1.

    Raises:
        BadAnswer: one of them is wrong.
    """
    for place, candidate in enumerate(answer.candidates):
        if candidate.signs and len(candidate.signs) != len(candidate.text):
            raise _bad(f"candidates[{place}].signs must have one Sign for each character")
    if answer.probabilities is not None and abs(fsum(answer.probabilities) - 1) > 1e-3:
        raise _bad(f"probabilities sum to {fsum(answer.probabilities):.4g}, not to 1")


def no_json(value: object) -> str | None:
    """Why a value cannot be an answer's ``raw``, or a part of it; None where it can.

    It can when it is written as JSON in UTF-8 (no NaN, no lone surrogate, no integer of 5,000 digits) and has
    at most `DEEPEST` levels, so that whatever walks through it later does not run out of stack.
    """
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return f"cannot be written as JSON ({error})"
    return f"has more than {DEEPEST} levels" if is_deeper(value, DEEPEST) else None


def _bad(wrong: str) -> BadAnswer:
    return BadAnswer(f"the answer is invalid: {wrong}; report it to the provider's author")


def is_deeper(value: object, most: int) -> bool:
    """Return whether lists and dicts are nested more than ``most`` levels deep."""
    if not isinstance(value, dict | list | tuple):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return most == 0 or any(is_deeper(part, most - 1) for part in parts)


SURE = 0.95
"""Confidence from which an answer counts as sure in an evaluation."""
UNCLEAR = "not clearly a digit"
"""Why our own network refuses what resembles no digit, or several alike."""
NOT_SURE = "not sure"
"""The reason of an answer that is less sure than ``at_least``, or more likely wrong than right."""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """The circumstances of an answer, which a `Prediction` and a `digitrec.Sheet` share."""

    image: ImageRef
    """The image's source and the SHA-256 of its bytes."""
    provider: str
    """Name of the engine that answered."""
    _: KW_ONLY
    model_version: str | None = None
    """Which model answered, in the engine's words."""
    endpoint: str | None = None
    """Endpoint of the request; None for an engine on this machine."""
    preparation: str = "plain"
    """How the image was prepared before it was sent ("mnist", "plain", "enlarged", "repeated")."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The engine's own answer, unabridged."""
    latency_s: float = 0.0
    """Seconds from the opened picture to the answer, >= 0: preparation, waiting and retries included, opening
    and loading not."""
    cost_usd: float | None = 0.0
    """US dollars spent on this answer; 0: free, None: unknown."""
    attempts: int = 1
    """Number of times the engine was asked, >= 0 (0 when the answer came from the ledger)."""
    emulated: bool = False
    """True when the answer came from an emulator: it says nothing about the vendor's accuracy."""
    replayed: bool = False
    """True when the answer came from the ledger or a recording and nothing was asked or paid."""
    turned: int = 0
    """Degrees clockwise by which the picture was turned before it was read: 0, 90, 180 or 270."""
    opening_s: float = 0.0
    """Seconds that reading and decoding the picture took, >= 0; once for all engines that are asked."""
    loading_s: float = 0.0
    """Seconds that the engine took to load before its first picture, >= 0; the same on all of its answers."""

    def as_dict(self) -> dict[str, Any]:
        """Return every field under its own name, as JSON-like values; the image as source and sha256."""
        return record(self)


@dataclass(frozen=True, slots=True)
class Prediction(EngineResult):
    """One engine's reading of one image.

    A refusal ("no digit here") is a Prediction with ``digit=None`` and a ``reason``, never an error.
    """

    digit: int | None
    """The digit 0..9, or None when the engine sees no single digit."""
    confidence: float | None
    """The engine's own score, scaled to 0..1; None if it gives none. Not a chance of being right."""
    reason: str | None = None
    """Why there is no digit; None with a digit. From our own network "blank", "texture", "more than one
    digit", "a sign beside the digit", "cut off" or "not clearly a digit"; from an engine that reads text "no
    text", "no digit", "more than one digit" or "letters beside the digit"; where the caller asked for it "not
    sure", "engines disagree" or "emulated answers do not vote"."""
    calibrated: float | None = None
    """Chance 0..1 that ``digit`` (or ``unsure_digit``) is right; None where no calibration was fitted for
    this engine."""
    probabilities: tuple[float, ...] | None = None
    """Chance of each digit 0..9, summing to 1, from engines that give one; else None."""
    text: str | None = None
    """The text as the engine spelled it; None if it read nothing."""
    inferred: bool = False
    """True when a look-alike letter was turned into the digit because the caller asked for it."""
    asked: tuple[Prediction | Failure, ...] = field(default=(), kw_only=True)
    """For a policy over several engines: the answer of each engine that was asked; else empty."""
    unsure_digit: int | None = field(default=None, kw_only=True)
    """The likeliest digit, 0..9, if the reason is "not sure"; else None."""
    left_out: tuple[tuple[int, int, int, int], ...] = field(default=(), kw_only=True)
    """Boxes (left, top, right, bottom, in pixels of the turned picture) of ink as dark as the digit's that
    was not read, such as brackets or a pen beside it; it lowers ``confidence``."""

    @property
    def answer(self) -> int | str | None:
        """What it names: the digit; None for a refusal."""
        return self.digit

    @property
    def meaning(self) -> object:
        """A hashable value, equal for answers that say the same; None for a refusal."""
        return self.answer

    def unless(self, doubt: str) -> Prediction:
        """Return this prediction refused for ``doubt``; its digit moves to ``unsure_digit``."""
        return replace(self, digit=None, reason=doubt, unsure_digit=self.digit)

    def at_least(self, chance: float) -> Prediction:
        """Return this prediction, refused as "not sure" if it is less sure than ``chance``, 0..1."""
        is_sure = self.digit is None or sureness(self, -1.0) >= chance
        return self if is_sure else self.unless(NOT_SURE)


@dataclass(frozen=True, slots=True)
class Failure:
    """The place of an image for which no engine could be made to answer."""

    image: ImageRef
    """The image's source and, once it was read, its SHA-256."""
    provider: str
    """Name of the engine that was asked."""
    error: DigitrecError
    """The error; its class says who can correct it."""
    latency_s: float = 0.0
    """Seconds from the opened picture to giving up, >= 0, preparation included."""
    cost_usd: float | None = 0.0
    """US dollars that the failed attempts cost; None: unknown."""
    attempts: int = 0
    """Number of times the engine was asked, >= 0."""

    def as_dict(self) -> dict[str, Any]:
        """Every field under its own name, the error as its class name and message."""
        return record(self)


Outcome = Prediction | Failure
"""The result of one engine for one picture."""


def counted(outcomes: Iterable[Outcome]) -> list[Prediction]:
    """Return the predictions that vote on a picture, are compared, tested and ranked: not an emulator's.

    If only emulators answered, return their predictions: a rehearsal never outvotes a real engine, and its
    verdict is marked as emulated too.
    """
    answers = [outcome for outcome in outcomes if isinstance(outcome, Prediction)]
    return [answer for answer in answers if not answer.emulated] or answers


def is_emulated(outcomes: Iterable[Outcome]) -> bool:
    """Whether any of these answers came from an emulator; then they say nothing about real engines."""
    return any(isinstance(outcome, Prediction) and outcome.emulated for outcome in outcomes)


def short(outcome: Outcome) -> str:
    """Return the answer, "-" for a refusal, "!" for a failure."""
    if isinstance(outcome, Failure):
        return "!"
    return "-" if outcome.answer is None else str(outcome.answer)


def chance_of(answer: Prediction | Number) -> float | None:
    """Return the calibrated chance, else the engine's confidence, 0..1; None without either."""
    return answer.confidence if answer.calibrated is None else answer.calibrated


def sureness(answer: Prediction | Number, otherwise: float) -> float:
    """Return `chance_of` the answer, else ``otherwise``."""
    chance = chance_of(answer)
    return otherwise if chance is None else chance


def field_names(of: DataclassInstance | type[DataclassInstance]) -> list[str]:
    """Return the names of a dataclass's fields, those of the answer before those of its circumstances."""
    return [item.name for item in sorted(fields(of), key=lambda item: item.kw_only is True)]


def record(of: DataclassInstance) -> dict[str, Any]:
    """Return the fields of a dataclass as JSON-like values (dataclasses.asdict would copy the raw answer)."""
    return {name: _plain(getattr(of, name)) for name in field_names(of)}


def _plain(value: Any) -> Any:
    if isinstance(value, ImageRef):
        return {"source": value.source, "sha256": value.sha256}
    if isinstance(value, DigitrecError):
        return {"type": type(value).__name__, "message": str(value)}
    if is_dataclass(value) and not isinstance(value, type):
        return record(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


NO_NUMBER = "no number"
"""The reason of a field or a picture without a number."""


@dataclass(frozen=True, slots=True)
class NumberDigit:
    """One digit of a `Number`."""

    digit: int
    """The digit 0..9."""
    confidence: float | None = None
    """The engine's own confidence in it, 0..1; None where it scores whole words only."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the picture; None where the engine gives no box for it."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number on a picture."""

    text: str
    """The number as it is written, without spaces: "7.50", "-3", "012", "1,234"; "" for an empty field."""
    value: Decimal | None
    """Its value; None beside a ``reason``."""
    digits: tuple[NumberDigit, ...] = ()
    """Its digits, from left to right."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the picture (upright, turned as asked); None if not known."""
    confidence: float | None = None
    """The engine's own confidence in the number, 0..1; None if it gives no confidence."""
    calibrated: float | None = None
    """Chance 0..1 that ``text`` is right; None where no calibration was fitted for this engine."""
    row: int | None = None
    """Number of its line on the page, from 0; None without a box."""
    column: int | None = None
    """Number of its column, from 0; None where the numbers do not line up in columns."""
    reason: str | None = None
    """Why the number has no value: "not one number" (a date, a time), "another number of digits",
    "not sure" or "engines disagree"; of a field also "no number" or "more than one number"; else None."""
    inferred: bool = False
    """True when a look-alike letter was turned into a digit because the caller asked for it."""
    field: str | None = None
    """Name of its form field; None without fields."""

    @property
    def sureness(self) -> float:
        """The calibrated chance, else the engine's own confidence; -1 without either."""
        return sureness(self, -1.0)

    def unless(self, doubt: str) -> Number:
        """Return the same number without its value, for this reason."""
        return replace(self, value=None, reason=doubt)

    def as_dict(self) -> dict[str, Any]:
        """Return every field under its own name, as JSON-like values; the value as a text."""
        return record(self)


@dataclass(frozen=True, slots=True)
class Sheet(EngineResult):
    """One engine's reading of the numbers on one image.

    An image without numbers is a Sheet without numbers, never an error.
    """

    numbers: tuple[Number, ...] = ()
    """The numbers in reading order: line by line, from left to right."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the picture, upright and turned as asked; boxes are pixels of it."""
    asked: tuple[Sheet | Failure, ...] = ()
    """For a policy over several engines: the answer of each engine that was asked; else empty."""

    def rows(self) -> list[list[Number | None]]:
        """Return the numbers line by line; where they line up in columns, None fills the empty places.

        Numbers without a box are one line.
        """
        width = 1 + max((number.column or 0 for number in self.numbers), default=-1)
        lines: dict[int, list[Number]] = {}
        for number in self.numbers:
            lines.setdefault(number.row or 0, []).append(number)
        return [_line(lines.get(row, []), width) for row in range(1 + max(lines, default=-1))]

    def to_frame(self) -> pandas.DataFrame:
        """Return a pandas DataFrame with a row for each number and its fields as columns.

        Raises:
            ImportError: pandas is not installed.
        """
        import pandas

        rows = [number.as_dict() | {"value": number.value} for number in self.numbers]
        return pandas.DataFrame(rows, columns=list(Number.__dataclass_fields__))

    def at_least(self, chance: float) -> Sheet:
        """Return this sheet; a number that is less sure than ``chance``, 0..1, has no value."""
        numbers = (
            one if one.value is None or one.sureness >= chance else one.unless(NOT_SURE)
            for one in self.numbers
        )
        return replace(self, numbers=tuple(numbers))


def _line(numbers: Sequence[Number], width: int) -> list[Number | None]:
    by_column = {number.column: number for number in numbers}
    return list(numbers) if None in by_column else [by_column.get(column) for column in range(width)]


SheetOutcome = Sheet | Failure
"""The result of one engine that reads a picture's numbers."""
