"""Encoded bytes into Pillow's pictures, not yet decoded: which format they are says their content alone."""

from __future__ import annotations

import io
from typing import Literal

from PIL import Image, UnidentifiedImageError, features

from digitrec.errors import ImageError, install_hint
from digitrec.image import parts
from digitrec.image.parts import BoundedFile

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
