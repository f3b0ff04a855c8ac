"""Paths that stand in a column of a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import click

from digitrec.errors import DataError, ImageError
from digitrec.image import files


def paths(table: str, column: str) -> list[str]:
    """The paths in a column, in order; relative ones are relative to the table's folder.

    A row without a path gives its own place: there is no such file, which is told when it is to be read.

    Args:
        table: a file in UTF-8 with commas, semicolons or tabs between its cells and names in its first row;
            "-" is standard input.
        column: one of these names.

    Raises:
        click.UsageError: there is no such column.
        DataError: it cannot be read, or is no table.
    """
    text = _text(table)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        header = [name.strip() for name in next(rows, [])]
        if column not in header:
            raise click.UsageError(
                f"{files.name_of(table)}: there is no column {column!r}; its columns: {', '.join(header)}."
            )
        return list(_cells(table, rows, header.index(column)))
    except csv.Error as error:
        raise DataError(f"{files.name_of(table)}, line {rows.line_num}: not a table ({error})") from error


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


def _text(table: str) -> str:
    try:
        return files.read(table)[0].decode("utf-8-sig")
    except ImageError as error:
        raise DataError(str(error)) from error
    except UnicodeDecodeError as error:
        raise DataError(f"{files.name_of(table)}: not a table in UTF-8") from error


def _delimiter(text: str) -> str:
    """The one of the separators that is most frequent in the header."""
    return max(",;\t", key=text.partition("\n")[0].count)
