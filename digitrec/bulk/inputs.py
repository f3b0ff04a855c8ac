"""Expand a batch's arguments to pictures: folders, patterns, lists, and the members of archives."""

import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Self

from digitrec.errors import DataError
from digitrec.errors.text import encoding
from digitrec.image import files
from digitrec.image.files import MAX_FILE_BYTES, SUFFIXES, TOO_LARGE, Frame, Skipped, is_address, name_of

UNREADABLE = (".tar.zst", ".tzst", ".tar.lz4", ".tar.lz", ".tar.lzma", ".tar.z", ".7z", ".rar")
"""Endings of archives in formats that digitrec does not read."""
ENDINGS = (".zip", ".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", *UNREADABLE)
"""Endings of all archives, in lower case."""
_ZIP_TAIL = 22 + 65535
"""Maximum size of the record at the end of a zip, in bytes, with its comment (APPNOTE.TXT 4.3.16)."""
_UTF8 = 0x800
"""Flag of a path in UTF-8 instead of CP437 (APPNOTE.TXT 4.4.4)."""

_Entry = tuple[str, Callable[[], IO[bytes]]]
"""The name of a file in an archive, and a function that opens it."""


Item = str | Frame
"""One picture of a plan: a path, or a picture in an archive, named by both paths."""


def unreadable(name: str, why: str) -> Frame:
    """Return a picture that cannot be read."""
    return Frame(b"", None, name, f"{name}: cannot be read ({why})")


def expand(arguments: Iterable[str], skipped: Skipped) -> Iterator[Item]:
    """Yield the pictures in folders and archives, the matches of patterns, and files.

    A missing file is yielded too; reading it fails without affecting the others.

    Args:
        arguments: paths and patterns.
        skipped: counts the skipped files.

    Raises:
        DataError: an archive cannot be read.
    """
    for argument in arguments:
        for path in files.expand(argument, skipped):
            if _is_archive(path):
                yield from members(path, skipped)
            else:
                yield item(path) if path == argument else named(path)


def _is_archive(path: str) -> bool:
    if is_address(path) or not path.lower().endswith(ENDINGS) or os.path.isdir(path):  # noqa: PTH112 (Path raises for some names)
        return False
    return not files.is_pattern(path) or os.path.exists(path)  # noqa: PTH110


def listed(data: bytes) -> list[str]:
    """Return the paths in a list, one on each line or each followed by a null character (``find -print0``).

    The list is in UTF-8, or in UTF-16 with a byte order mark; empty lines are skipped.

    Raises:
        DataError: the list begins as UTF-16 but is not valid UTF-16.
    """
    form = encoding(data)
    try:
        text = data.decode(form, "strict" if form == "utf-16" else "surrogateescape")
    except UnicodeDecodeError as error:
        raise DataError("<stdin>: the list cannot be decoded as UTF-16; write it in UTF-8") from error
    if "\0" in text:
        return [path for path in text.split("\0") if path]
    return [path for line in text.split("\n") if (path := line.removesuffix("\r"))]


def item(path: str) -> Item:
    """Return a file for a plan; a pipe is one that cannot be read, because a worker might wait for ever."""
    return unreadable(path, "a pipe; name a file") if files.read_once(path) else named(path)


def named(path: str) -> str:
    """Return the path; for a URL only the part without a key, because the plan stores it."""
    return name_of(path) if is_address(path) else path


def members(archive: str, skipped: Skipped) -> Iterator[Frame]:
    """Yield the pictures in an archive, in the archive's order.

    Every entry with a picture's name is yielded, even an unreadable one such as a link.

    Args:
        archive: a path with one of the `ENDINGS`.
        skipped: counts the entries that are not pictures, or hidden.

    Raises:
        DataError: the archive cannot be read, or is damaged.
    """
    entries = _in_zip if archive.lower().endswith(".zip") else _in_tar
    try:
        if archive.lower().endswith(UNREADABLE):
            raise ValueError("unpack it, or give a .tar or a .zip")
        if not stat.S_ISREG(Path(archive).stat().st_mode):
            raise ValueError("not a file")
        for name, opener in entries(archive):
            if _is_picture(name, skipped):
                yield _member(f"{archive}/{name}", opener)
    except Exception as error:  # the parsers raise more than they document
        raise DataError(f"{archive}: cannot be read ({_why(error)}); check the archive") from error


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def _is_picture(name: str, skipped: Skipped) -> bool:
    """Return whether a name is a picture's; count other names as skipped."""
    path = PurePosixPath(name)
    if any(part.startswith(".") and part not in ("..", ".") for part in path.parts):
        skipped["hidden"] += 1
        return False
    if (ending := path.suffix.lower()) not in SUFFIXES:
        skipped[ending or "without ending"] += 1
        return False
    return True


def _member(name: str, opener: Callable[[], IO[bytes]]) -> Frame:
    try:
        with opener() as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except Exception as error:  # the parsers raise more than they document
        return unreadable(name, _why(error))
    if len(data) > MAX_FILE_BYTES:
        return unreadable(name, TOO_LARGE)
    return Frame(data, None, name)


def _in_zip(archive: str) -> Iterator[_Entry]:
    with Path(archive).open("rb") as file, zipfile.ZipFile(file) as whole:
        entries = whole.infolist()
        file.seek(max(0, Path(archive).stat().st_size - _ZIP_TAIL))
        tail = file.read()
        count = int.from_bytes(tail[tail.rindex(b"PK\5\6") :][10:12], "little")
        # A count of 65,535 means any larger count, unless the writer truncated it to 16 bits.
        if count not in (min(len(entries), 0xFFFF), len(entries) & 0xFFFF):
            raise ValueError("its directory is damaged")
        for entry in entries:
            if not entry.is_dir():
                yield _name(entry), partial(whole.open, entry)


def _name(entry: zipfile.ZipInfo) -> str:
    """Return the path; Debian's zip and macOS store UTF-8 without the flag that `zipfile` expects."""
    try:
        return entry.filename if entry.flag_bits & _UTF8 else entry.filename.encode("cp437").decode()
    except UnicodeError:
        return entry.filename


class _Header(tarfile.TarInfo):
    """A tar header that rejects damage, which `tarfile` takes for the archive's end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if buf == bytes(tarfile.BLOCKSIZE):
                raise
            raise ValueError("damaged or cut off") from error
        if header.size < 0:  # it points backwards: `tarfile` would never end
            raise ValueError("damaged")
        return header


def _in_tar(archive: str) -> Iterator[_Entry]:
    with tarfile.open(archive, "r:*", tarinfo=_Header) as tar:
        while (entry := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]  # else it keeps every header
            if not entry.isdir():
                yield entry.name, partial(_opened, tar, entry)
        assert tar.fileobj is not None
        if any(block.strip(b"\0") for block in iter(partial(tar.fileobj.read, 1_000_000), b"")):
            raise ValueError("more data after its end, such as a second archive; unpack it")


def _opened(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(entry) if entry.isreg() and not entry.issparse() else None
    if file is None:
        raise ValueError("not a plain file; unpack the archive")
    return file
