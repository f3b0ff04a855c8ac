"""From the picture a vendor was sent to the words on it: the engines behind the emulator."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from PIL import Image

from digitrec.engine import Engine
from digitrec.errors import NotConfigured
from digitrec.image import DigitImage, InputSpec
from digitrec.prediction import Prediction
from digitrec.prepare import prepare
from digitrec.providers.registry import open_provider
from digitrec.recognise import predict_many

Box = tuple[float, float, float, float]

_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_MNIST = InputSpec(encoding="mnist")
_AS_IT_CAME = InputSpec(encoding="png")
READ_TIMEOUT_S = 60.0  # for one picture, when the engine is a program of its own


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
        image = DigitImage.open(data)
        with Image.open(io.BytesIO(data)) as header:
            width, height = header.size
            sideways = header.getexif().get(0x0112) in _SIDEWAYS
            name = header.format or ""
        if sideways:
            width, height = height, width
        return cls(data, image, "JPEG" if name == "MPO" else name, width, height)


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was read: characters without a space between them."""

    text: str
    """Its characters, at least one."""
    confidence: float
    """How sure the engine is, 0..1; 0 where it does not say."""
    box: Box
    """Left, top, right, bottom in px of the upright picture."""


Read = Callable[[Picture], Sequence[Word]]
"""An engine: a picture in, its words in reading order out; no words when it reads nothing."""


@dataclass(frozen=True, slots=True)
class Reader:
    """An engine behind an emulator."""

    name: str
    """What stands after "emulated-" in the answers' model version."""
    read: Read
    """The engine itself."""


def open_reader(engine: str | Read) -> Reader:
    """The engine meant by a name, "script:FILE" or a function of your own.

    Args:
        engine: "local" (our CNN, digit by digit); any other provider that runs on this machine
            ("tesseract", "rapidocr"); "script:FILE" (JSON Lines, one answer a line, from the top again
            after the last; each a list of ``{"text": "7", "confidence": 0.98, "box": [l, t, r, b]}``;
            without a box the word fills the picture); or a function from a `Picture` to its `Word` objects.

    Raises:
        UnknownProvider, NotInstalled, NotConfigured, ModelError: the engine cannot be used.
    """
    if not isinstance(engine, str):
        return Reader("function", engine)
    if engine == "local":
        cnn = Engine(open_provider(engine))  # a model that is missing or damaged is told now
        return Reader(engine, _one_at_a_time(lambda picture: read_digits(picture, cnn)))
    kind, _, file = engine.partition(":")
    if kind == "script":
        return Reader(kind, _script(Path(file)))
    return Reader(engine, _one_at_a_time(_provider(engine)))


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


def outline(words: Sequence[Word]) -> Box:
    """The smallest box around some words, of which there is at least one."""
    lefts, tops, rights, bottoms = zip(*(word.box for word in words), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def read_digits(picture: Picture, cnn: Engine) -> list[Word]:
    """A classifier on each digit that stands apart; digits closer than half their height are one word."""
    image = picture.image
    boxes = prepare(image, _MNIST).findings.boxes
    scale = _scale(picture)
    if len(boxes) <= 1:
        crops, boxes = [image], boxes or ((0, 0, image.pixels.shape[1], image.pixels.shape[0]),)
    else:
        crops = [_crop(image, box) for box in boxes]
    digits = [
        Word(str(outcome.digit), outcome.confidence or 0.0, _scaled(box, scale))
        for box, outcome in zip(boxes, predict_many(crops, cnn), strict=True)
        if isinstance(outcome, Prediction) and outcome.digit is not None
    ]
    return [word for line in lines(digits) for word in _joined(line)]


def _crop(image: DigitImage, box: tuple[int, int, int, int]) -> DigitImage:
    """One digit with a little of the paper around it, but nothing of its neighbours' boxes' far side."""
    left, top, right, bottom = box
    margin = max(2, (bottom - top) // 8)
    pixels = image.pixels[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
    return DigitImage.open(pixels)


def _joined(digits: Sequence[Word]) -> list[Word]:
    """Neighbours on one line as words; a word is as sure as its least sure digit."""
    words: list[Word] = []
    for digit in digits:
        last = words[-1] if words else None
        if last is not None and digit.box[0] - last.box[2] < (digit.box[3] - digit.box[1]) / 2:
            sure = min(last.confidence, digit.confidence)
            words[-1] = Word(last.text + digit.text, sure, outline((last, digit)))
        else:
            words.append(digit)
    return words


def _scale(picture: Picture) -> float:
    """Pixels of the picture for one pixel of the image, which may have been decoded at a reduced scale."""
    return max(picture.width, picture.height) / float(max(picture.image.pixels.shape[:2]))


def _scaled(box: Sequence[float], scale: float) -> Box:
    left, top, right, bottom = (value * scale for value in box)
    return left, top, right, bottom


def _provider(name: str) -> Read:
    """An OCR engine that is also one of our providers, given the picture as it came."""
    provider = open_provider(name)
    if provider.endpoint is not None:
        raise NotConfigured(f"{name} does not read on this machine; choose local, tesseract or rapidocr")

    def read(picture: Picture) -> list[Word]:
        answer = provider.read(prepare(picture.image, _AS_IT_CAME), timeout=READ_TIMEOUT_S)
        scale, whole = _scale(picture), (0.0, 0.0, float(picture.width), float(picture.height))
        return [
            Word(text, candidate.score or 0.0, _scaled(candidate.box, scale) if candidate.box else whole)
            for candidate in answer.candidates
            for text in candidate.text.split()
        ]

    return read


def _script(path: Path) -> Read:
    """The answers of a file, in order, whatever the pictures."""
    try:
        text = path.read_text("utf-8")
        answers = [json.loads(line) for line in text.splitlines() if line.strip()]
        for answer in answers:
            _words(answer, (0.0, 0.0, 1.0, 1.0))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotConfigured(f"{path}: not a script of answers ({error}); see docs/emulator.md") from error
    if not answers:
        raise NotConfigured(f"{path}: holds no answers; write one a line, see docs/emulator.md")
    upcoming = cycle(answers)

    def read(picture: Picture) -> list[Word]:
        return _words(next(upcoming), (0.0, 0.0, float(picture.width), float(picture.height)))

    return _one_at_a_time(read)


def _words(answer: list[dict[str, Any]], whole: Box) -> list[Word]:
    """One line of a script.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is not of the documented form.
    """
    return [_word(entry, whole) for entry in answer]


def _word(entry: dict[str, Any], whole: Box) -> Word:
    text, confidence = entry["text"], float(entry["confidence"])
    left, top, right, bottom = (float(value) for value in entry.get("box", whole))
    if text.split() != [text] or not 0 <= confidence <= 1:
        raise ValueError("a text has no spaces, a confidence is 0 to 1")
    return Word(text, confidence, (left, top, right, bottom))


def _one_at_a_time(read: Read) -> Read:
    """The same engine for several threads, of which it serves one at a time."""
    lock = threading.Lock()

    def locked(picture: Picture) -> Sequence[Word]:
        with lock:
            return read(picture)

    return locked
