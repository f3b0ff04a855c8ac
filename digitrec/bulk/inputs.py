"""What is to be read: folders, patterns, archives, and lists of them; found one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from digitrec.bulk.members import ARCHIVES, PACKED, Member, members
from digitrec.errors import DataError
from digitrec.image import folders

Item = str | Member
"""One picture to be read: a path, or a member of an archive."""


def expand(arguments: Iterable[str], skipped: folders.Skipped, *, hidden: bool = False) -> Iterator[Item]:
    """The pictures in folders and archives, what patterns match, and files as they stand, in this order.

    What matches nothing stays as it is: trying to read it says what is wrong, and costs the others nothing.

    Args:
        arguments: what was named.
        skipped: counts what is passed over.
        hidden: also what has a name that begins with a dot.

    Raises:
        DataError: an archive cannot be read.
    """
    for argument in arguments:
        yield from _matches(argument, skipped, hidden)


def _matches(argument: str, skipped: folders.Skipped, hidden: bool) -> Iterator[Item]:
    if argument.lower().endswith(PACKED):
        raise DataError(f"{argument}: compressed as a whole; unpack it, or give a plain .tar or a .zip")
    try:
        path = Path(argument)
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError):  # a name too long, a null byte in it
        is_folder = is_file = False
    if is_folder:
        yield from folders.pictures(argument, skipped, hidden=hidden)
    elif is_file and Path(argument).suffix.lower() in ARCHIVES:
        yield from members(argument, skipped, hidden=hidden)
    elif not is_file and folders.is_pattern(argument):
        yield from folders.matches(argument, skipped, hidden=hidden) or [argument]
    else:
        yield argument


def listed(lines: IO[bytes]) -> Iterator[str]:
    """The paths of a list, one to a line; empty lines are passed over."""
    for line in lines:
        if path := line.rstrip(b"\r\n").decode("utf-8", "surrogateescape"):
            yield path


def to_line(item: Item) -> str:
    """The item as a line of the plan."""
    if isinstance(item, str):
        return json.dumps(item)
    return json.dumps([item.archive, item.path, item.offset, item.stored, item.method, item.crc])


def from_line(line: str) -> Item:
    """The item that `to_line` wrote."""
    item = json.loads(line)
    return item if isinstance(item, str) else Member(*item)
