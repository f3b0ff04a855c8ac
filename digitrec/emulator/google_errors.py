"""Google's error bodies: google.rpc.Status as JSON, and the HTML pages of its front end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from digitrec.emulator.protocol import Response

_SERVICE = "vision.googleapis.com"
_CONSUMER = "projects/123456789"


def status(code: int, message: str) -> dict[str, Any]:
    """The error of one image in a batch: a google.rpc code (3 is a bad argument) and a message."""
    return {"code": code, "message": message}


def error(http: int, name: str, message: str, reason: str | None = None, **metadata: str) -> Response:
    """An error of the whole request.

    Args:
        http: HTTP status.
        name: name of the google.rpc code, such as "INVALID_ARGUMENT".
        message: Google's sentence.
        reason: the machine-readable reason, such as "API_KEY_INVALID".
        metadata: what Google adds to a reason.
    """
    body: dict[str, Any] = {"code": http, "message": message, "status": name}
    if reason is not None:
        body["details"] = [{
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
            "domain": "googleapis.com", "metadata": {"service": _SERVICE, **metadata},
        }]  # fmt: skip
    return Response.of_json(http, {"error": body})


def _quota(limit: str, unit: str) -> Response:
    message = (
        f"Quota exceeded for quota metric 'Requests' and limit 'Requests per {limit}' of service "
        f"'{_SERVICE}' for consumer 'project_number:123456789'."
    )
    return error(
        429, "RESOURCE_EXHAUSTED", message, "RATE_LIMIT_EXCEEDED", consumer=_CONSUMER,
        quota_metric=f"{_SERVICE}/default_requests", quota_limit=f"RequestsPer{limit.title()}PerProject",
        quota_unit=unit, quota_limit_value="1800",
    )  # fmt: skip


_DISABLED = (
    "Cloud Vision API has not been used in project 123456789 before or it is disabled. Enable it by "
    "visiting https://console.developers.google.com/apis/api/vision.googleapis.com/overview"
    "?project=123456789 then retry."
)
_UNAUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
    "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)
_NO_KEY = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
    "other form of API consumer identity to call this API."
)

FAILURES: dict[str, Callable[[], Response]] = {
    "bad key": partial(
        error, 400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"
    ),
    "no key": partial(error, 403, "PERMISSION_DENIED", _NO_KEY),
    "400": partial(error, 400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "401": partial(error, 401, "UNAUTHENTICATED", _UNAUTHENTICATED, "ACCESS_TOKEN_EXPIRED"),
    "403": partial(error, 403, "PERMISSION_DENIED", _DISABLED, "SERVICE_DISABLED", consumer=_CONSUMER),
    "404": partial(error, 404, "NOT_FOUND", "Requested entity was not found."),
    "413": partial(Response.of_html, 413, "Error 413 (Request Entity Too Large)!!1"),
    "429": partial(_quota, "minute", "1/min/{project}"),
    "quota": partial(_quota, "day", "1/d/{project}"),
    "500": partial(error, 500, "INTERNAL", "Internal error encountered."),
    "502": partial(Response.of_html, 502, "Error 502 (Server Error)!!1"),
    "503": partial(error, 503, "UNAVAILABLE", "The service is currently unavailable."),
    "504": partial(error, 504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}
"""Google's answer for each fault, and for a key that is wrong or missing."""
