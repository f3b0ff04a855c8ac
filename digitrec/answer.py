"""Results for a picture: an engine's raw Answer, and the Prediction, Sheet or Failure made from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields, is_dataclass, replace
from decimal import Decimal
from itertools import groupby
from math import fsum
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from digitrec.errors import BadAnswer, DigitrecError
from digitrec.errors.schemas import built
from digitrec.image import Box, ImageRef

if TYPE_CHECKING:
    import pandas
    from _typeshed import DataclassInstance


Share = Annotated[float, Meta(ge=0, le=1)]
Text = Annotated[str, Meta(min_length=1)]
Ten = Annotated[tuple[Share, ...], Meta(min_length=10, max_length=10)]

DEEPEST = 100
"""Maximum number of nested lists and dicts in ``Answer.raw``; vendors' answers have fewer than 20."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A provider's result for one character of a `Candidate`."""

    score: Share | None = None
    """The provider's own confidence scaled to 0..1, or None if it gave none."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the image that was sent, or None."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One piece of text that a provider read."""

    text: Text
    """The text as the provider spelled it, never empty."""
    score: Share | None = None
    """The provider's own confidence scaled to 0..1, or None if it gave none."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the image that was sent, or None."""
    signs: tuple[Sign, ...] = ()
    """One `Sign` for each character of the text, if the provider tells them apart; else empty."""
    chance: Share | None = None
    """Chance 0..1 that all of ``text`` is right, if the provider has its own calibration; else None."""

    def score_of(self, places: Iterable[int]) -> float | None:
        """Return the score of the least certain of these characters; the text's if one of them has none."""
        scores = [self.signs[at].score for at in places] if self.signs else []
        known = [score for score in scores if score is not None]
        return min(known) if 0 < len(known) == len(scores) else self.score


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer about one image, in one form for every provider."""

    candidates: tuple[Candidate, ...] = ()
    """The words that the provider read, in reading order; for a classifier its best class. May be empty."""
    probabilities: Ten | None = None
    """Chance of each digit 0..9, summing to 1, if the provider is a classifier; else None."""
    raw: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The provider's own answer, unabridged: a dict of JSON values, at most `DEEPEST` levels deep."""
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
            same = msgspec.json.decode(msgspec.json.encode(value, enc_hook=_float), type=built(kind))
        except (TypeError, ValueError) as error:
            raise _bad(f"{name}: {error}") from error
        if same != value:  # JSON has no tuples, and NaN becomes null
            raise _bad(f"{name} has a wrong type (a list instead of a tuple?), or a number is not finite")
    _check_sums(answer)
    return answer


_KINDS = {name: kind for name, kind in get_type_hints(Answer, include_extras=True).items() if name != "raw"}


def _float(value: object) -> float:
    """Convert a float of any class, such as NumPy's float64, to a plain float.

    Raises:
        TypeError: the value is not a float.
    """
    if not isinstance(value, float):
        raise TypeError(f"{type(value).__name__} is not allowed")
    return float(value)


def _check_sums(answer: Answer) -> None:
    """Check that each character has a sign, and that probabilities sum to 1.

    Raises:
        BadAnswer: a sign is missing or superfluous, or the sum is wrong.
    """
    for place, candidate in enumerate(answer.candidates):
        if candidate.signs and len(candidate.signs) != len(candidate.text):
            raise _bad(f"candidates[{place}].signs must have one Sign for each character")
    if answer.probabilities is not None and abs(fsum(answer.probabilities) - 1) > 1e-3:
        raise _bad(f"probabilities sum to {fsum(answer.probabilities):.4g}, not to 1")


def no_json(value: object) -> str | None:
    """Return why a value cannot be an answer's ``raw``, or part of it; None if it can.

    It can be if it has a JSON form in UTF-8 (no NaN, no lone surrogate, no integer of 5,000 digits) and at
    most `DEEPEST` levels, so that recursive functions do not run out of stack later.
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
"""The reason for which our own network refuses ink that looks like no digit, or like several equally."""
NOT_SURE = "not sure"
"""The reason of an answer that is less sure than ``at_least``, or more likely wrong than right."""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """The circumstances of an answer, which `Prediction` and `digitrec.Sheet` share."""

    image: ImageRef
    """The image's source and the SHA-256 of its bytes."""
    provider: str
    """Name of the engine that answered."""
    _: KW_ONLY
    model_version: str | None = None
    """The model that answered, as the engine names it; None if the engine gives no name."""
    endpoint: str | None = None
    """The address that the request was sent to; None for an engine on this machine."""
    preparation: str = "plain"
    """The preparation of the image ("mnist", "plain", "enlarged" or "repeated")."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)
    """The engine's own answer, unabridged."""
    latency_s: float = 0.0
    """Seconds from the opened picture to the answer, >= 0, with preparation, waiting and retries, but without
    opening and loading."""
    cost_usd: float | None = 0.0
    """US dollars spent on this answer; 0: free, None: unknown."""
    attempts: int = 1
    """Number of times the engine was asked, >= 0 (0 when the answer came from the ledger)."""
    emulated: bool = False
    """True if the answer came from an emulator: it says nothing about the vendor's accuracy."""
    replayed: bool = False
    """True if the answer came from the ledger or a recording, so that no engine was asked or paid."""
    turned: int = 0
    """Degrees clockwise by which the picture was turned before it was read: 0, 90, 180 or 270."""
    opening_s: float = 0.0
    """Seconds to read and decode the picture, >= 0; counted once for all engines."""
    loading_s: float = 0.0
    """Seconds to load the engine before its first picture, >= 0; the same in all of its answers."""

    def as_dict(self) -> dict[str, Any]:
        """Return every field under its own name, as JSON-like values; the image as source and sha256."""
        return record(self)


