"""Pictures: read safely from anything a caller may hold, and described for whoever receives them."""

from __future__ import annotations

import hashlib
import io
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from PIL import Image, ImageOps

from digitrec.errors import ImageError

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

MAX_PIXELS = 64_000_000
"""Larger pictures are refused before they are decoded; Pillow's own limit is 89 million."""
MAX_FILE_BYTES = 100_000_000
"""Larger files are refused unread."""
ENOUGH_SIDE = 1000
"""A JPEG is decoded at half, a quarter or an eighth while its shorter side stays at least this, in px."""
FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "TIFF", "WEBP", "PPM")
"""The decoders we trust; Pillow knows many more that nobody photographs a digit with."""


@dataclass(frozen=True, slots=True)
class ImageRef:
    """Which image an answer is about."""

    source: str
    """A path, or "<bytes>", "<array>", "<image>", "<stdin>"."""
    sha256: str | None
    """SHA-256 of the bytes that came in, in hex; None when they could not be read."""


@dataclass(frozen=True, slots=True)
class DigitImage:
    """A picture that was read: upright, opaque, eight bits a channel."""

    pixels: Pixels = field(repr=False, compare=False)
    """uint8, shape (height, width) for grey or (height, width, 3) for RGB."""
    source: str
    """Where it came from."""
    sha256: str
    """SHA-256 of the bytes that came in, in hex; two images are equal when this and the source are."""

    @property
    def ref(self) -> ImageRef:
        """The image without its pixels."""
        return ImageRef(self.source, self.sha256)

    @classmethod
    def open(cls, source: ImageSource) -> DigitImage:
        """Read a picture from a path, "-" (standard input), stream, bytes, array or Pillow image.

        EXIF orientation is applied, transparency is put on white (on black when all the visible ink
        is light), only the first frame of an animation is used, and a JPEG far larger than needed is
        decoded at a reduced scale.

        Args:
            source: for an array, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); integers in 0..255
                (or 0..65535 for 16-bit types), floats in 0..1 or 0..255, or booleans.

        Raises:
            ImageError: it is missing, empty, truncated, not an image, of an unknown format, or has
                more than `MAX_PIXELS` pixels.
        """
        if isinstance(source, DigitImage):
            return source
        if isinstance(source, np.ndarray):
            return _from_array(source)
        if isinstance(source, Image.Image):
            return _from_pillow(source)
        data, name = _read(source)
        with _decoding(name):
            pixels = _decode(data, name)
        return cls(pixels, name, hashlib.sha256(data).hexdigest())


ImageSource = DigitImage | str | Path | bytes | bytearray | memoryview | IO[bytes] | Pixels | Image.Image
"""Everything `DigitImage.open` reads."""

Polarity = Literal["dark on light", "light on dark"]


@dataclass(frozen=True, slots=True)
class Findings:
    """What looking at the ink showed, before any engine was asked."""

    reason: str | None = None
    """Why a careful reader would refuse ("blank", "more than one digit", ...); None: one digit."""
    digits: int = 1
    """How many separate digits the ink looks like; 0 when blank."""
    boxes: tuple[tuple[int, int, int, int], ...] = ()
    """Left, top, right, bottom of each, in pixels of the image; empty when it was not looked for."""
    polarity: Polarity = "dark on light"
    """Whether the ink is darker or lighter than what it is written on."""
    unchanged: bool = False
    """True when the image was already in MNIST's form and passed through as it was."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The form in which a provider wants its images."""

    encoding: Literal["mnist", "png", "jpeg"]
    """"mnist": 784 bytes, 28x28 row by row, ink high; else an encoded picture, dark ink on white."""
    preparation: str = "plain"
    """Name of this form, as it stands in a Prediction."""
    min_side: int = 1
    """The shorter side is enlarged to at least this many pixels."""
    max_side: int = 10_000
    """The longer side is reduced to at most this many pixels."""
    max_bytes: int = 20_000_000
    """The encoded picture is at most this large."""
    margin: float = 0.0
    """White border on each side, as a share of the longer side, >= 0."""
    repeat: int = 1
    """How many times the digit is set side by side, >= 1."""
    gated: bool = False
    """True: `Findings.reason` refuses the image without asking; False: the engine is asked anyway."""


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """Exactly what a provider is given."""

    data: bytes = field(repr=False)
    """The bytes to send, in the form that ``spec`` names."""
    media_type: str
    """"image/png", "image/jpeg", or "image/x-mnist" for 784 bytes of 28x28 pixels."""
    spec: InputSpec
    """The form that was asked for."""
    image: ImageRef
    """Which image it was made from."""
    findings: Findings = Findings()
    """What was seen in the image on the way."""


