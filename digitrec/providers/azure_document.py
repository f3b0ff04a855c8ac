"""Azure Document Intelligence, model prebuilt-read, through azure-ai-documentintelligence.

Microsoft's service for print and handwriting on documents; it recommends this to users of Image Analysis.

Each word is a candidate; its confidence is from 0 to 1.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.image import InputSpec
from digitrec.providers.azure_identity import Identity
from digitrec.providers.azure_resource import (
    Corners,
    Operation,
    PolledProvider,
    box_of,
    result_of,
    service,
    settings,
)
from digitrec.providers.base import not_installed
from digitrec.providers.document import Score, Text, refuse

MODEL = "prebuilt-read"
API_VERSION = "2024-11-30"
ENDPOINT, KEY = "DOCUMENTINTELLIGENCE_ENDPOINT", "DOCUMENTINTELLIGENCE_API_KEY"
"""Variables, with the names that Microsoft's samples of this SDK use."""
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
    model_id: str | UnsetType = UNSET
    api_version: str | UnsetType = UNSET


def parse(raw: Any) -> Answer:
    """Make an Answer of a finished analysis (analyzeResults, 2024-11-30): any JSON value.

    Raises:
        Rejected: the operation failed, or was cancelled.
        BadAnswer: the value is not such an operation. (The SDK lets much through, and polls others for ever.)
    """
    result = result_of(raw, Operation[AnalyzeResult], SERVICE)
    words = [word for page in result.pages for word in page.words]
    if result.content.strip() and not words:
        refuse("analyzeResult.pages: a content, and no words on any page", raw, SERVICE)
    version = [part for part in (result.model_id, result.api_version) if part is not UNSET]
    found = (Candidate(word.content, word.confidence, box_of(word.polygon)) for word in words)
    return Answer(tuple(found), raw=raw, model_version=" ".join(version) or None)


class AzureDocument(PolledProvider):
    """Read text with Azure Document Intelligence's model for text."""

    name = "azure-document"
    package = "azure.ai.documentintelligence"
    service = SERVICE
    parse = staticmethod(parse)
    endpoints = (ENDPOINT,)
    keys = (KEY,)
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=4_000_000, margin=0.1)
    rate = 15.0  # analyses a second of a paid resource; polls may be 50 a second

    @staticmethod
    def _open(endpoint: str, who: str | Identity) -> Any:
        try:
            from azure.ai.documentintelligence import DocumentIntelligenceClient

            return DocumentIntelligenceClient(endpoint, api_version=API_VERSION, **settings(who))
        except ImportError as error:
            raise not_installed("Azure Document Intelligence", "azure") from error

    def _post(self, data: bytes, timeout: float) -> Any:
        times = {"connection_timeout": timeout, "read_timeout": timeout}
        return self._client.begin_analyze_document(MODEL, data, retry_total=0, **times)

    def _look(self, token: str, timeout: float) -> Any:
        """Ask by id at our own endpoint: the SDK's poller sends the key to any address that it receives."""
        from azure.core.rest import HttpRequest

        address = f"documentModels/{MODEL}/analyzeResults/{token}"
        request = HttpRequest("GET", address, params={"api-version": API_VERSION})
        times = {"connection_timeout": timeout, "read_timeout": timeout}
        return self._client.send_request(request, retry_total=0, **times)
