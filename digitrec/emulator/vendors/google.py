"""Google Cloud Vision, REST v1: ``POST /v1/images:annotate`` with both text features."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from digitrec.emulator.picture import Picture
from digitrec.emulator.vendors.base import Failures, Request, Response, Vendor
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


def _quota(limit: str, unit: str) -> tuple[Any, ...]:
    message = f"Quota exceeded for quota metric 'Requests' and limit 'Requests per {limit}'."
    limited = {"quota_limit": f"RequestsPer{limit.title()}PerProject", "quota_unit": unit}
    return 429, "RESOURCE_EXHAUSTED", message, "RATE_LIMIT_EXCEEDED", {"consumer": _CONSUMER, **limited}


class Google(Vendor):
    """Google Cloud Vision."""

    name = "google"
    variables: ClassVar[Mapping[str, str]] = {"DIGITREC_GOOGLE_ENDPOINT": "{}"}
    main_field = "responses"
    failures: ClassVar[Failures] = {
        "bad key": (400, "INVALID_ARGUMENT", "API key not valid.", "API_KEY_INVALID"),
        "no key": (403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers."),
        "400": (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
        "401": (401, "UNAUTHENTICATED", "Invalid authentication credentials.", "ACCESS_TOKEN_EXPIRED"),
        "403": (403, "PERMISSION_DENIED", "Cloud Vision API is disabled.", "SERVICE_DISABLED",
                {"consumer": _CONSUMER}),
        "404": (404, "NOT_FOUND", "Requested entity was not found."),
        "429": _quota("minute", "1/min/{project}"),
        "quota": _quota("day", "1/d/{project}"),
        "500": (500, "INTERNAL", "Internal error encountered."),
        "503": (503, "UNAVAILABLE", "The service is currently unavailable."),
        "504": (504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    }  # fmt: skip

    @staticmethod
    def error(*what: Any) -> Response:
        """Return an error of the whole request, a google.rpc.Status as JSON.

        Args:
            what: HTTP status, name of the google.rpc code, message, and, where Google gives them, the
                machine-readable reason and what Google adds to it.
        """
        http, name, message, *rest = what
        body: dict[str, Any] = {"code": http, "message": message, "status": name}
        if rest:
            reason, metadata = (*rest, {})[:2]
            body["details"] = [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
                "domain": "googleapis.com", "metadata": {"service": _SERVICE, **metadata},
            }]  # fmt: skip
        return Response.of_json(http, {"error": body})

    def read(self, request: Request) -> Response:
        """Annotate up to 16 images; a bad image fails only in its own place, with status 200."""
        if not ADDRESS.fullmatch(request.path) or request.method != "POST":
            return self.failure("404")
        self._check_key(request)
        if len(request.body) > MAX_REQUEST_BYTES:
            message = f"Request payload size exceeds the limit: {MAX_REQUEST_BYTES} bytes."
            return self.error(400, "INVALID_ARGUMENT", message)
        try:
            entries = _entries(request.body)
        except ValueError as wrong:
            return self.error(400, "INVALID_ARGUMENT", str(wrong))
        answers = [self._annotate(entry) for entry in entries]
        billed = sum(
            len(entry["features"])
            for entry, annotated in zip(entries, answers, strict=True)
            if "error" not in annotated
        )
        return Response.of_json(200, {"responses": answers}, billed=billed)

    def _check_key(self, request: Request) -> None:
        """Raise Refused if the key or token is missing or wrong."""
        keys, tokens = self.credentials.google_api_keys, self.credentials.google_tokens
        if keys is None and tokens is None:
            return
        key = request.headers.get("x-goog-api-key") or request.parameters.get("key")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key and not token:
            raise self.refused("no key")
        if key and key not in (keys or ()):
            raise self.refused("bad key")
        if not key and token not in (tokens or ()):
            raise self.refused("401")

    def _annotate(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """The answer for one image."""
        kinds = [feature.get("type") for feature in entry["features"]]
        plain, document = (any(kind in names for kind in kinds) for names in (PLAIN_TEXT, DOCUMENT_TEXT))
        if not plain and not document:
            return _error(12, "This emulator reads text only; ask for a text feature.")
        if "content" not in entry["image"]:
            return _error(7, "We can not access the URL currently.")
        try:
            picture = Picture.decode(entry["image"]["content"])
        except ImageError:
            return _error(3, "Bad image data.")
        scored = document or entry["parameters"].get("enableTextDetectionConfidenceScore") is True
        words = self.reader.read(picture)
        language = entry["hints"][0] if entry["hints"] else language_of(words)
        return {
            **annotation(words, picture, scored=scored, language=language),
            "context": {"uri": self.model_version},
        }


def _error(code: int, message: str) -> dict[str, Any]:
    """Return the error of one image: a google.rpc code (3 is a bad argument) and a message."""
    return {"error": {"code": code, "message": message}}


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
