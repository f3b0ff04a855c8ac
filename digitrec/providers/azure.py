"""Azure Computer Vision Read 3.2, through azure-cognitiveservices-vision-computervision.

Read answers in two steps: the image is posted, and then its operation is polled. Posting is what costs,
so the two can be called apart (`digitrec.providers.base.Resumable`). The SDK gets no more updates; the
service has no published end.

Which candidate and which confidence: each word is a candidate; its confidence is 0..1 already.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from typing import Any

from digitrec.answer import Answer
from digitrec.errors import BadAnswer, TimedOut, Unavailable
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.azure_resource import ADVICE, AzureProvider
from digitrec.providers.base import not_installed
from digitrec.providers.translate import REQUESTS, Problem, Rule, Service, from_http, problem_of


class Azure(AzureProvider):
    """Reads text with Azure Computer Vision's Read operation."""

    name = "azure"
    package = "azure.cognitiveservices.vision.computervision"
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=4_000_000, margin=0.1)
    rate = 10.0  # 20 to 30 requests a second are allowed, and an image takes at least two

    def __init__(
        self,
        *,
        endpoint: str,
        key: str,
        price_usd: float | None = None,
        poll_s: float = 1.0,
        name: str | None = None,
    ) -> None:
        """Open a client as `AzureProvider` says; nothing is sent yet.

        Args:
            endpoint, key, price_usd, name: as there.
            poll_s: seconds before each look at an operation, > 0; Azure asks for 1 to 2.
        """
        super().__init__(endpoint=endpoint, key=key, price_usd=price_usd, name=name)
        self._poll_s = poll_s

    @staticmethod
    def _open(endpoint: str, key: str) -> Any:
        try:
            from azure.cognitiveservices.vision.computervision import ComputerVisionClient
            from msrest.authentication import CognitiveServicesCredentials

            from digitrec.providers import azure_answer  # noqa: F401 (missed here, before a question is paid for)
        except ImportError as error:
            raise not_installed("Azure Computer Vision", "azure") from error
        client = ComputerVisionClient(endpoint, CognitiveServicesCredentials(key))  # type: ignore[no-untyped-call]
        client.config.retry_policy.retries = 0
        client.config.hooks.append(_refuse)
        return client

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Post the image and wait for its answer, in ``timeout`` seconds together."""
        deadline = time.monotonic() + timeout
        token = self.start(image, timeout=timeout)
        return self.finish(token, timeout=deadline - time.monotonic())

    def start(self, image: PreparedImage, *, timeout: float) -> str:
        """Post the image; the id of the operation that reads it."""
        with SERVICE.translated(self._secrets):
            answer = self._client.read_in_stream(io.BytesIO(image.data), raw=True, timeout=timeout)
        location = answer.headers.get("Operation-Location") or ""
        token = str(location).rstrip("/").rpartition("/")[2]
        if not token:
            raise SERVICE.error(Problem(BadAnswer, "no Operation-Location"))
        return token

    def finish(self, token: str, *, timeout: float) -> Answer:
        """Look at the operation until it is done, for at most ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > self._poll_s:
            time.sleep(self._poll_s)
            raw = self._ask(token, left - self._poll_s)
            if raw.get("status") not in ("notStarted", "running"):
                return parse(raw)
        raise SERVICE.error(Problem(TimedOut, f"operation {token} is still running"))

    def _ask(self, token: str, timeout: float) -> dict[str, Any]:
        """One look at the operation; the answer as it stands on the wire."""
        with SERVICE.translated(self._secrets):
            answer = self._client.get_read_result(token, raw=True, timeout=timeout)
        raw = answer.response.json()
        return raw if isinstance(raw, dict) else {}


def parse(raw: Any) -> Answer:
    """A Read operation's result, when it is over: any JSON value.

    Raises:
        Rejected: the operation failed.
        BadAnswer: it is no such operation.
    """
    from digitrec.providers import azure_answer

    return azure_answer.parse(raw, SERVICE)


def _refuse(response: Any, *_: Any, **__: Any) -> None:
    """Stop at any status but the expected one, before the SDK acts on it.

    It would carry the key along a redirect. Its own exception hides what the service said, and where the
    body is empty it cannot even be built: a TypeError comes out in its place.
    """
    from requests import HTTPError

    if response.status_code != (202 if response.request.method == "POST" else 200):
        raise HTTPError(response=response)


def _http_error(error: Any) -> Problem:
    """A refused request."""
    response = error.response
    try:
        raw = response.json()
        said = raw["error"]["message"]
    except (ValueError, KeyError, TypeError):
        raw, said = None, response.text
    return from_http(response.status_code, said, response.headers, raw)


def _request_error(error: Any) -> Problem:
    """No answer at all; what happened is inside."""
    inner = error.inner_exception
    return problem_of(inner, ERRORS) or Problem(Unavailable, str(inner))


ERRORS: Mapping[str, Rule] = {
    "msrest.exceptions.ClientRequestError": _request_error,
    "msrest.exceptions.HttpOperationError": _http_error,
    "azure.core.exceptions.DeserializationError": BadAnswer,
    **REQUESTS,
    "requests.exceptions.HTTPError": _http_error,
}
"""What the SDK raises: refusals, whatever kept the answer from coming, and answers it cannot read."""

SERVICE = Service("Azure Read", ERRORS, ADVICE)
