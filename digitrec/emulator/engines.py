"""The engines behind the emulator: from the picture a vendor was sent to the words on it.

The engine "local" is our CNN, which knows single digits, asked about each digit of a picture.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.answer.prediction import Failure
from digitrec.emulator.picture import Box, Picture, Word, bounding_box, lines
from digitrec.engine import Engine
from digitrec.errors import NotConfigured
from digitrec.image import DigitImage, InputSpec
from digitrec.image.pixels import Pixels
from digitrec.prepare import prepare
from digitrec.providers.registry import open_provider
from digitrec.recognise import predict_many

_AS_IT_CAME = InputSpec(encoding="png")
READ_TIMEOUT_S = 60.0
"""Seconds an OCR engine may take for one picture."""

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


def _provider(name: str) -> Read:
    """An OCR engine that is also one of our providers, given the picture as it came."""
    provider = open_provider(name)
    if provider.endpoint is not None:
        raise NotConfigured(f"{name} does not read on this machine; choose local, tesseract or rapidocr")

    def read(picture: Picture) -> list[Word]:
        answer = provider.read(prepare(picture.image, _AS_IT_CAME), timeout=READ_TIMEOUT_S)
        words = []
        for candidate in answer.candidates:
            box = picture.located(candidate.box) if candidate.box else picture.whole
            words += [Word(text, candidate.score or 0.0, box) for text in candidate.text.split()]
        return words

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
        return _words(next(upcoming), picture.whole)

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


Mask = np.ndarray[Any, np.dtype[np.bool_]]
PixelBox = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the decoded image, right and bottom exclusive."""

_MNIST = InputSpec(encoding="mnist")


def read_digits(picture: Picture, cnn: Engine) -> list[Word]:
    """A classifier on each digit that stands apart; digits closer than half their height are one word.

    Raises:
        DigitrecError: the classifier failed, which is not the same as reading nothing.
    """
    image = picture.image
    pixels = image.pixels
    boxes = segments(pixels)
    if len(boxes) > 1:
        crops = [_crop(pixels, box) for box in boxes]
    else:
        crops, boxes = [image], list(prepare(image, _MNIST).findings.boxes[:1]) or [_whole(image)]
    digits = []
    for box, outcome in zip(boxes, predict_many(crops, cnn), strict=True):
        if isinstance(outcome, Failure):
            raise outcome.error
        if outcome.digit is not None:
            digits.append(Word(str(outcome.digit), outcome.confidence or 0.0, picture.located(box)))
    return [word for line in lines(digits) for word in _joined(line)]


def segments(pixels: Pixels) -> list[PixelBox]:
    """Boxes of the segments of ink of a clean sheet, from left to right; [] when it is not one.

    A sheet is clean when its ink, everything at least half as far from the paper as the farthest
    pixel is, falls into segments of like height between which nothing is, and touches no edge. What is
    written on anything less tidy is read as one.
    """
    grey = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    contrast = np.abs(grey - np.median(grey))
    ink = contrast > contrast.max() / 2
    inked = np.concatenate(([False], ink.any(axis=0), [False]))
    spans = np.flatnonzero(inked[1:] != inked[:-1]).reshape(-1, 2)
    boxes = [_segment(ink, int(left), int(right)) for left, right in spans]
    height, width = ink.shape
    tallest = max((bottom - top for _, top, _, bottom in boxes), default=0)
    for left, top, right, bottom in boxes:
        if left == 0 or top == 0 or right == width or bottom == height or bottom - top < tallest / 2:
            return []
    return boxes


def _segment(ink: Mask, left: int, right: int) -> PixelBox:
    rows = np.flatnonzero(ink[:, left:right].any(axis=1))
    return left, int(rows[0]), right, int(rows[-1]) + 1


def _whole(image: DigitImage) -> PixelBox:
    return 0, 0, *image.size


def _crop(pixels: Pixels, box: PixelBox) -> DigitImage:
    """One digit with a little of the paper around it."""
    left, top, right, bottom = box
    margin = max(2, (bottom - top) // 8)
    return DigitImage.open(
        pixels[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
    )


def _joined(digits: Sequence[Word]) -> list[Word]:
    """Neighbours on one line as words; a word is as sure as its least sure digit."""
    words: list[Word] = []
    for digit in digits:
        last = words[-1] if words else None
        if last is not None and digit.box[0] - last.box[2] < (digit.box[3] - digit.box[1]) / 2:
            sure = min(last.confidence, digit.confidence)
            words[-1] = Word(last.text + digit.text, sure, bounding_box((last, digit)))
        else:
            words.append(digit)
    return words
