"""The pictures that the arguments of a command name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import click

from digitrec.commands import manifest, options, values
from digitrec.commands.files import Input, refuse_inputs
from digitrec.errors import ImageError
from digitrec.errors.text import printable
from digitrec.image import ImageRef, files, folders, frames
from digitrec.image.files import Frame
from digitrec.image.formats import MAX_FRAMES

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
            found = [path for name in self.images for path in manifest.paths(name, self.paths_from)]
        else:
            found = expand(self.images, hidden=self.hidden)
        refuse_inputs(found)
        return [one for file in found for one in _frames(file)] if self.frames == "all" else list(found)

    def note(self) -> FirstsRead:
        """Return a reporter for files of which only the first picture is read."""
        return FirstsRead(asked_for=self.frames is not None)


_OPTIONS = (
    click.argument("images", nargs=-1, required=True, metavar="IMAGE...",
                   type=Input(path_type=str), shell_complete=values.image),
    click.option("--frames", type=click.Choice(["first", "all"]),
                 help="Pages or frames to read of a TIFF, PDF or animation.  "
                 "[default: first, with a notice]"),
    click.option("--hidden", is_flag=True,
                 help="Also read hidden files and folders (names with a leading dot)."),
    click.option("--paths-from", metavar="COLUMN",
                 help="Read a table (CSV, also with ; or tabs) with paths in this column, relative to "
                 "its folder."),
)  # fmt: skip

given = options.gathered("given", Given, _OPTIONS)
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
        option = "; --hidden reads what is hidden" if skipped.hidden else ""
        _say(f"skipped {', '.join(words)}{option}")


def _frames(source: str) -> Sequence[Source]:
    try:
        found = frames(source)
    except ImageError:
        return [source]  # the attempt to read it reports the same error
    return found if len(found) > 1 or files.read_once(source) else [source]


def path_of(source: Source) -> str:
    """The file that a picture is read from."""
    return str(source.source) if isinstance(source, Frame) else source


class FirstsRead:
    """Report files of which only the first picture was read: the first file at once, the others counted."""

    def __init__(self, *, asked_for: bool) -> None:
        self._asked_for = asked_for
        self._names: set[str] = set()

    def tell(self, image: ImageRef) -> None:
        """Report the file, unless the user chose the first picture or a file was reported before."""
        if image.frames < 2 or self._asked_for:
            return
        self._names.add(image.source)
        if len(self._names) == 1:
            number = image.frames if image.frames <= MAX_FRAMES else f"more than {MAX_FRAMES}"
            _say(f"{image.source} holds {number} pictures; the first was read (--frames all reads all)")

    def sum_up(self) -> None:
        """Report how many more files there were."""
        if len(self._names) > 1:
            _say(f"{len(self._names) - 1} more: a file with several pictures, of which the first was read")


def _say(what: str) -> None:
    click.echo(f"digitrec: {printable(what)}", err=True)
