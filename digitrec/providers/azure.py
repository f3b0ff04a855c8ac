"""Azure Computer Vision Read 3.2; the service has no published end.

Each word is a candidate; its confidence is from 0 to 1.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.image import InputSpec
from digitrec.providers.azure_resource import Corners, Operation, PolledProvider, box_of, result_of, service
from digitrec.providers.document import Score, Text, refuse

SERVICE = service("Azure Read")


class Word(Struct, rename="camel"):
    """A word; Azure always gives text and confidence."""

    text: Text
    confidence: Score
    bounding_box: Corners | UnsetType = UNSET


class Line(Struct):
    """A line, as a text and as its words."""

    words: tuple[Word, ...]
    text: str = ""


class ReadResult(Struct):
    """A page; a picture is one page."""

    lines: tuple[Line, ...]


class AnalyzeResult(Struct, rename="camel"):
    """The result of a Read operation."""

    read_results: tuple[ReadResult, ...]
    model_version: str = ""


def parse(raw: Any) -> Answer:
    """Make an Answer of a finished Read operation (GET analyzeResults, 3.2): any JSON value.

    Raises:
        Rejected: the operation failed.
        BadAnswer: the value is not such an operation.
    """
    result = result_of(raw, Operation[AnalyzeResult], SERVICE)
    lines = [line for page in result.read_results for line in page.lines]
    if any(line.text.strip() and not line.words for line in lines):
        refuse("analyzeResult.readResults: a line with a text and without words", raw, SERVICE)
    words = (word for line in lines for word in line.words)
    found = (Candidate(word.text, word.confidence, box_of(word.bounding_box)) for word in words)
    return Answer(tuple(found), raw=raw, model_version=result.model_version or None)


class Azure(PolledProvider):
    """Read text with Azure Computer Vision's Read operation."""

    name = "azure"
    path = "/vision/v3.2/read/analyze?model-version=latest&readingOrder=basic"
    results = "/vision/v3.2/read/analyzeResults/{}"
    service = SERVICE
    parse = staticmethod(parse)
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=4_000_000, margin=0.1)
    rate = 10.0  # 20 to 30 requests a second are allowed, and an image takes at least two
