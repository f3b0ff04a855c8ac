"""Read tables of files and labels, as spreadsheets and scripts write them."""

from __future__ import annotations

import codecs
import csv
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path

from digitrec.errors import DataError
from digitrec.errors.text import count

log = logging.getLogger(__name__)

HEADS: Mapping[str, Sequence[str]] = {
    "file": ("file", "filename", "file_name", "image", "path"),
    "label": ("label", "digit", "class", "target"),
}
"""Names of the columns, in any case; if a table has several of them, the first counts."""
OPTIONAL = ("group", "row", "column")
"""Names of columns that a table may have."""
DELIMITERS = ",;\t|"
NONE = "none"
"""The label of a picture without a digit."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    file: Path
    """The picture, which exists."""
    said: str
    """The label as it is written, not empty."""
    where: str
    """The table and the line, for error messages."""
    group: str = ""
    """Source of the picture, such as a book; "" without a group."""
    row: str = ""
    """The number's row on the page; "": not given."""
    column: str = ""
    """The number's column on the page; "": not given."""


def read(table: Path) -> list[Row]:
    """Return the rows of a table of digits, in order, each file once; a warning counts repeated files.

    Raises:
        DataError: as `rows`, or a file has two different labels.
    """
    found = rows(table, "label")
    first: dict[Path, Row] = {}
    for row in found:
        other = first.setdefault(row.file.resolve(), row)
        if other.said.casefold() != row.said.casefold():
            raise DataError(
                f"{row.where}: {row.file.name!r} is {row.said} here and {other.said} in {other.where}"
            )
    if len(first) < len(found):
        repeated = count(len(found) - len(first), "line")
        log.warning("%s: %s repeat a file; each file is used once", table, repeated)
    return list(first.values())


def rows(table: Path, column: str) -> list[Row]:
    """Return all rows of a table, in order.

    The first line is the header, other columns are ignored; cells are separated by commas, semicolons, tabs
    or bars. The text is UTF-8, or UTF-16 with a byte order mark.

    Args:
        table: the file.
        column: which column says what a picture shows, by a name of `HEADS` or as it is called. The columns
            of `OPTIONAL` are read where there are any.

    Raises:
        DataError: the table cannot be read, or a column, a file or a cell is missing; the message names the
            line.
    """
    (where, head), *records = list(_records(table)) or [(f"{table}, line 1", [])]
    names = ["_".join(cell.split()).casefold() for cell in head]
    wanted = ["file", column, *(name for name in OPTIONAL if name in names)]
    places = {name: _place(names, name, where) for name in wanted}
    return [_row(table, where, cells, places, len(head), column) for where, cells in records]


def label(text: str, where: str) -> int | None:
    """Return the digit that a label means; None for "none". "7.0", as pandas writes floats, is 7.

    Raises:
        DataError: it is neither a digit nor "none".
    """
    if text.casefold() == NONE:
        return None
    digit = text.removesuffix(".0")
    if len(digit) == 1 and digit in "0123456789":
        return int(digit)
    raise DataError(f"{where}: label {text!r} is not a digit 0 to 9, nor {NONE}")


def _records(table: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each record that is not blank, with the table and the number of its first line."""
    line = 1
    try:
        data = table.read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if wide else "utf-8-sig")
        delimiter = max(DELIMITERS, key=text.lstrip().partition("\n")[0].count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield f"{table}, line {line}", cells
            line = reader.line_num + 1
    except (OSError, UnicodeError, csv.Error) as error:
        raise DataError(f"{table}, line {line}: cannot be read as a table ({error})") from error


def _place(names: Sequence[str], column: str, where: str) -> int:
    """Return the index of a column in the header."""
    name = next((name for name in HEADS.get(column, (column,)) if name in names), None)
    if name is None:
        raise DataError(f"{where}: no column {column}; the first line has {', '.join(map(repr, names))}")
    if names.count(name) > 1:
        raise DataError(f"{where}: two columns are called {name!r}")
    return names.index(name)


def _row(
    table: Path, where: str, cells: Sequence[str], places: Mapping[str, int], width: int, column: str
) -> Row:
    if any(cell.strip() for cell in cells[width:]):
        raise DataError(f"{where}: {len(cells)} cells under {count(width, 'head')}")
    found = {name: cells[place] if place < len(cells) else "" for name, place in places.items()}
    name, said = found.pop("file"), found.pop(column)
    paths = (table.parent / name, table.parent / name.strip())
    file = next((path for path in paths if isfile(path)), None)  # noqa: PTH113 (is_file raises at long names)
    if file is None:
        raise DataError(f"{where}: there is no file {name.strip()!r}")
    if not said.strip():
        raise DataError(f"{where}: {name.strip()!r} has no {column}; write {NONE} if it shows no digit")
    return Row(file, said.strip(), where, **{head: cell.strip() for head, cell in found.items()})