@dataclass(frozen=True, slots=True)
class Prediction(EngineResult):
    """One engine's reading of one image.

    A refusal ("no digit here") is a Prediction with ``digit=None`` and a ``reason``, never an error.
    """

    digit: int | None
    """The digit 0..9, or None if the engine sees no single digit."""
    confidence: float | None
    """The engine's own score, scaled to 0..1, which is not a chance of being right; None if it gives none."""
    reason: str | None = None
    """Why there is no digit; None with a digit. From our own network: "blank", "texture", "more than one
    digit", "a sign beside the digit", "cut off" or "not clearly a digit". From an engine that reads text: "no
    text", "no digit", "more than one digit" or "letters beside the digit". From a language model: its own
    words. At the caller's request: "not sure", "engines disagree" or "emulated answers do not vote"."""
    calibrated: float | None = None
    """Chance 0..1 that ``digit`` (or ``unsure_digit``) is right; None if no calibration was fitted for this
    engine."""
    probabilities: tuple[float, ...] | None = None
    """Chance of each digit 0..9, summing to 1; None if the engine does not give it."""
    text: str | None = None
    """The text as the engine spelled it; None if it read nothing."""
    inferred: bool = False
    """True if a look-alike letter was turned into the digit because the caller asked for that."""
    asked: tuple[Prediction | Failure, ...] = field(default=(), kw_only=True)
    """For a policy: the outcome of each engine that was asked; else empty."""
    unsure_digit: int | None = field(default=None, kw_only=True)
    """The likeliest digit, 0..9, if the reason is "not sure"; else None."""
    left_out: tuple[tuple[int, int, int, int], ...] = field(default=(), kw_only=True)
    """Boxes (left, top, right, bottom, in pixels of the turned picture) of ink as dark as the digit's that
    was not read, such as brackets or a pen beside the digit; such ink lowers ``confidence``."""

    @property
    def answer(self) -> int | str | None:
        """The digit; None for a refusal."""
        return self.digit

    @property
    def meaning(self) -> object:
        """A hashable value, equal for answers that say the same; None for a refusal."""
        return self.answer

    def unless(self, doubt: str) -> Prediction:
        """Return this prediction refused with the reason ``doubt``; its digit becomes ``unsure_digit``."""
        return replace(self, digit=None, reason=doubt, unsure_digit=self.digit)

    def at_least(self, chance: float) -> Prediction:
        """Return this prediction, refused as "not sure" if its chance is below ``chance``, 0..1.

        A policy's answer has the highest calibrated chance of its engines that gave the same answer.
        """
        alike = (one for one in self.asked if isinstance(one, Prediction) and one.digit == self.digit)
        chances = [one.calibrated for one in alike if one.calibrated is not None]
        is_sure = self.digit is None or max(chances, default=sureness(self, -1.0)) >= chance
        return self if is_sure else self.unless(NOT_SURE)


@dataclass(frozen=True, slots=True)
class Failure:
    """An image that no engine answered, with the error."""

    image: ImageRef
    """The image's source and, if it could be read, its SHA-256."""
    provider: str
    """Name of the engine that was asked."""
    error: DigitrecError
    """The error; its class says who can correct it."""
    latency_s: float = 0.0
    """Seconds from the opened picture to the end of the last attempt, >= 0, preparation included."""
    cost_usd: float | None = 0.0
    """US dollars that the failed attempts cost; None: unknown."""
    attempts: int = 0
    """Number of times the engine was asked, >= 0."""

    def as_dict(self) -> dict[str, Any]:
        """Return every field under its own name, the error as its class name and message."""
        return record(self)


Outcome = Prediction | Failure
"""The result of one engine for one picture."""


def counted(outcomes: Iterable[Outcome]) -> list[Prediction]:
    """Return the predictions that count in votes, comparisons, tests and rankings: all but an emulator's.

    If only emulators answered, return their predictions. So a rehearsal never outvotes a real engine, and
    its result is marked as emulated too.
    """
    answers = [outcome for outcome in outcomes if isinstance(outcome, Prediction)]
    return [answer for answer in answers if not answer.emulated] or answers


