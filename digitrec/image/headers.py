"""What the header of a picture promises: its pixels, and the memory that decoding it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import BITSPERSAMPLE, COMPRESSION, SAMPLESPERPIXEL, TiffImageFile

from digitrec.image.formats import opened
from digitrec.image.shrinking import ENOUGH_SIDE

_STORED = {"1": 1.0, "L": 1.0, "P": 1.0} | dict.fromkeys(("I;16", "I;16L", "I;16B", "I;16N"), 2.0)
"""Bytes that Pillow keeps of a pixel; in all other modes 4."""
_BESIDES = {"WEBP": 12, "HEIF": 8}
"""Bytes of a pixel that libwebp holds (two canvases and a copy), and libheif (planes, RGB)."""
_IN_PYTHON = {"bmp_rle", "ppm", "ppm_plain"}
_JPEG_IN_TIFF = (6, 7)
_ROWS = 24
"""Bytes for each column: three rows of 16-bit RGBA."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of a picture promises."""

    pixels: int
    """How many; 0 where that cannot be told."""
    memory: int
    """Bytes that decoding it takes at most; 0 where that cannot be told."""


def header(data: bytes) -> Header:
    """What is promised by a picture's first bytes; nothing is decoded."""
    try:
        with opened(data, "") as picture:
            return Header(picture.width * picture.height, _memory(picture))
    except Exception:  # not for us to judge: opening it in earnest says what is wrong
        return Header(0, 0)


def _memory(picture: Image.Image) -> int:
    """Bytes that Pillow and its libraries hold at most while they decode an opened picture.

    A few rows for filters, and for each pixel what Pillow keeps of it and what the decoder does besides:
    measured, and told from the decoders' code where a file could want more than those measured.
    """
    stored = _STORED.get(picture.mode, 4)
    if isinstance(picture, JpegImageFile):
        if min(picture.size) >= 2 * ENOUGH_SIDE:  # decoded at half its size or less
            stored /= 4
        each = stored + _coefficients(picture)
    elif isinstance(picture, TiffImageFile):
        each = stored + _strip(picture, stored)
    elif picture.format in _BESIDES:
        each = stored + _BESIDES[picture.format]
    else:  # Pillow's decoders in Python gather all bytes before they make pixels of them
        each = stored * (4 if {tile[0] for tile in getattr(picture, "tile", ())} & _IN_PYTHON else 1)
    return math.ceil(each * picture.width * picture.height) + _ROWS * picture.width


def _coefficients(picture: JpegImageFile) -> float:
    """Bytes of a pixel that libjpeg holds of a picture in several scans, which any may turn out to be."""
    layers = [(wide, high) for _, wide, high, _ in picture.layer]
    whole = max(wide for wide, _ in layers) * max(high for _, high in layers)
    return 2 * sum(wide * high for wide, high in layers) / whole


def _strip(picture: TiffImageFile, stored: float) -> float:
    """Bytes of a pixel that libtiff holds where all of the picture is one strip or tile."""
    if all(tile[0] == "raw" for tile in picture.tile):
        return 0.0
    tags = picture.tag_v2
    source: float = max(tags.get(BITSPERSAMPLE, (1,))) * tags.get(SAMPLESPERPIXEL, 1) / 8
    in_scans = 6 if tags.get(COMPRESSION) in _JPEG_IN_TIFF else 0
    return max(stored, source) + in_scans
