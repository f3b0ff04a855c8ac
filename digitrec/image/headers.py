"""Open a picture's header by its content; refuse pictures that need too much memory or time.

Pillow parses most headers in pure Python and holds the interpreter lock, so no deadline stops it. A small
file that repeats one element (chunk, marker, comment, directory entry) a million times would block all
threads.
"""

import ctypes
import io
import logging
import math
import re
import struct
import warnings
from contextlib import suppress
from typing import Literal

from PIL import Image, UnidentifiedImageError, _imaging, features
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, COMPRESSION, SAMPLESPERPIXEL, TiffImageFile

from digitrec.errors import ImageError, install_hint

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "PPM", "TIFF", "WEBP")
"""Pillow's decoders that digitrec uses, besides AVIF; Pillow has many for formats that no camera writes.
(MPO is a JPEG.)"""
KNOWN = (*(name for name in FORMATS if name != "DIB"), "AVIF", "HEIC", "PDF")
"""Names of the readable formats, for messages."""
MAX_FRAMES = 1000
"""Files with more pictures are not read picture by picture."""

_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF = {b"avif", b"avis"}
_EITHER = {b"mif1", b"msf1"}
"""Brands of a container, from ISO/IEC 23008-12 and the AVIF specification, that name no codec."""

MAX_DECODING_BYTES = 226_000_000
"""Memory for decoding one picture, its file included, in bytes: enough for 54 million pixels of a colour PNG
and for 13 million of a WebP, which needs most. A digit's picture takes at most 256 MB in all steps."""
_STORED = {"1": 1.0, "L": 1.0, "P": 1.0} | dict.fromkeys(("I;16", "I;16L", "I;16B", "I;16N"), 2.0)
"""Bytes per pixel that Pillow keeps, by mode; 4 in all other modes."""
_BESIDES = {"WEBP": 12, "AVIF": 13}
"""Bytes per pixel that libwebp (two canvases and a copy) and libavif (planes, RGB and a copy) hold."""
_HEIF_BYTES = {(8, 420): 9, (8, 400): 9}
"""Bytes per pixel that libheif and Pillow hold (planes, some of them twice, RGB), by the bits and layers in
the header; 13 for other layers of 8 bits, and 16 for more bits. These values were measured."""
_TEXT = 6_000_000
"""Maximum size of an unpacked PNG text, in bytes: Pillow unpacks a million and converts them to
characters."""
_IN_PYTHON = {"bmp_rle", "ppm", "ppm_plain"}
"""Pillow's decoders that loop in Python: over the runs of a BMP, or over the samples of a PNM that is plain
or has an unusual maximum."""
MAX_LOOPED_PIXELS = 1_000_000
"""Maximum number of pixels for these decoders."""
MAX_RUN_READS = 100_000
"""Maximum number of reads of a BMP's pixels: two for each run."""
_JPEG_IN_TIFF = (6, 7)
_ROWS = 24
"""Bytes for each column: three rows of 16-bit RGBA."""
_POINTERS = 48
"""Bytes for each row: Pillow's pointer to it and its padding, in the picture and in its copies."""
MAX_READS = 10_000
"""Reads that Pillow may make on a file of any size: two to four for each chunk, marker or directory entry."""
BYTES_A_READ, BYTES_A_GIF_READ = 200, 40
"""Bytes of a file per additional read: a PNG stores its pixels in pieces, a GIF in blocks of 255 bytes, which
Pillow reads three times on the way to the last frame."""
LARGE_READ = 16_384
"""A longer read counts once for each of these many bytes."""
MAX_MARKERS, BYTES_A_MARKER = 300, 10_000
"""Maximum number of markers in a JPEG of any size, and bytes of the file per additional marker: photos have
about 20, and encoders store colour profiles and depth maps in segments of 64 KB."""
MAX_SCANS = 100
"""Maximum number of scans of a JPEG; encoders write about 10, and libtiff reads as many in a TIFF."""
MAX_SCANNED = 1_000_000_000
"""Maximum number of pixels in all scans of a JPEG with more scans than `USUAL_SCANS`, and in a frame of an
animation and all frames before it."""
CHAINED = ("GIF", "PNG", "WEBP", "AVIF")
"""Formats that store a frame as a change of the frame before it."""
USUAL_SCANS = 16
"""Number of scans of a JPEG that is allowed at any size."""
MAX_TABLE_BYTES = 500_000
"""Maximum size of a JPEG's EXIF data, Photoshop resources and tables: Pillow loops over their entries."""
MAX_VALUES = 32_768
"""Maximum number of values in a TIFF directory entry: one for each strip or tile."""
MAX_ENTRIES = 32_768
"""Maximum number of entries in all directories of a TIFF."""
MAX_PAGES = 1_001
"""Number of a TIFF's directories after which the count stops."""
MAX_COMMENTS = 1_000
"""Maximum number of comments in a plain PNM: Pillow copies up to a million bytes for each."""
MAX_CHUNKS, BYTES_A_CHUNK = 1_000, 1_000
"""Maximum number of chunks in a PNG of any size, and bytes of the file per additional chunk: encoders store
the pixels in chunks of 1 KB or more."""
MAX_UNPACKED = 37
"""Maximum number of compressed texts and profiles in a PNG; Pillow unpacks up to a million characters
each."""
_COMPRESSED = {b"iCCP", b"zTXt", b"iTXt"}

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The end of a JPEG's coded pixels, from ITU T.81, B.1.1: no stuffed byte, restart or filler."""
_FRAMES, _IN_SCANS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}, {0xC2, 0xC6, 0xCA, 0xCE}
"""Markers that begin a JPEG's frame; the markers in the second set allow any number of scans."""
_NEXT_PICTURE = {0xD8, 0xD9}
_ALONE = {0x01, 0xC8, *range(0xF0, 0xFE)} | _NEXT_PICTURE
"""Markers without a segment, and markers whose segment Pillow does not skip."""
_TABLES = {0xDB: b"", 0xDE: b"", 0xE1: b"Exif\0\0", 0xED: b"Photoshop 3.0\0"} | dict.fromkeys(_FRAMES, b"")
"""Segments whose entries Pillow loops over in Python, and the bytes that their content begins with."""
_BYTES = {1, 2, 6, 7}
"""Types of TIFF values that Pillow takes unchanged: bytes, text, signed bytes, undefined."""
_COLOURS = 320
"""The tag of the palette; Pillow loops over its values whatever their type."""
_SUBDIRECTORIES = {34665, 34853, 40965}
"""Tags that point to a directory that Pillow also reads: EXIF, GPS, interoperability."""


