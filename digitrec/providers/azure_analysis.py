"""Azure Image Analysis 4.0, through azure-ai-vision-imageanalysis: one synchronous call.

Azure retires it on 25 September 2028 and points to Document Intelligence.

Which candidate and which confidence: each word is a candidate; its confidence is 0..1 already.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from digitrec.answer import Answer
from digitrec.errors import BadAnswer, TimedOut, Unavailable, Unreachable
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.azure_resource import ADVICE, AzureProvider
from digitrec.providers.base import not_installed
from digitrec.providers.translate import REQUESTS, Problem, Rule, Service, from_http, problem_of


class AzureAnalysis(AzureProvider):
    """Reads text with Azure Image Analysis 4.0."""

    name = "azure-analysis"
    package = "azure.ai.vision.imageanalysis"
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=20_000_000, margin=0.1)
    rate = 20.0  # the lower of the two figures in Azure's documentation

    @staticmethod
    def _open(endpoint: str, key: str) -> Any:
        try:
            from azure.ai.vision.imageanalysis import ImageAnalysisClient
            from azure.core.credentials import AzureKeyCredential

            from digitrec.providers import azure_analysis_answer  # noqa: F401 (missed here, before a question is paid for)
        except ImportError as error:
            raise not_installed("Azure Image Analysis", "azure") from error
        logging.getLogger("azure").addHandler(logging.NullHandler())  # or its warnings reach the terminal
        return ImageAnalysisClient(endpoint, AzureKeyCredential(key))

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Ask once."""
        with SERVICE.translated(self._secrets):
            raw = self._ask(image.data, timeout)
        return parse(raw)

    def _ask(self, data: bytes, timeout: float) -> dict[str, Any]:
        """One request, one attempt; the answer as it stands on the wire."""
        answer = self._client.analyze(
            image_data=data,
            visual_features=["read"],
            retry_total=0,
            permit_redirects=False,
            connection_timeout=timeout,
            read_timeout=timeout,
        )
        return dict(answer.as_dict())


def parse(raw: Any) -> Answer:
    """An ImageAnalysisResult: any JSON value.

    Raises:
        BadAnswer: it is none.
    """
    from digitrec.providers import azure_analysis_answer

    return azure_analysis_answer.parse(raw, SERVICE)


def _http_error(error: Any) -> Problem:
    """A refused request."""
    headers = error.response.headers if error.response is not None else {}
    said = error.error.message if error.error is not None else error.reason
    return from_http(error.status_code or 500, said or "", headers)


def _response_error(error: Any) -> Problem:
    """The answer broke off, or the SDK could not say why none came; what happened is inside."""
    return problem_of(error.inner_exception, REQUESTS) or Problem(Unavailable, str(error))


ERRORS: Mapping[str, Rule] = {
    "azure.core.exceptions.HttpResponseError": _http_error,
    "azure.core.exceptions.DecodeError": BadAnswer,
    "azure.core.exceptions.DeserializationError": BadAnswer,
    "azure.core.exceptions.ServiceRequestError": Unreachable,
    "azure.core.exceptions.ServiceRequestTimeoutError": Unreachable,
    "azure.core.exceptions.ServiceResponseError": _response_error,
    "azure.core.exceptions.ServiceResponseTimeoutError": TimedOut,
    "azure.core.exceptions.IncompleteReadError": BadAnswer,
    "json.decoder.JSONDecodeError": BadAnswer,
}
"""What the SDK raises: refusals, no answer, and answers it cannot read (HTML with status 200)."""

SERVICE = Service("Azure Image Analysis", ERRORS, ADVICE)
