"""Figures as people write them."""

from __future__ import annotations

import pytest

from digitrec.reports import words


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
        (0.25, "$0.25"),
        (1.5, "$1.50"),
        (120.0, "$120.00"),
    ],
)
def test_amounts(usd: float | None, text: str) -> None:
    assert words.dollars(usd) == text


def test_a_markdown_row_cannot_be_broken_by_what_was_read() -> None:
    assert words.markdown_row("a|b", "c\nd") == "| a\\|b | c d |\n"