class BoundedFile(io.BytesIO):
    """A file in memory that raises an ImageError after too many reads."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self._name = name
        each = BYTES_A_GIF_READ if data.startswith(b"GIF") else BYTES_A_READ
        self.reads_left = MAX_READS + len(data) // each
        """Number of reads until the file is refused."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to ``size`` bytes.

        Raises:
            ImageError: there were too many reads.
        """
        found = super().read(size)
        self.reads_left -= 1 + len(found) // LARGE_READ
        if self.reads_left < 0:
            raise _too_many(self._name)
        return found


def quiet_pillow() -> None:
    """Let Pillow and libtiff print nothing about damaged pictures; for processes of our own."""
    warnings.filterwarnings("ignore", module=r"PIL\.")  # damage outside the pixels does not matter
    logging.getLogger("PIL").setLevel(logging.CRITICAL)  # the error that it raises is reported
    with suppress(OSError, AttributeError):  # on Windows, Pillow does not export it
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)  # libtiff prints a line for each damaged row


def _too_many(name: str) -> ImageError:
    """Return the error for a file with too many parts."""
    return ImageError(f"{name}: too many parts (chunks, markers, comments or tags); save or export it again")


def _check_parts(data: bytes, name: str) -> None:
    """Refuse a JPEG, PNG, PNM or TIFF whose header would keep Pillow busy; other formats pass.

    Raises:
        ImageError: the file has more parts than the constants above allow.
    """
    if data.startswith(b"\xff\xd8\xff"):
        _check_jpeg(data, 0, name)
    elif data.startswith((b"II", b"MM")):
        tiff_pages(data, name)
    elif data.startswith(b"\x89PNG"):
        _limit(_unpacked(data, name), MAX_UNPACKED, name)
    elif data.startswith((b"P1", b"P2", b"P3")):
        _limit(data.count(b"#"), MAX_COMMENTS, name)


def _limit(count: int, most: int, name: str) -> None:
    if count > most:
        raise _too_many(name)


def _unpacked(data: bytes, name: str) -> int:
    """Return the number of compressed texts and colour profiles in a PNG.

    Raises:
        ImageError: the PNG has more chunks than `MAX_CHUNKS`, with one more for every `BYTES_A_CHUNK`.
    """
    found, place, chunk = 0, 8, struct.Struct(">I4s")
    with suppress(struct.error):  # the file ends
        for _ in range(MAX_CHUNKS + len(data) // BYTES_A_CHUNK):
            length, kind = chunk.unpack_from(data, place)
            if kind == b"IEND":
                return found
            found, place = found + (kind in _COMPRESSED), place + length + 12
        raise _too_many(name)
    return found


def _check_jpeg(data: bytes, start: int, name: str) -> bool:
    """Refuse the JPEG at this offset if it has too many markers, table bytes or scans.

    If the first scan has all components, a decoder reads no second scan, unless the frame is progressive.
    Return whether that is so: then libjpeg holds only some rows (`use_c_buffer` in its jdmaster.c).

    Raises:
        ImageError: the JPEG has more than `MAX_MARKERS` (with one more for every `BYTES_A_MARKER`),
            `MAX_TABLE_BYTES` or `MAX_SCANS`.
    """
    most = MAX_MARKERS + len(data) // BYTES_A_MARKER
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
                return scans == 1
        elif scans and kind in _NEXT_PICTURE:
            break
        if markers > most or table_bytes > MAX_TABLE_BYTES:
            raise _too_many(name)
        if scans > MAX_SCANS or (scans > USUAL_SCANS and scans * pixels > MAX_SCANNED):
            raise ImageError(f"{name}: a JPEG in more than {scans - 1} passes; save or export it again")
        if kind not in _ALONE:
            place += length
    return False


def tiff_pages(data: bytes, name: str) -> int:
    """Return the number of linked directories (TIFF 6.0, section 2, or BigTIFF), at most `MAX_PAGES`.

    Pillow's own count reads all values in the directories, and these may claim far more than the file holds.

    Args:
        data: a TIFF, or EXIF data, which has the same structure.

    Raises:
        ImageError: the directories have more than `MAX_ENTRIES`, or an entry has more than `MAX_VALUES`.
        struct.error: the data ends before the offset of the first directory.
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
        except struct.error:  # the entry ends beyond the data: this page is the last
            break
        left -= len(entries)
    return len(pages)


