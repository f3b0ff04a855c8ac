"""Encoded bytes into Pillow's pictures, not yet decoded: which format they are says their content alone."""

from __future__ import annotations

import io
import struct
from typing import Literal

from PIL import Image, UnidentifiedImageError, features

from digitrec.errors import ImageError
from digitrec.version import install_hint

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "PPM", "TIFF", "WEBP")
"""Pillow's decoders that we trust, besides AVIF; it knows many more that nobody photographs a digit with.
(MPO is a JPEG.)"""
KNOWN = (*(name for name in FORMATS if name != "DIB"), "AVIF", "HEIC", "PDF")
"""What can be read, as people call it."""
MAX_FRAMES = 1000
"""Files that hold more pictures are not read picture by picture."""

_HEIF = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF = {b"avif", b"avis"}
_EITHER = {b"mif1", b"msf1"}
"""Brands of a container, from ISO/IEC 23008-12 and the AVIF specification; the last tell no coding."""


def kind(data: bytes) -> Literal["AVIF", "HEIF", "PDF"] | None:
    """The format, where it needs a decoder of its own; None: one of `FORMATS`, or none at all."""
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
    """The picture, its header read and no more.

    Raises:
        ImageError: it is of no format we know, or of one whose decoder is not installed. What a damaged
            header makes a decoder raise is anything.
    """
    found = kind(data)
    if found == "HEIF":
        return _heif(data, name)
    if found == "AVIF" and not features.check("avif"):
        raise ImageError(f"{name}: this Pillow is built without AVIF; install Pillow from PyPI")
    try:
        return Image.open(io.BytesIO(data), formats=["AVIF"] if found == "AVIF" else FORMATS)
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
    picture: Image.Image = HeifImageFile(io.BytesIO(data))  # type: ignore[no-untyped-call]
    return picture


def count(picture: Image.Image, data: bytes) -> int:
    """How many pictures an opened file holds, >= 1; beyond `MAX_FRAMES` they are not counted.

    Damage behind the first is no damage to it, and nothing of the others is read.
    """
    try:
        found = _tiff_pages(data) if picture.format == "TIFF" else getattr(picture, "n_frames", 1)
    except Exception:  # a chain that is cut off where its first picture is not
        return 1
    return max(1, min(found, MAX_FRAMES + 1))


def _tiff_pages(data: bytes) -> int:
    """How many directories hang together, from TIFF 6.0, section 2, or in the layout of BigTIFF.

    Pillow's own count reads all that the directories point to, which may be far more than the file holds.
    """
    order = "<" if data.startswith(b"II") else ">"
    big = 43 in (data[2], data[3])
    first, number, offset, entry = (8, "Q", "Q", 20) if big else (4, "H", "I", 12)
    seen: set[int] = set()
    (place,) = struct.unpack_from(order + offset, data, first)
    while place and place not in seen and len(seen) <= MAX_FRAMES:
        seen.add(place)
        try:
            (entries,) = struct.unpack_from(order + number, data, place)
            place += struct.calcsize(order + number) + entry * entries
            (place,) = struct.unpack_from(order + offset, data, place)
        except struct.error:  # it lies beyond the end: this page is the last
            break
    return len(seen)
