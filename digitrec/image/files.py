"""Find pictures in folders and by patterns, and read the bytes of a source; never use the network.

No file is skipped silently: each is yielded as a picture or counted in `Skipped`. A folder that cannot be
listed is yielded as well, and reading it raises an error that says why.
"""

import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from glob import escape, glob
from pathlib import Path
from typing import IO, Any

from PIL import Image

from digitrec.errors import ImageError
from digitrec.errors.arguments import said

MAX_FILE_BYTES = 100_000_000
"""Maximum size of a file, in bytes; larger files are refused."""
TOO_LARGE = f"larger than {MAX_FILE_BYTES // 1_000_000} MB; give a smaller picture"
"""What the errors say of a larger file."""
SUFFIXES = frozenset((
    ".apng", ".avif", ".avifs", ".bmp", ".dib", ".gif", ".heic", ".heics", ".heif", ".heifs", ".hif", ".jfif",
    ".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pfm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
))  # fmt: skip
"""Endings of pictures in a folder, in any case. A PDF is read only if it is named explicitly."""
OUTPUTS = frozenset(
    f"digitrec-{name}" for name in ("course", "evaluation", "explanation", "exploration", "models", "tuning")
)
"""Default output folders of the commands; their pictures are read only if the folder is named."""
TOLD = 8
"""Maximum number of kinds that are listed for skipped files."""
_ANY_DEPTH = re.compile(r"(?:^|(?<=[{0}]))\*\*(?:[{0}]+|$)".format(re.escape(os.sep + (os.altsep or ""))))
"""The part ``**`` of a pattern, which stands for any number of folders."""
_ADDRESS = re.compile(r"(?i)(data:|[a-z][a-z0-9+.-]+:/)")
"""Start of a URL; one slash is enough, as pathlib merges two, and one letter is a drive of Windows."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a file with several: a page of a TIFF or PDF, a frame of a GIF."""

    source: str | os.PathLike[str] | bytes = field(repr=False)
    """The file, or its bytes."""
    number: int | None
    """Number of the picture in the file, from 1; None: the file as such, which shows its first picture."""
    name: str
    """Name for messages, such as "scan.tif[2]"."""
    flaw: str = field(default="", repr=False)
    """The reason, with the name, why the file's pictures cannot be read; "" if they can."""

    def __str__(self) -> str:
        return self.name


Encoded = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Frame
"""Types that hold an encoded picture; the string "-" is standard input."""


def read(source: Encoded) -> tuple[bytes, str]:
    """Return the encoded bytes of a path, stream, buffer or frame, and a name for messages.

    Raises:
        ImageError: the source is empty, larger than `MAX_FILE_BYTES`, or unreadable.
    """
    name = name_of(source)
    if isinstance(source, Frame):
        if source.flaw:
            raise ImageError(source.flaw)
        source = source.source
    if isinstance(source, bytes | bytearray | memoryview):
        try:
            data = bytes(source)
        except ValueError as error:
            raise ImageError(f"{name}: the memoryview is released; give the bytes") from error
    elif isinstance(source, str) and source == "-":
        if sys.stdin is None:  # closed by the parent process
            raise ImageError(f"{name}: there is no standard input; name a file")
        data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    elif isinstance(source, str | os.PathLike):
        data = read_path(os.fsdecode(source), name)
    elif hasattr(source, "read"):
        data = _streamed(source, name)
    else:
        raise TypeError(f"cannot read a picture from {type(source).__name__}")
    if not data:
        raise ImageError(f"{name}: the file is empty or was read to its end; give a picture")
    if len(data) > MAX_FILE_BYTES:
        raise ImageError(f"{name}: {TOO_LARGE}")
    return data, name


