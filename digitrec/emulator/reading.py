"""A picture in a request, the words on it, and the engines behind the emulator that read them."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from PIL import Image

from digitrec.answer import Failure
from digitrec.engine import Engine
from digitrec.errors import ImageError, NotConfigured
from digitrec.image import Box, DigitImage, InputSpec
from digitrec.image.headers import FORMATS, kind
from digitrec.prepare import prepare
from digitrec.providers.base import Provider
from digitrec.recognise import numbers, predict_many

_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a request, decoded."""

    data: bytes = field(repr=False)
    """The encoded bytes of the request."""
    image: DigitImage
    """The picture's upright pixels; a large JPEG is reduced."""
    format: str
    """"PNG", "JPEG", "GIF", ..."""
    width: int
    """Width of the upright picture in px, >= 1."""
    height: int
    """Height of the upright picture in px, >= 1."""

    @classmethod
    def decode(cls, data: bytes) -> Picture:
        """Decode a whole picture.

        Raises:
            ImageError: it is not a picture, is damaged, or has too many pixels.
        """
        if kind(data) is not None:
            raise ImageError("<bytes>: a format that no vendor here takes")
        image = DigitImage.open(data)
        with Image.open(io.BytesIO(data), formats=FORMATS) as header:
            width, height = header.size
            sideways = header.getexif().get(0x0112) in _SIDEWAYS
            name = header.format or ""
        if sideways:
            width, height = height, width
        return cls(data, image, "JPEG" if name == "MPO" else name, width, height)

    def located(self, box: Sequence[float]) -> Box:
        """Convert a box from pixels of ``image`` to pixels of the picture."""
        scale = max(self.width, self.height) / float(max(self.image.size))
        left, top, right, bottom = (value * scale for value in box)
        return left, top, right, bottom

    @property
    def whole(self) -> Box:
        """The box of the whole picture."""
        return 0.0, 0.0, float(self.width), float(self.height)


@dataclass(frozen=True, slots=True)
class Word:
    """A word on a picture: characters without spaces."""

    text: str
    """Its characters, at least one."""
    confidence: float
    """The engine's confidence, 0..1; 0 without one."""
    box: Box
    """Left, top, right, bottom in px of the upright picture."""


def lines(words: Iterable[Word]) -> list[list[Word]]:
    """Group words in reading order into lines: a word joins its neighbour's line if its middle is level."""
    found: list[list[Word]] = []
    for word in words:
        middle = (word.box[1] + word.box[3]) / 2
        if found and found[-1][-1].box[1] <= middle <= found[-1][-1].box[3]:
            found[-1].append(word)
        else:
            found.append([word])
    return found


def as_line(words: Sequence[Word]) -> Word:
    """Return at least one word as one text with spaces: the least confidence, and the box around all."""
    lefts, tops, rights, bottoms = zip(*(word.box for word in words), strict=True)
    box = min(lefts), min(tops), max(rights), max(bottoms)
    return Word(" ".join(word.text for word in words), min(word.confidence for word in words), box)


def corners(box: Box) -> tuple[tuple[float, float], ...]:
    """Return the corners of a box, clockwise from the top left."""
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


# The engines

READ_TIMEOUT_S = 60.0
"""Longest time of the engine for one picture, in seconds."""
Read = Callable[[Picture], Sequence[Word]]
"""An engine: returns the words on a picture in reading order."""


@dataclass(frozen=True, slots=True)
class Reader:
    """An engine behind an emulator."""

    name: str
    """The end of the answers' model version, after "emulated-"."""
    read: Read
    """The engine itself."""


def open_reader(engine: str | Read) -> Reader:
    """Return an engine: "local" (digitrec's networks), or a function from a `Picture` to its `Word` objects.

    Raises:
        NotConfigured: there is no such engine.
        ModelError: a network cannot be used.
    """
    if not isinstance(engine, str):
        return Reader("function", engine)
    if engine != "local":
        raise NotConfigured(f"engine must be 'local' or a function, got {engine!r}")
    cnn, lock = Engine("local"), threading.Lock()

    def read(picture: Picture) -> Sequence[Word]:
        with lock:
            words = _numbers(picture, cnn.for_numbers.provider)
            if sum(len(word.text) for word in words) < 2:
                return read_digit(picture, cnn)
        return [words[at] for line in numbers.lines([word.box for word in words]) for at in line]

    return Reader("local", read)


def _numbers(picture: Picture, pages: Provider) -> list[Word]:
    """Return the numbers that a provider reads on a page."""
    prepared = prepare(picture.image, replace(pages.wants, margin=0.0, min_side=1))
    words = []
    for candidate in pages.read(prepared, timeout=READ_TIMEOUT_S).candidates:
        box = picture.whole
        if candidate.box is not None and prepared.place is not None:
            box = prepared.place.box(candidate.box)
        words.append(Word(candidate.text, candidate.score or 0.0, box))
    return words


def read_digit(picture: Picture, cnn: Engine) -> list[Word]:
    """Read a lone digit.

    Raises:
        DigitrecError: the classifier failed.
    """
    (outcome,) = predict_many([picture.image], cnn)
    if isinstance(outcome, Failure):
        raise outcome.error
    if outcome.digit is None:
        return []
    boxes = prepare(picture.image, InputSpec(encoding="mnist")).findings.boxes
    box = picture.located(boxes[0]) if boxes else picture.whole
    return [Word(str(outcome.digit), outcome.confidence or 0.0, box)]
