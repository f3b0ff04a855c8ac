"""What is to be read: folders, patterns, archives, and lists of them; found one after the other."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

from digitrec.bulk.members import ARCHIVES, PACKED, UNREADABLE, Member, members, unpacked
from digitrec.bulk.remote import Remote, remotes
from digitrec.bulk.tables import arrow
from digitrec.errors import DataError
from digitrec.image import folders
from digitrec.image.files import is_address, name_of

CHUNK = 65536
"""Bytes of a list that are read at a time."""
Item = str | Member | Remote
"""One picture to be read: a path, a member of an archive, or what is behind a URL."""


def expand(
    arguments: Iterable[str],
    skipped: folders.Skipped,
    *,
    hidden: bool = False,
    store: IO[bytes] | None = None,
) -> Iterator[Item]:
    """The pictures in folders and archives, what patterns match, and files as they stand, in this order.

    What matches nothing stays as it is: trying to read it says what is wrong, and costs the others nothing.

    Args:
        arguments: what was named.
        skipped: counts what is passed over.
        hidden: also what has a name that begins with a dot.
        store: where the pictures of a tar go that is compressed as a whole; None: such a one is refused.

    Raises:
        DataError: an archive cannot be read.
        OSError: the store cannot be written.
    """
    for argument in arguments:
        yield from _matches(argument, skipped, hidden, store)


def _matches(
    argument: str, skipped: folders.Skipped, hidden: bool, store: IO[bytes] | None
) -> Iterator[Item]:
    if is_address(argument):
        yield from remotes(argument, skipped, hidden=hidden)
        return
    packed = argument.lower().endswith(PACKED)
    if argument.lower().endswith(UNREADABLE) or (packed and store is None):
        raise DataError(f"{argument}: compressed as a whole; unpack it, or give a plain .tar or a .zip")
    try:
        path = Path(argument)
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError):  # a name too long, a null byte in it
        is_folder = is_file = False
    if is_folder:
        yield from folders.pictures(argument, skipped, hidden=hidden)
    elif packed and store is not None:  # where there is no such file, that is told
        yield from unpacked(argument, store, skipped, hidden=hidden)
    elif is_file and Path(argument).suffix.lower() in ARCHIVES:
        yield from members(argument, skipped, hidden=hidden)
    elif not is_file and folders.is_pattern(argument):
        yield from folders.matches(argument, skipped, hidden=hidden) or [argument]
    else:
        yield argument


def listed(file: IO[bytes]) -> Iterator[str]:
    """The paths of a list, one to a line, or each with a null character behind it (``find -print0``).

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


def column(table: str, name: str) -> Iterator[str]:
    """The paths in a column of a Parquet file; relative ones are relative to its folder.

    Raises:
        NotInstalled: without the extra ``batch``.
        DataError: there is no such table, or no such column.
    """
    _, parquet = arrow()
    try:
        with parquet.ParquetFile(table) as file:
            for rows in file.iter_batches(columns=[name]):
                for number, path in enumerate(rows.column(0).to_pylist()):
                    text = str(path or "")
                    yield (
                        text if is_address(text) else str(Path(table).parent / (text or f"{number}: no path"))
                    )
    except (OSError, ValueError, IndexError) as error:  # Arrow's own are among them
        raise DataError(f"{table}: no Parquet with a column {name!r}; check both") from error


def named(path: str) -> Item:
    """What a path in a list stands for: a URL is fetched; of one with a key in it only the rest is kept."""
    if not is_address(path):
        return path
    return Remote(path) if name_of(path) == path else name_of(path)


def to_line(item: Item) -> str:
    """The item as a line of the plan."""
    if isinstance(item, str):
        return json.dumps(item)
    if isinstance(item, Remote):
        return json.dumps({"url": item.url})
    return json.dumps(astuple(item))


def from_line(line: str) -> Item:
    """The item that `to_line` wrote."""
    item = json.loads(line)
    if isinstance(item, dict):
        return Remote(**item)
    return item if isinstance(item, str) else Member(*item)
