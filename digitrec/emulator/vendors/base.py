"""What every emulated vendor has in common: a request, a response, and who turns one into the other."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from digitrec.emulator.credentials import Credentials
from digitrec.emulator.engines import Reader

POLLS = ("endless-poll", "failed-poll", "unknown-poll")
"""Faults of polls: the operation is at work, has failed, or has a status that nobody knows."""
SPOKEN = ("refusal", "length", "filtered", "fenced", "no-logprobs", "no-usage")
"""Faults of a language model: the right answer, as it is when the model or its server does something else."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read wholly."""

    method: str
    """"GET", "POST", ..."""
    path: str
    """Path as it was sent, without the query."""
    query: str
    """Query as it was sent, without the question mark."""
    headers: Mapping[str, str] = field(repr=False)
    """Headers, their names in lower case."""
    body: bytes = field(repr=False)
    """Body, with any chunking undone."""
    head: bytes = field(default=b"", repr=False)
    """Request line and headers."""

    @property
    def parameters(self) -> dict[str, str]:
        """The query, decoded."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def media_type(self) -> str:
        """Content-Type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response."""

    status: int
    """HTTP status, 100..599."""
    body: bytes = b""
    """Body as it is sent."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers beside Content-Length, Date and the emulator's mark."""
    billed: int = 0
    """Units for which the vendor would send a bill, >= 0."""

    @classmethod
    def of_json(
        cls, status: int, value: Any, *, media_type: str = "application/json; charset=utf-8",
        headers: Mapping[str, str] | None = None, billed: int = 0,
    ) -> Response:  # fmt: skip
        """A response whose body is ``value`` as JSON."""
        body = json.dumps(value, ensure_ascii=False).encode(
            errors="backslashreplace"
        )  # half a surrogate pair
        return cls(status, body, {"Content-Type": media_type, **(headers or {})}, billed)

    @classmethod
    def of_html(cls, status: int, title: str) -> Response:
        """A short page, as gateways and proxies send it."""
        page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        return cls(status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def with_headers(self, **headers: str) -> Response:
        """The same response with more headers; an underscore in a name stands for a hyphen."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **more})


class Refused(Exception):
    """The service does not take this request.

    Attributes:
        response: the service's answer to it.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Vendor(ABC):
    """One vendor's protocol: its addresses, its checks, the form of its answers and errors."""

    name: ClassVar[str]
    """Name of the vendor, as the provider that asks it is registered."""
    prefix: ClassVar[str] = "/"
    """How the addresses of this vendor begin."""
    polled: ClassVar[bool] = False
    """Whether an answer is fetched by polling."""
    speaks: ClassVar[bool] = False
    """Whether a language model answers."""
    failures: ClassVar[Mapping[str, Callable[[], Response]]]
    """The vendor's own error for each fault: a status ("400" .. "504") or "quota"."""

    def __init__(self, reader: Reader, credentials: Credentials) -> None:
        self.reader = reader
        self.credentials = credentials
        self.engine = reader.name
        self.model_version = f"emulated-{reader.name}"

    @classmethod
    @abstractmethod
    def environment(cls, endpoint: str) -> dict[str, str]:
        """The variables by which programs find this vendor's emulator, and keys that it takes by default."""

    def answer(self, request: Request) -> Response:
        """What the vendor answers: the reading, or its own error for a wrong key, address or image."""
        try:
            return self.read(request)
        except Refused as refused:
            return refused.response

    @abstractmethod
    def read(self, request: Request) -> Response:
        """The reading of the picture in a request.

        Raises:
            Refused: with the vendor's own error.
        """

    def failure(self, kind: str) -> Response:
        """The vendor's own error for a fault, one of `failures`."""
        return self.failures[kind]()

    def throttled(self, wait_s: int) -> Response:
        """The refusal of a request that came too fast; ``wait_s`` whole seconds later one may come."""
        return self.failure("429").with_headers(Retry_After=str(wait_s))

    def common_headers(self) -> dict[str, str]:
        """Headers that are in every answer of this vendor, whatever else it is."""
        return {}

    @abstractmethod
    def without_field(self, request: Request) -> Response:
        """A successful answer that lacks the field everything depends on."""

    def is_poll(self, request: Request) -> bool:
        """Whether the request only asks for an answer that is being worked on."""
        return self.polled and request.method == "GET"

    def polled_as(self, kind: str) -> Response:
        """The answer to a poll that meets one of `POLLS`; only for a vendor that is polled."""
        raise NotImplementedError(f"{self.name} is not polled")

    def spoken_as(self, kind: str, response: Response) -> Response:
        """An answer as it is with one of `SPOKEN`; only for a vendor that is a language model."""
        raise NotImplementedError(f"{self.name} is no language model")

    def may_meet(self, kind: str) -> bool:
        """Whether a kind of fault can befall this vendor."""
        return (self.polled or kind not in POLLS) and (self.speaks or kind not in SPOKEN)
