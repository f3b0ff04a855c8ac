"""Numbers and their values in the words of any engine."""

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

import digitrec
from digitrec.answer import Answer, Candidate, Sign
from digitrec.emulator.kit import FakeProvider
from digitrec.image import InputSpec

PAGE = np.full((400, 600), 255, np.uint8)
HEIGHT = 20
"""Height of a word on the page, in pixels; a character is half as wide."""


def word(text: str, left: float, top: float = 40, score: float | None = 0.9) -> Candidate:
    """Return a word at this place; the page is sent as it is."""
    return Candidate(text, score, (left, top, left + len(text) * HEIGHT / 2, top + HEIGHT))


def texts_of(*words: Candidate, **options: object) -> list[str]:
    return [number.text for number in read(*words, **options).numbers]


def read(*words: Candidate, **options: object) -> digitrec.Sheet:
    return digitrec.read(PAGE, FakeProvider([Answer(words)]), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("spelled", "text", "value"), [
    ("7", "7", "7"), ("012", "012", "12"), ("7.50", "7.50", "7.50"), ("7,50", "7,50", "7.50"),
    ("-3", "-3", "-3"), ("\u22123", "-3", "-3"), ("\u20133", "-3", "-3"), (".5", ".5", "0.5"),
    ("1,234", "1,234", "1234"), ("1.234", "1.234", "1.234"), ("0,125", "0,125", "0.125"),
    ("1'234.50", "1'234.50", "1234.50"), ("1\u2019234", "1'234", "1234"),
    ("1.234,50", "1.234,50", "1234.50"), ("1,234.50", "1,234.50", "1234.50"),
    ("1.234.567", "1.234.567", "1234567"), ("12,345,678", "12,345,678", "12345678"),
    ("91.063.97", "91.063.97", "91063.97"), ("-1,234,50", "-1,234,50", "-1234.50"),
    ("$7.50", "7.50", "7.50"), ("-$7.50", "-7.50", "-7.50"), ("12%", "12", "12"), ("(12)", "12", "12"),
    ("12.", "12", "12"), ("#5", "5", "5"), ("0'125", "0'125", "125"), (".9.95", "9.95", "9.95"),
    ("7.-", "7.-", "7"), ("1.234,-", "1.234,-", "1234"), ("\u0667\u0665", "75", "75"),
    ("\uff11\uff12", "12", "12"), ("1\u066c234", "1,234", "1234"), ("1\u066b234", "1.234", "1.234"),
])  # fmt: skip
def test_a_number_keeps_its_spelling_and_has_a_value(spelled: str, text: str, value: str) -> None:
    (number,) = read(word(spelled, 50)).numbers
    assert (number.text, number.value, number.reason) == (text, Decimal(value), None)
    assert [digit.digit for digit in number.digits] == [int(char) for char in text if char.isdigit()]


@pytest.mark.parametrize(("spelled", "texts"), [
    ("- 3", ["-3"]), ("1 234,50", ["1234,50"]), ("\u2212 1\u202f234", ["-1234"]), ("12 34", ["12", "34"]),
    ("0 123", ["0", "123"]), ("142 7.50", ["142", "7.50"]), ("- \u20ac 1 234 %", ["-1234"]),
    ("about 1 234.50 kg", ["1234.50"]), ("1 234 5 kg", ["1", "234", "5"]),
])  # fmt: skip
def test_without_a_box_spaces_inside_one_number_do_not_split_it(spelled: str, texts: list[str]) -> None:
    assert [number.text for number in read(Candidate(spelled, 0.9)).numbers] == texts


@pytest.mark.parametrize("spelled", [
    "12:30", "12/05/2024", "1.2.3", "555-1234", "7/10", "3=4", "12,34,5", "10\u00b2", "5\u2082", "5-", "7.50-"
])  # fmt: skip
def test_what_is_not_one_decimal_keeps_its_text_and_has_no_value(spelled: str) -> None:
    (number,) = read(word(spelled, 50)).numbers
    assert (number.text, number.value, number.reason) == (spelled, None, "not one number")


@pytest.mark.parametrize(
    "spelled", ["seven", "A4", "7kg", "1st", "B12", "h3llo", "O", "lO", "-", "...", "x", "m\u00b2", "\u00b2"]
)
def test_words_and_letters_beside_digits_are_not_numbers(spelled: str) -> None:
    assert read(word(spelled, 50)).numbers == ()


