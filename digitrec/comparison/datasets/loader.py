"""Find labelled images: in a folder, in a table, in a data set's files, or in digitrec itself."""

import csv
import io
import logging
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path
from typing import TypeVar
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets import arrayfiles
from digitrec.comparison.datasets.mnist import SHIPPED
from digitrec.errors import DataError
from digitrec.errors.text import count, encoding
from digitrec.image import ImageSource
from digitrec.image.files import SUFFIXES, Skipped, pictures
from digitrec.recognise.numbers import closed, value_of

log = logging.getLogger(__name__)

TEST_SET = "mnist-test"
"""Name of MNIST's 10,000 test digits."""
NAMED = f"{TEST_SET} and, to explore and to train, mnist-train"
"""Names of the known data sets, for messages."""
HEADS: Mapping[str, Sequence[str]] = {
    "file": ("file", "filename", "file_name", "image", "path"),
    "label": ("label", "digit", "class", "target"),
}
"""Accepted names of a table's columns, in any case; of several in one table the first is used."""
OPTIONAL = ("group", "row", "column")
"""Names of optional columns of a table."""
NONE = "none"
"""The label of a picture without a digit, and the text of a picture without a number."""
SEED = 0
"""Fixed random seed, so that a limit always gives the same pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """An image and its label."""

    image: ImageSource
    """A path, or an array of uint8."""
    label: int | None
    """The digit, 0..9; None if a refusal is right."""
    group: str = ""
    """Source of the picture, such as a book; "" without groups."""
    name: str = ""
    """The data set and the picture's index in its arrays, such as "mnist-test[9022]"; "" for others."""

    @property
    def truth(self) -> int | str | None:
        """The right answer: the label."""
        return self.label


@dataclass(frozen=True, slots=True, eq=False)
class NumberSample(Sample):
    """A picture and the numbers that a careful person reads on it."""

    texts: tuple[str, ...] = ()
    """Each number as it is written, without spaces; empty for a picture without a number."""
    cells: tuple[tuple[int, int, str], ...] = ()
    """Row and column of each number and its text, if they are labelled."""

    @property
    def truth(self) -> str | None:
        """The numbers, joined; None without a number."""
        return " ".join(self.texts) or None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table."""

    where: str
    """The table and the line, for error messages."""
    file: Path
    """The picture, which exists."""
    said: str
    """The label as written, not empty."""
    group: str = ""
    """Source of the picture, such as a book; "" without a group."""
    row: str = ""
    """The number's row on the page; "": not given."""
    column: str = ""
    """The number's column on the page; "": not given."""


AnySample = TypeVar("AnySample", bound=Sample)


def read_samples(source: str | Path, limit: int | None = None) -> list[Sample]:
    """List the labelled images of a folder, a file or a named data set, in order; open no image.

    Log a warning about images that are skipped.

    Args:
        source: a folder, a file or a name:
            - a folder with ``labels.csv``, a table (`_rows`) with the columns ``file``, ``label`` and
              optionally ``group``; the label "none" means that a refusal is right;
            - a folder with sub-folders "0" to "9" and optionally "none", which hold pictures
              (`digitrec.image.files`);
            - `TEST_SET`, if there is no folder with that name;
            - the table of a folder, a ``.csv`` file with another name;
            - an ``.npz`` file with arrays ``x`` (or ``images``), (N, H, W) or (N, H, W, channels), and ``y``
              (or ``labels``), (N,);
            - the image file of an IDX pair, gzipped or not, with the labels beside it under MNIST's names
              (EMNIST's pictures are stored on their side, and are turned upright).
        limit: maximum number of pictures, >= 0, with all labels in proportion (`sampled`); None: all.

    Raises:
        DataError: a file is missing, damaged or in none of these forms, or a label is missing, not 0..9, or
            contradicts another; the message names the file and, for a table, the line.
    """
    return limited(_read(str(source), _named(str(source))), limit)


def read_numbers(source: str, limit: int | None = None) -> list[NumberSample]:
    """Return the labelled pictures of a folder, or of a table of labels, without opening them.

    The table ``labels.csv`` has the columns ``file`` and ``text``, and optionally ``group``. Each line holds
    a number; "none" means that the picture has no number. A file with several lines is a sheet, whose numbers
    may have a ``row`` and a ``column``.

    Args:
        source: the folder or the table.
        limit: maximum number of pictures, drawn by `sampled`; None: all.

    Raises:
        DataError: the table is missing or wrong (`_rows`), a text is not a number, a picture belongs to two
            groups, or one of its cells holds two numbers; the message names the line.
    """
    path = _named(source)
    table = path / "labels.csv" if path.is_dir() else path
    if not _is_file(table):
        raise DataError(f"{table}: no such file; numbers need a table with the columns file and text")
    samples = [
        NumberSample(rows[0].file, None, group, texts=_texts(rows), cells=_cells(rows))
        for rows, group in _files(table, "text")
    ]
    return limited(samples, limit)


