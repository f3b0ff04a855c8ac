"""Foreign bytes and arrays into pixels, safely: the one place where a picture is decoded.

Everything comes out upright, opaque and eight bits a channel: uint8, shape (height, width) for grey or
(height, width, 3) for RGB.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from digitrec.arguments import number
from digitrec.errors import ImageError
from digitrec.image import files, formats, pdf
from digitrec.image.files import Frame, name_of

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Decoded = tuple[Pixels, str, str]
"""Pixels, a name for messages, and the SHA-256 of what came in, in hex."""

MAX_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded; Pillow's own limit is 89 million."""
ENOUGH_SIDE = 750
"""A JPEG is decoded at half, a quarter or an eighth while its shorter side stays at least this, in px."""
ROUNDING = 1e-3
"""By so much may a value go beyond white where it was calculated."""


def decode(source: files.Encoded) -> tuple[Pixels, str, str, int]:
    """The picture in a file, in "-" (standard input), in a stream or in encoded bytes, or a frame of one.

    Returns:
        As `Decoded`, and how many pictures there are of which this is the first; 1 for a frame.

    Raises:
        ImageError: it is missing, empty, truncated, not a picture, of an unknown format, or too large.
    """
    data, name = files.read(source)
    number = source.number if isinstance(source, Frame) else None
    with _blaming(name):
        picture, count = _open(data, name, number)
        pixels = _upright(picture)
    digest = hashlib.sha256(data)
    if number is None:
        return pixels, name, digest.hexdigest(), count
    digest.update(f"[{number}]".encode())  # another picture than the file's first
    return pixels, name, digest.hexdigest(), 1


def frames(source: files.Encoded) -> list[Frame]:
    """All pictures in such a source, in order; none is decoded.

    Raises:
        ImageError: as for `decode`, or there are more than `digitrec.image.formats.MAX_FRAMES`.
    """
    if isinstance(source, Frame):
        return [source]
    data, name = files.read(source)
    with _blaming(name):
        count = pdf.pages(data, name) if formats.kind(data) == "PDF" else _count(data, name)
    if count > formats.MAX_FRAMES:
        raise ImageError(f"{name}: holds more than {formats.MAX_FRAMES} pictures; split it first")
    again = source if isinstance(source, str | Path) and not files.read_once(source) else data
    return [Frame(again, number, f"{name}[{number}]") for number in range(1, count + 1)]


def _count(data: bytes, name: str) -> int:
    with formats.opened(data, name) as picture:
        return formats.count(picture, data)


def from_pillow(picture: Image.Image) -> Decoded:
    """The picture that Pillow holds, or has yet to load.

    Raises:
        ImageError: it is damaged or too large.
    """
    name = name_of(picture)
    _check_size(picture.size, name)
    with _blaming(name):
        pixels = _upright(picture)
    return pixels, name, _digest(pixels)


def from_array(values: np.ndarray[Any, Any], full: float | None = None) -> Decoded:
    """The picture in an array, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).

    Args:
        values: integers, floats or booleans, from 0 on.
        full: the value that is white, > 0; None: as `white` tells from the values.

    Raises:
        ImageError: another shape, another type, values that are no pixels, or a range that is not plain.
        TypeError, ValueError: ``full`` is no such number.
    """
    if full is not None:
        full = number("full", full, 0, above=True)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        raise ImageError(
            f"<array>: shape {values.shape} is not (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); "
            "several pictures are for predict_many"
        )
    _check_numbers(values)
    _check_size((values.shape[1], values.shape[0]), "<array>")
    pixels = np.ascontiguousarray(_scaled(values, white(values) if full is None else full))
    digest = _digest(pixels)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = _opaque(Image.fromarray(pixels))
    return pixels, "<array>", digest


def white(values: np.ndarray[Any, Any]) -> float:
    """The value that stands for white in an array, told from its values where they make it plain.

    Booleans and numbers up to 1 are shares of 1. Whole numbers from 0 to just 16 are scikit-learn's digits.
    Otherwise it is 255 for what reaches 17 to 255, and 65535 for what reaches 4,096 to 65,535. An array of
    one value throughout is blank at any of them.

    Raises:
        ImageError: it could be several: values that reach 2 to 16, 256 to 4,095 (10 or 12 bits?), or more
            than 65,535; or they are no pixels.
    """
    _check_numbers(values)
    if values.dtype == np.bool_ or not values.size:
        return 1.0
    high = float(values.max())
    if 16 < high <= 255 + ROUNDING:
        return 255.0
    low = float(values.min())
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if high <= 1 + ROUNDING:
        return 1.0
    if 16 < high <= 255 + ROUNDING or low == high <= 255:
        return 255.0
    if 4095 < high <= 65535 or low == high <= 65535:
        return 65535.0
    if low == 0 and high == 16 and np.array_equal(values, np.floor(values)):
        return 16.0
    raise ImageError(
        f"<array>: its values reach {high:g}, and whether that is white cannot be told; divide it by the "
        f"value that is, or say it: digitrec.DigitImage.open(array, full=...)"
    )


