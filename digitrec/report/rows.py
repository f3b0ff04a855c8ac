"""Write rows as JSON, JSON Lines and CSV, and tables as text and Markdown."""

import csv
import io
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import IO, Any, Literal

from digitrec import __version__
from digitrec.errors import DigitrecError, text
from digitrec.errors.text import plain, printable


def write_rows(
    rows: Iterable[Mapping[str, Any]],
    form: str,
    out: IO[str] | None = None,
    columns: Sequence[str] = (),
    table: Iterable[str] = (),
) -> None:
    """Write rows as they arrive: ``json`` is an array, ``jsonl`` an object per line, ``csv`` a table.

    ``columns`` are those of CSV; without them they are the first row's, and no rows write nothing. In any
    other format, write the lines of ``table`` instead.
    """
    out = sys.stdout if out is None else out
    if form == "csv":
        pieces = _csv(rows, columns)
    elif form in ("json", "jsonl"):
        pieces = _json(rows, form)
    else:
        pieces = (f"{line}\n" for line in table)
    for piece in pieces:
        out.write(piece)
        out.flush()


def _json(rows: Iterable[Mapping[str, Any]], form: str) -> Iterator[str]:
    opening, between, end = ("[\n", ",\n", "\n]\n") if form == "json" else ("", "\n", "\n")
    number = 0
    try:
        for number, row in enumerate(rows, 1):
            yield (opening if number == 1 else between) + json.dumps(row, default=str)
    except (DigitrecError, OSError, KeyboardInterrupt):
        if number:  # the rows so far are worth reading
            yield end
        raise
    yield end if number else "[]\n" if form == "json" else ""


def _csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    if columns:
        yield csv_line(columns)
    for row in rows:
        if not columns:
            columns = list(row)
            yield csv_line(columns)
        yield csv_line(_cell(row.get(name)) for name in columns)


def csv_line(cells: Iterable[Any]) -> str:
    """Return a line of CSV as in RFC 4180, ended by a line feed."""
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow(cells)  # quotes cells that contain either character
    return line.getvalue().removesuffix("\r\n") + "\n"


def _cell(value: Any) -> Any:
    return json.dumps(value, default=str) if isinstance(value, list | dict) else value


def write_records(records: Sequence[Any], form: Literal["table", "json"], out: IO[str] | None = None) -> None:
    """Write dataclasses of one class as a JSON array, or as a table with their fields' names."""
    rows = [asdict(record) for record in records]
    lines = [list(row) for row in rows[:1]] + [[_word(value) for value in row.values()] for row in rows]
    write_rows(rows, form, out, table=text.aligned(lines) if rows else ["nothing yet"])


def _word(value: Any) -> str:
    """Format a value for a table: short hashes, times to the second, no powers of ten, "-" for None."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, float):
        return plain(value)
    word = printable(str(value))
    return word[:12] if len(word) == 64 else word


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text."""

    header: Sequence[str]
    """Names of the columns."""
    rows: Sequence[Sequence[str]]
    """The cells."""
    numbers: range = range(0)
    """Columns of numbers, which are aligned right."""
    title: str = ""
    """The title."""
    note: str = ""
    """An explanation of the table."""

    def filled(self) -> tuple[list[list[str]], list[bool]]:
        """Return header and rows without empty columns, and whether each column holds numbers."""
        places = [place for place in range(len(self.header)) if any(row[place] for row in self.rows)]
        lines = [[row[place] for place in places] for row in (self.header, *self.rows)]
        return lines, [place in self.numbers for place in places]


def aligned(table: Table) -> Iterator[str]:
    """Yield the table as lines of text without empty columns."""
    lines, figures = table.filled()
    numbers = [place for place, is_figure in enumerate(figures) if is_figure]
    return text.aligned([list(map(printable, line)) for line in lines], numbers)


def markdown_table(table: Table) -> str:
    """Return the table in Markdown without empty columns."""
    (head, *rows), figures = table.filled()
    marks = "|".join("---:" if is_figure else "---" for is_figure in figures)
    return "\n".join([_markdown_row(head), f"|{marks}|", *map(_markdown_row, rows)])


def _markdown_row(cells: Sequence[str]) -> str:
    """Return a row of a Markdown table, with line ends and bars escaped."""
    words = (printable(cell.replace("\n", " ")).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(words)} |"


def markdown_section(table: Table) -> str:
    """Return the table under its title and its note."""
    return "\n\n".join(filter(None, [f"## {table.title}", table.note, markdown_table(table)]))


def markdown_page(title: str, parts: Iterable[str], pictures: Mapping[str, str], measured: str) -> str:
    """Return a page in Markdown that ends with the date, the data and the machine of the measurement.

    Args:
        title: what the page shows.
        parts: its paragraphs and sections.
        pictures: titles, and paths relative to the page.
        measured: what was measured.
    """
    drawn = (f"![{name}]({path})" for name, path in pictures.items())
    end = (
        f"## How it was measured\n\n- {datetime.now(UTC):%Y-%m-%d}, digitrec {__version__}, {measured}\n"
        f"- Python {platform.python_version()}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores\n"
    )
    return "\n\n".join([f"# {title}", *parts, *drawn, end])
