"""Open a picture's header by its content, estimate what decoding takes, and refuse what takes too much."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Literal

from PIL import Image, UnidentifiedImageError, features
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, COMPRESSION, SAMPLESPERPIXEL, TiffImageFile

from digitrec.errors import ImageError, install_hint
from digitrec.image import parts
from digitrec.image.parts import BoundedFile, check_jpeg, unpacked
from digitrec.image.pixels import ENOUGH_SIDE

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "PPM", "TIFF", "WEBP")
"""Pillow's decoders that we trust, besides AVIF; Pillow has many for formats that no camera writes.
(MPO is a JPEG.)"""
KNOWN = (*(name for name in FORMATS if name != "DIB"), "AVIF", "HEIC", "PDF")
"""What can be read, as people call it."""
MAX_FRAMES = 1000
"""Files that hold more pictures are not read picture by picture."""

_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF = {b"avif", b"avis"}
_EITHER = {b"mif1", b"msf1"}
"""Brands of a container, from ISO/IEC 23008-12 and the AVIF specification; the last tell no coding."""

MAX_DECODING_BYTES = 226_000_000
"""Memory for decoding one picture, its file included, in bytes: enough for 54 million pixels of a colour PNG
and for 13 million of a WebP, which needs most. No other step needs more: a picture takes at most 256 MB."""
_STORED = {"1": 1.0, "L": 1.0, "P": 1.0} | dict.fromkeys(("I;16", "I;16L", "I;16B", "I;16N"), 2.0)
"""Bytes that Pillow keeps of a pixel; in all other modes 4."""
_BESIDES = {"WEBP": 12, "AVIF": 13}
"""Bytes of a pixel that libwebp holds (two canvases and a copy), and libavif (planes, RGB and a copy)."""
_HEIF_BYTES = {(8, 420): 9, (8, 400): 9}
"""Bytes of a pixel that libheif and Pillow hold (planes, some of them twice, RGB), by bits and layers as the
header has them; 13 for other layers of 8 bits and 16 for more bits, as for those that were measured."""
_TEXT = 6_000_000
"""Bytes that a text in a PNG may grow to: Pillow unpacks a million, and makes characters of them."""
_IN_PYTHON = {"bmp_rle", "ppm", "ppm_plain"}
"""Pillow's decoders that loop in Python: over the runs of a BMP, or over the samples of a PNM that is plain
or has an unusual maximum."""
MAX_LOOPED_PIXELS = 1_000_000
"""Pixels of a picture that one of them decodes."""
MAX_RUN_READS = 100_000
"""Reads of a BMP's pixels: two for each run."""
_JPEG_IN_TIFF = (6, 7)
_ROWS = 24
"""Bytes for each column: three rows of 16-bit RGBA."""


def kind(data: bytes) -> Literal["AVIF", "HEIF", "PDF"] | None:
    """Return the format if it needs its own decoder; None for one of `FORMATS` and for no picture."""
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
    """Open a picture: read its header, decode nothing.

    Raises:
        ImageError: the format is unknown, its decoder is not installed, or the file has too many parts. A
            damaged header makes a decoder raise any other error.
    """
    parts.check(data, name)
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
    """Return how many pictures an opened file holds, >= 1; beyond `MAX_FRAMES` they are not counted.

    Damage behind the first picture does not count against it. No other picture is decoded.
    """
    try:
        pages = picture.format == "TIFF"
        found = parts.tiff_pages(data, "") if pages else getattr(picture, "n_frames", 1)
    except Exception:  # a chain that ends too early
        return 1
    return max(1, min(found, MAX_FRAMES + 1))


@dataclass(frozen=True, slots=True)
class Header:
    """What decoding a picture takes, by its header."""

    pixels: int
    """Number of pixels; 0 if unknown."""
    memory: int
    """Most bytes that decoding takes, the file included; 0 if unknown."""


def header(data: bytes) -> Header:
    """Return what decoding a picture takes, without decoding it."""
    try:
        with opened(data, "") as picture:
            return Header(picture.width * picture.height, len(data) + _memory(picture, data, ENOUGH_SIDE))
    except Exception:  # opening it later reports the error
        return Header(0, 0)