@pytest.mark.parametrize(("spelled", "value"), [
    ("1O4", "104"), ("O", "0"), ("l2", "12"), ("S", None), ("TOGS", None), ("7kg", None),
])  # fmt: skip
def test_lenient_infers_letters_beside_a_digit(spelled: str, value: str | None) -> None:
    found = read(word(spelled, 50), lenient=True).numbers
    assert [number.value for number in found] == ([] if value is None else [Decimal(value)])
    assert all(number.inferred for number in found)


def test_lenient_infers_no_marks() -> None:
    (number,) = read(word("7!", 50), lenient=True).numbers
    assert (number.text, number.inferred) == ("7", False)


@pytest.mark.parametrize(("words", "texts"), [
    ([word("-", 50), word("3", 65)], ["-3"]),
    ([Candidate("-", 0.9, (50, 49, 60, 52)), word("3", 70)], ["-3"]),
    ([word("-", 50), word("\u00a3", 70), word("3", 85)], ["-3"]),
    ([word("10", 50), word("-", 79), word("\u00a3", 96), word("3", 112)], ["10", "3"]),
    ([word("7", 50), word(".", 60), word("50", 71)], ["7.50"]), ([word("7.", 50), word("50", 72)], ["7.50"]),
    ([word("1", 50), word("234.50", 67)], ["1234.50"]), ([word("12", 50), word("34", 90)], ["12", "34"]),
    ([word("12", 50), word("kg", 72)], ["12"]), ([word("10", 50), word("-", 79), word("3", 98)], ["10", "3"]),
    ([word("120", 50), word("135", 92)], ["120", "135"]),
    ([Candidate(text, 0.9, (x, 50, x + 20, 120)) for text, x in (("120", 50), ("135", 88))], ["120", "135"]),
    ([Candidate("120 135", 0.9, (110, 100, 180, 120))], ["120", "135"]),
    ([Candidate("x = 12 kg", 0.9, (110, 100, 200, 120))], ["12"]),
    ([word("7", 50), word("8", 50, 80)], ["7", "8"]),
    ([Candidate("7", 0.9), Candidate("8 9", 0.9)], ["7", "8", "9"]),
    ([Candidate("7", 0.9), word("8", 50)], ["8", "7"]),
])  # fmt: skip
def test_only_parts_of_one_number_are_joined(words: list[Candidate], texts: list[str]) -> None:
    assert [number.text for number in read(*words).numbers] == texts


def test_an_expected_length_joins_the_boxes_of_a_form_and_doubts_another_length() -> None:
    boxes = [word(digit, 50 + 30 * place, score=0.9 - place / 10) for place, digit in enumerate("8005")]
    joined, other = read(*boxes, word("123", 50, 120), digits=4).numbers
    assert (joined.text, joined.value, joined.confidence) == ("8005", 8005, pytest.approx(0.6))
    assert (other.text, other.value, other.reason) == ("123", None, "another number of digits")
    assert texts_of(*boxes) == texts_of(*boxes, digits=(1, 4)) == list("8005")
    assert texts_of(*boxes, digits=3) == list("8005")  # which of them belong together is unknown
    assert texts_of(*boxes, *[word(one, 185 + 30 * at) for at, one in enumerate("123")], digits=(3, 4)) == [
        "8005", "123",
    ]  # fmt: skip
    assert texts_of(*boxes, digits=(3, 6)) == ["8005"]
    pair = [word("12", 50, 160), word("34", 80, 160)]
    assert texts_of(*boxes, *pair, digits=(2, 6)) == ["8005", "12", "34"]
    assert texts_of(*boxes[:3], word("12", 140), digits=4) == [*"800", "12"]


def test_a_joined_number_is_right_if_all_its_parts_are() -> None:
    for texts in (("O7.", "50"), ("07.", "5O")):
        parts = [replace(word(text, left), chance=0.9) for text, left in zip(texts, (50, 82), strict=True)]
        (number,) = read(*parts, lenient=True).numbers
        assert (number.text, number.calibrated, number.inferred) == ("07.50", pytest.approx(0.81), True)
    (unscored,) = read(word("7.", 50), word("50", 72, score=None)).numbers
    assert (unscored.text, unscored.confidence) == ("7.50", None)


