"""The pictures in tar and zip archives: where each one lies, so that any process can read any of them."""

from __future__ import annotations

import io
import posixpath
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tarfile import EmptyHeaderError, EOFHeaderError, HeaderError, ReadError  # type: ignore[attr-defined]
from typing import IO, Self

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
LINKS = 40
"""Longest chain of links that is followed, as in Linux."""
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
    """How it is stored: "tar", "sparse", "stored", "deflated" or "unpacked"; anything else is the reason why
    it cannot be read."""
    offset: int = 0
    """Position of its bytes in the file; for "sparse", "stored" and "deflated" that of its header."""
    size: int = 0
    """Length of its bytes in the file."""
    crc: int = 0
    """CRC-32 of its bytes; for "tar" that of the header block before them, for "sparse" 0."""
    unpacked: str = ""
    """File that holds the bytes of an "unpacked" member."""

    @property
    def name(self) -> str:
        """The path of the archive, then the member's own."""
        return f"{self.archive}/{self.path}"

    def read(self, most: int = MAX_FILE_BYTES + 1) -> bytes:
        """Return its bytes, at most ``most`` of them.

        Raises:
            ImageError: they cannot be read, or the archive has changed.
        """
        if self.how not in _READERS:
            raise ImageError(f"{self.name}: cannot be read ({self.how}); check the archive")
        try:
            with Path(self.unpacked or self.archive).open("rb") as file:
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
        store: a file with a name, to which the pictures of a compressed tar are unpacked.

    Raises:
        DataError: the archive cannot be read, is damaged, or needs a store.
        OSError: the store cannot be written.
    """
    name = archive.lower()
    if name.endswith(UNREADABLE) or (name.endswith(COMPRESSED) and store is None):
        raise DataError(f"{archive}: compressed as a whole; unpack it, or give a plain .tar or a .zip")
    try:
        if not stat.S_ISREG(Path(archive).stat().st_mode):
            raise ValueError("not a file")
        if name.endswith(".zip"):
            yield from _in_zip(archive, skipped, hidden)
        else:
            yield from _in_tar(archive, skipped, hidden, store if name.endswith(COMPRESSED) else None)
    except _StoreError as error:
        raise error.cause from None
    except Exception as error:  # the parsers raise more than they document
        raise DataError(f"{archive}: cannot be read ({_why(error)}); check the archive") from error


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__).lower()


def _is_picture(name: str, skipped: Skipped, hidden: bool) -> bool:
    """Whether a name is that of a picture to be read; count it otherwise."""
    path = PurePosixPath(name)
    if not hidden and any(part.startswith(".") and part not in ("..", ".") for part in path.parts):
        skipped.hidden += 1
        return False
    if (ending := path.suffix.lower()) not in SUFFIXES:
        skipped.endings[ending or "no ending"] += 1
        return False
    return True


def _in_zip(archive: str, skipped: Skipped, hidden: bool) -> Iterator[Member]:
    with Path(archive).open("rb") as file, zipfile.ZipFile(file) as whole:
        file.seek(max(-_ZIP_TAIL, -file.seek(0, io.SEEK_END)), io.SEEK_END)
        tail = file.read()
        (count,) = _ZIP_COUNT.unpack_from(tail, tail.rindex(b"PK\5\6"))
        # A count of 65,535 stands for any larger one, unless the writer cut it to 16 bits.
        if count not in (min(len(whole.infolist()), 0xFFFF), len(whole.infolist()) & 0xFFFF):
            raise ValueError("its directory is damaged")
        for info in whole.infolist():
            if info.is_dir() or not _is_picture(info.filename, skipped, hidden):
                continue
            how = _ZIP_METHODS.get(info.compress_type, "compressed otherwise than by deflate")
            how = "encrypted" if info.flag_bits & 1 else how
            yield Member(archive, info.filename, how, info.header_offset, info.compress_size, info.CRC)


class _Entry(tarfile.TarInfo):
    """Raises for damage that `tarfile` takes for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:
        """Return the entry that begins where the file stands.

        Raises:
            HeaderError: the archive ends here.
            ReadError: it is damaged here, or cut off.
        """
        assert isinstance(tarfile, _Tar)
        try:
            entry = super().fromtarfile(tarfile)
        except HeaderError as error:
            if isinstance(error, EOFHeaderError):
                tarfile.ended = True
            elif not tarfile.ended:
                raise ReadError("damaged or cut off") from error
            elif not isinstance(error, EmptyHeaderError):  # other bytes follow the end mark
                raise EmptyHeaderError from error
            raise
        tarfile.ended = False
        return entry


class _Tar(tarfile.TarFile):
    """A tar that is read beyond its end marks: `cat a.tar b.tar` leaves one in the middle."""

    tarinfo = _Entry
    ended = False
    """Whether an end mark was the last thing read."""


def _in_tar(archive: str, skipped: Skipped, hidden: bool, store: IO[bytes] | None) -> Iterator[Member]:
    links: dict[str, str] = {}
    unpacked: dict[str, Member] = {}
    with _Tar.open(archive, "r:" if store is None else "r:*", ignore_zeros=True) as tar:
        for info in _entries(tar):
            if not _is_picture(info.name, skipped, hidden):
                continue
            if info.issym():
                links[info.name] = posixpath.join(posixpath.dirname(info.name), info.linkname)
            elif info.islnk():
                links[info.name] = info.linkname
            elif not info.isreg():
                yield Member(archive, info.name, "neither a file nor a link")
            elif store is None:
                yield _member(archive, tar, info)
            else:
                member = unpacked[posixpath.normpath(info.name)] = _unpacked(archive, tar, info, store)
                yield member
    yield from _linked(archive, links, unpacked if store is not None else None)