def limited(samples: Sequence[AnySample], limit: int | None) -> list[AnySample]:
    """Return at most `limit` of the pictures, drawn by `sampled`."""
    return [samples[place] for place in sampled([sample.label for sample in samples], limit)]


def sampled(labels: Sequence[int | None] | NDArray[np.uint8], limit: int | None) -> NDArray[np.int64]:
    """Return the sorted indices of `limit` random items, with each label in proportion.

    A larger limit includes the items of a smaller one, so paid answers are reused.

    Args:
        labels: the label of each picture; None: the picture shows no digit.
        limit: maximum number of items, >= 0; None: all.
    """
    if limit is None or limit >= len(labels):
        return np.arange(len(labels))
    kinds = np.array([-1 if label is None else int(label) for label in labels])
    drawn = np.random.default_rng(SEED).permutation(len(kinds))
    reached = np.empty(len(kinds))
    for kind in np.unique(kinds):
        places = drawn[kinds[drawn] == kind]
        reached[places] = (np.arange(len(places)) + 0.5) / len(places)  # rank within its label, 0..1
    return np.sort(drawn[np.argsort(reached[drawn], kind="stable")][:limit])


def _read(source: str, path: Path) -> list[Sample]:
    if source in (TEST_SET, "mnist-train") and os.path.isdir(path):  # noqa: PTH112 (Path may raise an error)
        log.warning("%s: using the folder %s instead of the set of that name", source, path.resolve())
    elif source == TEST_SET:
        path = SHIPPED / "t10k-images-idx3-ubyte.gz"
    if _is_file(path / "labels.csv"):
        return _table(path / "labels.csv")
    if path.is_dir():
        return _folders(path)
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; the sets known by name are {NAMED}")
    if path.suffix.lower() == ".csv":
        return _table(path)
    images, labels = arrayfiles.read(path)
    return [
        Sample(image, int(label), name=f"{source}[{place}]")
        for place, (image, label) in enumerate(zip(images, labels, strict=True))
    ]


def _folders(path: Path) -> list[Sample]:
    entries = _entries(path)
    folders = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    shown = {folder: _label(folder.name, str(folder)) for folder in folders}
    if not shown:
        raise DataError(f"{path}: holds neither labels.csv nor folders named 0 to 9")
    skipped = Skipped()
    samples = [
        Sample(Path(image), label)
        for folder, label in shown.items() for image in pictures(str(folder), skipped)
    ]  # fmt: skip
    if words := skipped.words():
        log.warning("%s: skipped %s", path, ", ".join(words))
    outside = [entry.name for entry in entries if entry not in shown]
    _warn(path, outside, "hidden, or not in a folder 0 to 9")
    return samples


def _table(path: Path) -> list[Sample]:
    """Read a table of digits, each file once; warn about repeated files and about files not in the table."""
    samples, repeated = [], 0
    for (first, *others), group in _files(path, "label"):
        samples.append(Sample(first.file, _label(first.said, first.where), group))
        repeated += len(others)
        for row in others:
            if _label(row.said, row.where) != samples[-1].label:
                raise DataError(
                    f"{row.where}: {row.file.name!r} is {row.said} here and {first.said} in {first.where}"
                )
    if repeated:
        log.warning("%s: repeated files (%s); each file is used once", path, count(repeated, "line"))
    return samples


def _files(table: Path, column: str) -> list[tuple[list[Row], str]]:
    """Return the lines of each picture in a table, and its group: itself if only others have one.

    Warn about pictures beside them.
    """
    found: dict[Path, list[Row]] = defaultdict(list)
    for row in _rows(table, column):
        lines = found[row.file.resolve()]
        lines.append(row)
        if row.group != (group := lines[0].group):
            raise DataError(f"{row.where}: {row.file.name!r} has two groups, {group!r} and {row.group!r}")
    _warn_of_others(table, [rows[0].file for rows in found.values()])
    grouped = any(rows[0].group for rows in found.values())
    return [(rows, rows[0].group or (str(file) if grouped else "")) for file, rows in found.items()]


def _warn_of_others(table: Path, files: Sequence[Path]) -> None:
    """Warn about pictures beside those of a table, also in folders that are named like labels."""
    labelled = {one for one in _entries(table.parent) if one.name in {*"0123456789", NONE} and one.is_dir()}
    known, kinds = {file.resolve() for file in files}, SUFFIXES | {file.suffix.lower() for file in files}
    beside = [file for folder in {file.parent for file in files} | labelled for file in _entries(folder)]
    missing = sorted(one.name for one in beside if one.suffix.lower() in kinds and one.resolve() not in known)
    _warn(table, missing, "not in the table")


def _named(source: str) -> Path:
    """Return the path of a name; raise a DataError if it is empty."""
    if not source:
        raise DataError("the name is empty (is a variable unset?); the current folder is `.`")
    return Path(source)


