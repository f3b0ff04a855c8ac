"""Expand a batch's arguments to pictures."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Iterator

from digitrec.bulk import archives
from digitrec.bulk.archives import Member
from digitrec.errors import DataError
from digitrec.image import files
from digitrec.image.files import is_address, name_of

Item = str | Member
"""One picture of a plan: a path, or a member of an archive."""


def expand(arguments: Iterable[str], skipped: files.Skipped) -> Iterator[Item]:
    """Yield the pictures in folders and archives, the matches of patterns, and files.

    A missing file is yielded too; reading it fails without affecting the others.

    Args:
        arguments: paths and patterns.
        skipped: counts the skipped files.

    Raises:
        DataError: an archive cannot be read.
    """
    for argument in arguments:
        for path in [argument] if _is_archive(argument) else files.expand(argument, skipped):
            if _is_archive(path):
                yield from archives.members(path, skipped)
            else:
                yield named(path)


def _is_archive(path: str) -> bool:
    if not path.lower().endswith(archives.ENDINGS):
        return False
    is_folder: bool = os.path.isdir(path)  # noqa: PTH112 (Path raises for some names)
    return not is_folder and (not files.is_pattern(path) or os.path.exists(path))  # noqa: PTH110


def listed(data: bytes) -> list[str]:
    """Return the paths of a list, each on a line or followed by a null character (``find -print0``).

    The list is in UTF-8, or in UTF-16 with a byte order mark; empty lines are skipped.

    Raises:
        DataError: it begins as UTF-16 and is not.
    """
    try:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            text = data.decode("utf-16")
        else:
            text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    except UnicodeDecodeError as error:
        raise DataError("<stdin>: a list in UTF-16 that cannot be decoded; write it in UTF-8") from error
    if "\0" in text:
        return [path for path in text.split("\0") if path]
    return [path for line in text.split("\n") if (path := line.removesuffix("\r"))]


def named(path: str) -> str:
    """Return the path; of a URL with a key only the part without the key, because the plan stores it."""
    return name_of(path) if is_address(path) else path
