"""Keep pixels in one form: upright, opaque, eight bits a channel, and not too many.

A picture far larger than needed is shrunk piece by piece, so that memory never holds a second full copy.
"""

import base64
import hashlib
import io
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from digitrec.errors import ImageError
from digitrec.errors.arguments import number

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
Array = np.ndarray[Any, Any]
Size = tuple[int, int]
"""Width and height in pixels."""

MAX_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded; Pillow's own limit is 89 million pixels."""
TOO_LARGE = f"more than {MAX_PIXELS // 1_000_000} million pixels; scale it down first"
"""Message for a picture with more than `MAX_PIXELS`."""
ENOUGH_SIDE = 750
"""Minimum shorter side of a picture after shrinking, in pixels, if the caller sets no other."""
NUMBERS_SIDE = 1500
"""`ENOUGH_SIDE` for reading the numbers on a page, whose digits are smaller."""
UNSHRUNK = MAX_PIXELS
"""Value of ``enough`` for a picture that keeps all its pixels."""
MOST_PIXELS = 4_000_000
"""Maximum number of pixels after shrinking, whatever the shorter side."""
PIECE = 1 << 18
"""Number of pixels in a piece."""
ROWS = 512
"""Number of rows in a piece."""
ROUNDING = 1e-3
"""Tolerance for values above white, because of rounding errors."""


class Decoded(NamedTuple):
    """A decoded picture."""

    held: Pixels | Image.Image
    """An array, or Pillow's picture of mode L or RGB."""
    size: Size
    """Upright width and height before it was shrunk."""
    name: str
    """The picture's name in messages."""
    sha256: str
    """SHA-256 of the input, in hex."""
    frames: int = 1
    """Number of pictures in its file."""


def check_size(size: Size, name: str) -> None:
    """Refuse a picture whose width and height are not readable; ``name`` is its name in messages.

    Raises:
        ImageError: the picture is too large, or has no pixels.
    """
    if size[0] * size[1] > MAX_PIXELS:
        raise ImageError(f"{name}: {TOO_LARGE}")
    if 0 in size:
        raise ImageError(f"{name}: the picture has no pixels")


def digest(pixels: Pixels) -> str:
    """Return the SHA-256 of a picture, in hex; it differs for the same bytes in another shape."""
    found = hashlib.sha256(pixels.data)
    found.update(repr(pixels.shape).encode())
    return found.hexdigest()


def as_array(value: object) -> Array | None:
    """Return the array of a NumPy array, a tensor or any other object with ``__array__``; else None.

    Raises:
        ImageError: the object cannot be turned into an array, such as a tensor that requires gradients, or it
            has masked values.
    """
    if isinstance(value, np.ndarray):
        if type(value) is not np.ndarray and np.ma.is_masked(value):  # `numpy.ma` takes long to import
            raise ImageError("<array>: has masked values; fill them, as in array.filled(255)")
        return np.asarray(value)
    if isinstance(value, str | bytes | Image.Image) or not hasattr(value, "__array__"):
        return None
    try:
        return np.asarray(value)
    except Exception as error:  # each library raises its own errors
        raise ImageError(f"<array>: the {type(value).__name__} is not an array ({error})") from error


def from_array(values: Array, full: float | None, enough: int) -> Decoded:
    """Return the picture in an array, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).

    Args:
        values: integers, floats or booleans, >= 0.
        full: the value of white, > 0; None: `white` finds it from the values.
        enough: as for `factor`.

    Raises:
        ImageError: the array has another shape or type, the values are not pixels, or the range is ambiguous.
        TypeError, ValueError: ``full`` is not a finite number > 0.
    """
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        raise ImageError(
            f"<array>: shape {values.shape} is not (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); "
            "give several pictures to predict_many"
        )
    _check_numbers(values)
    size = values.shape[1], values.shape[0]
    check_size(size, "<array>")
    by = factor(size, enough)
    full = white(values) if full is None else number("full", full, 0, above=True)
    pixels = np.ascontiguousarray(scaled(values, full))
    has_alpha = pixels.ndim == 3 and pixels.shape[2] == 4
    if has_alpha and full > 1 and values[..., 3].max() <= 1:  # an opacity, beside colours up to 255
        pixels[..., 3] = scaled(values[..., 3], 1.0)
    sha256 = digest(pixels)
    if has_alpha or by > 1 or (enough < UNSHRUNK and math.prod(size) > MOST_PIXELS):
        small = fitted(Image.fromarray(pixels).reduce(by), enough)
        pixels = np.asarray(opaque(small) if has_alpha else small)
    return Decoded(pixels, size, "<array>", sha256)


def white(values: Array) -> float:
    """Return the value of white in an array, found from its maximum.

    The range is 1 for booleans and for a maximum up to 1; 16 for whole numbers with the minimum 0 and the
    maximum 16 (scikit-learn's digits); 255 for a maximum of 17 to 255; 65535 for a maximum of 4,096 to
    65,535. An array with a single value throughout is blank in any range.

    Raises:
        ImageError: the range is ambiguous, with a maximum of 2 to 16, 256 to 4,095 (10 or 12 bits?), or more
            than 65,535; or the values are not pixels.
    """
    _check_numbers(values)
    if values.dtype == np.bool_ or not values.size:
        return 1.0
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):  # a bad picture must not spoil the range of its batch
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if high <= 1 + ROUNDING:
        return 1.0
    if 16 < high <= 255 + ROUNDING or low == high <= 255:
        return 255.0
    if 4095 < high <= 65535 or low == high <= 65535:
        return 65535.0
    if low == 0 and high == 16 and all(np.array_equal(row, np.floor(row)) for row in values):
        return 16.0
    raise ImageError(
        f"<array>: the maximum {high:g} may or may not be white; divide the array by the value of white, or "
        "give that value: digitrec.DigitImage.open(array, full=...), for numbers with enough=1500"
    )


