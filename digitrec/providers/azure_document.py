"""Azure Document Intelligence, model prebuilt-read, through azure-ai-documentintelligence.

Microsoft's service for print and handwriting on documents, to which it points the users of Image Analysis.

Which candidate and which confidence: each word is a candidate; its confidence is 0..1 already.
"""

from __future__ import annotations

from typing import Any

from digitrec.answer import Answer
from digitrec.image import InputSpec
from digitrec.providers.azure_identity import Identity
from digitrec.providers.azure_operation import PolledProvider
from digitrec.providers.azure_resource import service, settings
from digitrec.providers.base import not_installed

MODEL = "prebuilt-read"
API_VERSION = "2024-11-30"
ENDPOINT, KEY = "DOCUMENTINTELLIGENCE_ENDPOINT", "DOCUMENTINTELLIGENCE_API_KEY"
"""Variables, as Microsoft's samples of this SDK call them."""
SERVICE = service("Azure Document Intelligence", KEY, ENDPOINT)


class AzureDocument(PolledProvider):
    """Reads text with Azure Document Intelligence's model for text."""

    name = "azure-document"
    package = "azure.ai.documentintelligence"
    service = SERVICE
    endpoints = (ENDPOINT,)
    keys = (KEY,)
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=4_000_000, margin=0.1)
    rate = 15.0  # a paid resource's analyses a second; its polls may be 50

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
        """By its id, at our own endpoint: the SDK's poller asks whatever address it is told, with the key."""
        from azure.core.rest import HttpRequest

        address = f"documentModels/{MODEL}/analyzeResults/{token}"
        request = HttpRequest("GET", address, params={"api-version": API_VERSION})
        times = {"connection_timeout": timeout, "read_timeout": timeout}
        return self._client.send_request(request, retry_total=0, **times)

    @staticmethod
    def _parse(raw: Any) -> Answer:
        return parse(raw)


def parse(raw: Any) -> Answer:
    """An analysis, when it is over: any JSON value.

    Raises:
        Rejected: it failed.
        BadAnswer: it is no such operation.
    """
    from digitrec.providers import azure_document_answer

    return azure_document_answer.parse(raw, SERVICE)
