"""The pictures that the arguments of a command name."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal, TextIO

import click
from PIL import Image

from digitrec.commands import options, values
from digitrec.commands.files import Input, named_as_file, refuse_inputs, refuse_outputs
from digitrec.commands.reasons import Reasons
from digitrec.errors import DataError, ImageError
from digitrec.errors.text import printable
from digitrec.image import files, folders, frames
from digitrec.image.files import Frame

Source = str | Frame


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments that name pictures, with the options about them."""

    images: tuple[str, ...]
    paths_from: str | None
    hidden: bool
    frames: Literal["first", "all"] | None

    def sources(self) -> list[Source]:
        """Return the pictures to read, in order, and report skipped files on stderr.

        Raises:
            click.UsageError: an argument is empty, a table has no such column, or a picture is an output too.
            DataError: a table cannot be read.
        """
        if not all(self.images):
            raise click.UsageError(
                "an empty name (a variable that is not set?); the folder you are in is called `.`."
            )
        if self.paths_from is not None:
            found = [path for name in self.images for path in table_paths(name, self.paths_from)]
        else:
            found = expand(self.images, hidden=self.hidden)
        refuse_inputs(found)
        return [one for file in found for one in _frames(file)] if self.frames == "all" else list(found)

    def reasons(self) -> Reasons:
        """Return what reports the pictures that failed or were not read."""
        return Reasons(firsts=self.frames is None)


given = options.gathered(
    "given", Given,
    click.argument("images", nargs=-1, required=True, metavar="IMAGE...",
                   type=Input(path_type=str), shell_complete=values.image),
    options.choice("--frames", "first", "all", help="Pages or frames to read of a TIFF, PDF or animation.  "
                   "[default: first, with a notice]"),
    options.flag("--hidden", help="Also read hidden files and folders (names with a leading dot)."),
    click.option("--paths-from", metavar="COLUMN",
                 help="Read a table (CSV, also with ; or tabs) with paths in this column, relative to "
                 "its folder."),
)  # fmt: skip
"""The argument IMAGE... and its options, as one `Given`."""


def expand(arguments: Iterable[str], *, hidden: bool = False) -> list[str]:
    """Return the pictures that the arguments name, and report on stderr what was skipped; "-" is kept.

    A folder without pictures is kept as well: reading it says so.
    """
    skipped = folders.Skipped()
    found = []
    for argument in arguments:
        found += list(folders.expand(argument, skipped, hidden=hidden)) or [argument]
    say_skipped(skipped)
    return found


def say_skipped(skipped: folders.Skipped) -> None:
    """Report on stderr what was skipped, if anything was."""
    if words := skipped.words():
        option = "; --hidden reads hidden files" if skipped.hidden else ""
        click.echo(printable(f"digitrec: skipped {', '.join(words)}{option}"), err=True)


def _frames(source: str) -> Sequence[Source]:
    try:
        found = frames(source)
    except ImageError:
        return [source]  # the attempt to read it reports the same error
    return found if len(found) > 1 or files.read_once(source) else [source]


def path_of(source: Source) -> str:
    """Return the file that holds a picture."""
    return str(source.source) if isinstance(source, Frame) else source


def table_paths(table: str, column: str) -> Iterator[str]:
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


def _opened(table: str) -> TextIO:
    data = sys.stdin.buffer if table == "-" else Path(table).open("rb")  # noqa: SIM115 (the caller closes it)
    return io.TextIOWrapper(data, encoding="utf-8-sig", newline="")


def _paths(table: str, column: str, lines: TextIO) -> Iterator[str]:
    name, folder, head = files.name_of(table), Path(table).parent, lines.readline()
    rows = csv.reader(chain([head], lines), delimiter=max(",;\t", key=head.count))
    try:
        header = [cell.strip() for cell in next(rows, [])]
        if column not in header:
            raise click.UsageError(
                f"{name}: there is no column {column!r}; its columns: {', '.join(header)}."
            )
        place = header.index(column)
        for number, row in enumerate(rows, 1):
            path = row[place].strip() if place < len(row) else ""
            if path:
                yield path if files.is_address(path) else f"{folder}/-" if path == "-" else str(folder / path)
            elif any(row):
                yield f"{name}, row {number}: no path"
    except csv.Error as error:
        raise DataError(f"{name}, line {rows.line_num}: not a table ({error})") from error


def picture_files(option: str, images: Sequence[Source], target: Path | None) -> list[Path]:
    """Return where an option saves a picture for each image: in a folder or in one file; [] without a target.

    Raises:
        click.UsageError: the name does not fit, or one of these files is read.
    """
    if target is None:
        return []
    if any(files.read_once(image) for image in images):
        raise click.UsageError(f"{option} needs files: standard input or a pipe is read only once.")
    several = len(images) > 1 or target.is_dir()
    if several and (target.is_file() or named_as_file(target)):
        raise click.UsageError(f"{option} {target} names a file; several pictures need a folder.")
    Image.init()
    if not several and Image.registered_extensions().get(target.suffix.lower()) not in Image.SAVE:
        raise click.UsageError(
            f"{option} {target} does not end as a picture does; name a file such as seen.png."
        )
    saved = [
        target / f"{number:03d}-{Path(str(image)).stem}.png" if several else target
        for number, image in enumerate(images, 1)
    ]
    refuse_outputs(option, saved, map(path_of, images))
    return saved
