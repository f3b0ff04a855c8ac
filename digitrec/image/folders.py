"""The pictures in a folder and behind a pattern: the one place that says what a picture is by its name.

Nothing is dropped in silence: a file is named as a picture, or counted among what was skipped. A folder
that cannot be listed is named as well: trying to read it says why.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from glob import escape, glob
from pathlib import Path

SUFFIXES = frozenset((
    ".apng", ".avif", ".avifs", ".bmp", ".dib", ".gif", ".heic", ".heics", ".heif", ".heifs", ".hif", ".jfif",
    ".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pfm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
))  # fmt: skip
"""How the name of a picture in a folder ends, in any case. A PDF is read only where it is named outright."""
TOLD = 5
"""Largest number of file endings listed for skipped files, the most frequent first."""


@dataclass(slots=True)
class Skipped:
    """The files and folders that a walk skipped."""

    endings: Counter[str] = field(default_factory=Counter)
    """Number of skipped files without a picture's ending, by ending."""
    hidden: int = 0
    """Files and folders whose names begin with a dot."""
    links: int = 0
    """Links to folders: they may lead back to where the walk came from."""
    special: int = 0
    """Pipes, sockets and devices: to read one might never end."""

    def words(self) -> list[str]:
        """Yield each kind with its count: "12 files that are not pictures (.txt, .pdf)"."""
        files = sum(self.endings.values())
        told = [ending for ending, _ in self.endings.most_common(TOLD)]
        kinds = ", ".join([*told, "..."] if len(self.endings) > TOLD else told)
        kinds_of = [
            (files, f"file that is not a picture ({kinds})", f"files that are not pictures ({kinds})"),
            (self.hidden, "hidden file or folder", "hidden files or folders"),
            (self.links, "link to a folder", "links to folders"),
            (self.special, "pipe, socket or device", "pipes, sockets or devices"),
        ]
        return [f"{number} {one if number == 1 else many}" for number, one, many in kinds_of if number]


def expand(argument: str, skipped: Skipped) -> Iterator[str]:
    """Yield the pictures in a folder, the matches of a pattern, or the path itself.

    What matches nothing is yielded as it stands: reading it says what is wrong.

    Args:
        argument: a path or a pattern.
        skipped: counts the skipped files.
    """
    try:
        path = Path(argument)
        is_folder, is_there = path.is_dir(), path.exists()
    except (OSError, ValueError):  # the name is too long or has a null byte
        is_folder = is_there = False
    if is_folder:
        yield from pictures(str(path), skipped)
    elif is_pattern(argument) and not is_there:
        yield from matches(argument, skipped) or [argument]
    else:
        yield argument


def pictures(folder: str, skipped: Skipped) -> Iterator[str]:
    """Yield the pictures in a folder and its subfolders, each folder sorted by name.

    Links to files are followed, links to folders are not.

    Args:
        folder: where; the names begin with it.
        skipped: counts the skipped files.
    """
    waiting = [(folder, True)]
    while waiting:
        path, is_folder = waiting.pop()
        if is_folder:
            try:
                waiting += reversed(_listed(path, skipped))
                continue
            except OSError:  # unreadable, or its name is too long: reading it reports that
                pass
        yield path


def _listed(folder: str, skipped: Skipped) -> list[tuple[str, bool]]:
    """List the pictures and folders in a folder, each with whether it is a folder."""
    found = []
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        path = entry.name if folder == os.curdir else entry.path
        ending = Path(entry.name).suffix.lower()
        mode = stat.S_IFREG if entry.is_file(follow_symlinks=False) else _mode(path)
        if entry.name.startswith("."):
            skipped.hidden += 1
        elif entry.is_dir(follow_symlinks=False):
            found.append((path, True))
        elif stat.S_ISDIR(mode):
            skipped.links += 1
        elif not stat.S_ISREG(mode):
            skipped.special += 1
        elif ending not in SUFFIXES:
            skipped.endings[ending or "no ending"] += 1
        else:
            found.append((path, False))
    return found


def matches(pattern: str, skipped: Skipped) -> list[str]:
    """Return the files that a pattern of `glob` matches, sorted; ``**`` is any number of folders.

    Args:
        pattern: in the shell's syntax, for a shell that leaves patterns to the program.
        skipped: counts the pipes, sockets and devices among the matches.
    """
    found = []
    for path in sorted(set(glob(pattern, recursive=True))):  # noqa: PTH207
        mode = _mode(path)
        if stat.S_ISREG(mode):
            found.append(path)
        elif not stat.S_ISDIR(mode):
            skipped.special += 1
    return found


def is_pattern(text: str) -> bool:
    """Return whether a text has a wildcard."""
    return escape(text) != text


def _mode(path: str) -> int:
    """Return the file type, links followed; report an unreadable one as a file, whose reading says why."""
    try:
        return Path(path).stat().st_mode
    except OSError:
        return stat.S_IFREG
