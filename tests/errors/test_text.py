"""Text: percentages, names on one line, columns."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digitrec.errors.text import aligned, dollars, duration, padded, percent, plain, printable, width

STEERING = "\x1b\x07\r\n\t\x00\x7f\x9b\x85\u2028\u202e\u2066\u200b\u200d\ufeff\u00ad\u3164\ufe0f\udcff"
"""Characters that must not reach a terminal: C0, C1, line ends, bidirectional overrides, invisible ones."""


@given(st.floats(1e-12, 1e12))
@example(1.98e-05)
@example(1234567.0)
def test_a_plain_number_is_the_number_without_a_power_of_ten(number: float) -> None:
    assert re.fullmatch(r"\d+(\.\d+)?", plain(number))
    assert float(plain(number)) == pytest.approx(number, rel=5e-6)


@pytest.mark.parametrize(("share", "places", "text"), [
    (1.0, 1, "100.0%"), (0.9997, 1, ">99.9%"), (0.99951, 1, ">99.9%"), (0.9994, 1, "99.9%"),
    (0.978, 1, "97.8%"), (0.0004, 1, "<0.1%"), (0.0006, 1, "0.1%"), (0.0, 1, "0.0%"), (-0.0, 1, "-0.0%"),
    (0.99997, 2, ">99.99%"), (0.00004, 2, "<0.01%"), (0.997, 0, ">99%"), (1 - 1e-16, 1, "100.0%"),
    (None, 1, ""),
])  # fmt: skip
def test_per_cent(share: float | None, places: int, text: str) -> None:
    assert percent(share, places) == text


@given(share=st.floats(0, 1), places=st.integers(0, 3))
def test_only_all_is_a_hundred_and_only_nothing_is_none(share: float, places: int) -> None:
    shown = float(percent(share, places).strip("<>%"))
    assert (shown == 100) <= (share > 1 - 1e-11)
    assert (shown == 0) <= (share < 1e-11)
    assert abs(shown - 100 * share) <= 10**-places


@given(st.text())
@example(STEERING)
@example("a\u0301 數 🖊 ส้")
def test_a_name_is_one_line_that_steers_nothing(name: str) -> None:
    shown = printable(name)
    assert shown.isprintable()
    assert not set(shown) & set(STEERING)
    assert printable(shown) == shown
    if name.isascii() and name.isprintable():
        assert shown == name


@pytest.mark.parametrize(("text", "columns"), [
    ("scan.png", 8), ("數.png", 6), ("ä.png", 5), ("a\u0308.png", 5), ("🖊.png", 5), ("🙂.png", 6),
    ("한.png", 6), (unicodedata.normalize("NFD", "한.png"), 6), ("ส้.png", 5), ("ｱ.png", 5), ("", 0),
])  # fmt: skip
def test_columns_of_a_terminal(text: str, columns: int) -> None:
    assert width(text) == columns


@given(st.text().map(printable), st.integers(0, 40))
def test_padded_to_columns(name: str, columns: int) -> None:
    filled = max(columns, width(name))
    assert width(padded(name, columns)) == width(padded(name, columns, right=True)) == filled
    assert padded(name, columns).startswith(name) and padded(name, columns, right=True).endswith(name)


@given(st.lists(st.tuples(*[st.text().map(printable)] * 3), min_size=1))
def test_columns_begin_below_each_other(rows: list[tuple[str, str, str]]) -> None:
    widest = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for line, row in zip(aligned(rows), rows, strict=True):
        cells = [padded(cell, columns) for cell, columns in zip(row, widest, strict=True)]
        assert line == "  ".join(cells).rstrip()


@pytest.mark.parametrize(("seconds", "text"), [
    (0.0, "0 ms"), (0.00042, "0.42 ms"), (0.0123, "12.3 ms"), (0.9994, "999 ms"), (0.9995, "1.0 s"),
    (12.34, "12.3 s"),
])  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("usd", "text"), [
    (None, "price unknown"), (0.0, "free"), (0.0015, "$0.0015"), (0.0000198, "$0.0000198"),
    (0.9999, "$0.9999"), (1.0, "$1.00"), (120.0, "$120.00"),
])  # fmt: skip
def test_amounts(usd: float | None, text: str) -> None:
    assert dollars(usd) == text
