"""Bounds on how many parts a picture file may have, checked before and while Pillow parses it.

Pillow parses most headers in pure Python and holds the interpreter lock, so no deadline stops it. A small
file that repeats one element (chunk, marker, comment, directory entry) a million times would stall all.
"""

from __future__ import annotations

import io
import re
import struct

from digitrec.errors import ImageError

MAX_READS = 10_000
"""Reads that Pillow may do on a file of any size: two to four for each chunk, marker or directory entry."""
BYTES_A_READ, BYTES_A_GIF_READ = 200, 40
"""Bytes per allowed read: a PNG has its pixels in pieces, a GIF in blocks of 255
bytes, which Pillow reads three times on the way to the last frame."""
LARGE_READ = 16_384
"""A read of more bytes counts once for each of these."""
MAX_MARKERS = 1_000
"""Markers before a JPEG's pixels; photos have some 20, large colour profiles and depth maps some 200."""
MAX_SCANS = 100
"""Scans of a JPEG; encoders write some 10, and libtiff reads as many in a TIFF."""
MAX_SCANNED = 1_000_000_000
"""Pixels in all scans of a JPEG that has more scans than `USUAL_SCANS`."""
USUAL_SCANS = 16
"""Scans of a JPEG that are allowed at any size."""
MAX_TABLE_BYTES = 500_000
"""Bytes of a JPEG's EXIF data, Photoshop resources and tables: Pillow loops over their entries."""
MAX_VALUES = 32_768
"""Numbers in a TIFF directory entry: one for each strip or tile."""
MAX_ENTRIES = 32_768
"""Entries in all directories of a TIFF."""
MAX_PAGES = 1_001
"""Directories of a TIFF that are looked at."""
MAX_COMMENTS = 1_000
"""Comments in a plain PNM: Pillow copies up to a million bytes for each."""
MAX_UNPACKED = 37
"""Compressed texts and profiles in a PNG; Pillow unpacks each to up to a million characters."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends the coded pixels of a JPEG, from ITU T.81, B.1.1: no stuffed byte, restart or filler."""
_FRAMES, _IN_SCANS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}, {0xC2, 0xC6, 0xCA, 0xCE}
"""Markers that begin a JPEG's frame; the second set allows any number of scans."""
_NEXT_PICTURE = {0xD8, 0xD9}
_ALONE = {0x01, 0xC8, *range(0xF0, 0xFE)} | _NEXT_PICTURE
"""Markers without a segment, or whose segment Pillow does not skip."""
_TABLES = {0xDB: b"", 0xDE: b"", 0xE1: b"Exif\0\0", 0xED: b"Photoshop 3.0\0"} | dict.fromkeys(_FRAMES, b"")
"""Segments over whose entries Pillow loops in Python, and how their content begins."""
_BYTES = {1, 2, 6, 7}
"""Types of TIFF values that Pillow takes as they are: bytes, text, signed bytes, anything."""
_COLOURS = 320
"""The tag of the palette, over which Pillow loops for every type."""
_SUBDIRECTORIES = {34665, 34853, 40965}
"""Tags that point to a directory that Pillow reads too: EXIF, GPS, interoperability."""


