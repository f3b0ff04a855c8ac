"""Tables of words, and how they stand in a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from digitrec.errors import text
from digitrec.errors.text import printable


@dataclass(frozen=True, slots=True)
class Table:
    """Words in rows and columns."""

    title: str
    """What it shows."""
    note: str
    """How it is to be read."""
    header: tuple[str, ...]
    """Heads of the columns."""
    rows: tuple[tuple[str, ...], ...]
    """The cells."""
    numbers: range = range(0)
    """Columns that hold figures."""


def aligned(table: Table) -> Iterator[str]:
    """The table as lines of text, figures to the right; empty columns are left out."""
    filled = filled_columns(table)
    rows = [[printable(row[place]) for place in filled] for row in (table.header, *table.rows)]
    return text.aligned(rows, [number for number, place in enumerate(filled) if place in table.numbers])


def filled_columns(table: Table) -> list[int]:
    """Return the columns that have a filled cell."""
    return [place for place in range(len(table.header)) if any(row[place] for row in table.rows)]


def markdown_table(table: Table) -> str:
    """The table in Markdown, figures to the right; empty columns are left out."""
    filled = filled_columns(table)
    marks = ["---:" if place in table.numbers else "---" for place in filled]
    rows = ([row[place] for place in filled] for row in (table.header, *table.rows))
    head, *body = [markdown_row(*row) for row in rows]
    return "".join([head, markdown_row(*marks), *body]).rstrip()


def markdown_row(*cells: str) -> str:
    """One row of a Markdown table; what would break it is escaped."""
    return (
        "| " + " | ".join(printable(cell.replace("\n", " ")).replace("|", "\\|") for cell in cells) + " |\n"
    )
