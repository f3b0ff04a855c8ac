"""A picture that a vendor was sent, and the words that were read on it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from digitrec.errors import ImageError
from digitrec.image import DigitImage
from digitrec.image.formats import FORMATS, kind

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in px."""

_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a vendor was sent, decoded."""

    data: bytes = field(repr=False)
    """The encoded bytes, as they were sent."""
    image: DigitImage
    """Its pixels, upright; a large JPEG's are reduced."""
    format: str
    """"PNG", "JPEG", "GIF", ..."""
    width: int
    """Width of the upright picture in px, >= 1."""
    height: int
    """Height of the upright picture in px, >= 1."""

    @classmethod
    def decode(cls, data: bytes) -> Picture:
        """Decode a picture wholly.

        Raises:
            ImageError: it is no picture, damaged, or has too many pixels.
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
        """A box in pixels of ``image`` as one in pixels of the picture."""
        scale = max(self.width, self.height) / float(max(self.image.size))
        left, top, right, bottom = (value * scale for value in box)
        return left, top, right, bottom

    @property
    def whole(self) -> Box:
        """The box that is the whole picture."""
        return 0.0, 0.0, float(self.width), float(self.height)


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was read: characters without a space between them."""

    text: str
    """Its characters, at least one."""
    confidence: float
    """How sure the engine is, 0..1; 0 where it does not say."""
    box: Box
    """Left, top, right, bottom in px of the upright picture."""


def lines(words: Iterable[Word]) -> list[list[Word]]:
    """Words in reading order, a list for each line: a word whose middle is level with its neighbour."""
    found: list[list[Word]] = []
    for word in words:
        middle = (word.box[1] + word.box[3]) / 2
        if found and found[-1][-1].box[1] <= middle <= found[-1][-1].box[3]:
            found[-1].append(word)
        else:
            found.append([word])
    return found


def bounding_box(words: Sequence[Word]) -> Box:
    """The smallest box around some words, of which there is at least one."""
    lefts, tops, rights, bottoms = zip(*(word.box for word in words), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