def _entries(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield the entries of a tar that are not folders."""
    end = -1
    while (info := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # it would keep every one
        if info.size < 0 or tar.offset <= end:
            raise ValueError("damaged")  # a negative size leads back: `tarfile` would never end
        end = tar.offset
        if not info.isdir():
            yield info


def _member(archive: str, tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    if info.issparse():
        return Member(archive, info.name, "sparse", info.offset, info.size)
    assert tar.fileobj is not None
    tar.fileobj.seek(info.offset_data - tarfile.BLOCKSIZE)
    header = zlib.crc32(tar.fileobj.read(tarfile.BLOCKSIZE))
    return Member(archive, info.name, "tar", info.offset_data, info.size, header)


def _linked(archive: str, links: Mapping[str, str], files: Mapping[str, Member] | None) -> Iterator[Member]:
    """Yield the members that links lead to, each under the name of its link.

    Args:
        archive: path of the tar.
        links: the target of each link, by its name.
        files: the members that are known, by normalised name; None: look for them in the archive.
    """
    known = {posixpath.normpath(name): posixpath.normpath(target) for name, target in links.items()}
    targets = {name: _target(target, known) for name, target in links.items()}
    if files is None and links:
        files, wanted = {}, set(targets.values())
        with _Tar.open(archive, "r:", ignore_zeros=True) as tar:
            for info in _entries(tar):
                if info.isreg() and (path := posixpath.normpath(info.name)) in wanted:
                    files[path] = _member(archive, tar, info)
    for name, target in targets.items():
        member = (files or {}).get(target)
        if member is None:
            yield Member(archive, name, f"a link to {links[name]}, which is not a picture in the archive")
        else:
            yield replace(member, path=name)


def _target(path: str, links: Mapping[str, str]) -> str:
    """Return the normalised name to which a link leads, by way of other links."""
    path = posixpath.normpath(path)
    for _ in range(LINKS):
        if path not in links:
            break
        path = links[path]
    return path


class _StoreError(Exception):
    """The store cannot be written."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _unpacked(archive: str, tar: tarfile.TarFile, info: tarfile.TarInfo, store: IO[bytes]) -> Member:
    """Copy a member to the store; of one that is too large, only as much as shows that."""
    packed = tar.extractfile(info)
    start, size, crc = store.tell(), min(info.size, MAX_FILE_BYTES + 1), 0
    while packed is not None and (data := packed.read(min(CHUNK, size - (store.tell() - start)))):
        crc = zlib.crc32(data, crc)
        try:
            store.write(data)
        except OSError as error:
            raise _StoreError(error) from error
    if store.tell() - start < size:
        raise ValueError("cut off in the middle of a file")
    place = str(Path(store.name).absolute())
    return Member(archive, info.name, "unpacked", start, size, crc, place)


def _read_tar(member: Member, file: IO[bytes], most: int) -> bytes:
    file.seek(member.offset - tarfile.BLOCKSIZE)
    if zlib.crc32(file.read(tarfile.BLOCKSIZE)) != member.crc:
        raise ValueError("changed since it was listed")
    return _exactly(file, min(member.size, most))


def _read_sparse(member: Member, file: IO[bytes], most: int) -> bytes:
    file.seek(member.offset)
    with _Tar.open(fileobj=file, mode="r:") as tar:
        info = tar.next()
        if info is None or info.size != member.size or (data := tar.extractfile(info)) is None:
            raise ValueError("changed since it was listed")
        return _exactly(data, min(member.size, most))


def _read_unpacked(member: Member, file: IO[bytes], most: int) -> bytes:
    file.seek(member.offset)
    return _checked(member, _exactly(file, min(member.size, most)), most)


def _read_stored(member: Member, file: IO[bytes], most: int) -> bytes:
    return _checked(member, _zipped(member, file, most), most)


def _read_deflated(member: Member, file: IO[bytes], most: int) -> bytes:
    data = _zipped(member, file, 2 * most + 100)  # deflate makes what it cannot compress a little longer
    return _checked(member, zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, most), most)


_READERS = {
    "tar": _read_tar, "sparse": _read_sparse, "stored": _read_stored, "deflated": _read_deflated,
    "unpacked": _read_unpacked,
}  # fmt: skip


def _zipped(member: Member, file: IO[bytes], most: int) -> bytes:
    """Return the bytes of a member of a zip as they are stored."""
    file.seek(member.offset)
    signature, name, extra = _ZIP_HEADER.unpack(file.read(_ZIP_HEADER.size))
    if signature != b"PK\3\4":
        raise ValueError("no member begins there")
    file.seek(name + extra, 1)
    return file.read(min(member.size, most))


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ValueError("cut off")
    return data


def _checked(member: Member, data: bytes, most: int) -> bytes:
    """Return the bytes if their CRC is right; those of a member longer than ``most`` are not checked."""
    if len(data) < most and zlib.crc32(data) != member.crc:
        raise ValueError("damaged")
    return data
