"""The pictures in a tar or zip: where each lies, so that any process can read any of them by itself."""

from __future__ import annotations

import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO

from digitrec.errors import DataError, ImageError
from digitrec.image.files import MAX_FILE_BYTES
from digitrec.image.folders import SUFFIXES, Skipped

ARCHIVES = {".tar": "tar", ".zip": "zip"}
"""How the name of an archive ends."""
PACKED = (".tgz", ".tbz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")
"""Tars that are compressed as a whole: nothing in them can be read without all that lies before it."""
UNREADABLE = (".tar.zst", ".tzst", ".tar.lz4", ".tar.lz", ".tar.lzma", ".tar.z", ".7z", ".rar")
"""Archives that are not read at all."""
CHUNK = 1_000_000
"""Bytes that are unpacked at a time."""
_LOCAL_HEADER = struct.Struct("<4s22xHH")
"""A member's own header in a zip (APPNOTE.TXT 4.3.7): its signature, and how long its name and extra are."""


@dataclass(frozen=True, slots=True)
class Member:
    """A picture in an archive, read when it is asked for."""

    archive: str
    """The archive's path."""
    path: str
    """Its name in there."""
    offset: int
    """Where its bytes begin; in a zip, where its own header does."""
    stored: int
    """How many bytes it takes there."""
    method: int
    """-1 in a tar; in a zip how it is compressed: 0 not at all, 8 deflate; other methods are not read."""
    crc: int = 0
    """The CRC-32 of its bytes; of a member of a tar none is known."""
    unpacked: str = ""
    """The file that holds its bytes in place of the archive, where that is compressed as a whole."""

    @property
    def name(self) -> str:
        """What to call it: the archive's path, then its own."""
        return f"{self.archive}/{self.path}"

    def read(self, most: int = MAX_FILE_BYTES + 1) -> bytes:
        """Its bytes, at most so many.

        Raises:
            ImageError: they cannot be read, or are not what was put there.
        """
        try:
            with Path(self.unpacked or self.archive).open("rb") as file:
                file.seek(self.offset)
                if self.method == -1:
                    return file.read(min(self.stored, most))
                signature, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
                if signature != b"PK\3\4":
                    raise ValueError("no member begins there")
                file.seek(name + extra, 1)
                return self._unpacked(
                    file.read(min(self.stored, 2 * most + 100)), most
                )  # deflate adds a little
        except (OSError, ValueError, struct.error, zlib.error) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise ImageError(f"{self.name}: cannot be read ({why.lower()}); check the archive") from error

    def _unpacked(self, data: bytes, most: int) -> bytes:
        if self.method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("encrypted, or compressed otherwise than by deflate")
        if self.method == zipfile.ZIP_DEFLATED:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, most)
        data = data[:most]
        if len(data) < most and zlib.crc32(data) != self.crc:
            raise ValueError("damaged")
        return data


def members(archive: str, skipped: Skipped, *, hidden: bool = False) -> Iterator[Member]:
    """The pictures in an archive, in the order in which they lie there; what they are says their names.

    Args:
        archive: a path that ends as one of `ARCHIVES`.
        skipped: counts what is passed over.
        hidden: also what has a name that begins with a dot.

    Raises:
        DataError: it cannot be read, or is damaged.
    """
    with _told(archive):
        found = _in_tar(archive) if ARCHIVES[Path(archive).suffix.lower()] == "tar" else _in_zip(archive)
        for member in found:
            if _is_picture(member.path, skipped, hidden):
                yield member


def unpacked(archive: str, into: IO[bytes], skipped: Skipped, *, hidden: bool = False) -> Iterator[Member]:
    """The pictures in a tar that is compressed as a whole, their bytes written one after the other to a file.

    The archive is read once, from its beginning to its end, and a piece of it is in memory at a time.

    Args:
        archive: a path that ends as one of `PACKED`.
        into: where the bytes go; a file with a name.
        skipped: counts what is passed over.
        hidden: also what has a name that begins with a dot.

    Raises:
        DataError: it cannot be read, or is damaged.
        OSError: the file cannot be written.
    """
    place = str(Path(into.name).absolute())
    with _told(archive), ExitStack() as stack:
        tar = stack.enter_context(tarfile.open(archive, "r|*"))
        while (info := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]  # it would remember every one
            if not (info.isreg() and not info.issparse() and _is_picture(info.name, skipped, hidden)):
                continue
            start = into.tell()
            packed = tar.extractfile(info)
            size = min(info.size, MAX_FILE_BYTES + 1)  # a larger one is refused when its turn comes
            if packed is None or _copied(packed, into, size) < size:
                raise ValueError("it ends in the middle of a file")
            yield Member(archive, info.name, start, size, -1, 0, place)


def _copied(packed: IO[bytes], into: IO[bytes], size: int) -> int:
    """Copy so many bytes, if they are there; how many were."""
    copied = 0
    while data := packed.read(min(CHUNK, size - copied)):
        try:
            into.write(data)
        except OSError as error:  # of the disk, not of the archive
            raise _NotWritten(error) from error
        copied += len(data)
    return copied


class _NotWritten(Exception):
    """What was unpacked cannot be written."""

    def __init__(self, why: OSError) -> None:
        super().__init__(str(why))
        self.why = why


@contextmanager
def _told(archive: str) -> Iterator[None]:
    """Inside, whatever a damaged archive raises is a DataError."""
    try:
        yield
    except _NotWritten as error:
        raise error.why from None
    except (OSError, tarfile.TarError, zipfile.BadZipFile, ValueError, struct.error, EOFError, LZMAError,
            zlib.error) as error:  # fmt: skip
        why = getattr(error, "strerror", None) or str(error) or "damaged"
        raise DataError(f"{archive}: cannot be read ({why.lower()}); check the archive") from error


def _is_picture(name: str, skipped: Skipped, hidden: bool) -> bool:
    """Whether its name says so; what is passed over is counted."""
    path = PurePosixPath(name)
    if not hidden and any(part.startswith(".") and part not in ("..", ".") for part in path.parts):
        skipped.hidden += 1
        return False
    if (ending := path.suffix.lower()) not in SUFFIXES:
        skipped.endings[ending or "no ending"] += 1
        return False
    return True


def _in_tar(archive: str) -> Iterator[Member]:
    with tarfile.open(archive, "r:") as tar:
        while (info := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]  # it would remember every one
            if info.isreg() and not info.issparse():
                yield Member(archive, info.name, info.offset_data, info.size, -1)


def _in_zip(archive: str) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as whole:
        for info in whole.infolist():
            if not info.is_dir():
                method = info.compress_type if not info.flag_bits & 1 else 99  # encrypted
                yield Member(archive, info.filename, info.header_offset, info.compress_size, method, info.CRC)
