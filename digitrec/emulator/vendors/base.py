"""What every emulated vendor has in common: requests, responses, limits of a picture, and errors."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar

from digitrec.emulator.reading import Picture, Reader
from digitrec.errors import ImageError

Failures = Mapping[str, tuple[Any, ...]]
POLLS = ("endless-poll", "failed-poll", "unknown-poll")
"""Faults of polls: the operation is running, has failed, or has an unknown status."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request with its whole body."""

    method: str
    """"GET", "POST", ..."""
    path: str
    """Path without the query."""
    parameters: Mapping[str, str]
    """The query, decoded."""
    headers: Mapping[str, str] = field(repr=False)
    """Headers, their names in lower case."""
    body: bytes = field(repr=False)
    """Its body."""
    head: bytes = field(default=b"", repr=False)
    """Request line and headers."""


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
    """Units that the vendor would bill, >= 0."""

    @classmethod
    def of_json(
        cls, status: int, value: Any, *, media_type: str = "application/json; charset=utf-8", billed: int = 0
    ) -> Response:
        """Return a response whose body is ``value`` as JSON."""
        body = json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace")  # a lone surrogate
        return cls(status, body, {"Content-Type": media_type}, billed)

    @classmethod
    def of_html(cls, status: int, title: str = "") -> Response:
        """Return a short page, as gateways and proxies send it; without a title the status's phrase."""
        title = title or f"{status} {HTTPStatus(status).phrase}"
        page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        return cls(status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


class Refused(Exception):
    """The service rejects this request.

    Attributes:
        response: the service's error.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Vendor(ABC):
    """One vendor's protocol: its addresses, its checks, the form of its answers and errors."""

    name: ClassVar[str]
    """Name of the vendor's provider."""
    prefix: ClassVar[str] = "/"
    """How the addresses of this vendor begin."""
    polled: ClassVar[bool] = False
    """Whether clients poll for an answer."""
    variables: ClassVar[Mapping[str, str]]
    """Environment variables by which programs find the emulator; "{}" is its endpoint."""
    failures: ClassVar[Failures]
    """Arguments of `error` for each fault ("400" .. "504", "quota"), and for a picture that is
    a "bad image", "too large" or of a "wrong size". A status that is missing is answered with HTML."""
    formats: ClassVar[tuple[str, ...]]
    """Formats of pictures that the service accepts."""
    max_bytes: ClassVar[int]
    """Largest picture that the service accepts, in bytes."""
    sides: ClassVar[tuple[int, int]] = (1, sys.maxsize)
    """Smallest and largest width and height, in pixels."""

    def __init__(self, reader: Reader, keys: Collection[str] | None = None) -> None:
        self.reader = reader
        self._keys = keys
        self.engine = reader.name
        self.model_version = f"emulated-{reader.name}"

    @staticmethod
    @abstractmethod
    def error(*what: Any) -> Response:
        """Return an error in the vendor's form."""

    def answer(self, request: Request) -> Response:
        """Return the reading, or the vendor's error for a wrong key, address or image."""
        try:
            return self.read(request)
        except Refused as refused:
            return refused.response

    @abstractmethod
    def read(self, request: Request) -> Response:
        """Return the reading of the picture in a request.

        Raises:
            Refused: with the vendor's own error.
        """

    def accepts(self, key: str) -> bool:
        """Return whether a key is one of those that the emulator was given; without them any key is."""
        return self._keys is None or key in self._keys

    def picture(self, data: bytes) -> Picture:
        """Decode a picture within the service's limits.

        Raises:
            Refused: it is not a picture, is too large, or has a format or size that the service rejects.
        """
        if len(data) > self.max_bytes:
            raise self.refused("too large")
        try:
            picture = Picture.decode(data)
        except ImageError:
            raise self.refused("bad image") from None
        if picture.format not in self.formats:
            raise self.refused("bad image")
        least, most = self.sides
        if not least <= min(picture.width, picture.height) <= max(picture.width, picture.height) <= most:
            raise self.refused("wrong size")
        return picture

    def failure(self, kind: str) -> Response:
        """Return the vendor's own error, one of `failures`."""
        what = self.failures.get(kind)
        return Response.of_html(int(kind)) if what is None else self.error(*what)

    def refused(self, kind: str) -> Refused:
        """Return the exception for one of `failures`."""
        return Refused(self.failure(kind))

    def is_poll(self, request: Request) -> bool:
        """Return whether the request polls for an answer."""
        return self.polled and request.method == "GET"

    def polled_as(self, kind: str) -> Response:
        """Return the answer to a poll with one of `POLLS`; only for a vendor that is polled."""
        raise NotImplementedError(f"{self.name} is not polled")

    def may_meet(self, kind: str) -> bool:
        """Return whether a kind of fault applies to this vendor."""
        return self.polled or kind not in POLLS


class Stranger(Vendor):
    """A vendor that no provider knows: it sends a long document of blanks, and its errors as HTML."""

    name = ""
    failures: ClassVar[Failures] = {}

    def __init__(self) -> None:
        self.engine = ""

    @staticmethod
    def error(*what: object) -> Response:
        """Return nothing: `failures` is empty."""
        raise NotImplementedError

    def read(self, request: Request) -> Response:
        """Return blanks, which are not JSON."""
        return Response(200, b" " * 2_000, {"Content-Type": "application/json"})
