"""From the picture a vendor was sent to the words on it: the engines behind the emulator."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from digitrec.emulator.digits import read_digits
from digitrec.emulator.picture import Box, Picture, Word
from digitrec.engine import Engine
from digitrec.errors import NotConfigured
from digitrec.image import InputSpec
from digitrec.prepare import prepare
from digitrec.providers.registry import open_provider

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