def _directory(
    data: bytes, place: int, order: str, big: bool, most: int, name: str
) -> tuple[list[tuple[int, int]], int]:
    """Return the entries of a directory (tag, value or offset) and the offset of the next directory."""
    number, entry, offset = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")
    (count,) = struct.unpack_from(order + number, data, place)
    start, layout = place + struct.calcsize(order + number), struct.Struct(order + entry)
    ats = range(start, min(start + count * layout.size, len(data) - layout.size + 1), layout.size)
    _limit(len(ats), most, name)
    entries = []
    for at in ats:
        tag, kind, values, value = layout.unpack_from(data, at)
        if values > MAX_VALUES and (kind not in _BYTES or tag == _COLOURS):
            raise _too_many(name)
        entries.append((tag, value))
    (after,) = struct.unpack_from(order + offset, data, start + count * layout.size)
    return entries, after


def kind(data: bytes) -> Literal["AVIF", "HEIF", "PDF"] | None:
    """Return the format if it needs its own decoder; None for the formats in `FORMATS` and for other data."""
    if data.startswith(b"%PDF-"):
        return "PDF"
    if data[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(data[:4]), 256)
    also = {data[place : place + 4] for place in range(16, end, 4)}
    for brands in ({data[8:12]}, also):
        if brands & _HEIF:
            return "HEIF"
        if brands & _AVIF:
            return "AVIF"
    return "HEIF" if data[8:12] in _EITHER else None


def opened(data: bytes, name: str) -> Image.Image:
    """Open a picture: read its header without decoding it.

    Raises:
        ImageError: the format is unknown, its decoder is not installed, or the file has too many parts. For
            a damaged header the decoder may raise any other error.
    """
    _check_parts(data, name)
    found = kind(data)
    if found == "HEIF":
        return _heif(data, name)
    if found == "AVIF" and not features.check("avif"):
        raise ImageError(f"{name}: this Pillow is built without AVIF; install Pillow from PyPI")
    try:
        return Image.open(BoundedFile(data, name), formats=["AVIF"] if found == "AVIF" else FORMATS)
    except UnidentifiedImageError as error:
        if found == "AVIF":
            raise
        if data.startswith(b"PK\x03\x04") or data[257:262] == b"ustar":
            raise ImageError(f"{name}: an archive; `digitrec batch` reads the pictures in it") from error
        raise ImageError(f"{name}: not a picture in a known format ({', '.join(KNOWN)})") from error


def _heif(data: bytes, name: str) -> Image.Image:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise ImageError(
            f"{name}: a HEIC picture needs pillow-heif: {install_hint('heif')}, or export it as JPEG "
            '(on a phone: "most compatible")'
        ) from error
    return HeifImageFile(io.BytesIO(data))  # type: ignore[no-untyped-call]


