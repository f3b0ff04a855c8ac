"""The pictures in tar and zip archives: where each one lies, so that any process can read any of them."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from digitrec.errors import DataError, ImageError
from digitrec.image.files import MAX_FILE_BYTES
from digitrec.image.folders import SUFFIXES, Skipped

COMPRESSED = (".tgz", ".tbz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")
"""Endings of tars that are compressed as a whole; they are unpacked before any member can be read."""
UNREADABLE = (".tar.zst", ".tzst", ".tar.lz4", ".tar.lz", ".tar.lzma", ".tar.z", ".7z", ".rar")
"""Endings of archives in formats that digitrec does not read."""
ENDINGS = (".tar", ".zip", *COMPRESSED, *UNREADABLE)
"""Endings of all archives, in lower case."""
CHUNK = 1_000_000
"""Bytes that are unpacked at a time."""
_ZIP_HEADER = struct.Struct("<4s22xHH")
"""A member's local header in a zip (APPNOTE.TXT 4.3.7): signature, lengths of its name and extra field."""
_ZIP_COUNT = struct.Struct("<10xH")
"""The number of members in the record that ends a zip (APPNOTE.TXT 4.3.16)."""
_ZIP_TAIL = 22 + 65535
"""Longest such record in bytes, with its comment."""
_ZIP_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}


@dataclass(frozen=True, slots=True)
class Member:
    """A picture in an archive; its bytes are read on demand."""

    archive: str
    """Path of the archive."""
    path: str
    """Name of the member in the archive."""
    how: str
    """How it is stored: "tar", "stored" or "deflated"; anything else is the reason why it is unreadable."""
    offset: int = 0
    """Position of its header in the file."""
    size: int = 0
    """Length of its bytes in the file."""
    check: int = 0
    """CRC-32 of its bytes; in a tar, of the first block of its header."""
    unpacked: str = ""
    """File to read instead: the content of a compressed tar, or the archive by its absolute path."""

    @property
    def name(self) -> str:
        """The path of the archive, then the member's own."""
        return f"{self.archive}/{self.path}"

    def read(self, most: int = MAX_FILE_BYTES + 1) -> bytes:
        """Return its bytes, at most ``most`` of them.

        Raises:
            ImageError: they cannot be read, or the archive has changed.
        """
        try:
            if self.how not in _READERS:
                raise ValueError(self.how)
            with Path(self.unpacked or self.archive).open("rb") as file:
                file.seek(self.offset)
                return _READERS[self.how](self, file, most)
        except Exception as error:  # the parsers raise more than they document
            raise ImageError(f"{self.name}: cannot be read ({_why(error)}); check the archive") from error


def members(
    archive: str, skipped: Skipped, *, hidden: bool = False, store: IO[bytes] | None = None
) -> Iterator[Member]:
    """Yield the pictures in an archive, in the order in which they lie there, the links of a tar last.

    Every entry with a picture's name is yielded, also one that cannot be read. A link leads to another
    member, never to a file outside the archive.

    Args:
        archive: a path that ends as one of `ENDINGS`.
        skipped: counts the entries that are not pictures, or hidden.
        hidden: also yield entries whose names begin with a dot.
        store: a file with a name, to which compressed tars are unpacked.

    Raises:
        DataError: the archive cannot be read, is damaged, or needs a store.
        OSError: the store cannot be written.
    """
    name = archive.lower()
    if name.endswith(UNREADABLE) or (name.endswith(COMPRESSED) and store is None):
        raise DataError(f"{archive}: compressed as a whole; unpack it, or give a plain .tar or a .zip")
    begin = Member(archive, "", "tar")
    if name.endswith(COMPRESSED) and store is not None:
        begin = replace(begin, offset=store.tell(), unpacked=str(Path(store.name).absolute()))
        for data in _unpacked(archive):
            store.write(data)
        store.flush()
    with _naming(archive):
        yield from (_in_zip if name.endswith(".zip") else _in_tar)(begin, skipped, hidden)


@contextmanager
def _naming(archive: str) -> Iterator[None]:
    """Turn any error about an archive into a `DataError` with its name."""
    try:
        if not stat.S_ISREG(Path(archive).stat().st_mode):
            raise ValueError("not a file")
        yield
    except Exception as error:  # the parsers raise more than they document
        raise DataError(f"{archive}: cannot be read ({_why(error)}); check the archive") from error


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__).lower()


