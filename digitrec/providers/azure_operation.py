"""Answers of Azure's that are ordered first and fetched later: an image is posted, its operation polled.

Posting is what costs, so the two can be called apart (`digitrec.providers.base.Resumable`).
"""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import urlsplit

from digitrec.answer import Answer
from digitrec.errors import BadAnswer, TimedOut
from digitrec.image import PreparedImage
from digitrec.providers.azure_resource import AzureProvider
from digitrec.providers.translate import Problem, retry_after

OPERATION = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""What the id of one looks like: a UUID."""
PENDING = ("notStarted", "running")
"""What the status of one is that is not over yet."""


class PolledProvider(AzureProvider):
    """A service of Azure that is asked by an operation."""

    def __init__(
        self,
        *,
        endpoint: str,
        key: str | None = None,
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

    def _post(self, data: bytes, timeout: float) -> Any:
        """Order the reading of an image by the SDK's client."""
        raise NotImplementedError

    def _look(self, token: str, timeout: float) -> Any:
        """Fetch an operation by the SDK's client."""
        raise NotImplementedError

    @staticmethod
    def _parse(raw: Any) -> Answer:
        """What an operation that is over says."""
        raise NotImplementedError

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Post the image and wait for its answer, in ``timeout`` seconds together."""
        deadline = time.monotonic() + timeout
        token = self.start(image, timeout=timeout)
        wait = self.poll_s
        while (left := deadline - time.monotonic()) > wait:
            time.sleep(wait)
            answer = self.poll(token, timeout=left - wait)
            if isinstance(answer, Answer):
                return answer
            wait = max(self.poll_s, answer or 0.0)
        raise self.service.error(Problem(TimedOut, f"operation {token} is still running"))

    def start(self, image: PreparedImage, *, timeout: float) -> str:
        """Post the image; the id of the operation that reads it."""
        reply = self._ask(lambda: self._post(image.data, timeout), timeout=timeout, expected=202)
        token = _last_part(reply.headers.get("operation-location", ""))
        if not OPERATION.fullmatch(token) or self._wire.secrets.masked(token) != token:
            raise self.service.error(Problem(BadAnswer, "no Operation-Location"))
        return token

    def poll(self, token: str, *, timeout: float) -> Answer | float | None:
        """Look once at the operation; while it runs, return the seconds that Azure asks to wait, or None."""
        reply = self._ask(lambda: self._look(token, timeout), timeout=timeout)
        raw = self._wire.document(reply)
        return retry_after(reply.headers) if is_pending(raw) else self._parse(raw)


def is_pending(raw: Any) -> bool:
    """Whether any JSON value is an operation that is not over yet, and should be looked at again."""
    return isinstance(raw, dict) and raw.get("status") in PENDING


def _last_part(address: str) -> str:
    """The last part of an address's path; "" where it is none."""
    try:
        return urlsplit(address).path.rstrip("/").rpartition("/")[2]
    except ValueError:  # a bracket that is not closed
        return ""