def _read(source: Any) -> tuple[bytes, str]:
    """The encoded bytes of a path, stream or buffer, and a name for messages."""
    if isinstance(source, bytes | bytearray | memoryview):
        data, name = bytes(source), "<bytes>"
    elif source == "-":
        data, name = sys.stdin.buffer.read(MAX_FILE_BYTES + 1), "<stdin>"
    elif isinstance(source, str | Path):
        data, name = _read_file(Path(source)), str(source)
    elif hasattr(source, "read"):
        data, name = source.read(MAX_FILE_BYTES + 1), str(getattr(source, "name", "<stream>"))
    else:
        raise TypeError(f"cannot read an image from {type(source).__name__}")
    if not data:
        raise ImageError(f"{name}: the file is empty; give a picture")
    if len(data) > MAX_FILE_BYTES:
        raise ImageError(f"{name}: larger than {MAX_FILE_BYTES // 1_000_000} MB; give a smaller picture")
    return data, name


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        why = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"{path}: cannot be read ({why.lower()}); check the name") from error


class _decoding:
    """Turns whatever a decoder throws at foreign bytes into one clear ImageError.

    Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error, zlib.error, IndexError and
    more on damaged files, and promise none of them; so every Exception from decoding counts as the
    picture's fault. Only Pillow's open and load, and the conversion of what they gave, run inside.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, ImageError) or not isinstance(error, Exception):
            return
        if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
            raise ImageError(f"{self.name}: {_too_large()}") from error
        raise ImageError(f"{self.name}: damaged or cut off; save or export it again") from error


def _too_large() -> str:
    return f"more than {MAX_PIXELS // 1_000_000} million pixels; scale it down first"


def _decode(data: bytes, name: str) -> Pixels:
    """Pixels of an encoded picture: checked, upright, opaque, eight bits."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise ImageError(f"{name}: {_unknown_format(data)}") from error
    _check_size(picture, name)
    width, height = picture.size
    shrink = min(width, height) / ENOUGH_SIDE
    if picture.format in ("JPEG", "MPO") and shrink >= 2:
        picture.draft(None, (int(width / shrink), int(height / shrink)))
    picture.load()
    return _upright(picture)


def _upright(picture: Image.Image) -> Pixels:
    if 0x0112 in picture.getexif():
        picture = ImageOps.exif_transpose(picture)
    return _eight_bits(picture)


def _unknown_format(data: bytes) -> str:
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return "HEIC pictures are not read; export it as JPEG (on a phone: \"most compatible\")"
    return f"not a picture in a known format ({', '.join(FORMATS)})"


def _check_size(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ImageError(f"{name}: {_too_large()}")
    if width == 0 or height == 0:
        raise ImageError(f"{name}: the picture has no pixels")


def _eight_bits(picture: Image.Image) -> Pixels:
    """Grey (H, W) or RGB (H, W, 3) from any Pillow mode."""
    if picture.mode.startswith(("I", "F")):
        return _scaled(np.asarray(picture))
    if "transparency" in picture.info or picture.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        return _opaque(picture.convert("RGBA"))
    if picture.mode in ("1", "L"):
        return np.asarray(picture.convert("L"))
    return np.asarray(picture.convert("RGB"))


def _opaque(picture: Image.Image) -> Pixels:
    """Transparency on white; on black where nothing visible is dark, or white ink would vanish."""
    alpha = np.asarray(picture.getchannel("A"))
    grey = np.asarray(picture.convert("L"))
    visible = alpha > 128
    light_ink = bool(visible.any() and not visible.all() and (grey[visible] < 128).mean() < 0.001)
    backdrop = Image.new("RGBA", picture.size, "black" if light_ink else "white")
    return np.asarray(Image.alpha_composite(backdrop, picture).convert("RGB"))


def _scaled(values: np.ndarray[Any, Any]) -> Pixels:
    """Numbers of any type and range as 0..255: booleans, 8 or 16 bits, floats in 0..1 or 0..255."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    numbers = values.astype(np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        raise ImageError("pixel values must be finite and not negative")
    if values.dtype.kind == "f" and high <= 1:
        full = 1.0
    elif high <= 255 and values.dtype not in (np.uint16, np.dtype(">u2")):
        full = 255.0
    else:
        full = max(high, 65535.0)
    return np.round(numbers * (255.0 / full)).astype(np.uint8)


def _from_array(values: np.ndarray[Any, Any]) -> DigitImage:
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        raise ImageError(f"<array>: shape {values.shape} is not (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)")
    if values.size == 0:
        raise ImageError(f"<array>: shape {values.shape} has no pixels")
    if values.shape[0] * values.shape[1] > MAX_PIXELS:
        raise ImageError(f"<array>: {_too_large()}")
    if values.dtype.kind not in "biuf":
        raise ImageError(f"<array>: values of type {values.dtype} are not pixels")
    pixels = np.ascontiguousarray(_scaled(values))
    digest = hashlib.sha256(pixels)
    digest.update(repr(pixels.shape).encode())  # the same bytes in another shape are another picture
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        pixels = _opaque(Image.fromarray(pixels))
    return DigitImage(pixels, "<array>", digest.hexdigest())


def _from_pillow(picture: Image.Image) -> DigitImage:
    name = str(getattr(picture, "filename", "") or "<image>")
    _check_size(picture, name)
    with _decoding(name):
        picture.load()
        pixels = _upright(picture)
    digest = hashlib.sha256(pixels.tobytes())
    digest.update(repr(pixels.shape).encode())
    return DigitImage(pixels, name, digest.hexdigest())
