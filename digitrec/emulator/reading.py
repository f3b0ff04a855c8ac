"""Decode a picture in a request, and read the words on it with the emulator's engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from digitrec.engine import Engine
from digitrec.errors import ImageError, NotConfigured
from digitrec.image import Box, DigitImage, InputSpec
from digitrec.image.headers import kind, opened
from digitrec.prepare import prepare
from digitrec.providers.registry import open_provider
from digitrec.recognise import numbers, predict, read


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
            ImageError: the data are not a picture, are damaged, or have too many pixels.
        """
        if kind(data) is not None:
            raise ImageError("<bytes>: a format that no vendor here takes")
        image = DigitImage.open(data)
        with opened(data, "<bytes>") as header:
            name = header.format or ""
        return cls(data, image, "JPEG" if name == "MPO" else name, *image.place.size)

    @property
    def whole(self) -> Box:
        """The box of the whole picture."""
        return 0.0, 0.0, float(self.width), float(self.height)


@dataclass(frozen=True, slots=True)
class Word:
    """A word on a picture: characters without spaces."""

    text: str
    """The word's characters, at least one."""
    confidence: float
    """The engine's confidence, 0..1; 0 if it has none."""
    box: Box
    """Left, top, right, bottom in px of the upright picture."""


def lines(words: Sequence[Word]) -> list[list[Word]]:
    """Return the words line by line, each line from left to right."""
    return [[words[at] for at in line] for line in numbers.lines([word.box for word in words])]


def as_line(words: Sequence[Word]) -> Word:
    """Join words to one text with spaces, with the lowest confidence and the box around all; words >= 1."""
    lefts, tops, rights, bottoms = zip(*(word.box for word in words), strict=True)
    box = min(lefts), min(tops), max(rights), max(bottoms)
    return Word(" ".join(word.text for word in words), min(word.confidence for word in words), box)


def corners(box: Box) -> tuple[tuple[float, float], ...]:
    """Return the corners of a box, clockwise from the top left."""
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


def polygon(box: Box) -> list[dict[str, int]]:
    """Return the same corners in whole pixels, as Azure and Google name them."""
    return [{"x": round(x), "y": round(y)} for x, y in corners(box)]


# The engines

Read = Callable[[Picture], Sequence[Word]]
"""An engine: returns the words on a picture in reading order."""


def open_reader(engine: str | Read) -> Read:
    """Return an engine: "local" (digitrec's networks), or a function from a `Picture` to its `Word` objects.

    Raises:
        NotConfigured: there is no engine with this name.
        ModelError: a network cannot be used.
    """
    if not isinstance(engine, str):
        return engine
    if engine != "local":
        raise NotConfigured(f"engine must be 'local' or a function, got {engine!r}")
    shipped = open_provider("local", env={})  # even if DIGITREC_MODEL names another
    cnn, lock = Engine(shipped), threading.Lock()

    def read_page(picture: Picture) -> Sequence[Word]:
        with lock:
            found = read(picture.image, cnn).numbers
            if sum(len(number.text) for number in found) < 2:
                return read_digit(picture, cnn)
        return [Word(one.text, one.confidence or 0.0, one.box or picture.whole) for one in found]

    return read_page


def read_digit(picture: Picture, cnn: Engine) -> list[Word]:
    """Read a single digit.

    Raises:
        DigitrecError: the classifier failed.
    """
    found = predict(picture.image, cnn)
    if found.digit is None:
        return []
    boxes = prepare(picture.image, InputSpec(encoding="mnist")).findings.boxes
    box = picture.image.place.box(boxes[0]) if boxes else picture.whole
    return [Word(str(found.digit), found.confidence or 0.0, box)]
