"""Azure Read's operation (GET analyzeResults, 3.2): what is used of it, and what that says."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.errors import Rejected
from digitrec.providers.azure_resource import error_text
from digitrec.providers.document import Score, Text, box_around, document, refuse
from digitrec.providers.translate import Problem, Service

Corners = Annotated[tuple[float, ...], Meta(min_length=8, max_length=8)]
"""Four corners: x and y of each in turn, in pixels."""


class Word(Struct, rename="camel"):
    """A word; Azure leaves none of these out."""

    text: Text
    confidence: Score
    bounding_box: Corners | UnsetType = UNSET


class Line(Struct):
    """A line, as a text and as its words."""

    words: tuple[Word, ...]
    text: str = ""


class ReadResult(Struct):
    """A page; a picture is one."""

    lines: tuple[Line, ...]


class AnalyzeResult(Struct, rename="camel"):
    """What was read."""

    read_results: tuple[ReadResult, ...]
    model_version: str | UnsetType = UNSET


class ReadOperation(Struct, rename="camel"):
    """An operation; its result is there when it has succeeded."""

    status: str
    analyze_result: AnalyzeResult | UnsetType = UNSET


def parse(raw: Any, service: Service) -> Answer:
    """What any JSON value says, read as an operation that is over.

    Raises:
        Rejected: the operation failed.
        BadAnswer: it is no such operation. (The SDK lets much through.)
    """
    operation = document(raw, ReadOperation, service)
    if operation.status == "failed":
        said = f"the operation failed: {error_text(raw)}".removesuffix(": ")
        raise service.error(Problem(Rejected, said, raw=raw))
    if operation.status != "succeeded":
        refuse("status: neither succeeded nor failed", raw, service)
    result = operation.analyze_result
    if result is UNSET:
        refuse("analyzeResult: missing from an operation that succeeded", raw, service)
    lines = [line for page in result.read_results for line in page.lines]
    if any(line.text.strip() and not line.words for line in lines):
        refuse("analyzeResult.readResults: a line with a text and without words", raw, service)
    version = None if result.model_version is UNSET else result.model_version
    words = (_candidate(word) for line in lines for word in line.words)
    return Answer(tuple(words), raw=raw, model_version=version)


def _candidate(word: Word) -> Candidate:
    flat = () if word.bounding_box is UNSET else word.bounding_box
    corners = list(zip(flat[::2], flat[1::2], strict=True))
    return Candidate(word.text, word.confidence, box_around(corners))
