"""Rows for programs: JSON, JSON Lines and CSV; records of one kind also as columns for people."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import IO, Any, Literal

from digitrec.errors.text import aligned, plain, printable

FORMS = ("json", "jsonl", "csv")
"""The formats for programs."""


def write_rows(
    rows: Iterable[Mapping[str, Any]], form: str, out: IO[str] | None = None, columns: Sequence[str] = ()
) -> None:
    """Write rows as they come, in one of `FORMS`: an array, an object per line, or CSV.

    ``columns`` are those of CSV; without them they are the first row's, and no rows write nothing.
    """
    out = sys.stdout if out is None else out
    if form == "csv":
        _write_csv(rows, out, columns)
        return
    opening, between, end = ("[\n", ",\n", "\n]\n") if form == "json" else ("", "\n", "\n")
    number = 0
    for number, row in enumerate(rows, 1):
        out.write((opening if number == 1 else between) + json.dumps(row, default=str))
        out.flush()
    out.write(end if number else "[]\n" if form == "json" else "")


def _write_csv(rows: Iterable[Mapping[str, Any]], out: IO[str], columns: Sequence[str]) -> None:
    if columns:
        out.write(csv_line(columns))
    for row in rows:
        if not columns:
            columns = list(row)
            out.write(csv_line(columns))
        out.write(csv_line(_cell(row.get(name)) for name in columns))


def csv_line(cells: Iterable[Any]) -> str:
    """Return a line of CSV as in RFC 4180, ended by a line feed."""
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\r\n").writerow(cells)  # so that a cell with either of them is quoted
    return line.getvalue().removesuffix("\r\n") + "\n"


def _cell(value: Any) -> Any:
    return json.dumps(value, default=str) if isinstance(value, list | dict) else value


def write_records(records: Sequence[Any], form: Literal["table", "json"], out: IO[str] | None = None) -> None:
    """Write dataclasses of one kind: a JSON array, or columns under their fields' names."""
    out = sys.stdout if out is None else out
    rows = [asdict(record) for record in records]
    if form == "json":
        write_rows(rows, form, out)
        return
    lines = [list(row) for row in rows[:1]] + [[_word(value) for value in row.values()] for row in rows]
    out.write("\n".join(aligned(lines) if rows else ["nothing yet"]) + "\n")


def _word(value: Any) -> str:
    """A value in a column: short hashes, times to the second, no powers of ten, "-" for None."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, float):
        return plain(value)
    text = printable(str(value))
    return text[:12] if len(text) == 64 else text
