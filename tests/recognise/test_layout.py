"""Reading order, rows and columns, of level and tilted pages."""

from __future__ import annotations

import math

import numpy as np
import pytest

import digitrec
from digitrec.answer import Answer, Candidate
from digitrec.emulator.kit import FakeProvider
from digitrec.image import InputSpec

PAGE = np.full((1000, 1000), 255, np.uint8)
Cells = list[tuple[str, float, float]]


def read(cells: Cells, degrees: float = 0.0, seed: int = 0) -> digitrec.Sheet:
    """Read a page with texts at these centres, turned by this angle in degrees."""
    across, down = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    words = []
    for text, x, y in cells:
        middle = 500 + (x - 500) * across - (y - 500) * down, 500 + (x - 500) * down + (y - 500) * across
        half = 8 * len(text)
        words.append(
            Candidate(text, 0.9, (middle[0] - half, middle[1] - 15, middle[0] + half, middle[1] + 15))
        )
    np.random.default_rng(seed).shuffle(words)  # type: ignore[arg-type]
    provider = FakeProvider([Answer(tuple(words))], wants=InputSpec(encoding="png"))
    return digitrec.read(PAGE, provider)


TABLE: Cells = [
    (f"{row}{column}" * (1 + column % 2), 200 + 150 * column, 200 + 80 * row)
    for row in range(1, 7) for column in range(5) if (row, column) not in ((1, 1), (3, 0), (6, 4))
]  # fmt: skip


@pytest.mark.parametrize("degrees", [0, 3, -3, 8, -8])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_table_has_its_rows_and_columns_also_at_an_angle(degrees: float, seed: int) -> None:
    sheet = read(TABLE, degrees, seed)
    assert [number.text for number in sheet.numbers] == [text for text, _, _ in TABLE]
    rows = [["" if number is None else number.text for number in row] for row in sheet.rows()]
    assert [len(row) for row in rows] == [5] * 6
    assert [(row, column) for row in range(6) for column in range(5) if not rows[row][column]] == [
        (0, 1), (2, 0), (5, 4)
    ]  # fmt: skip


def test_numbers_that_do_not_line_up_have_rows_only() -> None:
    places = [(100, 100), (300, 100), (210, 200), (420, 200), (50, 300), (560, 300)]
    sheet = read([(str(at), x, y) for at, (x, y) in enumerate(places)])
    assert [(number.row, number.column) for number in sheet.numbers] == [
        (0, None), (0, None), (1, None), (1, None), (2, None), (2, None)
    ]  # fmt: skip
    assert [[number and number.text for number in row] for row in sheet.rows()] == [
        ["0", "1"], ["2", "3"], ["4", "5"]
    ]  # fmt: skip


def test_a_page_of_thousands_of_numbers_is_put_in_order() -> None:
    cells: Cells = [(f"{(row * 50 + column) % 90 + 10}", 15 + 19.5 * column, 5 + 9.9 * row)
             for row in range(100) for column in range(50)]  # fmt: skip
    words = tuple(Candidate(text, 0.9, (x - 4, y - 3, x + 4, y + 3)) for text, x, y in cells)
    sheet = digitrec.read(PAGE, FakeProvider([Answer(words[::-1])], wants=InputSpec(encoding="png")))
    assert [number.text for number in sheet.numbers] == [text for text, _, _ in cells]
    assert [len(row) for row in sheet.rows()] == [50] * 100
