"""The pictures meant by the arguments of a command."""

from __future__ import annotations

from collections.abc import Iterable
from glob import glob, has_magic
from pathlib import Path

SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm",
}  # fmt: skip
"""What counts as a picture in a folder; a file named outright is always tried."""


def expand(arguments: Iterable[str]) -> list[str]:
    """Files as they stand, folders as the pictures in them, patterns as what they match; "-" is kept.

    What matches nothing stays as it is: trying to read it says what is wrong, and costs the others nothing.
    """
    return [source for argument in arguments for source in _matches(argument) or [argument]]


def _matches(argument: str) -> list[str]:
    try:
        return _expand_one(argument)
    except OSError:  # a name too long, a folder closed to us
        return []


def _expand_one(argument: str) -> list[str]:
    path = Path(argument)
    if path.is_dir():
        return [str(file) for file in sorted(path.rglob("*")) if file.suffix.lower() in SUFFIXES]
    if has_magic(argument) and not path.exists():  # a shell that does not expand patterns hands them on
        matches = sorted(glob(argument, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)
        return [match for match in matches if Path(match).is_file()]
    return []
