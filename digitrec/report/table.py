"""Tables of words, as lines of text and in Markdown; `page.table` writes them in HTML."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from digitrec import __version__
from digitrec.errors import text
from digitrec.errors.text import printable


@dataclass(frozen=True, slots=True)
class Table:
    """Words in rows and columns."""

    header: Sequence[str]
    """Heads of the columns."""
    rows: Sequence[Sequence[str]]
    """The cells."""
    numbers: range = range(0)
    """Columns of figures, which are aligned to the right."""
    title: str = ""
    """What it shows."""
    note: str = ""
    """How to read it."""

    def filled(self) -> tuple[list[list[str]], list[bool]]:
        """The header and the rows without empty columns, and whether each column holds figures."""
        places = [place for place in range(len(self.header)) if any(row[place] for row in self.rows)]
        lines = [[row[place] for place in places] for row in (self.header, *self.rows)]
        return lines, [place in self.numbers for place in places]


def aligned(table: Table) -> Iterator[str]:
    """The table as lines of text; empty columns are left out."""
    lines, figures = table.filled()
    numbers = [place for place, is_figure in enumerate(figures) if is_figure]
    return text.aligned([list(map(printable, line)) for line in lines], numbers)


def markdown_table(table: Table) -> str:
    """The table in Markdown; empty columns are left out."""
    (head, *rows), figures = table.filled()
    marks = ["---:" if is_figure else "---" for is_figure in figures]
    return "\n".join(_markdown_row(row) for row in (head, marks, *rows))


def _markdown_row(cells: Sequence[str]) -> str:
    """A row of a Markdown table, with line ends and bars escaped."""
    words = (printable(cell.replace("\n", " ")).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(words)} |"


def markdown_section(table: Table) -> str:
    """The table under its title and its note."""
    return f"## {table.title}\n\n{table.note}\n\n{markdown_table(table)}"


def measured_with(what: str, cores: str = "") -> str:
    """The last section of a page in Markdown: when, on what and on which machine it was measured."""
    return (
        f"## How it was measured\n\n- {datetime.now(UTC):%Y-%m-%d}, digitrec {__version__}, {what}\n"
        f"- Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores{cores}"
    )
