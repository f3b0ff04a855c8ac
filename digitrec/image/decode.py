"""Decode pictures from untrusted bytes; no other module does.

Every result is upright, opaque and has eight bits a channel: uint8, shape (height, width) for grey or
(height, width, 3) for RGB.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.Image import Transpose

from digitrec.errors import ImageError
from digitrec.image import files, formats, headers, parts, shrinking
from digitrec.image.files import Frame, name_of
from digitrec.image.pixels import (
    Decoded,
    Size,
    check_size,
    digest,
    opaque,
    scaled,
    too_large,
    white_of_file,
)

ORIENTATION = 0x0112
"""EXIF's tag for the orientation of the camera."""
_TURNS: dict[Any, Transpose] = {
    2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE, 6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
}  # fmt: skip
"""The transposition that makes a picture upright, by that tag's value."""


def decode(source: files.Encoded, enough: int) -> Decoded:
    """Decode a picture from a file, "-" (standard input), a stream, encoded bytes or a frame of a file.

    Args:
        source: the picture.
        enough: as for `digitrec.image.shrinking.factor`.

    Raises:
        ImageError: it is missing, empty, truncated, not a picture, of an unknown format, too large, or takes
            more than `digitrec.image.headers.MAX_DECODING_BYTES` to decode.
    """
    data, name = files.read(source)
    number = source.number if isinstance(source, Frame) else None
    with _blaming(name):
        opened, size, count = _open(data, name, number, enough)
        picture, turn = _upright(opened, name, enough)
        if count > 1 and picture is opened:  # it would keep its whole file in memory
            picture = opened.copy()
        picture.info = {}  # metadata, such as the author and the place, goes no further
    sha256 = hashlib.sha256(data)
    if number is not None:
        sha256.update(f"[{number}]".encode())  # another picture than the file's first
        count = 1
    return Decoded(picture, _turned(size, turn), name, sha256.hexdigest(), count)


def frames(source: files.Encoded) -> list[Frame]:
    """Return all pictures of an animation or of a file with several pages, as sources for other functions.

    They are not decoded yet, and each opens the file again. Their names are the file's with a number from 1,
    such as "scan.tif[2]"; a file with one picture has one.

    Raises:
        ImageError: the file cannot be opened, or holds more pictures than
            `digitrec.image.formats.MAX_FRAMES`.
    """
    if isinstance(source, Frame):
        return [source]
    data, name = files.read(source)
    with _blaming(name):
        count = _count(data, name)
    if count > formats.MAX_FRAMES:
        raise ImageError(f"{name}: holds more than {formats.MAX_FRAMES} pictures; split it first")
    again = source if isinstance(source, str | Path) and not files.read_once(source) else data
    return [Frame(again, number, f"{name}[{number}]") for number in range(1, count + 1)]


def _count(data: bytes, name: str) -> int:
    if formats.kind(data) == "PDF":
        from digitrec.image import pdf

        return pdf.pages(data, name)
    with formats.opened(data, name) as picture:
        return formats.count(picture, data)


def from_pillow(picture: Image.Image, enough: int) -> Decoded:
    """Decode a Pillow picture, which may not be loaded yet; ``enough`` is as for `decode`.

    Raises:
        ImageError: it is closed, damaged or too large.
    """
    name = name_of(picture)
    check_size(picture.size, name)
    with _blaming(name):
        if getattr(picture, "tile", None):  # it has yet to load
            headers.check(picture, None, name)
        upright, turn = _upright(picture, name, enough)
        pixels = np.asarray(upright)  # a copy: the caller may change the original
    return Decoded(pixels, _turned(picture.size, turn), name, digest(pixels))


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Turn any exception of a decoder into an ImageError.

    On damaged files Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, zlib.error,
    IndexError and more, all undocumented, so any Exception means a bad picture. They only warn of
    damage in EXIF data. These warnings stay: catching them would change the process's filters under its other
    threads.
    """
    try:
        yield
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{name}: {too_large()}") from error
    except Exception as error:
        if "MAX_TEXT_CHUNK" in str(error):  # Pillow's limit for what a PNG holds beside the picture
            raise ImageError(
                f"{name}: its colour profile or its text is larger than 1 MB; save it without metadata"
            ) from error
        raise ImageError(f"{name}: damaged, cut off or closed; save or export it again") from error


def _open(data: bytes, name: str, number: int | None, enough: int) -> tuple[Image.Image, Size, int]:
    """Open and check a picture without decoding it; also return its size and its file's count."""
    if formats.kind(data) == "PDF":
        from digitrec.image import pdf  # few pictures are PDFs

        page, count = pdf.page(data, name, number or 1)
        return page, page.size, count
    picture = formats.opened(data, name)
    check_size(picture.size, name)
    count = formats.count(picture, data)
    if number is not None:
        if number > count:
            raise ImageError(f"{name}: there is no such picture; the file holds {count}")
        picture.seek(number - 1)
        check_size(picture.size, name)
    headers.check(picture, data, name, enough)
    size, shrink = picture.size, min(picture.size) / enough
    if picture.format in ("JPEG", "MPO") and shrink >= 2:  # libjpeg decodes a huge one at a smaller size
        picture.draft(None, (int(picture.width / shrink), int(picture.height / shrink)))
    return picture, size, count


def _upright(picture: Image.Image, name: str, enough: int) -> tuple[Image.Image, Transpose | None]:
    """Decode a picture, shrink it if it is far larger than needed, then turn it as EXIF says."""
    picture.load()
    by = shrinking.factor(picture.size, enough)
    small = picture if by == 1 else shrinking.shrunk(picture, by)
    turn = _TURNS.get(_orientation(picture, name))
    return _eight_bits(small if turn is None else small.transpose(turn)), turn


def _turned(size: Size, turn: Transpose | None) -> Size:
    """Return a picture's width and height after it was turned as EXIF says."""
    sideways = (Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90)
    return (size[1], size[0]) if turn in sideways else size


def _orientation(picture: Image.Image, name: str) -> Any:
    """Return how the camera was held, by EXIF or XMP; None: not said."""
    if exif := picture.info.get("exif"):
        with suppress(struct.error):  # Pillow reads of it what there is
            parts.tiff_pages(exif.removeprefix(b"Exif\0\0"), name)
    return picture.getexif().get(ORIENTATION)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Convert any Pillow mode to L or RGB."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture)
        return Image.fromarray(scaled(values, white_of_file(float(values.max()), values.dtype)))
    if picture.mode in shrinking.HAS_ALPHA or "transparency" in picture.info:
        return opaque(picture.convert("RGBA"))
    mode = "L" if picture.mode in ("1", "L") else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)