def count(picture: Image.Image, data: bytes) -> int:
    """Return how many pictures an opened file holds, >= 1; the count stops above `MAX_FRAMES`.

    Damage after the first picture raises no error. No other picture is decoded.
    """
    try:
        found = tiff_pages(data, "") if picture.format == "TIFF" else getattr(picture, "n_frames", 1)
    except Exception:  # the chain of pictures ends too early
        return 1
    return max(1, min(found, MAX_FRAMES + 1))


def check(picture: Image.Image, data: bytes | None, name: str, enough: int) -> None:
    """Refuse an opened picture whose decoding would take too much memory or time.

    Args:
        picture: opened, at the frame to decode.
        data: its file; None if the caller opened the file, so that the picture is decoded at full size.
        name: its name in messages.
        enough: as for `digitrec.image.pixels.factor`.

    Raises:
        ImageError: the picture takes more than `MAX_DECODING_BYTES`, or has too many parts.
    """
    if len(data or b"") + memory(picture, data, name, enough) > MAX_DECODING_BYTES:
        pixels = picture.width * picture.height / 1_000_000
        is_jpeg = isinstance(picture, JpegImageFile)
        raise ImageError(
            f"{name}: a picture of {pixels:.0f} million pixels takes too much memory in this format; "
            f"scale it down first, or save it as a JPEG{' that is not progressive' * is_jpeg}"
        )
    looped = _decoders(picture) & _IN_PYTHON
    if looped and picture.width * picture.height > MAX_LOOPED_PIXELS:
        raise ImageError(
            f"{name}: more than {MAX_LOOPED_PIXELS // 1_000_000} million pixels as text, in runs or of an "
            "unusual depth; save it as a PNG"
        )
    if isinstance(file := getattr(picture, "fp", None), BoundedFile) and looped:
        file.reads_left = MAX_RUN_READS if looped == {"bmp_rle"} else MAX_LOOPED_PIXELS


def _decoders(picture: Image.Image) -> set[str]:
    """Return the names of the decoders that an opened picture needs."""
    return {tile[0] for tile in getattr(picture, "tile", ())}


def memory(picture: Image.Image, data: bytes | None, name: str, enough: int) -> int:
    """Return the most bytes that Pillow and its libraries hold while they decode an opened picture.

    That is a few rows for filters, and for each pixel Pillow's copy and the decoder's own memory. The numbers
    were measured, or taken from the decoder's code if a file could need more than was measured.

    Raises:
        ImageError: a JPEG has too many parts; `opened` has checked only the first picture of its file.
    """
    stored = _STORED.get(picture.mode, 4)
    if isinstance(picture, JpegImageFile):
        if data is not None and min(picture.size) >= 2 * enough:  # Pillow decodes at half the size or less
            stored /= 4
        in_one_scan = data is not None and _check_jpeg(data, picture.tile[0].offset, name)
        each = stored + (0 if in_one_scan else _coefficients(picture))
    elif isinstance(picture, TiffImageFile):
        each = stored + _strip(picture, stored)
    elif picture.format in _BESIDES:
        each = stored + _BESIDES[picture.format]
    elif picture.format == "HEIF":
        bits, layers = picture.info.get("bit_depth", 0), picture.info.get("chroma", 0)
        each = _HEIF_BYTES.get((bits, layers), 13 if bits == 8 else 16)
    else:
        each = stored * (8 if _decoders(picture) & _IN_PYTHON else 1)
    texts = _unpacked(data, "") if data and picture.format == "PNG" else 0
    sides = _ROWS * picture.width + _POINTERS * picture.height
    return math.ceil(each * picture.width * picture.height) + sides + texts * _TEXT


def _coefficients(picture: JpegImageFile) -> float:
    """Return the bytes per pixel that libjpeg holds for a picture in several scans."""
    layers = [(wide, high) for _, wide, high, _ in picture.layer]
    whole = max(wide for wide, _ in layers) * max(high for _, high in layers)
    return 2 * sum(wide * high for wide, high in layers) / whole


def _strip(picture: TiffImageFile, stored: float) -> float:
    """Return the bytes per pixel that libtiff holds if the whole picture is one strip or tile."""
    if all(tile[0] == "raw" for tile in picture.tile):
        return 0.0
    tags = picture.tag_v2
    source: float = max(tags.get(BITSPERSAMPLE, (1,))) * tags.get(SAMPLESPERPIXEL, 1) / 8
    in_scans = 6 if tags.get(COMPRESSION) in _JPEG_IN_TIFF else 0
    return max(stored, source) + in_scans
