"""The base class of the emulated vendors: requests, responses, limits of a picture, and errors."""

from __future__ import annotations

import json
import sys
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar

from digitrec.emulator.reading import Picture, Read, Word
from digitrec.errors import ImageError

ERRORS = tomllib.loads((Path(__file__).parent / "errors.toml").read_text("utf-8"))
"""Arguments of `Vendor.error` by service and by the name of the error."""
POLLS = {"endless-poll": "running", "failed-poll": "failed", "unknown-poll": "skipped"}
"""Faults of polls, and the status that the operation then has; no vendor documents the last one."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request with its whole body."""

    method: str
    """"GET", "POST", ..."""
    path: str
    """Path without the query."""
    parameters: Mapping[str, str]
    """The decoded query."""
    headers: Mapping[str, str] = field(repr=False)
    """Headers, with names in lower case."""
    body: bytes = field(repr=False)
    """The body."""
    head: bytes = field(default=b"", repr=False)
    """Request line and headers."""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response."""

    status: int
    """HTTP status, 100..599."""
    body: bytes = b""
    """The body as sent."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers besides Content-Length, Date and the emulator's mark."""
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
        """Return a short page as gateways and proxies send it; without a title use the status's phrase."""
        title = title or f"{status} {HTTPStatus(status).phrase}"
        page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        return cls(status, page.encode(), {"Content-Type": "text/html; charset=utf-8"})


class Refused(Exception):
    """Raised if the service rejects a request; its text is the name of the error in `ERRORS`."""


class Vendor(ABC):
    """One vendor's API: its addresses, its checks, and the form of its answers and errors."""

    name: ClassVar[str]
    """Name of the vendor's provider."""
    prefix: ClassVar[str] = "/"
    """Prefix of the addresses of this vendor."""
    polled: ClassVar[bool] = False
    """Whether clients poll for an answer."""
    variables: ClassVar[Mapping[str, str]]
    """Environment variables through which programs find the emulator; "{}" stands for its endpoint."""
    family: ClassVar[str] = ""
    """A service that has the same errors; "": no service has."""
    request_id: ClassVar[str] = ""
    """The header with the number of a request that callers log; "": none."""
    formats: ClassVar[tuple[str, ...]]
    """Formats of pictures that the service accepts."""
    max_bytes: ClassVar[int]
    """Maximum size of a picture that the service accepts, in bytes."""
    sides: ClassVar[tuple[int, int]] = (1, sys.maxsize)
    """Minimum and maximum width and height, in pixels."""
    error: ClassVar[Callable[..., Response]]
    """Returns an error in the vendor's form; the arguments are those in `ERRORS`."""

    def __init__(self, engine: str, words_on: Read, keys: Collection[str] | None = None) -> None:
        self.engine = engine
        self.words_on = words_on
        self._keys = keys
        self.model_version = f"emulated-{engine}"

    @abstractmethod
    def read(self, request: Request) -> Response:
        """Return the reading of the picture in a request, or an error.

        Raises:
            Refused: the vendor rejects the request with an error in `ERRORS`.
        """

    def check_key(self, key: str) -> None:
        """Check that the emulator accepts a key: one of its keys, or any key if it was given none.

        Raises:
            Refused: the key is empty or wrong.
        """
        if not key:
            raise Refused("no key")
        if self._keys is not None and key not in self._keys:
            raise Refused("bad key")

    def picture(self, data: bytes) -> Picture:
        """Decode a picture within the service's limits.

        Raises:
            Refused: the data are not a picture, are too large, or have a format or size that the
                service rejects.
        """
        if len(data) > self.max_bytes:
            raise Refused("too large")
        try:
            picture = Picture.decode(data)
        except ImageError:
            raise Refused("bad image") from None
        if picture.format not in self.formats:
            raise Refused("bad image")
        least, most = self.sides
        if not least <= min(picture.width, picture.height) <= max(picture.width, picture.height) <= most:
            raise Refused("wrong size")
        return picture

    def failure(self, kind: str) -> Response:
        """Return the vendor's error named ``kind`` in `ERRORS`; for a missing status a gateway's page."""
        what = {**ERRORS.get(self.family, {}), **ERRORS.get(self.name, {})}.get(kind)
        return Response.of_html(int(kind)) if what is None else self.error(*what)

    def is_poll(self, request: Request) -> bool:
        """Return whether the request polls for an answer."""
        return self.polled and request.method == "GET"

    def polled_as(self, kind: str) -> Response:
        """Return the answer to a poll with one of `POLLS`; only for a vendor that is polled."""
        raise NotImplementedError(f"{self.name} is not polled")

    def may_meet(self, kind: str) -> bool:
        """Return whether a kind of fault applies to this vendor."""
        return self.polled or kind not in POLLS


class PictureVendor(Vendor):
    """A vendor whose service reads one picture for each request."""

    def reading(self, data: bytes) -> dict[str, Any]:
        """Return the service's result for a picture.

        Raises:
            Refused: as for `picture`.
        """
        picture = self.picture(data)
        return self.found(self.words_on(picture), picture)

    @abstractmethod
    def found(self, words: Sequence[Word], picture: Picture) -> dict[str, Any]:
        """Return the service's result for the words on a picture."""


class Stranger(Vendor):
    """A vendor that no provider knows: it sends a long document of blanks, and its errors as HTML."""

    name = ""

    def __init__(self) -> None:
        super().__init__("", lambda _: ())

    def read(self, request: Request) -> Response:
        """Return blanks, which are not JSON."""
        return Response(200, b" " * 2_000, {"Content-Type": "application/json"})
