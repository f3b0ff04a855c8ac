"""Numbers and their values in the words of any engine."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

import digitrec
from digitrec.answer import Answer, Candidate, Sign
from digitrec.emulator.kit import FakeProvider

PAGE = np.full((400, 600), 255, np.uint8)
HEIGHT = 20
"""Height of a word on the page, in pixels; a character is half as wide."""


def word(text: str, left: float, top: float = 40, score: float | None = 0.9) -> Candidate:
    """Return a word at this place; the page is sent as it is."""
    return Candidate(text, score, (left, top, left + len(text) * HEIGHT / 2, top + HEIGHT))


def read(*words: Candidate, **options: object) -> digitrec.Sheet:
    return digitrec.read(PAGE, FakeProvider([Answer(words)]), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spelled", "text", "value"),
    [
        ("7", "7", "7"), ("012", "012", "12"), ("7.50", "7.50", "7.50"), ("7,50", "7,50", "7.50"),
        ("-3", "-3", "-3"), ("\u22123", "-3", "-3"), ("\u20133", "-3", "-3"), (".5", ".5", "0.5"),
        ("1,234", "1,234", "1234"), ("1.234", "1.234", "1.234"), ("0,125", "0,125", "0.125"),
        ("1'234.50", "1'234.50", "1234.50"), ("1\u2019234", "1'234", "1234"),
        ("1.234,50", "1.234,50", "1234.50"), ("1,234.50", "1,234.50", "1234.50"),
        ("1.234.567", "1.234.567", "1234567"), ("12,345,678", "12,345,678", "12345678"),
        ("$7.50", "7.50", "7.50"), ("12%", "12", "12"), ("(12)", "12", "12"), ("12.", "12", "12"),
        ("#5", "5", "5"),
        ("7.-", "7.-", "7"), ("\u0667\u0665", "75", "75"), ("\uff11\uff12", "12", "12"),
    ],
)  # fmt: skip
def test_a_number_keeps_its_spelling_and_has_a_value(spelled: str, text: str, value: str) -> None:
    (number,) = read(word(spelled, 50)).numbers
    assert (number.text, number.value, number.reason) == (text, Decimal(value), None)
    assert [digit.digit for digit in number.digits] == [int(char) for char in text if char.isdigit()]


@pytest.mark.parametrize(
    "spelled", ["12:30", "12/05/2024", "1.2.3", "555-1234", "7/10", "3x4"[:1] + "=4", "12,34,5"]
)
def test_what_is_not_one_decimal_keeps_its_text_and_has_no_value(spelled: str) -> None:
    (number,) = read(word(spelled, 50)).numbers
    assert (number.text, number.value, number.reason) == (spelled, None, "not one number")


@pytest.mark.parametrize("spelled", ["seven", "A4", "7kg", "1st", "B12", "h3llo", "O", "lO", "-", "...", "x"])
def test_words_and_letters_beside_digits_are_not_numbers(spelled: str) -> None:
    assert read(word(spelled, 50)).numbers == ()


@pytest.mark.parametrize(
    ("spelled", "value"),
    [("1O4", "104"), ("O", "0"), ("l2", "12"), ("S", None), ("TOGS", None), ("7kg", None)],
)
def test_lenient_infers_letters_beside_a_digit(spelled: str, value: str | None) -> None:
    found = read(word(spelled, 50), lenient=True).numbers
    assert [number.value for number in found] == ([] if value is None else [Decimal(value)])
    assert all(number.inferred for number in found)


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        ([word("-", 50), word("3", 65)], ["-3"]),
        ([word("7", 50), word(".", 60), word("50", 71)], ["7.50"]),
        ([word("7.", 50), word("50", 72)], ["7.50"]),
        ([word("1", 50), word("234.50", 67)], ["1234.50"]),
        ([word("12", 50), word("34", 90)], ["12", "34"]),
        ([word("10", 50), word("-", 79), word("3", 98)], ["10", "3"]),
        ([word("120", 50), word("135", 92)], ["120", "135"]),
        ([Candidate("120 135", 0.9, (110, 100, 180, 120))], ["120", "135"]),
        ([Candidate("x = 12 kg", 0.9, (110, 100, 200, 120))], ["12"]),
        ([word("7", 50), word("8", 50, 80)], ["7", "8"]),
        ([Candidate("7", 0.9), Candidate("8 9", 0.9)], ["7", "8", "9"]),
    ],
)
def test_only_parts_of_one_number_are_joined(words: list[Candidate], texts: list[str]) -> None:
    assert [number.text for number in read(*words).numbers] == texts


def test_an_expected_length_joins_the_boxes_of_a_form_and_doubts_another_length() -> None:
    boxes = [word(digit, 50 + 30 * place, score=0.9 - place / 10) for place, digit in enumerate("8005")]
    joined, other = read(*boxes, word("123", 50, 120), digits=4).numbers
    assert (joined.text, joined.value, joined.confidence) == ("8005", 8005, pytest.approx(0.6))
    assert (other.text, other.value, other.reason) == ("123", None, "another number of digits")
    assert [number.text for number in read(*boxes).numbers] == list("8005")
    assert [number.text for number in read(*boxes, digits=(1, 4)).numbers] == list("8005")


def test_a_joined_number_is_right_if_all_its_parts_are() -> None:
    parts = [replace(word(text, left), chance=0.9) for text, left in (("O7.", 50), ("50", 82))]
    (number,) = read(*parts, lenient=True).numbers
    assert (number.text, number.calibrated, number.inferred) == ("07.50", pytest.approx(0.81), True)


def test_a_part_of_a_text_has_its_share_of_the_box_and_the_score_of_the_whole() -> None:
    (number,) = read(Candidate("x = 12 kg", 0.9, (110, 100, 200, 120))).numbers
    assert (number.box, number.confidence) == ((150, 100, 170, 120), 0.9)


def test_boxes_and_scores_of_digits_are_on_the_users_picture() -> None:
    signs = tuple(
        Sign(0.5 + place / 10, (50.0 + 10 * place, 40.0, 60.0 + 10 * place, 60.0)) for place in range(4)
    )
    (number,) = read(Candidate("$7.5", 0.9, (50, 40, 90, 60), signs, chance=0.8)).numbers
    assert number.box == (60, 40, 90, 60)
    assert [(digit.digit, digit.confidence, digit.box) for digit in number.digits] == [
        (7, pytest.approx(0.6), (60, 40, 70, 60)), (5, pytest.approx(0.8), (80, 40, 90, 60))
    ]  # fmt: skip
    assert (number.confidence, number.calibrated) == (0.9, 0.8)


def test_a_number_below_the_threshold_has_no_value_but_its_text() -> None:
    words = word("1", 50, 40, 0.95), word("2", 50, 80, 0.5), word("3", 50, 120, None)
    numbers = read(*words, at_least=0.9).numbers
    assert [(number.text, number.value, number.reason) for number in numbers] == [
        ("1", 1, None), ("2", None, "not sure"), ("3", None, "not sure")
    ]  # fmt: skip