def _streamed(stream: Any, name: str) -> bytes:
    """Read a stream to its end, at most one byte beyond `MAX_FILE_BYTES`; a read may return a part.

    Raises:
        TypeError: the stream returns text.
        ImageError: the stream cannot be read.
    """
    data = bytearray()
    while len(data) <= MAX_FILE_BYTES:
        try:
            part = stream.read(MAX_FILE_BYTES + 1 - len(data))
        except UnicodeError:
            part = ""
        except ImageError:
            raise
        except Exception as error:  # a stream of any class may raise anything
            raise ImageError(f"{name}: cannot be read ({type(error).__name__}: {error})") from error
        if not isinstance(part, bytes | bytearray | memoryview | None):
            raise TypeError(f"{name}: returned {said(part)} instead of bytes; open the file in binary mode")
        data += part or b""
        if not part or not hasattr(stream, "readable"):  # no stream of Python's: it may begin anew each time
            break
    return bytes(data)


def name_of(source: Any) -> str:
    """Return a name for a source in messages, even if it is unreadable."""
    if isinstance(source, str | os.PathLike):
        if source == "-":
            return "<stdin>"
        name = os.fsdecode(source) or "<empty name>"
        # A URL may hold a password of any characters, a signature, or the picture itself.
        return name.split(":", 1)[0] + ":..." if is_address(name) else name
    if isinstance(source, Image.Image):
        return str(getattr(source, "filename", "") or "<image>")
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>"
    if hasattr(source, "__array__"):
        return "<array>"
    given = getattr(source, "name", None)  # a number or None for temporary files
    return name_of(given) if isinstance(given, str) and given else "<stream>"


def read_once(source: Any) -> bool:
    """Return whether a source can be read only once: standard input or a named pipe."""
    try:
        return isinstance(source, str | os.PathLike) and (
            source == "-" or Path(os.fsdecode(source)).is_fifo()
        )
    except OSError:  # the name is too long
        return False


def is_address(name: str) -> bool:
    """Return whether a name is a URL or looks like one."""
    return _ADDRESS.match(name) is not None


def read_path(path: str | Path, name: str) -> bytes:
    """Read a file, at most one byte more than `MAX_FILE_BYTES`.

    Args:
        path: the file's path.
        name: the file's name in messages.

    Raises:
        ImageError: the file cannot be read.
    """
    try:
        kind = Path(path).stat().st_mode
        if stat.S_ISDIR(kind):
            os.scandir(path).close()  # raises an error if the folder may not be read
            if next(pictures(str(path), Skipped()), None) is None:
                raise ImageError(f"{name}: a folder without pictures; name a picture")
            raise ImageError(f"{name}: a folder, not a picture; name a file")
        if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
            raise ImageError(f"{name}: a device or a socket; name a file or a pipe")
        with Path(path).open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except ImageError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        if is_address(str(path)):
            raise ImageError(  # without the cause, which would show the full name
                f"{name}: a URL; digitrec fetches nothing: download it first, and name the file"
            ) from None
        why = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{name}: cannot be read ({why.lower()}); check the name") from error


class Skipped(Counter[str]):
    """Number of skipped files by kind: an ending, "hidden", "folder link", "pipe or device" or "output".

    Links to folders are skipped because they may form a loop, pipes because reading them may never end.
    """

    def words(self) -> list[str]:
        """Return each kind with its number, the most frequent first: "12 .txt"."""
        ordered = sorted(self.items(), key=lambda item: (-item[1], item[0]))
        told = [f"{number} {kind}" for kind, number in ordered[:TOLD]]
        return [*told, "..."] if len(self) > TOLD else told


def expand(argument: str, skipped: Skipped) -> Iterator[str]:
    """Yield the pictures in a folder, the matches of a pattern, or the path itself.

    A path that matches nothing is yielded unchanged; reading it raises an error that says what is wrong.

    Args:
        argument: a path or a pattern.
        skipped: counts the skipped files.
    """
    if os.path.isdir(argument):  # noqa: PTH112 (Path raises an error for a name that is too long)
        yield from pictures(str(Path(argument)), skipped)
    elif is_pattern(argument) and not os.path.exists(argument):  # noqa: PTH110
        yield from matches(argument, skipped) or [argument]
    else:
        yield argument


