"""Google Cloud Vision, REST v1: ``POST /v1/images:annotate`` with both text features, and its errors.

An error is a google.rpc.Status as JSON, or an HTML page of Google's front end.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from digitrec.emulator.picture import Picture
from digitrec.emulator.vendors.base import Request, Response, Vendor
from digitrec.emulator.vendors.google_text import annotation, language_of
from digitrec.errors import ImageError

ADDRESS = re.compile(r"/v1/(projects/[^/]+/(locations/[^/]+/)?)?images:annotate")
MAX_REQUEST_BYTES = 10 * 1024 * 1024
"""Google's limit for a request's JSON; base64 makes that about 7.8 MB of picture."""
MAX_IMAGES = 16
"""Google's limit for one batch."""
PLAIN_TEXT = (5, "TEXT_DETECTION")
DOCUMENT_TEXT = (11, "DOCUMENT_TEXT_DETECTION")


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


class Google(Vendor):
    """Google Cloud Vision."""

    name = "google"
    failures = FAILURES

    @classmethod
    def environment(cls, endpoint: str) -> dict[str, str]:
        """As digitrec alone reads it: Google's SDK reads no address from the environment."""
        return {"DIGITREC_GOOGLE_ENDPOINT": endpoint}

    def read(self, request: Request) -> Response:
        """Annotate up to 16 images; a bad one takes only its own place, with status 200."""
        if not ADDRESS.fullmatch(request.path) or request.method != "POST":
            return error(404, "NOT_FOUND", "Requested entity was not found.")
        if (refusal := self._refused(request)) is not None:
            return refusal
        if len(request.body) > MAX_REQUEST_BYTES:
            message = f"Request payload size exceeds the limit: {MAX_REQUEST_BYTES} bytes."
            return error(400, "INVALID_ARGUMENT", message)
        try:
            entries = _entries(request.body)
        except ValueError as wrong:
            return error(400, "INVALID_ARGUMENT", str(wrong))
        answers = [self._annotate(entry) for entry in entries]
        billed = sum(
            len(entry["features"])
            for entry, annotated in zip(entries, answers, strict=True)
            if "error" not in annotated
        )
        return Response.of_json(200, {"responses": answers}, billed=billed)

    def without_field(self, request: Request) -> Response:
        """An answer without "responses"."""
        return Response.of_json(200, {})

    def _refused(self, request: Request) -> Response | None:
        """Google's answer to a missing or wrong key; None when the key is right."""
        keys, tokens = self.credentials.google_api_keys, self.credentials.google_tokens
        if keys is None and tokens is None:
            return None
        key = request.headers.get("x-goog-api-key") or request.parameters.get("key")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if key:
            return None if key in (keys or ()) else FAILURES["bad key"]()
        if token:
            return None if token in (tokens or ()) else FAILURES["401"]()
        return FAILURES["no key"]()

    def _annotate(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The answer for one image."""
        kinds = [feature.get("type") for feature in entry["features"]]
        plain, document = (any(kind in names for kind in kinds) for names in (PLAIN_TEXT, DOCUMENT_TEXT))
        if not plain and not document:
            return {"error": status(12, "This emulator reads text only; ask for a text feature.")}
        if "content" not in entry["image"]:
            message = "We can not access the URL currently. Please download the content and pass it in."
            return {"error": status(7, message)}
        try:
            picture = Picture.decode(entry["image"]["content"])
        except ImageError:
            return {"error": status(3, "Bad image data.")}
        scored = document or entry["parameters"].get("enableTextDetectionConfidenceScore") is True
        words = self.reader.read(picture)
        language = entry["hints"][0] if entry["hints"] else language_of(words)
        return {
            **annotation(words, picture, scored=scored, language=language),
            "context": {"uri": self.model_version},
        }


def _entries(body: bytes) -> list[dict[str, Any]]:
    """The requests of a batch, their images decoded from base64.

    Raises:
        ValueError: with Google's message for what is wrong.
    """
    try:
        found = [_entry(entry) for entry in json.loads(body)["requests"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("Request must specify image and features.") from None
    if len(found) > MAX_IMAGES:
        raise ValueError("Too many images per request.")
    for place, entry in enumerate(found):
        if "content" in entry["image"]:
            entry["image"]["content"] = _decoded(entry["image"]["content"], place)
    return found


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One request, its parts of the right shape."""
    context = dict(entry.get("imageContext") or {})
    return {
        "image": dict(entry["image"]),
        "features": [dict(feature) for feature in entry["features"]],
        "parameters": dict(context.get("textDetectionParams") or {}),
        "hints": [str(hint) for hint in context.get("languageHints") or []],
    }


def _decoded(content: str, place: int) -> bytes:
    """Base64 as protobuf's JSON takes it: either alphabet, with or without padding."""
    try:
        text = content.replace("-", "+").replace("_", "/").rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError, AttributeError):
        message = f"Invalid value at 'requests[{place}].image.content' (TYPE_BYTES), Base64 decoding failed"
        raise ValueError(message) from None