def test_numbers_that_their_engine_judged_apart_stay_apart() -> None:
    cells = [word("36", 50), word("80", 72)]
    assert texts_of(*cells) == ["3680"]
    assert texts_of(*(replace(one, chance=0.9) for one in cells)) == ["36", "80"]


@pytest.mark.parametrize(("chance", "value"), [(0.5, 7), (0.49, None)])
def test_a_number_that_is_more_likely_wrong_has_no_value(chance: float, value: int | None) -> None:
    (number,) = read(replace(word("7", 50), chance=chance)).numbers
    assert number.value == value


def test_a_part_of_a_text_has_its_share_of_the_box_and_the_score_of_the_whole() -> None:
    (number,) = read(Candidate("x = 12 kg", 0.9, (110, 100, 200, 120))).numbers
    assert (number.box, number.confidence) == ((150, 100, 170, 120), 0.9)
    signs = tuple(map(Sign, (0.9, 0.6, 1.0, 0.8, 0.7)))
    found = read(Candidate("12 34", 0.9, (110, 100, 160, 120), signs, chance=0.75)).numbers
    assert [(one.text, one.confidence, one.calibrated) for one in found] == [
        ("12", 0.6, 0.75), ("34", 0.7, 0.75)
    ]  # fmt: skip


def test_boxes_and_scores_of_digits_are_on_the_users_picture() -> None:
    signs = tuple(Sign(0.5 + n / 10, (50.0 + 10 * n, 40.0, 60.0 + 10 * n, 60.0)) for n in range(4))
    (number,) = read(Candidate("$7.5", 0.9, (50, 40, 90, 60), signs, chance=0.8)).numbers
    assert number.box == (60, 40, 90, 60)
    assert [(digit.digit, digit.confidence, digit.box) for digit in number.digits] == [
        (7, pytest.approx(0.6), (60, 40, 70, 60)), (5, pytest.approx(0.8), (80, 40, 90, 60))
    ]  # fmt: skip
    assert (number.confidence, number.calibrated) == (0.9, 0.8)


def test_a_number_below_the_threshold_has_no_value_but_its_text() -> None:
    words = [word("1", 50, 40, 0.95), word("2", 50, 80, 0.5), word("3", 50, 120, None)]
    words.append(word("4:30", 50, 160, 0.5))
    assert [(number.text, number.value, number.reason) for number in read(*words, at_least=0.9).numbers] == [
        ("1", 1, None), ("2", None, "not sure"), ("3", None, "not sure"), ("4:30", None, "not one number")
    ]  # fmt: skip


PAGE = np.full((1000, 1000), 255, np.uint8)
Cells = list[tuple[str, float, float]]


def read_cells(cells: Cells, degrees: float = 0.0, seed: int = 0) -> digitrec.Sheet:
    """Read a page with texts at these centres, turned by this angle in degrees."""
    across, down = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    words = []
    for text, x, y in cells:
        at = 500 + (x - 500) * across - (y - 500) * down, 500 + (x - 500) * down + (y - 500) * across
        half = 8 * len(text)
        words.append(Candidate(text, 0.9, (at[0] - half, at[1] - 15, at[0] + half, at[1] + 15)))
    np.random.default_rng(seed).shuffle(words)  # type: ignore[arg-type]
    return digitrec.read(PAGE, FakeProvider([Answer(tuple(words))], wants=InputSpec(encoding="png")))


TABLE: Cells = [
    (f"{row}{column}" * (1 + column % 2), 200 + 150 * column, 200 + 80 * row)
    for row in range(1, 7) for column in range(5) if (row, column) not in ((1, 1), (3, 0), (6, 4))
]  # fmt: skip


@pytest.mark.parametrize(("degrees", "pitch"), [(0, 80), (3, 80), (8, 80), (-8, 80), (0, 42), (-3, 42)])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_table_has_its_rows_and_columns_also_at_an_angle(degrees: float, pitch: int, seed: int) -> None:
    sheet = read_cells([(text, x, y * pitch / 80) for text, x, y in TABLE], degrees, seed)
    assert [number.text for number in sheet.numbers] == [text for text, _, _ in TABLE]
    rows = [["" if number is None else number.text for number in row] for row in sheet.rows()]
    assert [len(row) for row in rows] == [5] * 6
    assert [(row, column) for row in range(6) for column in range(5) if not rows[row][column]] == [
        (0, 1), (2, 0), (5, 4)
    ]  # fmt: skip