def pictures(folder: str, skipped: Skipped) -> Iterator[str]:
    """Yield the pictures in a folder and its subfolders, each folder sorted by name.

    Links to files are followed; links to folders are not.

    Args:
        folder: the folder; the yielded paths begin with it.
        skipped: counts the skipped files.
    """
    waiting = [(folder, True)]
    while waiting:
        path, is_folder = waiting.pop()
        if is_folder:
            try:
                waiting += reversed(_listed(path, skipped))
                continue
            except OSError:  # unreadable, or its name is too long; reading it raises the error
                pass
        yield path


def _listed(folder: str, skipped: Skipped) -> list[tuple[str, bool]]:
    """List the pictures and folders in a folder; the second value tells whether the entry is a folder."""
    found = []
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        path = entry.name if folder == os.curdir else entry.path
        ending = Path(entry.name).suffix.lower()
        mode = stat.S_IFREG if entry.is_file(follow_symlinks=False) else _mode(path)
        if entry.name.startswith("."):
            skipped["hidden"] += 1
        elif entry.name in OUTPUTS:
            skipped["output"] += 1
        elif entry.is_dir(follow_symlinks=False):
            found.append((path, True))
        elif stat.S_ISDIR(mode):
            skipped["folder link"] += 1
        elif not stat.S_ISREG(mode):
            skipped["pipe or device"] += 1
        elif ending not in SUFFIXES:
            skipped[ending or "without ending"] += 1
        else:
            found.append((path, False))
    return found


def matches(pattern: str, skipped: Skipped) -> list[str]:
    """Return the files that a pattern of `glob` matches, sorted, and the pictures in folders that it matches.

    ``**`` stands for any number of folders.

    Folders that ``**`` cannot list are returned too; reading one raises the error.

    Args:
        pattern: in the shell's syntax; some shells do not expand patterns themselves.
        skipped: counts the pipes, sockets and devices among the matches, and the links to folders and
            default output folders, which ``**`` does not enter.
    """
    found, passed, errors = [], dict[str, str](), list[OSError]()
    matching = _matching(pattern, passed, errors)
    unreadable = {str(Path(error.filename)) for error in errors}
    for path in sorted(matching | unreadable):
        mode = _mode(path)
        if stat.S_ISREG(mode) or path in unreadable:
            found.append(path)
        elif not stat.S_ISDIR(mode):
            skipped["pipe or device"] += 1
        elif not _ANY_DEPTH.search(pattern):  # as a shell would name it
            if Path(path).name in OUTPUTS:
                skipped["output"] += 1
            elif Path(path).is_symlink():
                skipped["folder link"] += 1
            else:
                found += pictures(path, skipped)
    skipped.update(passed.values())
    return found


def _matching(pattern: str, passed: dict[str, str], errors: list[OSError]) -> set[str]:
    """Return what a pattern matches; `glob` itself would follow links to folders, even in circles.

    Add to ``passed`` each folder that ``**`` does not enter, with its kind, and to ``errors`` why others
    cannot be listed; hidden ones do not match.
    """
    before, *after = _ANY_DEPTH.split(pattern, maxsplit=1)
    if not after:
        return set(glob(pattern))  # noqa: PTH207
    found: set[str] = set()
    for start in glob(before) if before else [os.curdir]:  # noqa: PTH207
        for folder, inner, _ in os.walk(start, onerror=errors.append):
            shown = [Path(folder, name) for name in inner if not name.startswith(".")]
            inner[:] = (path.name for path in shown if path.name not in OUTPUTS)
            passed |= {str(path): "output" for path in shown if path.name in OUTPUTS}
            passed |= {str(path): "folder link" for path in shown if path.is_symlink()}
            found |= _matching(str(Path(escape(folder), after[0] or "*")), passed, errors)
    return found


def is_pattern(text: str) -> bool:
    """Return whether a text has a wildcard."""
    return escape(text) != text


def _mode(path: str) -> int:
    """Return the file type, following links; report an unreadable entry as a file, whose reading fails."""
    try:
        return Path(path).stat().st_mode
    except OSError:
        return stat.S_IFREG
