"""Tables of words in Markdown."""

from __future__ import annotations

from digitrec.report.table import markdown_row


def test_a_markdown_row_cannot_be_broken_by_what_was_read() -> None:
    assert markdown_row("a|b", "c\nd") == "| a\\|b | c d |\n"
