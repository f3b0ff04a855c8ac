"""Foreign bytes and arrays into pixels, safely: the one place where a picture is decoded.

Everything comes out upright, opaque and eight bits a channel: uint8, shape (height, width) for grey or
(height, width, 3) for RGB.
"""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from digitrec.arguments import number, said
from digitrec.errors import ImageError

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Decoded = tuple[Pixels, str, str]
"""Pixels, a name for messages, and the SHA-256 of what came in, in hex."""

MAX_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded; Pillow's own limit is 89 million."""
MAX_FILE_BYTES = 100_000_000
"""Larger files are refused, no more than this is read of them."""
ENOUGH_SIDE = 750
"""A JPEG is decoded at half, a quarter or an eighth while its shorter side stays at least this, in px."""
ROUNDING = 1e-3
"""By so much may a value go beyond white where it was calculated."""
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "WEBP")
"""The decoders we trust; Pillow knows many more that nobody photographs a digit with. (MPO is a JPEG.)"""


def decode(source: str | Path | bytes | bytearray | memoryview | IO[bytes]) -> Decoded:
    """The picture in a file, in "-" (standard input), in a stream or in encoded bytes.

    Raises:
        ImageError: it is missing, empty, truncated, not a picture, of an unknown format, or too large.
    """
    data, name = _read(source)
    with _blaming(name):
        picture = _open(data, name)
        pixels = _upright(picture)
    return pixels, name, hashlib.sha256(data).hexdigest()


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


def _read(source: Any) -> tuple[bytes, str]:
    """The encoded bytes of a path, stream or buffer, and a name for messages."""
    name = name_of(source)
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str) and source == "-":
        data = _read_stdin(name)
    elif isinstance(source, str | Path):
        data = _read_file(Path(source))
    elif hasattr(source, "read"):
        data = source.read(MAX_FILE_BYTES + 1)
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"{name}: gives {said(data)} and not bytes; open the file in binary mode")
    else:
        raise TypeError(f"cannot read a picture from {type(source).__name__}")
    if not data:
        raise ImageError(f"{name}: the file is empty; give a picture")
    if len(data) > MAX_FILE_BYTES:
        raise ImageError(f"{name}: larger than {MAX_FILE_BYTES // 1_000_000} MB; give a smaller picture")
    return data, name


def name_of(source: Any) -> str:
    """What to call a source in messages, whether it can be read or not."""
    if isinstance(source, str | Path):
        return "<stdin>" if source == "-" else str(source)
    if isinstance(source, np.ndarray):
        return "<array>"
    if isinstance(source, Image.Image):
        return str(getattr(source, "filename", "") or "<image>")
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>"
    return str(getattr(source, "name", "<stream>"))


def _read_stdin(name: str) -> bytes:
    if sys.stdin is None:  # closed by whoever started us
        raise ImageError(f"{name}: there is no standard input; name a file")
    return sys.stdin.buffer.read(MAX_FILE_BYTES + 1)


def _read_file(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ImageError(f"{path}: a folder, with no picture to read; name a file")
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except ImageError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        why = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{path}: cannot be read ({why.lower()}); check the name") from error


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


def _open(data: bytes, name: str) -> Image.Image:
    """The picture, checked, not yet decoded; a huge JPEG is told to decode itself smaller."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise ImageError(f"{name}: {_unknown_format(data)}") from error
    _check_size(picture.size, name)
    shrink = min(picture.size) / ENOUGH_SIDE
    if picture.format in ("JPEG", "MPO") and shrink >= 2:
        picture.draft(None, (int(picture.width / shrink), int(picture.height / shrink)))
    return picture


def _unknown_format(data: bytes) -> str:
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return 'HEIC pictures are not read; export it as JPEG (on a phone: "most compatible")'
    return f"not a picture in a known format ({', '.join(FORMATS)})"


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
