"""Document Intelligence's operation (analyzeResults, 2024-11-30): what is used of it, and what that says."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.errors import Rejected
from digitrec.providers.azure_answer import Corners
from digitrec.providers.azure_resource import error_text
from digitrec.providers.document import Score, Text, box_around, document, refuse
from digitrec.providers.translate import Problem, Service


class Word(Struct):
    """A word; Azure leaves text and confidence never out."""

    content: Text
    confidence: Score
    polygon: Corners | UnsetType = UNSET


class Page(Struct):
    """A page; a picture is one. Without text it has no words."""

    words: tuple[Word, ...] = ()


class AnalyzeResult(Struct, rename="camel"):
    """What was read."""

    pages: tuple[Page, ...]
    content: str = ""
    model_id: str | UnsetType = UNSET
    api_version: str | UnsetType = UNSET


class AnalyzeOperation(Struct, rename="camel"):
    """An operation; its result is there when it has succeeded."""

    status: str
    analyze_result: AnalyzeResult | UnsetType = UNSET


def parse(raw: Any, service: Service) -> Answer:
    """What any JSON value says, read as an operation that is over.

    Raises:
        Rejected: the operation failed, or was cancelled.
        BadAnswer: it is no such operation. (The SDK lets much through, and polls others for ever.)
    """
    operation = document(raw, AnalyzeOperation, service)
    if operation.status in ("failed", "canceled"):
        said = f"the operation {operation.status}: {error_text(raw)}".removesuffix(": ")
        raise service.error(Problem(Rejected, said, raw=raw))
    if operation.status != "succeeded":
        refuse("status: neither succeeded nor failed", raw, service)
    result = operation.analyze_result
    if result is UNSET:
        refuse("analyzeResult: missing from an operation that succeeded", raw, service)
    words = [word for page in result.pages for word in page.words]
    if result.content.strip() and not words:
        refuse("analyzeResult.pages: a content, and no words on any page", raw, service)
    version = [part for part in (result.model_id, result.api_version) if part is not UNSET]
    return Answer(tuple(map(_candidate, words)), raw=raw, model_version=" ".join(version) or None)


def _candidate(word: Word) -> Candidate:
    flat = () if word.polygon is UNSET else word.polygon
    corners = list(zip(flat[::2], flat[1::2], strict=True))
    return Candidate(word.content, word.confidence, box_around(corners))
