"""The pictures meant by the arguments of a command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from glob import glob, has_magic
from pathlib import Path

from digitrec.errors import ImageError

SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm",
}  # fmt: skip
"""What counts as a picture in a folder; a file named outright is always tried."""


def expand(arguments: Iterable[str]) -> list[str]:
    """Files as they stand, folders as the pictures in them, patterns as what they match; "-" is kept.

    Raises:
        ImageError: a folder or a pattern holds no picture.
    """
    return [source for argument in arguments for source in _expand_one(argument)]


def _expand_one(argument: str) -> Iterator[str]:
    path = Path(argument)
    if argument == "-" or path.is_file():
        yield argument
    elif path.is_dir():
        yield from _non_empty(_pictures(path), f"{argument}: no picture in this folder")
    elif has_magic(argument):  # a shell that does not expand patterns hands them on
        matches = sorted(glob(argument, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)
        yield from _non_empty(
            [match for match in matches if Path(match).is_file()], f"{argument}: no file matches this pattern"
        )
    else:
        yield argument  # its own ImageError says that it is not there


def _pictures(folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]


def _non_empty(found: list[str], otherwise: str) -> list[str]:
    if not found:
        raise ImageError(f"{otherwise}; name the files to read")
    return found