def _check_numbers(values: Array) -> None:
    if values.dtype.kind not in "biuf":
        raise ImageError(f"<array>: values of type {values.dtype} are not pixels; give uint8 or float32")


def scaled(values: Array, full: float, name: str = "<array>") -> Pixels:
    """Convert numbers of any type from 0 to ``full`` to 0..255; values above ``full`` become white.

    The result is a copy, because the caller may refill the array with the next picture.

    ``name`` is the picture's name in messages.

    Raises:
        ImageError: a value is negative or not finite.
    """
    if values.dtype == np.uint8 and full == 255:
        return np.array(values, order="C")
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    found = np.empty(values.shape, np.uint8)
    rows = max(1, len(values) * PIECE // max(1, values.size))
    for top in range(0, len(values), rows):  # float64 takes much memory, so convert in pieces
        numbers = values[top : top + rows].astype(np.float64)
        if numbers.min() < 0 or not np.isfinite(numbers).all():
            raise ImageError(f"{name}: pixel values must be finite and not negative")
        found[top : top + rows] = np.round(np.minimum(numbers * (255.0 / full), 255.0))
    return found


def factor(size: Size, enough: int = ENOUGH_SIDE) -> int:
    """Return the number by which both sides of a picture are divided first, >= 1; `fitted` does the rest.

    Args:
        size: width and height in pixels.
        enough: minimum of the shorter side, in pixels; ignored if the picture then has over `MOST_PIXELS`,
            except `UNSHRUNK`.
    """
    thin = math.floor(math.sqrt(math.prod(size) / MOST_PIXELS)) if enough < UNSHRUNK else 1
    return max(1, min(size) // enough, thin)


def fitted(picture: Image.Image, enough: int) -> Image.Image:
    """Return a picture of at most `MOST_PIXELS`, except if ``enough`` is `UNSHRUNK`."""
    share = math.sqrt(MOST_PIXELS / (picture.width * picture.height))
    if share >= 1 or enough >= UNSHRUNK:
        return picture
    width = max(1, min(int(picture.width * share), MOST_PIXELS))
    height = max(1, min(int(picture.height * share), MOST_PIXELS // width))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def shrunk(picture: Image.Image, by: int, name: str = "<image>") -> Image.Image:
    """Divide both sides of a decoded picture of any mode (rounded up); return L, RGB or RGBA.

    Each output pixel is the mean of the pixels it covers, weighted by opacity. A picture of mode L or RGB is
    returned itself if ``by`` is 1. ``name`` is its name in messages.

    Raises:
        ImageError: a value in the picture is negative or not finite.
    """
    has_alpha = picture.has_transparency_data
    if by == 1 and picture.mode in ("L", "RGB") and not has_alpha:
        return picture
    if picture.mode.startswith(("I", "F")):
        full = _white_in(picture, by)
        return _assembled(
            picture, by, "L", lambda piece: Image.fromarray(scaled(np.asarray(piece), full, name))
        )
    mode = "RGBA" if has_alpha else "L" if picture.mode in ("1", "L") else "RGB"
    first = "LA" if picture.mode == "La" else mode  # Pillow converts La, premultiplied, to no other mode
    return _assembled(picture, by, mode, lambda piece: piece.convert(first).convert(mode))


def _assembled(
    picture: Image.Image, by: int, mode: str, convert: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """Convert a picture to a mode with eight bits a channel and shrink it, piece by piece."""
    small = Image.new(mode, (-(-picture.width // by), -(-picture.height // by)))
    for box in _pieces(picture.size, by):
        small.paste(convert(picture.crop(box)).reduce(by), (box[0] // by, box[1] // by))
    return small


def _pieces(size: Size, by: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield boxes that cover a picture; each side is a multiple of ``by``, except at the far edges."""
    width, height = size
    rows = by * max(1, ROWS // by)
    columns = by * max(1, PIECE // min(rows, height) // by)
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            yield left, top, min(left + columns, width), min(top + rows, height)


def _white_in(picture: Image.Image, by: int) -> float:
    """Return the value of white in a file's 16-bit or float pixels, whose values may have 8 or 12 bits."""
    high = max(float(np.max(np.asarray(picture.crop(box)))) for box in _pieces(picture.size, by))
    if high <= 1:
        return 1.0
    return next((full for full in (255.0, 4095.0, 65535.0) if high <= full), high)


def opaque(picture: Image.Image) -> Image.Image:
    """Put transparency on white, or on black if all visible ink is light: white ink on white would vanish."""
    alpha = np.asarray(picture.getchannel("A"))
    visible = alpha > alpha.max() // 2  # all ink may be half transparent
    dark = np.asarray(picture.convert("L"))[visible] < 128
    light_ink = bool(visible.any() and not visible.all() and dark.mean() < 0.001)
    backdrop = Image.new("RGBA", picture.size, "black" if light_ink else "white")
    return Image.alpha_composite(backdrop, picture).convert("RGB")


def saved(picture: Image.Image, form: str, **options: int) -> bytes:
    """Return the picture as a file in a format such as "PNG", with options of Pillow."""
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def data_url(picture: Image.Image, **options: int) -> str:
    """Return the picture as a PNG data URL, with options of Pillow."""
    return "data:image/png;base64," + base64.b64encode(saved(picture, "PNG", **options)).decode()
