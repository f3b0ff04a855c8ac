"""Azure Computer Vision Read 3.2, through azure-cognitiveservices-vision-computervision.

The SDK gets no more updates; the service has no published end.

Which candidate and which confidence: each word is a candidate; its confidence is 0..1 already.
"""

from __future__ import annotations

import io
from typing import Any

from digitrec.answer import Answer
from digitrec.image import InputSpec
from digitrec.providers.azure_identity import Identity, authentication
from digitrec.providers.azure_operation import PolledProvider
from digitrec.providers.azure_resource import service
from digitrec.providers.base import not_installed
from digitrec.providers.wire import carrier

SERVICE = service("Azure Read")


class Azure(PolledProvider):
    """Reads text with Azure Computer Vision's Read operation."""

    name = "azure"
    package = "azure.cognitiveservices.vision.computervision"
    service = SERVICE
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=4_000_000, margin=0.1)
    rate = 10.0  # 20 to 30 requests a second are allowed, and an image takes at least two

    @staticmethod
    def _open(endpoint: str, who: str | Identity) -> Any:
        try:
            from azure.cognitiveservices.vision.computervision import ComputerVisionClient
            from msrest.authentication import CognitiveServicesCredentials
        except ImportError as error:
            raise not_installed("Azure Computer Vision", "azure") from error
        if isinstance(who, str):
            credentials: Any = CognitiveServicesCredentials(who)
        else:
            credentials = authentication(who)
        client = ComputerVisionClient(endpoint, credentials)  # type: ignore[no-untyped-call]
        adapter = carrier.questions()

        def mounted(session: Any, *_: Any, **__: Any) -> None:
            """Called before each request; each thread has a session of its own."""
            carrier.mount(session, adapter)

        config: Any = client.config
        config.session_configuration_callback = mounted
        return client

    def _post(self, data: bytes, timeout: float) -> Any:
        return self._client.read_in_stream(io.BytesIO(data), raw=True, timeout=timeout)

    def _look(self, token: str, timeout: float) -> Any:
        return self._client.get_read_result(token, raw=True, timeout=timeout)

    @staticmethod
    def _parse(raw: Any) -> Answer:
        return parse(raw)


def parse(raw: Any) -> Answer:
    """A Read operation's result, when it is over: any JSON value.

    Raises:
        Rejected: the operation failed.
        BadAnswer: it is no such operation.
    """
    from digitrec.providers import azure_answer

    return azure_answer.parse(raw, SERVICE)
