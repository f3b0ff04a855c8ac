"""Read picture files and arrays within limits."""

from __future__ import annotations

import io
import time
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.errors.arguments import said
from digitrec.image import arrays, decode, files
from digitrec.image.files import Frame, name_of
from digitrec.image.pixels import Pixels

TURNS = (0, 90, 180, 270)
"""By how many degrees a picture is turned."""


@dataclass(frozen=True, slots=True)
class ImageRef:
    """Which image an answer is about."""

    source: str
    """A path, or "<bytes>", "<array>", "<image>", "<stream>", "<stdin>"."""
    sha256: str | None
    """SHA-256 of the bytes that came in, in hex; None when they could not be read."""
    frames: int = 1
    """How many pictures its file holds, of which this is the first; `frames` reaches the others."""
    opening_s: float = field(default=0.0, compare=False, repr=False)
    """Seconds that reading and decoding it took, >= 0."""


@dataclass(frozen=True, slots=True)
class DigitImage:
    """A picture that was read: upright, opaque, eight bits a channel."""

    _held: Pixels | Image.Image = field(repr=False, compare=False)
    """An array as `pixels`, or of a file Pillow's picture, mode L or RGB."""
    source: str
    """Where it came from."""
    sha256: str
    """SHA-256 of the bytes that came in, in hex; two images are equal when this and the source are."""
    frames: int = field(default=1, compare=False)
    """How many pictures its file holds, of which this is the first, told as far as 1,001; 1 for a `Frame`."""
    opening_s: float = field(default=0.0, compare=False, repr=False)
    """Seconds that reading and decoding it took, >= 0."""

    @property
    def pixels(self) -> Pixels:
        """uint8, shape (height, width) for grey or (height, width, 3) for RGB; a copy of what a file held."""
        return np.asarray(self._held)

    @property
    def picture(self) -> Image.Image:
        """The same for Pillow, mode L or RGB, not to be changed; a copy of an array."""
        return self._held if isinstance(self._held, Image.Image) else Image.fromarray(self._held)

    @property
    def held(self) -> Pixels | Image.Image:
        """Deprecated: use `pixels` or `picture`."""
        warnings.warn(
            "DigitImage.held is private now; use pixels or picture", DeprecationWarning, stacklevel=2
        )
        return self._held

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        if isinstance(self._held, Image.Image):
            return self._held.size
        return self._held.shape[1], self._held.shape[0]

    @property
    def nbytes(self) -> int:
        """What it takes to hold it, bytes; Pillow keeps a colour in four."""
        if isinstance(self._held, Image.Image):
            return self._held.width * self._held.height * (4 if self._held.mode == "RGB" else 1)
        return self._held.nbytes

    @property
    def ref(self) -> ImageRef:
        """The image without its pixels."""
        return ImageRef(self.source, self.sha256, self.frames, self.opening_s)

    def thumbnail(self, side: int) -> Image.Image:
        """The same, made small: its longer side is at most ``side`` px."""
        small = self.picture.copy()
        small.thumbnail((side, side))
        return small

    def turned(self, degrees: int) -> DigitImage:
        """The picture turned clockwise by 0, 90, 180 or 270 degrees; still the same image by name and hash.

        Raises:
            ValueError: another angle.
        """
        if degrees not in TURNS:
            raise ValueError(
                f"a picture is turned by {', '.join(map(str, TURNS))} degrees, not {said(degrees)}"
            )
        pixels = np.ascontiguousarray(np.rot90(self.pixels, -(degrees // 90)))
        return DigitImage(pixels, self.source, self.sha256, self.frames, self.opening_s)

    @classmethod
    def open(cls, source: ImageSource, *, full: float | None = None) -> DigitImage:
        """Read a picture from a path, "-" (standard input), stream, bytes, array, tensor or Pillow image.

        EXIF orientation is applied, transparency is put on white (on black when all the visible ink
        is light), and what is far larger than needed is made smaller. Of an animation, or a
        file of several pages, the first is read (`frames` has all); a PDF's page is drawn at
        `digitrec.image.pdf.DPI`. A HEIC picture needs the extra ``heif``, a PDF the extra ``pdf``.

        Args:
            source: for an array or tensor, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), of integers,
                floats or booleans, whose range is told from the values (`digitrec.image.arrays.white`).
            full: for an array, the value that is white (the paper's or the ink's), > 0; None: as told.

        Raises:
            TypeError: it is nothing that can hold a picture, or ``full`` is given for what is no array.
            ValueError: ``full`` is no such number.
            ImageError: it is missing, empty, truncated, not an image, of an unknown format, or has
                more than `digitrec.image.pixels.MAX_PIXELS` pixels.
        """
        if isinstance(source, DigitImage):
            return source
        if isinstance(source, Turned):
            return cls.open(source.source, full=full).turned(source.degrees)
        start = time.perf_counter()
        if (array := arrays.as_array(source)) is not None:
            read = cls(*arrays.from_array(array, full))
        elif full is not None:
            raise TypeError(f"full is for an array, not for {said(source)}")
        elif isinstance(source, Image.Image):
            read = cls(*decode.from_pillow(source))
        else:
            read = cls(*decode.decode(cast("files.Encoded", source)))
        return replace(read, opening_s=time.perf_counter() - start)


@dataclass(frozen=True, slots=True)
class Turned:
    """A picture that is turned when it is opened."""

    source: ImageSource
    """The picture as it is."""
    degrees: int
    """By how much it is turned clockwise: 0, 90, 180 or 270."""

    @property
    def name(self) -> str:
        """What to call it, as the picture itself."""
        return name_of(self.source)


class Tensor(Protocol):
    """An object that NumPy can read as an array, such as a tensor of PyTorch or TensorFlow."""

    def __array__(self) -> NDArray[Any]:
        """The values as an array."""


Array = NDArray[np.bool_ | np.integer[Any] | np.floating[Any]]
ImageSource = (
    DigitImage
    | Turned
    | str
    | Path
    | bytes
    | bytearray
    | memoryview
    | IO[bytes]
    | Array
    | Tensor
    | Image.Image
    | Frame
)
"""Everything `DigitImage.open` reads."""


def frames(source: str | Path | bytes | bytearray | memoryview | IO[bytes]) -> list[Frame]:
    """All pictures of a file of several pages, or of an animation; each can be read wherever a picture can.

    None is decoded yet, and each opens the file for itself. Their names are the file's and a number from 1,
    such as "scan.tif[2]"; a file with one picture gives one.

    Raises:
        ImageError: the file cannot be opened, or holds more pictures than
            `digitrec.image.formats.MAX_FRAMES`.
    """
    return decode.frames(source)


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
    left_out: tuple[tuple[int, int, int, int], ...] = ()
    """The same as ``boxes`` for ink as dark as the digit's that the engine is not shown."""
    share: float = 1.0
    """The digit's share of its own ink and the ink left out beside it, 0..1."""


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
    """Border on each side, as a share of the longer side of the picture (of one digit, if cropped), >= 0."""
    crop: bool = False
    """True: only the ink is sent, its longer side ``min_side`` pixels; False: the whole picture."""
    repeat: int = 1
    """How many times the digit is set side by side, >= 1."""
    gated: bool = False
    """True: `Findings.reason` refuses the image without asking; False: the engine is asked anyway."""
    overrules: bool = False
    """True: of an image with a `whole` it is asked all the same, and itself refuses what is not plain."""


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
    whole: bytes | None = field(default=None, repr=False)
    """A second reading, in the same form: all of the picture with its paper removed, where nothing was moved.
    Only for a picture of MNIST's own size, which may be laid out as MNIST's are already."""
    rival: bytes | None = field(default=None, repr=False)
    """Another reading, in the same form: of a picture that its digit may fill, with paper put around it;
    where a pen may lie beside the digit, of that. Looking could not tell which is right; the one that
    shows a digit more clearly is."""
    others: tuple[bytes, ...] = field(default=(), repr=False)
    """Further readings, in the same form, for an engine to which the first shows no clear digit: a small
    picture that its digit fills, all of it as dark ink and as light ink. Looking could not tell which."""
    seconds: float = field(default=0.0, compare=False, repr=False)
    """How long preparing it took, >= 0; of pictures that were prepared together, the mean."""

    def picture(self) -> Image.Image:
        """What the provider is given, as a Pillow image."""
        if self.media_type == "image/x-mnist":
            return Image.fromarray(np.frombuffer(self.data, np.uint8).reshape(28, 28))
        return Image.open(io.BytesIO(self.data))
