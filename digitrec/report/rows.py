"""Rows of any kind for programs: JSON, JSON Lines, CSV; and as columns for people."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import IO, Any, Literal

from digitrec.errors.text import aligned, plain, printable

Rows = Sequence[Mapping[str, Any]]


def write_records(records: Sequence[Any], form: Literal["table", "json"], out: IO[str] | None = None) -> None:
    """Write dataclasses of one kind: a JSON array, or columns under their fields' names."""
    out = sys.stdout if out is None else out
    rows = [asdict(record) for record in records]
    if form == "json":
        out.write(json.dumps(rows, indent=2, default=str) + "\n")
        return
    if not rows:
        out.write("nothing yet\n")
        return
    for line in aligned([list(rows[0]), *([_word(value) for value in row.values()] for row in rows)]):
        out.write(line + "\n")


def write_rows(rows: Rows, form: str, out: IO[str] | None = None) -> None:
    """Write rows with the same columns for a program, in one of the forms of `WRITERS`."""
    WRITERS[form](rows, sys.stdout if out is None else out)


def _write_json(rows: Rows, out: IO[str]) -> None:
    out.write(json.dumps(rows, indent=2) + "\n")


def _write_jsonl(rows: Rows, out: IO[str]) -> None:
    out.writelines(json.dumps(row) + "\n" for row in rows)


def _write_csv(rows: Rows, out: IO[str]) -> None:
    if rows:
        write_row = csv_rows(out)
        write_row(rows[0])
        for row in rows:
            write_row(row.values())


WRITERS: dict[str, Callable[[Rows, IO[str]], None]] = {
    "json": _write_json, "jsonl": _write_jsonl, "csv": _write_csv,
}  # fmt: skip
"""The forms that are for programs."""


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


def csv_rows(out: IO[str]) -> Callable[[Iterable[Any]], None]:
    """What writes a row of CSV as RFC 4180 has it, but for line ends, which are a line feed."""
    plain, quoted = (
        csv.writer(out, lineterminator="\n", quoting=how) for how in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL)
    )

    def write_row(cells: Iterable[Any]) -> None:
        row = list(cells)
        bare = any(isinstance(cell, str) and "\r" in cell for cell in row)  # Python 3.11 leaves it unquoted
        (quoted if bare else plain).writerow(row)

    return write_row