def is_picture(name: str, skipped: Skipped, hidden: bool) -> bool:
    """Whether a name is a picture's to be read; count other names as skipped."""
    path = PurePosixPath(name)
    if not hidden and any(part.startswith(".") and part not in ("..", ".") for part in path.parts):
        skipped.hidden += 1
        return False
    if (ending := path.suffix.lower()) not in SUFFIXES:
        skipped.endings[ending or "no ending"] += 1
        return False
    return True


def _in_zip(begin: Member, skipped: Skipped, hidden: bool) -> Iterator[Member]:
    with Path(begin.archive).open("rb") as file, zipfile.ZipFile(file) as whole:
        file.seek(max(-_ZIP_TAIL, -file.seek(0, io.SEEK_END)), io.SEEK_END)
        tail = file.read()
        (count,) = _ZIP_COUNT.unpack_from(tail, tail.rindex(b"PK\5\6"))
        # A count of 65,535 means any larger count, unless the writer truncated it to 16 bits.
        if count not in (min(len(whole.infolist()), 0xFFFF), len(whole.infolist()) & 0xFFFF):
            raise ValueError("its directory is damaged")
        for info in whole.infolist():
            if info.is_dir() or not is_picture(info.filename, skipped, hidden):
                continue
            how = _ZIP_METHODS.get(info.compress_type, "compressed otherwise than by deflate")
            how = "encrypted" if info.flag_bits & 1 else how
            yield Member(begin.archive, info.filename, how, info.header_offset, info.compress_size, info.CRC)


def _unpacked(archive: str) -> Iterator[bytes]:
    """Yield the content of a compressed tar in pieces."""
    with _naming(archive), tarfile.open(archive, "r:*") as tar:
        assert tar.fileobj is not None
        tar.fileobj.seek(0)
        yield from iter(partial(tar.fileobj.read, CHUNK), b"")


def _in_tar(begin: Member, skipped: Skipped, hidden: bool) -> Iterator[Member]:
    with Path(begin.unpacked or begin.archive).open("rb") as file:
        file.seek(begin.offset)
        end = begin.offset - 1
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (info := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # it would keep every one
                if info.size < 0 or tar.offset <= end:
                    raise ValueError("damaged")  # a negative size leads back: `tarfile` would never end
                end = tar.offset
                if not info.isdir() and is_picture(info.name, skipped, hidden):
                    yield _member(begin, info, file)
        file.seek(tar.offset)
        if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise ValueError("damaged or cut off")  # `tarfile` takes it for the end
        if any(block.strip(b"\0") for block in iter(partial(file.read, CHUNK), b"")):
            raise ValueError("more data behind its end, such as a second archive; unpack it")


def _member(begin: Member, info: tarfile.TarInfo, file: IO[bytes]) -> Member:
    if not info.isreg() or info.issparse():
        return Member(begin.archive, info.name, "not a plain file; unpack the archive")
    offset = info.offset_data - tarfile.BLOCKSIZE
    file.seek(offset)
    check = zlib.crc32(file.read(tarfile.BLOCKSIZE))
    return replace(begin, path=info.name, how="tar", offset=offset, size=info.size, check=check)


def _read_tar(member: Member, file: IO[bytes], most: int) -> bytes:
    size = min(member.size, most)
    if zlib.crc32(file.read(tarfile.BLOCKSIZE)) != member.check:
        raise ValueError("changed since it was listed")
    data = file.read(size)
    if len(data) < size:
        raise ValueError("cut off")
    return data


def _read_zip(member: Member, file: IO[bytes], most: int) -> bytes:
    signature, name, extra = _ZIP_HEADER.unpack(file.read(_ZIP_HEADER.size))
    if signature != b"PK\3\4":
        raise ValueError("no member begins there")
    file.seek(name + extra, io.SEEK_CUR)
    # Deflate makes what it cannot compress a little longer; no more is read than `most` can need.
    data = file.read(min(member.size, 2 * most + 100))
    if member.how == "deflated":
        data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, most)
    data = data[:most]
    if len(data) < most and zlib.crc32(data) != member.check:
        raise ValueError("damaged")
    return data


_READERS = {"tar": _read_tar, "stored": _read_zip, "deflated": _read_zip}
