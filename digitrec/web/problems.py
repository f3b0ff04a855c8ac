"""Convert errors to RFC 9457 problem bodies: one table of HTTP statuses, and one place for the wording."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from digitrec import errors

MEDIA_TYPE = "application/problem+json"
NOT_READ = ("AVIF", "PDF")
"""Formats that digitrec reads but a server rejects. An AVIF can claim to be small and hold a huge picture,
which shows only when it fills the memory; a PDF may keep its decoder busy."""
FOR_OPERATORS = re.compile(r"--\w|\bpip |\bdigitrec[ .[]|\bdigitrec_|config|install", re.IGNORECASE)
"""Matches advice that only the server's operator can follow."""
FOR_VISITORS = "this cannot be read here; send the picture as a JPEG or a PNG"
"""The message that replaces such advice."""

STATUS: dict[type[errors.DigitrecError], int] = {
    errors.ImageError: 422,
    errors.UnknownProvider: 422,
    errors.BudgetExceeded: 402,
    errors.Rejected: 422,
    errors.QuotaExceeded: 503,
    errors.TimedOut: 504,
    errors.Unavailable: 503,
    errors.ProviderError: 502,
    errors.DataError: 409,
    errors.DigitrecError: 500,
}
"""The HTTP status of each error class; a class that is missing has the status of its nearest parent."""


@dataclass(eq=False)
class Problem(Exception):
    """An error that the server answers with a problem body."""

    status: int
    """HTTP status."""
    kind: str
    """The last part of the problem's ``type``; docs/api.md lists all of them."""
    detail: str
    """One line: what happened and what to do."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the response (Retry-After, Allow, ...)."""

    def body(self) -> dict[str, Any]:
        """Return the members of the problem body."""
        return {
            "type": f"urn:digitrec:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }

    def response(self) -> Response:
        """Return the HTTP response with the problem."""
        return Response(json.dumps(self.body()), self.status, dict(self.headers), MEDIA_TYPE)


def busy(detail: str) -> Problem:
    """Return the problem of a server at capacity; the client may retry after a second."""
    return Problem(503, "busy", detail, {"Retry-After": "1"})


def too_large(most_bytes: int) -> Problem:
    """Return the problem of a request larger than ``most_bytes``."""
    limit = f"{most_bytes / 1_000_000:g} MB"
    return Problem(413, "too-large", f"the request is larger than {limit}; scale the picture down")


INTERNAL = Problem(500, "internal", "something went wrong in the server; its log says what")


def from_error(error: errors.DigitrecError) -> Problem:
    """Convert an error of digitrec to a problem for the client.

    Of an error between this server and a vendor report only the kind: the vendor's message is for the
    operator's log.
    """
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
    retry = getattr(error, "retry_after", None)
    headers = {"Retry-After": str(max(1, round(retry or 10)))} if status == 503 else {}
    return Problem(status, kind, _detail(error, status), headers)


def _detail(error: errors.DigitrecError, status: int) -> str:
    if isinstance(error, errors.ProviderError):
        engine = error.provider or "the engine"
        if isinstance(error, errors.Rejected):
            return f"{engine} rejects this picture; send another, or ask another engine"
        return f"{engine} gave no answer ({type(error).__name__}); try later or ask another"
    if isinstance(error, errors.BudgetExceeded):
        return "the budget of this server is spent; ask an engine that is free, or come back later"
    if status >= 500:
        return "the server is not set up for this; its log says what is missing"
    words = str(error).removeprefix("<bytes>: ")
    for name in NOT_READ:
        words = words.replace(f", {name}", "")  # remove formats that this server rejects from the list
    return FOR_VISITORS if FOR_OPERATORS.search(words) else words


def install(app: FastAPI) -> None:
    """Answer every error of the app with a problem."""

    async def answer(request: Request, error: Exception) -> Response:
        return _problem(error).response()

    for kind in (errors.DigitrecError, Problem, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, errors.DigitrecError):
        return from_error(error)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return Problem(422, "invalid-request", f"{where}: {first['msg']}")
    assert isinstance(error, HTTPException)
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return Problem(error.status_code, kind, f"{error.detail}; see /docs", error.headers or {})
