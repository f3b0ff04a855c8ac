"""Azure Document Intelligence, model prebuilt-read.

Microsoft's service for print and handwriting on documents; it recommends this to users of Image Analysis.

Each word is a candidate; its confidence is from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import UNSET, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.image import InputSpec
from digitrec.providers.azure import Corners, Operation, PolledProvider, box_of, result_of, service
from digitrec.providers.translate import Score, Text, refuse

MODEL, VERSION = "/documentintelligence/documentModels/prebuilt-read", "api-version=2024-11-30"
ENDPOINT, KEY = "DOCUMENTINTELLIGENCE_ENDPOINT", "DOCUMENTINTELLIGENCE_API_KEY"
"""Variables, with the names of Microsoft's samples."""
SERVICE = service("Azure Document Intelligence", KEY, ENDPOINT)


class Word(Struct):
    """A word; Azure always gives text and confidence."""

    content: Text
    confidence: Score
    polygon: Corners | UnsetType = UNSET


class Page(Struct):
    """A page; a picture is one page. Without text it has no words."""

    words: tuple[Word, ...] = ()


class AnalyzeResult(Struct, rename="camel"):
    """The result of an analysis."""

    pages: tuple[Page, ...]
    content: str = ""
    model_id: str = ""
    api_version: str = ""


def parse(raw: Any) -> Answer:
    """Make an Answer of a finished analysis (analyzeResults, 2024-11-30): any JSON value.

    Raises:
        Rejected: the operation failed, or was cancelled.
        BadAnswer: the value is not such an operation.
    """
    result = result_of(raw, Operation[AnalyzeResult], SERVICE)
    words = [word for page in result.pages for word in page.words]
    if result.content.strip() and not words:
        refuse("analyzeResult.pages: a content, and no words on any page", raw, SERVICE)
    version = f"{result.model_id} {result.api_version}".strip() or None
    found = (Candidate(word.content, word.confidence, box_of(word.polygon)) for word in words)
    return Answer(tuple(found), raw=raw, model_version=version)


class AzureDocument(PolledProvider):
    """Read text with Azure Document Intelligence's model for text."""

    name = "azure-document"
    path = f"{MODEL}:analyze?{VERSION}"
    results = f"{MODEL}/analyzeResults/{{}}?{VERSION}"
    service = SERVICE
    parse = staticmethod(parse)
    variables: ClassVar[Mapping[str, Sequence[str]]] = {"endpoint": (ENDPOINT,), "key": (KEY,)}
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=4_000_000, margin=0.1)
    rate = 15.0  # analyses a second of a paid resource; polls may be 50 a second