def test_a_list_with_a_wide_gap_has_rows_at_an_angle() -> None:
    rows = [[f"{row}0", f"{row}1"] for row in range(1, 7)]
    cells = [(text, 100 + 800.0 * (text[1] == "1"), 100.0 * int(text[0])) for row in rows for text in row]
    assert [[one and one.text for one in row] for row in read_cells(cells, 2).rows()] == rows


def test_numbers_that_do_not_line_up_have_rows_only() -> None:
    places = [(100, 100), (300, 100), (210, 200), (420, 200), (50, 300), (560, 300)]
    sheet = read_cells([(str(at), x, y) for at, (x, y) in enumerate(places)])
    assert [(number.row, number.column) for number in sheet.numbers] == [
        (0, None), (0, None), (1, None), (1, None), (2, None), (2, None)
    ]  # fmt: skip
    assert [[number and number.text for number in row] for row in sheet.rows()] == [
        ["0", "1"], ["2", "3"], ["4", "5"]
    ]  # fmt: skip


def test_numbers_of_different_heights_are_in_one_row() -> None:
    places = [(x, 50.0 * row + 40, high) for row in range(6) for x, high in ((9, 12), (300, 30), (560, 12))]
    words = [Candidate("7", 0.9, (x, end - high, x + 10, end)) for x, end, high in places]
    assert [one.row for one in read(*words).numbers] == [at // 3 for at in range(18)]


def test_a_number_below_two_columns_belongs_to_the_nearer() -> None:
    sheet = read_cells([("1", 300, 100), ("2", 330, 100), ("3", 318, 200)])
    assert [(number.row, number.column) for number in sheet.numbers] == [(0, 0), (0, 1), (1, 1)]


@pytest.mark.parametrize(("left", "columns"), [(480, {2}), (490, {None})])
def test_a_list_with_a_number_more_has_columns_unless_they_meet(left: int, columns: set[int | None]) -> None:
    amounts = [word(text, 540 - 10 * len(text), 40 + 60 * at)
               for at, text in enumerate(("9.50", "123.50", "7", "48.50", "142.50", "3.2"))]  # fmt: skip
    lines = [word("1", 50, 40 + 60 * at) for at in range(6)]
    numbers = read(*lines, *amounts, word("48", left, 160)).numbers
    assert {one.column for one in numbers if one.text not in ("1", "48")} == columns


def test_columns_below_a_wide_number_are_in_order() -> None:
    cells = [("12", 70, 120), ("34", 202, 120), ("56", 70, 180), ("78", 202, 180)]
    places = [("20417853", (60, 20, 260, 60)), *((text, (x, y, x + 36, y + 40)) for text, x, y in cells)]
    rows = read(*(Candidate(text, 0.9, box) for text, box in places)).rows()
    assert [[one and one.text for one in row] for row in rows[1:]] == [["12", "34"], ["56", "78"]]


def test_narrow_numbers_have_columns_of_their_own_and_one_without_a_box_has_a_line() -> None:
    narrow = [Candidate(text, 0.9, (left, 185, left + 8, 215)) for text, left in (("1", 270), ("7", 288))]
    rows = read(word("12345", 250, 100), *narrow, Candidate("8")).rows()
    assert [[one and one.text for one in row] for row in rows] == [["12345", None], ["1", "7"], ["8"]]


def test_a_page_of_thousands_of_numbers_is_put_in_order() -> None:
    cells: Cells = [(f"{(row * 50 + column) % 90 + 10}", 15 + 19.5 * column, 5 + 9.9 * row)
             for row in range(100) for column in range(50)]  # fmt: skip
    words = tuple(Candidate(text, 0.9, (x - 4, y - 3, x + 4, y + 3)) for text, x, y in cells)
    sheet = digitrec.read(PAGE, FakeProvider([Answer(words[::-1])], wants=InputSpec(encoding="png")))
    assert [number.text for number in sheet.numbers] == [text for text, _, _ in cells]
    assert [len(row) for row in sheet.rows()] == [50] * 100
