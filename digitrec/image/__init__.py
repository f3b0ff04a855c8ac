"""Read picture files and arrays within limits."""

from __future__ import annotations

import io
import math
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol, cast, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.errors import ImageError
from digitrec.errors.arguments import said
from digitrec.image import decode, files
from digitrec.image.decode import frames as frames
from digitrec.image.files import name_of
from digitrec.image.pixels import ENOUGH_SIDE, UNSHRUNK, Pixels, Size, as_array, from_array, white

TURNS = (0, 90, 180, 270)
"""Angles by which a picture can be turned, in degrees."""


@dataclass(frozen=True, slots=True)
class ImageRef:
    """The identity of an image that an answer belongs to."""

    source: str
    """A path, or "<bytes>", "<array>", "<image>", "<stream>", "<stdin>"."""
    sha256: str | None
    """SHA-256 of the input bytes, in hex; None if they could not be read."""
    frames: int = 1
    """Number of pictures in its file, which starts with this one; `frames` opens the others."""
    opening_s: float = field(default=0.0, compare=False, repr=False)
    """Seconds taken to read and decode the picture, >= 0."""
    view: str = field(default="", compare=False, repr=False)
    """How the image was turned, cropped and aligned before it was read; "": as it is."""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pixels of a shrunk, cropped or framed picture lie on the user's picture."""

    size: Size
    """Width and height of the user's picture, upright, in pixels."""
    left: float = 0.0
    """Position of the left edge, in pixels of the user's picture."""
    top: float = 0.0
    """Position of the upper edge, in pixels of the user's picture."""
    across: float = 1.0
    """Width of a pixel, in pixels of the user's picture, > 0."""
    down: float = 1.0
    """Height of a pixel, in pixels of the user's picture, > 0."""

    def box(self, box: Box) -> Box:
        """Convert a box to pixels of the user's picture, and clip it to the picture."""
        xs = np.clip([self.left + x * self.across for x in box[::2]], 0.0, self.size[0]).tolist()
        ys = np.clip([self.top + y * self.down for y in box[1::2]], 0.0, self.size[1]).tolist()
        return min(xs), min(ys), max(xs), max(ys)

    def part(self, box: Box, size: tuple[float, float]) -> Place:
        """Return the place of a picture of this size (width, height) that shows this box.

        The box may reach beyond the picture, for example if the picture has a margin.
        """
        left, top, right, bottom = box
        return Place(
            self.size, self.left + left * self.across, self.top + top * self.down,
            self.across * (right - left) / size[0], self.down * (bottom - top) / size[1],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DigitImage:
    """A decoded picture: upright, opaque, eight bits a channel."""

    _held: Pixels | Image.Image = field(repr=False, compare=False)
    """An array as in `pixels`; for a file Pillow's picture, mode L or RGB."""
    source: str
    """The origin, as in `ImageRef.source`."""
    sha256: str
    """SHA-256 of the input bytes, in hex; two images are equal if their hash and source are equal."""
    frames: int = field(default=1, compare=False)
    """Number of pictures in the file, which starts with this one, counted up to 1,001; 1 for a `Frame`."""
    opening_s: float = field(default=0.0, compare=False, repr=False)
    """Seconds taken to read and decode the picture, >= 0."""
    _place: Place | None = field(default=None, compare=False, repr=False)
    """The position of the pixels on the user's picture; None: it is the user's picture."""
    _view: str = field(default="", compare=False, repr=False)
    """As in `ImageRef.view`."""

    @property
    def place(self) -> Place:
        """The position of the pixels on the user's picture; the image may be a shrunk copy or a part."""
        return self._place or Place(self.size)

    @property
    def pixels(self) -> Pixels:
        """uint8, shape (height, width) for grey or (height, width, 3) for RGB; do not change it."""
        return np.asarray(self._held)

    @property
    def picture(self) -> Image.Image:
        """The picture as a Pillow image, mode L or RGB; do not change it."""
        return self._held if isinstance(self._held, Image.Image) else Image.fromarray(self._held)

    @property
    def held(self) -> Pixels | Image.Image:
        """Deprecated: use `pixels` or `picture`."""
        advice = "DigitImage.held is private now; use pixels or picture"
        warnings.warn(advice, DeprecationWarning, stacklevel=2)
        return self._held

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        held = self._held
        return held.size if isinstance(held, Image.Image) else (held.shape[1], held.shape[0])

    @property
    def ref(self) -> ImageRef:
        """The identity of the image, without pixels."""
        return ImageRef(self.source, self.sha256, self.frames, self.opening_s, self._view)

    def thumbnail(self, side: int) -> Image.Image:
        """Return a small copy whose longer side is at most ``side`` pixels."""
        small = self.picture.copy()
        small.thumbnail((side, side))
        return small

    def turned(self, degrees: int) -> DigitImage:
        """Return the picture turned clockwise by 0, 90, 180 or 270 degrees, with the same name and hash.

        Raises:
            ValueError: the angle is another.
        """
        if degrees not in TURNS:
            raise ValueError(f"degrees must be one of {', '.join(map(str, TURNS))}, got {said(degrees)}")
        turns = int(degrees) // 90
        pixels = np.ascontiguousarray(np.rot90(self.pixels, -turns))
        (width, height), box = self.place.size, self.place.box((0, 0, *self.size))
        for _ in range(turns):
            box, width, height = (height - box[3], box[0], height - box[1], box[2]), height, width
        place = Place((width, height)).part(box, (pixels.shape[1], pixels.shape[0]))
        return replace(self, _held=pixels, _place=place, _view=f"{self._view} {degrees}")

    def cropped(self, region: Box) -> DigitImage:
        """Return the part of the picture inside a box, with the same name and hash.

        Args:
            region: left, top, right, bottom in pixels of the user's picture, or as shares of its sides if
                none is above 1.

        Raises:
            ImageError: the box is not inside the picture, or has no pixels.
        """
        place, (width, height) = self.place, self.place.size
        left, top, right, bottom = region
        if max(region) <= 1:
            left, right, top, bottom = left * width, right * width, top * height, bottom * height
        is_inside = 0 <= left < right <= width and 0 <= top < bottom <= height  # False for nan
        box = (
            max(0, int((left - place.left) / place.across)), max(0, int((top - place.top) / place.down)),
            min(self.size[0], math.ceil((right - place.left) / place.across)),
            min(self.size[1], math.ceil((bottom - place.top) / place.down)),
        ) if is_inside else (0, 0, 0, 0)  # fmt: skip
        if box[0] >= box[2] or box[1] >= box[3]:
            raise ImageError(
                f"{self.source}: the region from {left:g}, {top:g} to {right:g}, {bottom:g} is not inside "
                f"the picture of {width} x {height} pixels"
            )
        part = self.picture.crop(box)
        return replace(self, _held=part, _place=place.part(box, part.size), _view=f"{self._view} {box}")

    def _shrunk(self, enough: int) -> DigitImage:
        """Return the picture shrunk if it is far larger than needed."""
        small = replace(self, _held=from_array(self.pixels, 255, enough).held)
        return replace(small, _place=self.place.part((0, 0, *self.size), small.size))

    def around(self, box: Box, margin: float) -> DigitImage:
        """Return the part of the picture inside a box and a margin, with the same name and hash.

        Args:
            box: left, top, right, bottom in pixels of the user's picture.
            margin: width of the margin on each side, as a share of the box's height.

        Raises:
            ImageError: as for `cropped`.
        """
        left, top, right, bottom = box
        more = margin * (bottom - top)
        wide = left - more, top - more, right + more, bottom + more
        return self.cropped(Place(self.place.size).box(wide))

    @classmethod
    def open(cls, source: ImageSource, *, full: float | None = None, enough: int = ENOUGH_SIDE) -> DigitImage:
        """Read a picture from a path, "-" (standard input), stream, bytes, array, tensor or Pillow image.

        Apply the EXIF orientation, put transparency on white (on black if all visible ink is light), and
        shrink a picture that is far larger than needed. Read the first picture of an animation or of a file
        with several pages (`frames` returns all); draw a PDF's page at `digitrec.image.decode.PDF_DPI`. HEIC
        needs the extra ``heif``, PDF the extra ``pdf``.

        Args:
            source: the picture. An array or tensor has shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) and
                integers, floats or booleans; `digitrec.image.pixels.white` finds their range.
            full: for an array, the value of white (paper or ink), > 0; None: derive it from the values.
            enough: a larger picture is shrunk, but its shorter side keeps at least this many pixels, as far
                as `digitrec.image.pixels.MOST_PIXELS` allow.

        Raises:
            TypeError: the source cannot hold a picture, or ``full`` is given without an array.
            ValueError: ``full`` is not a finite number > 0.
            ImageError: the picture is missing, empty, truncated, of an unknown format, not a picture, or has
                more than `digitrec.image.pixels.MAX_PIXELS` pixels.
        """
        if isinstance(source, DigitImage):
            if full is not None:
                raise TypeError("full needs an array, got a DigitImage")
            return source
        if isinstance(source, Turned):
            needed = enough if source.region is None else UNSHRUNK
            whole = cls.open(source.source, full=source.full or full, enough=needed)
            turned = whole.turned(source.degrees) if source.degrees else whole
            return turned if source.region is None else turned.cropped(source.region)._shrunk(enough)
        start = time.perf_counter()
        if (array := as_array(source)) is not None:
            read = from_array(array, full, enough)
        elif full is not None:
            raise TypeError(f"full needs an array, got {said(source)}")
        elif isinstance(source, Image.Image):
            read = decode.from_pillow(source, enough)
        else:
            read = decode.decode(cast(files.Encoded, source), enough)
        image = cls(read.held, read.name, read.sha256, read.frames)
        place = Place(read.size).part((0, 0, *read.size), image.size) if read.size != image.size else None
        return replace(image, opening_s=time.perf_counter() - start, _place=place)


@dataclass(frozen=True, slots=True)
class Turned:
    """A picture that is turned, and then cropped, when it is opened."""

    source: ImageSource
    """The picture before it is turned."""
    degrees: int = 0
    """Angle, clockwise: 0, 90, 180 or 270."""
    region: Box | None = None
    """The part to keep, in pixels of the turned picture; None: the whole picture."""
    full: float | None = None
    """For an array of a batch: the batch's value of white, as for `DigitImage.open`."""

    @property
    def name(self) -> str:
        """The picture's name."""
        return name_of(self.source)


class Tensor(Protocol):
    """An object that NumPy can read as an array, such as a tensor of PyTorch or TensorFlow."""

    def __array__(self) -> NDArray[Any]:
        """Return the values as an array."""


Array = NDArray[np.bool_ | np.integer[Any] | np.floating[Any]]
ImageSource = DigitImage | Turned | Image.Image | Array | Tensor | files.Encoded
"""Everything `DigitImage.open` reads."""


NO_NUMBERS = "OSUT"
"""Kinds of NumPy types for objects, bytes and strings, whose values are paths or encoded pictures."""


def one_image(image: ImageSource) -> ImageSource:
    """Return the picture; reject a list or a batch.

    Raises:
        TypeError: there are several pictures.
    """
    if (array := as_array(image)) is not None:
        several = array.ndim > 3 or (array.ndim == 3 and array.shape[2] > 4)
    else:
        many = (list, tuple, set, frozenset, Mapping, Iterator)
        several = isinstance(image, many) and not hasattr(image, "read")
    if several:
        raise TypeError(f"expected one picture, got a {type(image).__name__}: use predict_many or read_many")
    return image


def several_images(images: Iterable[ImageSource]) -> Iterable[ImageSource]:
    """Return the pictures; reject a single picture and a single path, whose letters would become files.

    A batch is an array or a tensor; an array of paths or encoded pictures is a list of pictures.
    All pictures of a batch share one value range, so that a pale picture stays pale.

    Raises:
        TypeError: the argument is a single picture, or not an iterable.
        ImageError: the range of an array is ambiguous.
    """
    if (array := as_array(images)) is not None:
        return array.tolist() if array.ndim == 1 and array.dtype.kind in NO_NUMBERS else _batch(array)
    alone = (str, bytes, bytearray, memoryview, Path, DigitImage, Turned, Image.Image)
    if isinstance(images, alone) or hasattr(images, "read"):
        raise TypeError("expected several pictures, got one: give it to predict or read, or in a list")
    if not isinstance(images, Iterable) or isinstance(images, Mapping):
        raise TypeError(f"pictures must be a list or another iterable, got {said(images)}")
    return images


def _batch(images: NDArray[Any]) -> Iterator[ImageSource]:
    if images.ndim == 2 or (images.ndim == 3 and images.shape[2] <= 4):
        raise TypeError(
            f"shape {images.shape} is one picture: give it to predict or read, or in a list; "
            "reshape flattened pictures to (N, 28, 28)"
        )
    if images.ndim not in (3, 4):
        raise TypeError(f"shape {images.shape} is not a batch; give (N, H, W), or (N, H, W, 3) in colour")
    full = white(images)
    return (Turned(image, full=full) for image in images)


Polarity = Literal["dark on light", "light on dark"]


@dataclass(frozen=True, slots=True)
class Findings:
    """The result of the search for ink, before any engine is asked."""

    reason: str | None = None
    """Why the picture should be refused ("blank", "more than one digit", ...); None: it shows one digit."""
    digits: int = 1
    """Number of separate digits that the ink looks like; 0 if blank."""
    boxes: tuple[tuple[int, int, int, int], ...] = ()
    """Left, top, right, bottom of each digit, in pixels of the image; empty if no search was made."""
    polarity: Polarity = "dark on light"
    """Whether the ink is darker or lighter than the paper."""
    unchanged: bool = False
    """True if the image was already in MNIST's form and passed through unchanged."""
    left_out: tuple[tuple[int, int, int, int], ...] = ()
    """Boxes of ink as dark as the digit's that the engine does not receive."""
    trust: float = 1.0
    """Chance that the right digit was found, 0..1; a Prediction's confidence is multiplied by it."""


Encoding = Literal["mnist", "rgb", "png", "jpeg"]


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The form of image that a provider takes."""

    encoding: Encoding
    """"mnist": 784 bytes, 28x28 row by row, ink high; "rgb": the unchanged picture, three bytes for each
    pixel, row by row; "png" and "jpeg": an encoded picture, dark ink on white."""
    preparation: str = "plain"
    """Name of this form in a Prediction."""
    min_side: int = 1
    """A shorter side below this is enlarged to it, in pixels."""
    max_side: int = 10_000
    """A longer side above this is reduced to it, in pixels."""
    max_bytes: int = 20_000_000
    """Maximum size of the encoded picture, in bytes."""
    margin: float = 0.0
    """Border on each side, as a share of the longer side of the picture (of one digit, if cropped), >= 0."""
    crop: bool = False
    """True: send only the ink, its longer side ``min_side`` pixels; False: send the whole picture."""
    repeat: int = 1
    """Number of copies of the digit side by side, >= 1."""
    gated: bool = False
    """True: a picture with `Findings.reason` is refused without asking the engine; False: always ask it."""
    overrules: bool = False
    """True: ask the engine even about a picture with `Findings.reason` if it has a `whole`."""
    enough: int = ENOUGH_SIDE
    """A larger picture is shrunk when it is opened, but its shorter side keeps at least this many pixels."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: the encoding is unknown, or a number is out of its range.
        """
        known = get_args(Encoding)
        if self.encoding not in known:
            raise ValueError(f"encoding must be one of {', '.join(known)}, got {self.encoding!r}")
        least = min(self.min_side, self.max_side, self.max_bytes, self.repeat, self.enough)
        if least < 1 or not 0 <= self.margin < math.inf:
            raise ValueError(f"sides, bytes and repeat must be at least 1, and the margin at least 0: {self}")


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """The data that a provider receives for one picture."""

    data: bytes = field(repr=False)
    """The bytes to send, in the form that ``spec`` names."""
    media_type: str
    """"image/png", "image/jpeg", "image/x-mnist" for 784 bytes of 28x28 pixels, or "image/x-rgb"."""
    spec: InputSpec
    """The form that the provider asked for."""
    image: ImageRef
    """The image that was prepared."""
    findings: Findings = Findings()
    """The findings about the image."""
    whole: bytes | None = field(default=None, repr=False)
    """The full-frame pass, in the same form: the whole picture without its paper, nothing moved. Only for a
    picture of MNIST's size, which may already be arranged as in MNIST."""
    chances: Mapping[tuple[str, bytes], NDArray[np.float32]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """Known chances of each digit, (10,), by the version of the network and the bytes that it read."""
    seconds: float = field(default=0.0, compare=False, repr=False)
    """Seconds of preparation, >= 0; steps for several pictures together count in equal shares."""
    size: Size = (28, 28)
    """Width and height of the picture in ``data``, in pixels."""
    place: Place | None = field(default=None, compare=False, repr=False)
    """Where the pixels of ``data`` lie on the user's picture; None: no one place, because parts were
    moved."""
    digits: tuple[int, int] | None = None
    """Minimum and maximum number of digits that the caller expects of each number; None: any."""

    def picture(self) -> Image.Image:
        """Return the data as a Pillow image."""
        raw = {"image/x-rgb": "RGB", "image/x-mnist": "L"}.get(self.media_type)
        return Image.frombytes(raw, self.size, self.data) if raw else Image.open(io.BytesIO(self.data))
