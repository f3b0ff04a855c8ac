"""The numbers on one picture: a Sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from digitrec.answer import Box
from digitrec.answer.prediction import Failure, html, record
from digitrec.errors.text import percent
from digitrec.image import ImageRef

if TYPE_CHECKING:
    import pandas

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
    """Why its value cannot be read surely: "not one number" (a date, a time), "another number of digits",
    "not sure" or "engines disagree"; of a field also "no number" or "more than one number"; else None."""
    inferred: bool = False
    """True when a look-alike letter was turned into a digit because the caller asked for it."""
    field: str | None = None
    """Name of its form field; None without fields."""

    @property
    def sureness(self) -> float:
        """The calibrated chance, else the engine's own confidence; -1 without either."""
        known = (self.calibrated, self.confidence)
        return next((value for value in known if value is not None), -1.0)

    def unless(self, doubt: str) -> Number:
        """Return the same number without its value, for this reason."""
        return replace(self, value=None, reason=doubt)

    def as_dict(self) -> dict[str, Any]:
        """Return every field under its own name, as JSON-like values; the value as a text."""
        return record(self)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One engine's reading of the numbers on one image.

    An image without numbers is a Sheet without numbers, never an error.
    """

    image: ImageRef
    """Which image: where it came from and the SHA-256 of its bytes."""
    provider: str
    """Name of the engine that answered."""
    numbers: tuple[Number, ...] = ()
    """The numbers in reading order: line by line, from left to right."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the picture, upright and turned as asked; boxes are pixels of it."""
    model_version: str | None = None
    """Which model answered, in the engine's words."""
    endpoint: str | None = None
    """Endpoint of the request; None for an engine on this machine."""
    preparation: str = "plain"
    """How the image was prepared before it was sent."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The engine's own answer, unabridged."""
    latency_s: float = 0.0
    """Seconds from the opened picture to the answer, >= 0: preparation, waiting and retries included."""
    cost_usd: float | None = 0.0
    """US dollars spent on this answer; 0: free, None: unknown."""
    attempts: int = 1
    """Number of times the engine was asked, >= 0 (0 when the answer came from the ledger)."""
    emulated: bool = False
    """True when the answer came from an emulator: it says nothing about the vendor's accuracy."""
    replayed: bool = False
    """True when the answer came from the ledger or a recording and nothing was asked or paid."""
    asked: tuple[Sheet | Failure, ...] = ()
    """For a policy over several engines: the answer of each engine that was asked; else empty."""
    turned: int = 0
    """Degrees clockwise by which the picture was turned before it was read: 0, 90, 180 or 270."""
    opening_s: float = 0.0
    """Seconds that reading and decoding the picture took, >= 0."""
    loading_s: float = 0.0
    """Seconds that the engine took to load before its first picture, >= 0."""

    def rows(self) -> list[list[Number | None]]:
        """Return the numbers line by line; where they line up in columns, None fills the empty places.

        Numbers without a box are one line.
        """
        lines: dict[int, list[Number]] = {}
        for number in self.numbers:
            lines.setdefault(number.row or 0, []).append(number)
        width = 1 + max((number.column or 0 for number in self.numbers), default=-1)
        return [self._line(lines.get(row, []), width) for row in range(1 + max(lines, default=-1))]

    @staticmethod
    def _line(numbers: Iterable[Number], width: int) -> list[Number | None]:
        by_column = {number.column: number for number in numbers}
        if None in by_column:
            return list(numbers)
        return [by_column.get(column) for column in range(width)]

    def to_frame(self) -> pandas.DataFrame:
        """Return a pandas DataFrame with a row for each number and its fields as columns.

        Raises:
            ImportError: pandas is not installed.
        """
        import pandas

        rows = [number.as_dict() | {"value": number.value} for number in self.numbers]
        return pandas.DataFrame(rows, columns=list(Number.__dataclass_fields__))

    def as_dict(self) -> dict[str, Any]:
        """Return every field under its own name, as JSON-like values; the image as source and sha256."""
        return record(self)

    def _repr_html_(self) -> str:
        """Return the numbers as a notebook shows them."""
        rows: list[tuple[str, ...]] = [("row", "column", "number", "sure", "")]
        for number in self.numbers:
            chance = number.confidence if number.calibrated is None else number.calibrated
            place = ("" if at is None else str(at) for at in (number.row, number.column))
            rows.append((*place, number.text, percent(chance), number.reason or ""))
        return html(rows)


SheetOutcome = Sheet | Failure
"""The result of one engine that reads a picture's numbers."""