def is_emulated(outcomes: Iterable[Outcome]) -> bool:
    """Return whether any of these answers came from an emulator; then they say nothing about real engines."""
    return any(isinstance(outcome, Prediction) and outcome.emulated for outcome in outcomes)


def total(costs: Sequence[float | None]) -> float | None:
    """Return the sum of costs in US dollars; None if one of them is unknown."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, 0.0) if len(known) == len(costs) else None


def short(outcome: Outcome) -> str:
    """Return the answer as a text: "-" for a refusal, "!" for a failure."""
    if isinstance(outcome, Failure):
        return "!"
    return "-" if outcome.answer is None else str(outcome.answer)


def chance_of(answer: Prediction | Number) -> float | None:
    """Return the calibrated chance, else the engine's confidence, 0..1; None if it has neither."""
    return answer.confidence if answer.calibrated is None else answer.calibrated


def sureness(answer: Prediction | Number, otherwise: float) -> float:
    """Return `chance_of` the answer; ``otherwise`` if it has none."""
    chance = chance_of(answer)
    return otherwise if chance is None else chance


def field_names(of: DataclassInstance | type[DataclassInstance]) -> list[str]:
    """Return the names of a dataclass's fields, those of the answer before its circumstances."""
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
    """The engine's own confidence in the digit, 0..1; None if it scores whole words only."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the picture; None if the engine gives no box for the digit."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number on a picture."""

    text: str
    """The number as written, without spaces: "7.50", "-3", "012", "1,234"; "" for an empty field."""
    value: Decimal | None
    """The number's value; None if there is a ``reason``."""
    digits: tuple[NumberDigit, ...] = ()
    """The number's digits, from left to right."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the picture (upright and turned as requested); None if
    unknown."""
    confidence: float | None = None
    """The engine's own confidence in the number, 0..1; None if it gives no confidence."""
    calibrated: float | None = None
    """Chance 0..1 that ``text`` is right; None if no calibration was fitted for this engine."""
    row: int | None = None
    """Number of the line on the page, from 0; None without a box."""
    column: int | None = None
    """Number of the column, from 0; None if the numbers do not line up in columns."""
    reason: str | None = None
    """Why the number has no value, else None: "not one number" (a date, a time), "another number of digits",
    "not sure" or "engines disagree"; for a form's field also "no number" or "more than one number"."""
    inferred: bool = False
    """True if a look-alike letter was turned into a digit because the caller asked for that."""
    field: str | None = None
    """Name of the form field; None if the picture was not read as a form."""

    @property
    def sureness(self) -> float:
        """The calibrated chance, else the engine's own confidence; -1 without either."""
        return sureness(self, -1.0)

    def unless(self, doubt: str) -> Number:
        """Return the number without its value, with ``doubt`` as the reason."""
        return replace(self, value=None, reason=doubt)

    def as_dict(self) -> dict[str, Any]:
        """Return every field under its own name, as JSON-like values; the value becomes a text."""
        return record(self)


@dataclass(frozen=True, slots=True)
class Sheet(EngineResult):
    """One engine's reading of the numbers on one image.

    An image without numbers gives a Sheet with empty ``numbers``, never an error.
    """

    numbers: tuple[Number, ...] = ()
    """The numbers in reading order: line by line, from left to right."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the picture, upright and turned as requested; boxes are in its pixels."""
    asked: tuple[Sheet | Failure, ...] = ()
    """For a policy: the outcome of each engine that was asked; else empty."""
    region: Box | None = None
    """The part that was read, as for `digitrec.read`; None: all of the picture."""

    def rows(self) -> list[list[Number | None]]:
        """Return the numbers line by line; if they line up in columns, None fills the empty places.

        The numbers without a box form one line.
        """
        width = 1 + max((number.column or 0 for number in self.numbers), default=-1)
        return [_line([*line], width) for _, line in groupby(self.numbers, attrgetter("row"))]

    def to_frame(self) -> pandas.DataFrame:
        """Return a pandas DataFrame with a row for each number and its fields as columns.

        Raises:
            ImportError: pandas is not installed.
        """
        import pandas

        rows = [number.as_dict() | {"value": number.value} for number in self.numbers]
        return pandas.DataFrame(rows, columns=list(Number.__dataclass_fields__))

    def at_least(self, chance: float) -> Sheet:
        """Return this sheet, in which numbers with a chance below ``chance``, 0..1, have no value."""
        numbers = (
            one if one.value is None or one.sureness >= chance else one.unless(NOT_SURE)
            for one in self.numbers
        )
        return replace(self, numbers=tuple(numbers))


def _line(numbers: Sequence[Number], width: int) -> list[Number | None]:
    by_column = {number.column: number for number in numbers}
    return list(numbers) if None in by_column else [by_column.get(column) for column in range(width)]


SheetOutcome = Sheet | Failure
"""The result of one engine for the numbers on one picture."""
