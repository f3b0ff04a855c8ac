"""A table of labels: which file shows which digit, as spreadsheets and scripts write it."""

from __future__ import annotations

import codecs
import csv
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from digitrec.errors import DataError
from digitrec.errors.text import count

log = logging.getLogger(__name__)

HEADS: Mapping[str, Sequence[str]] = {
    "file": ("file", "filename", "file_name", "image", "path"),
    "label": ("label", "digit", "class", "target"),
}
"""What the two columns may be called, in any case; where a table has several of them, the first counts."""
DELIMITERS = ",;\t|"
NONE = "none"
"""The label of a picture that shows no digit."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    file: Path
    """The picture, which is there."""
    label: int | None
    """0..9; None: it shows no digit."""
    line: int
    """Where it stands, from 1."""


def read(table: Path) -> list[Row]:
    """The rows of a table, in its order; a file that stands in it twice comes once, and that is told.

    The first line heads the columns (`HEADS`), others are ignored; between cells stands a comma, a
    semicolon, a tab or a bar. It is UTF-8, or UTF-16 with a byte order mark.

    Raises:
        DataError: it cannot be read, a column is missing, a file is not there, a label is missing or is
            neither 0..9 nor "none", or a file has two different labels; the message names the line.
    """
    try:
        text = _text(table)
        head = _head(text, table)
    except (OSError, UnicodeError) as error:
        raise DataError(f"{table}: cannot be read as a table ({error})") from error
    records = _records(text, head.delimiter, table, after=head.line, strict=True)
    return _once(table, [_row(table, line, cells, head) for line, cells in records])


def label(text: str, where: str) -> int | None:
    """The digit that a label means; None for "none". "7.0", as pandas writes floats, is 7.

    Raises:
        DataError: it is neither a digit nor "none".
    """
    if text.strip().casefold() == NONE:
        return None
    digit = text.strip().removesuffix(".0")
    if len(digit) == 1 and digit in "0123456789":
        return int(digit)
    raise DataError(f"{where}: label {text.strip()!r} is not a digit 0 to 9, nor {NONE}")


def _text(table: Path) -> str:
    data = table.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


@dataclass(frozen=True, slots=True)
class _Head:
    """The line that heads the columns: where it and the two stand, and how many columns there are."""

    delimiter: str
    line: int
    file: int
    label: int
    width: int


def _head(text: str, table: Path) -> _Head:
    opening = text.partition("\n")[0].strip()
    told = len(opening) == 5 and opening.startswith("sep=")  # a line that Excel writes for itself
    names: list[str] = []
    for delimiter in opening[4] if told else DELIMITERS:
        line, cells = next(_records(text, delimiter, table, after=int(told), strict=False), (1, []))
        found = ["_".join(cell.split()).casefold() for cell in cells]
        file, label = (_column(found, HEADS[what], f"{table}, line {line}") for what in ("file", "label"))
        if file is not None and label is not None:
            return _Head(delimiter, line, file, label, len(found))
        names = max(names, found, key=len)
    missing = " or ".join(what for what, known in HEADS.items() if not set(known) & set(names))
    there = ", ".join(map(repr, names)) or "nothing"
    raise DataError(f"{table}, line 1: no column {missing}; the first line has {there}")


def _column(found: Sequence[str], names: Sequence[str], where: str) -> int | None:
    for name in names:
        if found.count(name) > 1:
            raise DataError(f"{where}: two columns are called {name!r}")
        if name in found:
            return found.index(name)
    return None


def _records(
    text: str, delimiter: str, table: Path, *, after: int, strict: bool
) -> Iterator[tuple[int, list[str]]]:
    """Each record after a line that is not blank, with the number of its own first line.

    Raises:
        DataError: a cell is too long; ``strict``: quotes are not closed, or not where they belong.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    line = 1
    try:
        for cells in reader:
            if line > after and any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{table}, line {line}: cannot be read as a table ({error})") from error


def _row(table: Path, line: int, cells: Sequence[str], head: _Head) -> Row:
    where = f"{table}, line {line}"
    if any(cell.strip() for cell in cells[head.width :]):
        raise DataError(f"{where}: {len(cells)} cells under {count(head.width, 'head')}")
    name, said = (cells[place] if place < len(cells) else "" for place in (head.file, head.label))
    file = next((file for file in (table.parent / name, table.parent / name.strip()) if _is_file(file)), None)
    if not name.strip() or file is None:
        raise DataError(f"{where}: there is no file {name.strip()!r}")
    if not said.strip():
        raise DataError(f"{where}: {name.strip()!r} has no label; write {NONE} where it shows no digit")
    return Row(file, label(said, where), line)


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):  # a name that is too long, or has a null in it
        return False


def _once(table: Path, rows: Sequence[Row]) -> list[Row]:
    """Each file once.

    Raises:
        DataError: one has two labels.
    """
    first: dict[Path, Row] = {}
    torn: dict[Path, Row] = {}
    for row in rows:
        file = row.file.resolve()
        if first.setdefault(file, row).label != row.label:
            torn.setdefault(file, row)
    if torn:
        file, other = next(iter(torn.items()))
        one, another = (NONE if it.label is None else it.label for it in (first[file], other))
        raise DataError(
            f"{table}, line {other.line}: {other.file.name!r} is {another} here and {one} in line "
            f"{first[file].line}; {count(len(torn), 'file')} with two labels"
        )
    if len(first) < len(rows):
        log.warning("%s: %s of a file that is there already, each taken once",
                    table, count(len(rows) - len(first), "line"))  # fmt: skip
    return list(first.values())
