"""Azure Computer Vision Read 3.2, through azure-cognitiveservices-vision-computervision.

Read answers in two steps: the image is posted, and then its operation is polled. Posting is what costs,
so the two can be called apart (`digitrec.providers.base.Resumable`). The SDK gets no more updates; the
service has no published end.

Which candidate and which confidence: each word is a candidate; its confidence is 0..1 already.
"""

from __future__ import annotations

import io
import re
import time
from typing import Any

from digitrec.errors import BadAnswer, TimedOut
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.answer import Answer
from digitrec.providers.azure_resource import ADVICE, AzureProvider
from digitrec.providers.base import not_installed
from digitrec.wire import carrier
from digitrec.wire.translate import Problem, Service

SERVICE = Service("Azure Read", {}, ADVICE)
OPERATION = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""What the id of one looks like: a UUID."""


class Azure(AzureProvider):
    """Reads text with Azure Computer Vision's Read operation."""

    name = "azure"
    package = "azure.cognitiveservices.vision.computervision"
    service = SERVICE
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=4_000_000, margin=0.1)
    rate = 10.0  # 20 to 30 requests a second are allowed, and an image takes at least two

    def __init__(
        self,
        *,
        endpoint: str,
        key: str,
        price_usd: float | None = None,
        poll_s: float = 1.0,
        allow_plain_http: bool = False,
        name: str | None = None,
    ) -> None:
        """Open a client as `AzureProvider` says; nothing is sent yet.

        Args:
            endpoint, key, price_usd, allow_plain_http, name: as there.
            poll_s: seconds before each look at an operation, > 0; Azure asks for 1 to 2.
        """
        super().__init__(
            endpoint=endpoint, key=key, price_usd=price_usd, allow_plain_http=allow_plain_http, name=name
        )
        self.poll_s = poll_s

    @staticmethod
    def _open(endpoint: str, key: str) -> Any:
        try:
            from azure.cognitiveservices.vision.computervision import ComputerVisionClient
            from msrest.authentication import CognitiveServicesCredentials

            from digitrec.providers import azure_answer  # noqa: F401 (missed here, before a question is paid for)
        except ImportError as error:
            raise not_installed("Azure Computer Vision", "azure") from error
        client = ComputerVisionClient(endpoint, CognitiveServicesCredentials(key))  # type: ignore[no-untyped-call]
        adapter = carrier.questions()

        def mounted(session: Any, *_: Any, **__: Any) -> None:
            """Called before each request; each thread has a session of its own."""
            carrier.mount(session, adapter)

        config: Any = client.config
        config.session_configuration_callback = mounted
        return client

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Post the image and wait for its answer, in ``timeout`` seconds together."""
        deadline = time.monotonic() + timeout
        token = self.start(image, timeout=timeout)
        while (left := deadline - time.monotonic()) > self.poll_s:
            time.sleep(self.poll_s)
            if (answer := self.poll(token, timeout=left - self.poll_s)) is not None:
                return answer
        raise SERVICE.error(Problem(TimedOut, f"operation {token} is still running"))

    def start(self, image: PreparedImage, *, timeout: float) -> str:
        """Post the image; the id of the operation that reads it."""
        data = io.BytesIO(image.data)
        post = self._client.read_in_stream
        reply = self._wire.ask(lambda: post(data, raw=True, timeout=timeout), timeout=timeout, expected=202)
        token = reply.headers.get("operation-location", "").rstrip("/").rpartition("/")[2]
        if not OPERATION.fullmatch(token) or self._wire.secrets.masked(token) != token:
            raise SERVICE.error(Problem(BadAnswer, "no Operation-Location"))
        return token

    def poll(self, token: str, *, timeout: float) -> Answer | None:
        """One look at the operation; None while it is still at work."""
        look = self._client.get_read_result
        reply = self._wire.ask(lambda: look(token, raw=True, timeout=timeout), timeout=timeout)
        raw = self._wire.document(reply)
        from digitrec.providers.azure_answer import is_pending

        return None if is_pending(raw) else parse(raw)


def parse(raw: Any) -> Answer:
    """A Read operation's result, when it is over: any JSON value.

    Raises:
        Rejected: the operation failed.
        BadAnswer: it is no such operation.
    """
    from digitrec.providers import azure_answer

    return azure_answer.parse(raw, SERVICE)
