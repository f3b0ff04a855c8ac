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
"""Names of the two columns, in any case; if a table has several of them, the first counts."""
DELIMITERS = ",;\t|"
NONE = "none"
"""The label of a picture without a digit."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    file: Path
    """The picture, which exists."""
    label: int | None
    """0..9; None: the picture shows no digit."""
    line: int
    """Its number, from 1."""


def read(table: Path) -> list[Row]:
    """Return the rows of a table, in order, each file once; a warning counts repeated files.

    The first line is the header (`HEADS`), other columns are ignored; cells are separated by commas,
    semicolons, tabs or bars. The text is UTF-8, or UTF-16 with a byte order mark.

    Raises:
        DataError: the table cannot be read, a column or a file is missing, a label is missing or is
            neither 0..9 nor "none", or a file has two different labels; the message names the line.
    """
    (line, head), *records = list(_records(table)) or [(1, [])]
    columns = _columns([_name(cell) for cell in head], f"{table}, line {line}")
    rows = [_row(table, line, cells, columns, len(head)) for line, cells in records]
    first: dict[Path, Row] = {}
    for row in rows:
        other = first.setdefault(row.file.resolve(), row)
        if other.label != row.label:
            raise DataError(
                f"{table}, line {row.line}: {row.file.name!r} is {_shown(row.label)} here and "
                f"{_shown(other.label)} in line {other.line}"
            )
    if len(first) < len(rows):
        log.warning("%s: %s of a file that is there already, each taken once",
                    table, count(len(rows) - len(first), "line"))  # fmt: skip
    return list(first.values())


def label(text: str, where: str) -> int | None:
    """Return the digit that a label means; None for "none". "7.0", as pandas writes floats, is 7.

    Raises:
        DataError: it is neither a digit nor "none".
    """
    if text.strip().casefold() == NONE:
        return None
    digit = text.strip().removesuffix(".0")
    if len(digit) == 1 and digit in "0123456789":
        return int(digit)
    raise DataError(f"{where}: label {text.strip()!r} is not a digit 0 to 9, nor {NONE}")


def _shown(label: int | None) -> str:
    return NONE if label is None else str(label)


def _records(table: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank, with the number of its first line."""
    line = 1
    try:
        data = table.read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if wide else "utf-8-sig")
        opening = text.lstrip().partition("\n")[0]
        told = opening.startswith("sep=")  # Excel's own line
        delimiter = opening[4:5] if told else max(DELIMITERS, key=opening.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        for cells in reader:
            if any(cell.strip() for cell in cells) and not (told and line == 1):
                yield line, cells
            line = reader.line_num + 1
    except (OSError, UnicodeError, csv.Error, TypeError) as error:
        raise DataError(f"{table}, line {line}: cannot be read as a table ({error})") from error


def _name(head: str) -> str:
    return "_".join(head.split()).casefold()


def _columns(names: Sequence[str], where: str) -> list[int]:
    """The places of the columns with the file and the label."""
    places = []
    for what, known in HEADS.items():
        name = next((name for name in known if name in names), None)
        if name is None:
            raise DataError(f"{where}: no column {what}; the first line has {', '.join(map(repr, names))}")
        if names.count(name) > 1:
            raise DataError(f"{where}: two columns are called {name!r}")
        places.append(names.index(name))
    return places


def _row(table: Path, line: int, cells: Sequence[str], columns: Sequence[int], width: int) -> Row:
    where = f"{table}, line {line}"
    if any(cell.strip() for cell in cells[width:]):
        raise DataError(f"{where}: {len(cells)} cells under {count(width, 'head')}")
    name, said = (cells[place] if place < len(cells) else "" for place in columns)
    file = next((file for file in (table.parent / name, table.parent / name.strip()) if _is_file(file)), None)
    if file is None:
        raise DataError(f"{where}: there is no file {name.strip()!r}")
    if not said.strip():
        raise DataError(f"{where}: {name.strip()!r} has no label; write {NONE} if it shows no digit")
    return Row(file, label(said, where), line)


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except (OSError, ValueError):  # a name that is too long, or has a null in it
        return False
