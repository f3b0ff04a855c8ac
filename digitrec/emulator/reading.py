"""A picture in a request, the words on it, and the engines behind the emulator that read them."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from PIL import Image

from digitrec.answer import Failure
from digitrec.engine import Engine
from digitrec.errors import DigitrecError, ImageError, NotConfigured
from digitrec.image import Box, DigitImage, InputSpec
from digitrec.image.headers import FORMATS, kind
from digitrec.prepare import prepare
from digitrec.providers.base import ForNumbers, Provider
from digitrec.providers.registry import open_provider
from digitrec.recognise import layout, predict_many

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

_AS_IT_CAME = InputSpec(encoding="png")
_MNIST = InputSpec(encoding="mnist")
READ_TIMEOUT_S = 60.0
"""Longest time of an OCR engine for one picture, in seconds."""

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
    """Return an engine by its name, "script:FILE" or a function of your own.

    Args:
        engine: "local" (digitrec's CNN, for each digit of the picture); any other provider that runs on
            this machine ("tesseract", "rapidocr"); "script:FILE" (JSON Lines, one answer a line, repeated
            from the top; each a list of ``{"text": "7", "confidence": 0.98, "box": [l, t, r, b]}``;
            without a box the word fills the picture); or a function from a `Picture` to its `Word` objects.

    Raises:
        UnknownProvider, NotInstalled, NotConfigured, ModelError: the engine cannot be used.
    """
    if not isinstance(engine, str):
        return Reader("function", engine)
    name, _, file = engine.partition(":")
    read = _script(Path(file)) if name == "script" else _provider(engine)
    lock = threading.Lock()

    def one_at_a_time(picture: Picture) -> Sequence[Word]:
        with lock:
            return read(picture)

    return Reader(name, one_at_a_time)


def _provider(name: str) -> Read:
    """Return an engine that is also one of the providers; OCR reads the picture unprepared."""
    provider = open_provider(name)  # raises now if a model is missing or damaged
    if provider.endpoint is not None:
        raise NotConfigured(f"{name} does not read on this machine; choose local, tesseract or rapidocr")
    if name == "local":
        cnn = Engine(provider)
        return _of_pages(lambda picture: read_digit(picture, cnn), provider)
    return _of_pages(lambda picture: _answered(picture, provider, _AS_IT_CAME), provider)


def _of_pages(lone: Read, provider: Provider) -> Read:
    """Return an engine that reads a page of numbers where it finds several characters, else a lone digit."""
    try:
        pages = provider.for_numbers() if isinstance(provider, ForNumbers) else None
    except DigitrecError:
        pages = None
    if pages is None:
        return lone

    def read(picture: Picture) -> Sequence[Word]:
        words = _answered(picture, pages, replace(pages.wants, margin=0.0, min_side=1))
        if sum(len(word.text) for word in words) < 2:
            return lone(picture)
        return [words[at] for line in layout.lines([word.box for word in words]) for at in line]

    return read


def _answered(picture: Picture, provider: Provider, spec: InputSpec) -> list[Word]:
    """Return the words in a provider's answer to a picture in this form."""
    prepared = prepare(picture.image, spec)
    answer, words = provider.read(prepared, timeout=READ_TIMEOUT_S), []
    for candidate in answer.candidates:
        left, top, right, bottom = picture.whole
        if candidate.box is not None and prepared.place is not None:
            left, top, right, bottom = prepared.place.box(candidate.box)
        step = (right - left) / len(candidate.text)
        for found in re.finditer(r"\S+", candidate.text):
            box = left + found.start() * step, top, left + found.end() * step, bottom
            words.append(Word(found[0], candidate.score or 0.0, box))
    return words


class _Entry(msgspec.Struct):
    """A word in a script of answers."""

    text: Annotated[str, Meta(pattern=r"^\S+$")]
    confidence: Annotated[float, Meta(ge=0, le=1)]
    box: Box | None = None


def _script(path: Path) -> Read:
    """Return the answers of a file in order, for any pictures."""
    try:
        answers = msgspec.json.Decoder(list[_Entry]).decode_lines(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotConfigured(f"{path}: not a script of answers ({error}); see docs/emulator.md") from error
    if not answers:
        raise NotConfigured(f"{path}: holds no answers; write one a line, see docs/emulator.md")
    upcoming = cycle(answers)
    return lambda picture: [Word(it.text, it.confidence, it.box or picture.whole) for it in next(upcoming)]


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
    boxes = prepare(picture.image, _MNIST).findings.boxes
    box = picture.located(boxes[0]) if boxes else picture.whole
    return [Word(str(outcome.digit), outcome.confidence or 0.0, box)]
