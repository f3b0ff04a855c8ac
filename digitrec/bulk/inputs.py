"""Expand a batch's arguments to pictures; each becomes a line of the plan."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from functools import partial
from itertools import chain
from typing import IO, Any

from digitrec.bulk import archives
from digitrec.bulk.archives import Member
from digitrec.errors import DataError, ImageError
from digitrec.image import folders
from digitrec.image.files import is_address, name_of

CHUNK = 65536
"""Bytes of a list that are read at a time."""


Item = str | Member
"""One picture of a plan: a path, or a member of an archive."""


def expand(
    arguments: Iterable[str],
    skipped: folders.Skipped,
    *,
    hidden: bool = False,
    store: IO[bytes] | None = None,
) -> Iterator[Item]:
    """Yield the pictures in folders and archives, the matches of patterns, and files.

    A missing file is yielded too; reading it fails without affecting the others.

    Args:
        arguments: paths and patterns.
        skipped: counts the skipped files.
        hidden: also yield names that begin with a dot.
        store: file to which compressed tars are unpacked; None: they are refused.

    Raises:
        DataError: an archive cannot be read.
        OSError: the store cannot be written.
    """
    for argument in arguments:
        for path in [argument] if _is_archive(argument) else folders.expand(argument, skipped, hidden=hidden):
            if _is_archive(path):
                yield from archives.members(path, skipped, hidden=hidden, store=store)
            else:
                yield named(path)


def _is_archive(path: str) -> bool:
    if not path.lower().endswith(archives.ENDINGS):
        return False
    is_folder: bool = os.path.isdir(path)  # noqa: PTH112 (Path raises for some names)
    return not is_folder and (not folders.is_pattern(path) or os.path.exists(path))  # noqa: PTH110


def listed(file: IO[bytes]) -> Iterator[str]:
    """Yield the paths of a list, each on a line or followed by a null character (``find -print0``).

    The list is in UTF-8, or in UTF-16 with a byte order mark; empty lines are skipped.

    Raises:
        DataError: it begins as UTF-16 and is not.
    """
    start = file.read(CHUNK)
    utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding, errors = ("utf-16", "strict") if utf16 else ("utf-8", "surrogateescape")
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    end, padding = ("\0", "") if b"\0" in start and not utf16 else ("\n", "\r")
    rest = ""
    try:
        for chunk in chain([start.removeprefix(codecs.BOM_UTF8)], iter(partial(file.read, CHUNK), b"")):
            *paths, rest = (rest + decoder.decode(chunk)).split(end)
            yield from filter(None, (path.removesuffix(padding) for path in paths))
        if path := (rest + decoder.decode(b"", final=True)).removesuffix(padding):
            yield path
    except UnicodeDecodeError as error:
        raise DataError("<stdin>: a list in UTF-16 that cannot be decoded; write it in UTF-8") from error


def named(path: str) -> str:
    """Return the path; of a URL with a key only the part without the key, because the plan stores it."""
    return name_of(path) if is_address(path) else path


def to_json(item: Item) -> Any:
    """Return the item as a value of the plan."""
    return item if isinstance(item, str) else astuple(item)


def from_json(value: Any) -> Item:
    """Return the item for a value of the plan."""
    return value if isinstance(value, str) else Member(*value)


@dataclass(frozen=True, slots=True)
class Deadly:
    """The stand-in for a picture that killed the process that read it."""

    name: str

    def read(self, _: int = -1) -> bytes:
        """Raise the error of this picture.

        Raises:
            ImageError: always.
        """
        raise ImageError(f"{self.name}: the process that read it died or hung; save or export it again")
