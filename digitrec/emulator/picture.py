"""A picture in a request, and the words that an engine reads on it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from digitrec.errors import ImageError
from digitrec.image import Box, DigitImage
from digitrec.image.headers import FORMATS, kind

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
