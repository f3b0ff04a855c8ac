"""Figures as people write them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digitrec.answer.prediction import Failure, Prediction, short
from digitrec.errors import TimedOut
from digitrec.image import ImageRef
from digitrec.report import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.00042, "0.42 ms"),
        (0.0123, "12.3 ms"),
        (0.5, "500 ms"),
        (0.9996, "1.0 s"),
        (12.34, "12.3 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (None, "price unknown"),
        (0.0, "free"),
        (0.0015, "$0.0015"),
        (0.0000198, "$0.0000198"),
        (0.25, "$0.25"),
        (1.5, "$1.50"),
        (120.0, "$120.00"),
    ],
)
def test_amounts(usd: float | None, text: str) -> None:
    assert words.dollars(usd) == text


def test_figures_change_their_form_where_they_should() -> None:
    assert [words.duration(seconds) for seconds in (0.5, 0.9994, 0.9995)] == ["500 ms", "999 ms", "1.0 s"]
    assert [words.dollars(usd) for usd in (0.9999, 1.0, 1.25)] == ["$0.9999", "$1.00", "$1.25"]


def test_a_failure_is_an_exclamation_mark_and_a_refusal_a_dash() -> None:
    image = ImageRef("x.png", "00")
    outcomes = Failure(image, "e", TimedOut("slow")), Prediction(image, "e", None, None, "blank")
    assert [short(outcome) for outcome in outcomes] == ["!", "-"]


def test_remarks_say_what_was_read_and_where_it_comes_from() -> None:
    image = ImageRef("x.png", "00")
    plain = Prediction(image, "e", 7, 0.9, text="7")
    assert words.remarks(plain) == words.remarks(replace(plain, text=None)) == []
    letter = replace(plain, text="T", inferred=True, emulated=True, replayed=True)
    assert words.remarks(letter) == ["read 'T'", "inferred", "emulated", "replayed"]
