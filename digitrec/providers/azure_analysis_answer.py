"""Azure's ImageAnalysisResult (2023-10-01): what is used of it, and what that says."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.providers.document import Score, Text, box_around, document, refuse
from digitrec.providers.translate import Service


class ImagePoint(Struct):
    """A corner in pixels."""

    x: float
    y: float


class Word(Struct, rename="camel"):
    """A word; Azure leaves none of these out."""

    text: Text
    confidence: Score
    bounding_polygon: tuple[ImagePoint, ...] = ()


class Line(Struct):
    """A line, as a text and as its words."""

    words: tuple[Word, ...]
    text: str = ""


class Block(Struct):
    """A part of the picture."""

    lines: tuple[Line, ...]


class ReadResult(Struct):
    """What was read; its list is empty where there is no text."""

    blocks: tuple[Block, ...]


class ImageAnalysisResult(Struct, rename="camel"):
    """What was found on a picture; Read is all that is asked for."""

    read_result: ReadResult
    model_version: str | UnsetType = UNSET


def parse(raw: Any, service: Service) -> Answer:
    """What any JSON value says, read as an ImageAnalysisResult.

    Raises:
        BadAnswer: it is none. (The SDK lets one without readResult through.)
    """
    result = document(raw, ImageAnalysisResult, service)
    lines = [line for block in result.read_result.blocks for line in block.lines]
    if any(line.text.strip() and not line.words for line in lines):
        refuse("readResult.blocks: a line with a text and without words", raw, service)
    version = None if result.model_version is UNSET else result.model_version
    words = (_candidate(word) for line in lines for word in line.words)
    return Answer(tuple(words), raw=raw, model_version=version)


def _candidate(word: Word) -> Candidate:
    box = box_around([(corner.x, corner.y) for corner in word.bounding_polygon])
    return Candidate(word.text, word.confidence, box)
