"""Choose which way up a digit is, from four readings, or refuse if that is ambiguous."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from digitrec.answer.prediction import Failure, Prediction
from digitrec.answer.sheet import Sheet
from digitrec.image import TURNS

TURNABLE = "could be turned"
"""The reason if a picture shows one digit one way up and another digit another way up."""
MARGIN = 1.0
"""Least lead in evidence over readings as another digit; docs/library.md has the resulting accuracy."""

LEAD = 1.2
"""Least ratio of the digits on a page to those that it shows another way up."""


def upright_sheet(sheets: Sequence[Sheet | Failure]) -> Sheet | Failure:
    """Combine the readings of a page turned by each of `TURNS`, in their order.

    The way that shows the most digits, each weighted by how sure its number is, counts if it leads all
    others by `LEAD`; else no number has a value.
    """
    failed = next((sheet for sheet in sheets if isinstance(sheet, Failure)), None)
    if failed is not None:
        return failed
    turned = [
        (_digits(sheet), replace(sheet, turned=turn))
        for turn, sheet in zip(TURNS, sheets, strict=True) if isinstance(sheet, Sheet)
    ]  # fmt: skip
    (most, chosen), (second, _), *_ = sorted(turned, key=lambda one: -one[0])
    if most < LEAD * second:
        chosen = replace(chosen, numbers=tuple(number.unless(TURNABLE) for number in chosen.numbers))
    latency_s, attempts = sum(one.latency_s for one in sheets), sum(one.attempts for one in sheets)
    return replace(chosen, latency_s=latency_s, attempts=attempts)


def _digits(sheet: Sheet) -> float:
    """Return how many digits a page shows, each weighted by how sure its number is."""
    return sum(max(0.0, number.sureness) * len(number.digits) for number in sheet.numbers)


def upright(readings: Sequence[Prediction | Failure]) -> Prediction | Failure:
    """Combine the readings of a picture turned by each of `TURNS`, in their order.

    The reading with the most evidence counts if it leads every reading as another digit by `MARGIN`. Else the
    picture is refused: a 6 is a 9 the other way up, and nothing shows which was meant.

    Args:
        readings: four, of an engine that gives probabilities.
    """
    failed = next((reading for reading in readings if isinstance(reading, Failure)), None)
    if failed is not None:
        return failed
    predictions = [
        replace(reading, turned=turn)
        for turn, reading in zip(TURNS, readings, strict=True) if isinstance(reading, Prediction)
    ]  # fmt: skip
    digits = [one for one in predictions if one.digit is not None]
    chosen = max(digits, key=_evidence, default=predictions[0])
    others = [_evidence(one) for one in digits if one.digit != chosen.digit]
    if others and _evidence(chosen) - max(others) < MARGIN:
        chosen = chosen.unless(TURNABLE)
    latency_s, attempts = sum(one.latency_s for one in readings), sum(one.attempts for one in readings)
    return replace(chosen, latency_s=latency_s, attempts=attempts)


def _evidence(reading: Prediction) -> float:
    """Return the standard deviation of the logarithms of the ten probabilities, >= 0."""
    chances = np.asarray(reading.probabilities or (0.1,) * 10)
    return float(np.log(np.maximum(chances, 1e-30)).std())
