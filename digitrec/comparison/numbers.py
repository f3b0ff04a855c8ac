"""Compare the numbers that several engines read on a picture, as one answer or number by number."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from itertools import chain
from typing import Any

from digitrec.answer import NO_NUMBER, EngineResult, Number, Outcome, Prediction, Sheet
from digitrec.comparison import Ask, Comparison
from digitrec.image import Box
from digitrec.image.boxes import covered
from digitrec.recognise import read_stream
from digitrec.recognise.numbers import NOT_ONE, lines, union, value_of

SHARED = {field.name for field in fields(EngineResult)}
"""Fields that a sheet and a prediction share, such as time, cost and model."""
SAME_PLACE = 0.5
"""Minimum overlap of two boxes of the same number, as a share of the smaller box."""


Spot = list[tuple[int, Number]]
"""A place on the picture: pairs of an engine's index in the comparison and the number that it read there."""


@dataclass(frozen=True, slots=True)
class NumbersRead(Prediction):
    """A sheet as one answer, which is right or wrong as a whole."""

    numbers: tuple[Number, ...] = ()
    """The numbers that were read."""

    @property
    def sure(self) -> tuple[Number, ...]:
        """The numbers without a ``reason``."""
        return tuple(number for number in self.numbers if number.reason is None)

    @property
    def answer(self) -> str | None:
        """The texts of the sure numbers in reading order; None if there are none."""
        return " ".join(number.text for number in self.sure) or None

    @property
    def meaning(self) -> object:
        """The values of the sure numbers, so that "12,00" equals "12.00", and the texts of dates and such."""
        values = sorted(number.value for number in self.sure if number.value is not None)
        others = sorted(number.text for number in self.numbers if number.reason == NOT_ONE)
        return (tuple(values), tuple(others)) if values or others else None


def numbers_asked(**how: Any) -> Ask:
    """Return a function that asks an engine for numbers, for use instead of `recognise.stream`.

    Args:
        how: the options of `digitrec.read_stream`.
    """
    return lambda images, reader: map(as_outcome, read_stream(images, reader, **how))


def apart(comparison: Comparison) -> list[Comparison]:
    """Split a comparison of sheets into one for each number, in reading order.

    Overlapping boxes of several engines are the same number. A number without a box belongs to the first
    number with the same text. The first number has the sheet's whole time and cost, so that they add up. If
    no engine read a number, the comparison is returned unchanged.
    """
    spots: list[Spot] = []
    for engine, outcome in enumerate(comparison.outcomes):
        for number in outcome.numbers if isinstance(outcome, NumbersRead) else ():
            same = _places(spots, number, engine)
            # by identity: a page may have the same number twice
            spots = [spot for spot in spots if not any(spot is one for one in same)]
            spots.append([*chain.from_iterable(same), (engine, number)])
    placed = [(spot, box) for spot in spots if (box := _box(spot)) is not None]
    reading = chain.from_iterable(lines([box for _, box in placed]))
    order = [*(placed[at] for at in reading), *((spot, None) for spot in spots if _box(spot) is None)]
    paid = [
        replace(outcome, latency_s=0.0, cost_usd=outcome.cost_usd and 0.0) for outcome in comparison.outcomes
    ]
    return [
        replace(comparison, outcomes=_at(spot, paid if place else comparison.outcomes), number=place, box=box)
        for place, (spot, box) in enumerate(order)
    ] or [comparison]


def _box(spot: Spot) -> Box | None:
    """Return the bounding box of all numbers; None if no number has a box."""
    return union([number.box for _, number in spot if number.box is not None])


def _places(spots: Sequence[Spot], number: Number, engine: int) -> list[Spot]:
    """Return the places that show this number of an engine, by their boxes.

    If a box is missing, this is the first place with the same value without a number of this engine.
    """
    found, alike = [], []
    for spot in spots:
        others = [other for one, other in spot if one != engine]
        if any(number.box and other.box and covered(number.box, other.box) >= SAME_PLACE for other in others):
            found.append(spot)
        is_free = len(others) == len(spot) and (number.box is None or _box(spot) is None)
        if is_free and any(_said(other) == _said(number) for other in others):
            alike.append(spot)
    return found or alike[:1]


def _said(number: Number) -> Decimal | str:
    value = value_of(number.text)
    return number.text if value is None else value


def _at(spot: Spot, outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Return the part of each engine's outcome that is about a place."""
    here = [tuple(number for one, number in spot if one == engine) for engine in range(len(outcomes))]
    return tuple(
        replace(outcome, **_summed_up(part)) if isinstance(outcome, NumbersRead) else outcome
        for outcome, part in zip(outcomes, here, strict=True)
    )


def as_outcome(said: Sheet | Outcome) -> Outcome:
    """Turn a sheet into one answer; return any other outcome unchanged."""
    if not isinstance(said, Sheet):
        return said
    shared = {name: getattr(said, name) for name in SHARED}
    asked = tuple(map(as_outcome, said.asked))
    return NumbersRead(**shared, digit=None, asked=asked, **_summed_up(said.numbers))


def as_sheet(outcome: Outcome) -> Sheet | Outcome:
    """Turn an engine's answer that `as_outcome` made back into a sheet; return any other unchanged."""
    if not isinstance(outcome, NumbersRead):
        return outcome
    return Sheet(**{name: getattr(outcome, name) for name in SHARED}, numbers=outcome.numbers)


def _summed_up(numbers: tuple[Number, ...]) -> dict[str, Any]:
    """Return the fields of `NumbersRead` for these numbers, with the lowest confidence among the sure ones.

    Without a sure number it is the lowest among dates and such.
    """
    sure = [number for number in numbers if number.reason is None]
    said = sure or [number for number in numbers if number.reason == NOT_ONE]
    return {
        "numbers": numbers,
        "reason": None if sure else next((number.reason for number in numbers), NO_NUMBER),
        "text": " ".join(number.text for number in numbers) or None,
        "confidence": _least([number.confidence for number in said]),
        "calibrated": _least([number.calibrated for number in said]),
    }


def _least(chances: Sequence[float | None]) -> float | None:
    known = [chance for chance in chances if chance is not None]
    return min(known, default=None) if len(known) == len(chances) else None
