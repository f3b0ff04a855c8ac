"""A picture with a blot of ink, encoded in any format."""

import io
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digitrec.errors import ImageError
from digitrec.image import DigitImage
from digitrec.image.pixels import Pixels


def corner(
    mode: str = "L", ink: Any = 0, paper: Any = 255, size: tuple[int, int] = (40, 60), blot: int = 9
) -> Image.Image:
    """Return a picture with a blot of ink in its upper left corner, so that turning it shows."""
    picture = Image.new(mode, size, paper)
    ImageDraw.Draw(picture).rectangle((0, 0, blot, blot), fill=ink)
    return picture


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    """Encode a picture; for HEIF also with EXIF data or further pictures."""
    buffer = io.BytesIO()
    if form == "HEIF":
        import pillow_heif

        file = pillow_heif.from_pillow(picture)
        for other in options.pop("append_images", []):
            file.add_from_pillow(other)
        options.pop("save_all", None)
        file.save(buffer, **options)
    else:
        picture.save(buffer, form, **options)
    return buffer.getvalue()


def exif(tags: dict[int, Any]) -> Image.Exif:
    """Return EXIF data with these tags."""
    made = Image.Exif()
    made.update(tags)
    return made


def png_that_says(width: int, height: int, rows: bytes = b"") -> bytes:
    """Return a PNG that claims a size, around rows of RGB pixels that need not fit it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def zipped(files: dict[str, str | bytes]) -> bytes:
    """Return a ZIP file with these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def assert_refused(source: Any, match: str | None = None) -> None:
    """Check that opening a picture raises our error, and what it says."""
    with pytest.raises(ImageError, match=match):
        DigitImage.open(source)


def grey(image: DigitImage) -> Pixels:
    """Return the pixels of an opened picture in grey."""
    return np.asarray(image.picture.convert("L"))