def _check_numbers(values: np.ndarray[Any, Any]) -> None:
    if values.dtype.kind not in "biuf":
        raise ImageError(f"<array>: values of type {values.dtype} are not pixels")


def _digest(pixels: Pixels) -> str:
    digest = hashlib.sha256(pixels.data)
    digest.update(repr(pixels.shape).encode())  # the same bytes in another shape are another picture
    return digest.hexdigest()


@contextmanager
def _blaming(name: str) -> Iterator[None]:
    """Turns whatever a decoder throws at foreign bytes into one clear ImageError.

    Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, zlib.error, IndexError and
    more on damaged files, and promise none of them; so every Exception from decoding counts as the
    picture's fault. Of damage beside the picture (in its EXIF data) they only warn. Those warnings are left
    to the process: to catch them here would change its filters under its other threads.
    """
    try:
        yield
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{name}: {_too_large()}") from error
    except Exception as error:
        raise ImageError(f"{name}: damaged or cut off; save or export it again") from error


def _open(data: bytes, name: str, number: int | None) -> tuple[Image.Image, int]:
    """A picture, checked, not yet decoded, and how many its file holds."""
    if formats.kind(data) == "PDF":
        return pdf.page(data, name, number or 1, MAX_PIXELS)
    picture = formats.opened(data, name)
    _check_size(picture.size, name)
    count = formats.count(picture, data)
    if number is not None:
        if number > count:
            raise ImageError(f"{name}: there is no such picture; the file holds {count}")
        picture.seek(number - 1)
        _check_size(picture.size, name)
    shrink = min(picture.size) / ENOUGH_SIDE
    if picture.format in ("JPEG", "MPO") and shrink >= 2:  # a huge one is told to decode itself smaller
        picture.draft(None, (int(picture.width / shrink), int(picture.height / shrink)))
    return picture, count


def _too_large() -> str:
    return f"more than {MAX_PIXELS // 1_000_000} million pixels; scale it down first"


def _check_size(size: tuple[int, int], name: str) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise ImageError(f"{name}: {_too_large()}")
    if 0 in size:
        raise ImageError(f"{name}: the picture has no pixels")


def _upright(picture: Image.Image) -> Pixels:
    picture.load()
    if 0x0112 in picture.getexif():
        picture = ImageOps.exif_transpose(picture)
    return _eight_bits(picture)


def _eight_bits(picture: Image.Image) -> Pixels:
    """Grey (H, W) or RGB (H, W, 3) from any Pillow mode."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture)
        return _scaled(values, _white_of_file(values))
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        return _opaque(picture.convert("RGBA"))
    if picture.mode in ("1", "L"):
        return np.asarray(picture.convert("L"))
    return np.asarray(picture.convert("RGB"))


def _opaque(picture: Image.Image) -> Pixels:
    """Transparency on white; on black where nothing visible is dark, or white ink would vanish."""
    alpha = np.asarray(picture.getchannel("A"))
    visible = alpha > 128
    dark = np.asarray(picture.convert("L"))[visible] < 128
    light_ink = bool(visible.any() and not visible.all() and dark.mean() < 0.001)
    backdrop = Image.new("RGBA", picture.size, "black" if light_ink else "white")
    return np.asarray(Image.alpha_composite(backdrop, picture).convert("RGB"))


def _white_of_file(values: np.ndarray[Any, Any]) -> float:
    """The value that is white in a file's 16-bit or float pixels; nobody could be asked."""
    high = float(values.max())
    if values.dtype.kind == "f" and high <= 1:
        return 1.0
    return 255.0 if high <= 255 and values.dtype.itemsize != 2 else max(high, 65535.0)


def _scaled(values: np.ndarray[Any, Any], full: float) -> Pixels:
    """Numbers of any type from 0 to ``full`` as 0..255; what is above is white."""
    if values.dtype == np.uint8 and full == 255:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    numbers = values.astype(np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        raise ImageError("<array>: pixel values must be finite and not negative")
    return np.round(np.minimum(numbers * (255.0 / full), 255.0)).astype(np.uint8)
