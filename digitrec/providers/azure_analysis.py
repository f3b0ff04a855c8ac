"""Azure Image Analysis 4.0: one synchronous call.

Azure retires it on 25 September 2028 and points to Document Intelligence.

Each word is a candidate; its confidence is from 0 to 1.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from digitrec.answer import Answer, Candidate
from digitrec.image import InputSpec
from digitrec.providers.azure import AzureProvider, service
from digitrec.providers.document import Score, Text, box_around, document, refuse

SERVICE = service("Azure Image Analysis")


class ImagePoint(Struct):
    """A corner in pixels."""

    x: float
    y: float


class Word(Struct, rename="camel"):
    """A word; Azure always gives text and confidence."""

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
    """The text; without text its list is empty."""

    blocks: tuple[Block, ...]


class ImageAnalysisResult(Struct, rename="camel"):
    """The findings in a picture; digitrec asks for Read alone."""

    read_result: ReadResult
    model_version: str = ""


def parse(raw: Any) -> Answer:
    """Make an Answer of an ImageAnalysisResult (2023-10-01): any JSON value.

    Raises:
        BadAnswer: the value is not such a result.
    """
    result = document(raw, ImageAnalysisResult, SERVICE)
    lines = [line for block in result.read_result.blocks for line in block.lines]
    if any(line.text.strip() and not line.words for line in lines):
        refuse("readResult.blocks: a line with a text and without words", raw, SERVICE)
    found = (
        Candidate(word.text, word.confidence, box_around([(at.x, at.y) for at in word.bounding_polygon]))
        for line in lines
        for word in line.words
    )
    return Answer(tuple(found), raw=raw, model_version=result.model_version or None)


class AzureAnalysis(AzureProvider):
    """Read text with Azure Image Analysis 4.0."""

    name = "azure-analysis"
    notice = "Microsoft ends it on 2028-09-25, and points to Document Intelligence (azure-document)"
    path = "/computervision/imageanalysis:analyze?api-version=2023-10-01&features=read"
    parse = staticmethod(parse)
    service = SERVICE
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=20_000_000, margin=0.1)
    rate = 20.0  # the lower of the two figures in Azure's documentation