class BoundedFile(io.BytesIO):
    """A file in memory that raises ImageError when it is read too often."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self._name = name
        self.reads_left = _most(data)
        """Reads until the file is refused."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to ``size`` bytes.

        Raises:
            ImageError: there were too many reads.
        """
        found = super().read(size)
        self.reads_left -= 1 + len(found) // LARGE_READ
        if self.reads_left < 0:
            raise too_many(self._name)
        return found


def _most(data: bytes) -> int:
    """Return how many reads a file of this size may take."""
    return MAX_READS + len(data) // (BYTES_A_GIF_READ if data.startswith(b"GIF") else BYTES_A_READ)


def too_many(name: str) -> ImageError:
    """Return the error for a file with too many parts."""
    return ImageError(f"{name}: too many parts (chunks, markers, comments or tags); save or export it again")


def check(data: bytes, name: str) -> None:
    """Refuse a JPEG, PNG, PNM or TIFF whose header would keep Pillow busy; other formats pass.

    Raises:
        ImageError: it has more parts than the constants above allow.
    """
    if data.startswith(b"\xff\xd8\xff"):
        check_jpeg(data, 0, name)
    elif data.startswith((b"II", b"MM")):
        tiff_pages(data, name)
    elif data.startswith(b"\x89PNG"):
        _limit(unpacked(data), MAX_UNPACKED, name)
    elif data.startswith((b"P1", b"P2", b"P3")):
        _limit(data.count(b"#"), MAX_COMMENTS, name)


def _limit(count: int, most: int, name: str) -> None:
    if count > most:
        raise too_many(name)


def unpacked(data: bytes) -> int:
    """Return how many compressed texts and colour profiles a PNG has."""
    return sum(data.count(kind) for kind in (b"iCCP", b"zTXt", b"iTXt"))


def check_jpeg(data: bytes, start: int, name: str) -> None:
    """Refuse the JPEG that starts there if it has too many markers, table bytes or scans.

    A decoder reads no second scan where the first has all components, unless the frame is progressive.

    Raises:
        ImageError: it has more than `MAX_MARKERS`, `MAX_TABLE_BYTES` or `MAX_SCANS`.
    """
    markers = scans = table_bytes = components = pixels = 0
    refined, place = False, start + 2
    while hit := _MARKER.search(data, place):
        kind, place = data[hit.end() - 1], hit.end()
        length = int.from_bytes(data[place : place + 2])
        markers += 1
        if kind in _TABLES and data.startswith(_TABLES[kind], place + 2):
            table_bytes += length
        if kind in _FRAMES:
            refined, components = kind in _IN_SCANS, int.from_bytes(data[place + 7 : place + 8])
            pixels = int.from_bytes(data[place + 3 : place + 5]) * int.from_bytes(data[place + 5 : place + 7])
        elif kind == 0xDA:
            scans += 1
            if not refined and int.from_bytes(data[place + 2 : place + 3]) >= components:
                break
        elif scans and kind in _NEXT_PICTURE:
            break
        if markers > MAX_MARKERS or table_bytes > MAX_TABLE_BYTES:
            raise too_many(name)
        if scans > MAX_SCANS or (scans > USUAL_SCANS and scans * pixels > MAX_SCANNED):
            raise ImageError(f"{name}: a JPEG in more than {scans - 1} passes; save or export it again")
        if kind not in _ALONE:
            place += length


def tiff_pages(data: bytes, name: str) -> int:
    """Return how many directories hang together, at most `MAX_PAGES`, by TIFF 6.0, section 2, and BigTIFF.

    Pillow's own count reads all values in the directories, which may be far more than the file holds.

    Args:
        data: a TIFF, or EXIF data, which is laid out like one.

    Raises:
        ImageError: they have more than `MAX_ENTRIES`, or an entry has more than `MAX_VALUES`.
        struct.error: the data ends before it says where the first directory is.
    """
    order, big = "<" if data.startswith(b"II") else ">", 43 in data[2:4]
    pages: set[int] = set()
    left = MAX_ENTRIES
    (place,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    while place and place not in pages and len(pages) < MAX_PAGES:
        pages.add(place)
        try:
            entries, place = _directory(data, place, order, big, left, name)
            for below in [value for tag, value in entries if tag in _SUBDIRECTORIES]:
                left -= len(_directory(data, below, order, big, left, name)[0])
        except struct.error:  # it ends beyond the data: this page is the last
            break
        left -= len(entries)
    return len(pages)


def _directory(
    data: bytes, place: int, order: str, big: bool, most: int, name: str
) -> tuple[list[tuple[int, int]], int]:
    """Return the entries of a directory (tag, value or offset), and where the next directory is."""
    number, entry, offset = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    (count,) = struct.unpack_from(order + number, data, place)
    _limit(count, most, name)
    start, layout = place + struct.calcsize(order + number), struct.Struct(order + entry)
    entries = []
    for at in range(start, min(start + count * layout.size, len(data) - layout.size + 1), layout.size):
        tag, kind, values, value = layout.unpack_from(data, at)
        if values > MAX_VALUES and (kind not in _BYTES or tag == _COLOURS):
            raise too_many(name)
        entries.append((tag, value))
    (after,) = struct.unpack_from(order + offset, data, start + count * layout.size)
    return entries, after
