"""The numbers on one picture: a Sheet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from digitrec.answer import Box
from digitrec.answer.prediction import NOT_SURE, EngineResult, Failure, record, sureness

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

    def at_least(self, chance: float) -> Sheet:
        """Return this sheet; a number that is less sure than ``chance``, 0..1, has no value."""
        numbers = (
            one if one.value is None or one.sureness >= chance else one.unless(NOT_SURE)
            for one in self.numbers
        )
        return replace(self, numbers=tuple(numbers))


SheetOutcome = Sheet | Failure
"""The result of one engine that reads a picture's numbers."""