def check(picture: Image.Image, data: bytes | None, name: str, enough: int = ENOUGH_SIDE) -> None:
    """Refuse an opened picture that would take too much memory, or time, to decode.

    Args:
        picture: opened, at the frame to decode.
        data: its file; None if the caller opened it, so that it is decoded at full size.
        name: its name in messages.
        enough: as for `digitrec.image.pixels.factor`.

    Raises:
        ImageError: it takes more than `MAX_DECODING_BYTES`, or has too many parts.
    """
    if len(data or b"") + _memory(picture, data, enough) > MAX_DECODING_BYTES:
        raise ImageError(f"{name}: {too_dear(picture.width * picture.height)}")
    looped = _decoders(picture) & _IN_PYTHON
    if looped and picture.width * picture.height > MAX_LOOPED_PIXELS:
        raise ImageError(
            f"{name}: more than {MAX_LOOPED_PIXELS // 1_000_000} million pixels as text, in runs or of an "
            "unusual depth; save it as a PNG"
        )
    if isinstance(file := getattr(picture, "fp", None), BoundedFile) and looped:
        file.reads_left = MAX_RUN_READS if looped == {"bmp_rle"} else MAX_LOOPED_PIXELS
    if data and isinstance(picture, JpegImageFile) and picture.tile[0].offset:  # not the first of several
        check_jpeg(data, picture.tile[0].offset, name)


def _decoders(picture: Image.Image) -> set[str]:
    """Return the names of the decoders that an opened picture needs."""
    return {tile[0] for tile in getattr(picture, "tile", ())}


def too_dear(pixels: int) -> str:
    """Return the message for a picture that takes too much memory."""
    return (
        f"a picture of {pixels / 1_000_000:.0f} million pixels takes too much memory in this format; "
        "scale it down first, or save it as a JPEG"
    )


def _memory(picture: Image.Image, data: bytes | None, enough: int) -> int:
    """Return the most bytes that Pillow and its libraries hold while they decode an opened picture.

    A few rows for filters, and for each pixel Pillow's copy and the decoder's own memory: measured, or taken
    from the decoder's code if a file could need more than the measured ones.
    """
    stored = _STORED.get(picture.mode, 4)
    if isinstance(picture, JpegImageFile):
        if data is not None and min(picture.size) >= 2 * enough:  # decoded at half its size or less
            stored /= 4
        each = stored + _coefficients(picture)
    elif isinstance(picture, TiffImageFile):
        each = stored + _strip(picture, stored)
    elif picture.format in _BESIDES:
        each = stored + _BESIDES[picture.format]
    elif picture.format == "HEIF":
        bits, layers = picture.info.get("bit_depth", 0), picture.info.get("chroma", 0)
        each = _HEIF_BYTES.get((bits, layers), 13 if bits == 8 else 16)
    else:
        each = stored * (8 if _decoders(picture) & _IN_PYTHON else 1)
    texts = unpacked(data) if data and picture.format == "PNG" else 0
    return math.ceil(each * picture.width * picture.height) + _ROWS * picture.width + texts * _TEXT


def _coefficients(picture: JpegImageFile) -> float:
    """Return the bytes a pixel that libjpeg holds of a picture in several scans, as any may be."""
    layers = [(wide, high) for _, wide, high, _ in picture.layer]
    whole = max(wide for wide, _ in layers) * max(high for _, high in layers)
    return 2 * sum(wide * high for wide, high in layers) / whole


def _strip(picture: TiffImageFile, stored: float) -> float:
    """Return the bytes a pixel that libtiff holds if the whole picture is one strip or tile."""
    if all(tile[0] == "raw" for tile in picture.tile):
        return 0.0
    tags = picture.tag_v2
    source: float = max(tags.get(BITSPERSAMPLE, (1,))) * tags.get(SAMPLESPERPIXEL, 1) / 8
    in_scans = 6 if tags.get(COMPRESSION) in _JPEG_IN_TIFF else 0
    return max(stored, source) + in_scans
