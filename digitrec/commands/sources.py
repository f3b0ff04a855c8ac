"""The pictures that the arguments of a command name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click
from PIL import Image

from digitrec.commands import options
from digitrec.commands.files import Input, named_as_file, refuse_outputs
from digitrec.commands.reasons import Reasons
from digitrec.errors import ImageError
from digitrec.errors.text import printable
from digitrec.image import atomic, files, frames
from digitrec.image.files import Frame

Source = str | Frame


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments that name pictures, with the options about them."""

    images: tuple[str, ...]
    frames: Literal["first", "all"] | None

    def sources(self) -> list[Source]:
        """Return the pictures to read, in order, and report skipped files on stderr.

        Raises:
            click.UsageError: an argument is empty.
        """
        if not all(self.images):
            raise click.UsageError(
                "an empty name (a variable that is not set?); the folder you are in is called `.`."
            )
        found = expand(self.images)
        return [one for file in found for one in _frames(file)] if self.frames == "all" else list(found)

    def reasons(self) -> Reasons:
        """Return what reports the pictures that failed or were not read."""
        return Reasons(firsts=self.frames is None)


given = options.gathered(
    "given", Given,
    click.argument("images", nargs=-1, required=True, metavar="IMAGE...",
                   type=Input(path_type=str)),
    options.choice("--frames", "first", "all", help="Pages or frames to read of a TIFF, PDF or animation.  "
                   "[default: first, with a notice]"),
)  # fmt: skip
"""The argument IMAGE... and its options, as one `Given`."""


def expand(arguments: Iterable[str]) -> list[str]:
    """Return the pictures that the arguments name, and report on stderr what was skipped; "-" is kept.

    A folder without pictures is kept as well: reading it says so.
    """
    skipped = files.Skipped()
    found = []
    for argument in arguments:
        found += list(files.expand(argument, skipped)) or [argument]
    say_skipped(skipped)
    return found


def say_skipped(skipped: files.Skipped) -> None:
    """Report on stderr what was skipped, if anything was."""
    if words := skipped.words():
        click.echo(printable(f"digitrec: skipped {', '.join(words)}"), err=True)


def _frames(source: str) -> Sequence[Source]:
    try:
        found = frames(source)
    except ImageError:
        return [source]  # the attempt to read it reports the same error
    return found if len(found) > 1 or files.read_once(source) else [source]


def path_of(source: Source) -> str:
    """Return the file that holds a picture."""
    return str(source.source) if isinstance(source, Frame) else source


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


def save(picture: Image.Image, file: Path) -> None:
    """Save a picture atomically.

    Raises:
        OSError: it cannot be written.
    """
    with atomic.replacing(file) as unfinished:
        picture.save(unfinished)