def _is_file(path: Path) -> bool:
    """Return whether there is such a file; raise a DataError if its folder cannot be searched."""
    try:
        return path.is_file()
    except PermissionError as error:
        raise DataError(f"{path}: {error.strerror}; check the folder's permissions") from error


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from error


def _warn(where: Path, names: Sequence[str], what: str) -> None:
    """Log a warning about skipped files, with their number, the reason and the first name."""
    if names:
        log.warning("%s: left out %d (%s), such as %s", where, len(names), what, names[0])


def _label(text: str, where: str) -> int | None:
    """Return the digit of a label; None for "none". "7.0", as pandas writes floats, is 7.

    Raises:
        DataError: the label is neither a digit nor "none".
    """
    if text.casefold() == NONE:
        return None
    digit = text.removesuffix(".0")
    if len(digit) == 1 and digit in "0123456789":
        return int(digit)
    raise DataError(f"{where}: label {text!r} is not a digit 0 to 9, nor {NONE}")


def _texts(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the numbers of one picture."""
    texts = [closed(row.said) for row in rows]
    if {text.casefold() for text in texts} == {NONE}:
        return ()
    for row, text in zip(rows, texts, strict=True):
        if value_of(text) is None:
            raise DataError(f"{row.where}: text {row.said!r} is not one number, nor {NONE} as the only label")
    return tuple(texts)


def _cells(rows: Sequence[Row]) -> tuple[tuple[int, int, str], ...]:
    """Return row, column and text of the numbers of one picture that have them."""
    found: dict[tuple[int, int], str] = {}
    for row in rows:
        if not (row.row or row.column):
            continue
        if not all(cell.isdecimal() and len(cell) < 10 for cell in (row.row, row.column)):
            got = f"{row.row[:20]!r} and {row.column[:20]!r}"
            raise DataError(f"{row.where}: row and column must both be numbers of 1 to 9 digits, got {got}")
        cell, text = (int(row.row), int(row.column)), closed(row.said)
        if cell in found:
            raise DataError(f"{row.where}: row {cell[0]}, column {cell[1]} already holds {found[cell]}")
        found[cell] = text
    return tuple((*cell, text) for cell, text in found.items())


def _rows(table: Path, column: str) -> list[Row]:
    """Return all rows of a table, in order.

    The first line is the header; unknown columns are ignored. Cells are separated by commas, semicolons, tabs
    or bars. The text is UTF-8, or UTF-16 with a byte order mark.

    Args:
        table: the file.
        column: the column with the labels, a key of `HEADS` or a column's own name. The columns of `OPTIONAL`
            are read if they exist.

    Raises:
        DataError: the table cannot be read, or a column, a file or a cell is missing; the message names the
            line.
    """
    (where, head), *records = list(_records(table)) or [(f"{table}, line 1", [])]
    names = ["_".join(cell.split()).casefold() for cell in head]
    wanted = ["file", column, *(name for name in OPTIONAL if name in names)]
    places = {name: _place(names, name, where) for name in wanted}
    rows = []
    for where, cells in records:
        if any(cell.strip() for cell in cells[len(head) :]):
            raise DataError(f"{where}: {len(cells)} cells, but {count(len(head), 'column')}")
        texts = {name: cells[place] if place < len(cells) else "" for name, place in places.items()}
        file, said = texts.pop("file"), texts.pop(column).strip()
        found = _file(table.parent, file, where)
        if not said:
            raise DataError(f"{where}: {file.strip()!r} has no {column}; write {NONE} if it shows none")
        rows.append(Row(where, found, said, **{name: text.strip() for name, text in texts.items()}))
    return rows


def _records(table: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each record that is not blank, with the table's name and the number of its first line."""
    line = 1
    try:
        data = table.read_bytes()
        text = data.decode(encoding(data))
        delimiter = max(",;\t|", key=text.lstrip().partition("\n")[0].count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield f"{table}, line {line}", cells
            line = reader.line_num + 1
    except UnicodeError as error:
        raise DataError(f"{table}: its text is not UTF-8 ({error}); save it as UTF-8") from error
    except (OSError, csv.Error) as error:
        raise DataError(f"{table}, line {line}: cannot be read as a table ({error})") from error


def _place(names: Sequence[str], column: str, where: str) -> int:
    """Return the index of a column in the header."""
    accepted = HEADS.get(column, (column,))
    name = next((name for name in accepted if name in names), None)
    if name is None:
        there = ", ".join(map(repr, names)) or "no text"
        raise DataError(f"{where}: no column {' or '.join(accepted)}; the first line has {there}")
    if names.count(name) > 1:
        raise DataError(f"{where}: two columns are called {name!r}")
    return names.index(name)


def _file(folder: Path, name: str, where: str) -> Path:
    short = name.strip()
    for spelled in (name, short, *(normalize(form, short) for form in ("NFC", "NFD"))):  # a Mac's is NFD
        if isfile(folder / spelled):  # noqa: PTH113 (is_file raises at long names)
            return folder / spelled
    raise DataError(f"{where}: there is no file {short!r}")
