"""Read paths from a column of a table."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TextIO

import click

from digitrec.errors import DataError
from digitrec.image import files

LINE = 1_000_000
"""Longest line of a table, in characters."""


def paths(table: str, column: str) -> Iterator[str]:
    """Yield the paths in a column of a table, in order; relative ones are relative to the table's folder.

    Only one line is in memory at a time. A row without a path yields its own place: there is no such file,
    so reading it says what is wrong.

    Args:
        table: a file in UTF-8 with commas, semicolons or tabs between its cells and names in its first row;
            "-" is standard input.
        column: one of these names.

    Raises:
        click.UsageError: there is no such column.
        DataError: the file cannot be read, or is not a table.
    """
    try:
        with _opened(table) as lines:
            yield from _paths(table, column, lines)
    except UnicodeDecodeError as error:
        raise DataError(f"{files.name_of(table)}: not a table in UTF-8") from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise DataError(f"{files.name_of(table)}: cannot be read ({why}); check the name") from error


def _opened(table: str) -> AbstractContextManager[TextIO]:
    if table == "-":
        return nullcontext(io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline=""))
    return io.TextIOWrapper(files.opened(table), encoding="utf-8-sig", newline="")


def _paths(table: str, column: str, lines: TextIO) -> Iterator[str]:
    head = lines.readline(LINE)
    rows = csv.reader(chain([head], iter(partial(_line, table, lines), "")), delimiter=_delimiter(head))
    try:
        header = [name.strip() for name in next(rows, [])]
        if column not in header:
            raise click.UsageError(
                f"{files.name_of(table)}: there is no column {column!r}; its columns: {', '.join(header)}."
            )
        yield from _cells(table, rows, header.index(column))
    except csv.Error as error:
        raise DataError(f"{files.name_of(table)}, line {rows.line_num}: not a table ({error})") from error


def _line(table: str, lines: TextIO) -> str:
    line = lines.readline(LINE)
    if len(line) == LINE:
        raise DataError(f"{files.name_of(table)}: a line of more than {LINE:,} characters; not a table")
    return line


def _cells(table: str, rows: Iterator[list[str]], place: int) -> Iterator[str]:
    folder = Path(table).parent
    for number, row in enumerate(rows, 1):
        path = row[place].strip() if place < len(row) else ""
        if files.is_address(path):
            yield path
        elif path:
            yield str(folder / path) if path != "-" else f"{folder}/-"  # a file, not standard input
        elif any(row):
            yield f"{files.name_of(table)}, row {number}: no path"


def _delimiter(head: str) -> str:
    """Return the separator that is most frequent in the header."""
    return max(",;\t", key=head.count)
