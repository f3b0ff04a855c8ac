"""Estimate from a picture's header what decoding takes, and refuse what takes too much."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, COMPRESSION, SAMPLESPERPIXEL, TiffImageFile

from digitrec.errors import ImageError
from digitrec.image.formats import opened
from digitrec.image.parts import BoundedFile, check_jpeg, unpacked
from digitrec.image.shrinking import ENOUGH_SIDE

MAX_DECODING_BYTES = 226_000_000
"""Memory for decoding one picture, its file included, in bytes: enough for 54 million pixels of a colour PNG
and for 13 million of a WebP, which needs most. No other step needs more: a picture takes at most 256 MB."""
_STORED = {"1": 1.0, "L": 1.0, "P": 1.0} | dict.fromkeys(("I;16", "I;16L", "I;16B", "I;16N"), 2.0)
"""Bytes that Pillow keeps of a pixel; in all other modes 4."""
_BESIDES = {"WEBP": 12, "AVIF": 13}
"""Bytes of a pixel that libwebp holds (two canvases and a copy), and libavif (planes, RGB and a copy)."""
_HEIF = {(8, 420): 9, (8, 400): 9}
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
        enough: as for `digitrec.image.shrinking.factor`.

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
        each = _HEIF.get((bits, layers), 13 if bits == 8 else 16)
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
