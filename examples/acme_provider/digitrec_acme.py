"""Acme OCR, an imaginary service, as a provider for digitrec.

It takes a POST of a PNG to /read, with the key in the header X-Acme-Key, and answers
{"model": "acme-2", "words": [{"text": "7", "percent": 93.5}]}.

Each word is a candidate; its confidence of 0 to 100 is divided by 100.
"""

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, ClassVar
from urllib.parse import SplitResult, urlsplit

from digitrec.answer import Answer, Candidate, checked
from digitrec.errors import AuthFailed, BadAnswer, NotConfigured, TimedOut, Unavailable, Unreachable
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.base import BaseProvider, Price, Status, checked_endpoint, checked_key
from digitrec.providers.translate import Problem, Rule, Service, from_http


class Acme(BaseProvider):
    """Reads text with Acme OCR."""

    wants = InputSpec(encoding="png", min_side=100, max_side=4000, max_bytes=2_000_000, margin=0.1)
    gives_boxes = False
    price: Price | None = Price(0.001, "acme.example/prices, 2026-11")
    rate = 5.0
    # `from_env` builds the provider from these variables; the options of `open_provider` override them.
    variables: ClassVar[Mapping[str, Sequence[str]]] = {"key": ("ACME_KEY",), "endpoint": ("ACME_ENDPOINT",)}

    def __init__(
        self, *, key: str = "", endpoint: str = "https://ocr.acme.example", name: str = "acme"
    ) -> None:
        """Check the settings; nothing is sent yet.

        Raises:
            NotConfigured: the key is empty or invalid, or the endpoint is not an address.
        """
        self._key = checked_key(key, "ACME_KEY")
        if not self._key:
            raise NotConfigured("Acme OCR has no key; set ACME_KEY")
        self.name = name
        self.endpoint = checked_endpoint(endpoint, "ACME_ENDPOINT", allow_plain_http=False)
        self._address = urlsplit(self.endpoint)

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Return whether the key is set."""
        if env.get("ACME_KEY"):
            return Status(installed=True, configured=True, found=("ACME_KEY",))
        return Status(installed=True, configured=False, missing=("set ACME_KEY",))

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Send one request and return its answer."""
        with SERVICE.translated([self._key]):
            raw = self._ask(image.data, timeout)
        return parse(raw)

    def _ask(self, data: bytes, timeout: float) -> Any:
        """Send one request, without a retry; return the decoded JSON."""
        connection = _client(self._address, timeout)
        try:
            _connect(connection)
            connection.request("POST", "/read", data, {"X-Acme-Key": self._key, "Content-Type": "image/png"})
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise Refused(response.status, body.decode("utf-8", "replace"), dict(response.headers))
            return json.loads(body)
        finally:
            connection.close()


def _client(address: SplitResult, timeout: float) -> HTTPConnection:
    """Return a client; with an SDK, import it here and raise NotInstalled if it is missing."""
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    return kind(address.netloc, timeout=timeout)


def _connect(connection: HTTPConnection) -> None:
    """Connect first: a failure here means that nothing was sent, so the budget does not count it."""
    try:
        connection.connect()
    except OSError as error:
        raise SERVICE.error(Problem(Unreachable, str(error))) from error


def parse(raw: Any) -> Answer:
    """Convert Acme's JSON, or any other JSON value, to an Answer.

    Raises:
        BadAnswer: the list of words is missing (an empty list is valid), or a word is invalid.
    """
    try:
        words = [Candidate(word["text"], word["percent"] / 100) for word in raw["words"]]
    except (KeyError, TypeError, OverflowError) as error:
        raise SERVICE.error(Problem(BadAnswer, f"no {error}")) from error
    return checked(Answer(tuple(words), raw=raw, model_version=raw.get("model")))


class Refused(Exception):
    """The server's status was not 200; an SDK has its own exception for this."""

    def __init__(self, status: int, said: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"{status} {said}")
        self.status, self.said, self.headers = status, said, headers


def _refused(error: Refused) -> Problem:
    return from_http(error.status, error.said, error.headers)


ERRORS: Mapping[str, Rule] = {
    f"{__name__}.Refused": _refused,
    "builtins.TimeoutError": TimedOut,
    "builtins.OSError": Unavailable,
    "http.client.HTTPException": BadAnswer,
    "json.decoder.JSONDecodeError": BadAnswer,
    "builtins.UnicodeDecodeError": BadAnswer,
}
"""Rules for exceptions by the full name of their class; the most specific listed class decides."""

SERVICE = Service("Acme OCR", ERRORS, {AuthFailed: "check ACME_KEY"})
