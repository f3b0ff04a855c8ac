"""OpenAI's protocol: chat completions about one picture, and the list of models."""

from __future__ import annotations

import base64
import json
import math
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from digitrec.emulator.picture import Picture, lines
from digitrec.emulator.vendors.base import Failures, Refused, Request, Response, Vendor

CHAT, MODELS = re.compile(r"(/openai)?(/v1)?/chat/completions"), re.compile(r"(/openai)?(/v1)?/models")
DATA_URL = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,(?P<data>[A-Za-z0-9+/=]*)")
QUESTION_TOKENS = 120
"""Tokens of a question with a picture of low detail: 85 and the words."""
_BAD_IMAGE = (400, "You uploaded an unsupported image.", "invalid_request_error", "invalid_image_format")


class OpenAi(Vendor):
    """A server of OpenAI's protocol, whose model answers with a digit and a reason."""

    name = "openai"
    variables: ClassVar[Mapping[str, str]] = {
        "OPENAI_BASE_URL": "{}/v1",
        "OPENAI_API_KEY": "test",
        "DIGITREC_OPENAI_MODEL": "emulated",
    }
    main_field = "choices"
    formats = ("PNG", "JPEG", "WEBP", "GIF")
    max_bytes = 20 * 1024 * 1024
    failures: ClassVar[Failures] = {
        "400": (400, "Invalid request.", "invalid_request_error"),
        "401": (401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
        "403": (403, "Country, region, or territory not supported", "request_forbidden"),
        "404": (404, "The model does not exist.", "invalid_request_error", "model_not_found"),
        "429": (429, "Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
        "quota": (429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
        "500": (500, "The server had an error while processing your request.", "server_error"),
        "503": (503, "That model is currently overloaded with other requests.", "server_error"),
        **dict.fromkeys(("bad image", "too large"), _BAD_IMAGE),
    }

    @staticmethod
    def error(*what: Any) -> Response:
        """Return an error in OpenAI's form.

        Args:
            what: HTTP status, message, type, and, where OpenAI gives them, the code and the parameter.
        """
        http, message, kind, code, param = (*what, None, None)[:5]
        body = {"message": message, "type": kind, "param": param, "code": code}
        return Response.of_json(http, {"error": body})

    def read(self, request: Request) -> Response:
        """Return the one digit on a picture, or null, as JSON in a chat completion."""
        key = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        taken = self.credentials.openai_keys
        if not key or (taken is not None and key not in taken):
            return self.failure("401")
        if request.method == "GET" and MODELS.fullmatch(request.path):
            models = [{"id": self.model_version, "object": "model", "created": 0, "owned_by": "digitrec"}]
            return Response.of_json(200, {"object": "list", "data": models})
        if request.method != "POST" or not CHAT.fullmatch(request.path):
            return self.failure("404")
        asked = _asked(request.body)
        return self._completed(asked, self.picture(_data(asked)))

    def _completed(self, asked: Mapping[str, Any], picture: Picture) -> Response:
        words = self.reader.read(picture)
        text = "".join(word.text for word in words)
        digit = int(text) if len(text) == 1 and text in "0123456789" else None
        reason = "one digit" if digit is not None else "several characters" if text else "nothing is written"
        sure = words[0].confidence if words else 1.0
        parts = [('{"digit":', 1.0), (json.dumps(digit), sure), (f',"reason":{json.dumps(reason)}}}', 1.0)]
        if _is_about_numbers(asked):
            spelled = [(json.dumps(word.text), word.confidence) for row in lines(words) for word in row]
            between = [(",", 1.0)] * len(spelled)
            listed = [part for pair in zip(between, spelled, strict=True) for part in pair][1:]
            parts = [('{"numbers":[', 1.0), *listed, ("]}", 1.0)]
        alternatives = asked.get("top_logprobs") or 0
        tokens = [_token(*part, alternatives) for part in parts]
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "".join(text for text, _ in parts), "refusal": None},
            "logprobs": {"content": tokens, "refusal": None} if asked.get("logprobs") else None,
        }
        usage = {"prompt_tokens": QUESTION_TOKENS, "completion_tokens": len(tokens)}
        body = {
            "id": f"chatcmpl-{uuid.uuid4().hex}", "object": "chat.completion", "created": int(time.time()),
            "model": self.model_version, "choices": [choice],
            "usage": {**usage, "total_tokens": sum(usage.values())},
        }  # fmt: skip
        return Response.of_json(200, body, billed=1)


def _asked(body: bytes) -> dict[str, Any]:
    """Return the request's parameters; raise Refused where the request is malformed."""
    try:
        asked = json.loads(body)
        if isinstance(asked["model"], str):
            return dict(asked)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise _invalid("We could not parse the JSON body of your request.")


def _is_about_numbers(asked: Mapping[str, Any]) -> bool:
    """Return whether the schema of the answer, or else the question, names a list of numbers."""
    parts = [part for message in asked["messages"] for part in message["content"]]
    said = [part.get("text", "") for part in parts if isinstance(part, dict)]
    return '"numbers"' in json.dumps(asked.get("response_format")) + "".join(said)


def _data(asked: Mapping[str, Any]) -> bytes:
    """Return the bytes of the one picture in the messages."""
    try:
        (url,) = _urls(asked["messages"])
        found = DATA_URL.fullmatch(url)
        if found is None:
            raise _invalid("Failed to download the image: this emulator takes data URLs.", "messages")
        return base64.b64decode(found["data"], validate=True)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _invalid("This emulator answers questions about one picture.", "messages") from None


def _urls(messages: Any) -> Iterator[str]:
    for message in messages:
        parts = message["content"]
        for part in parts if isinstance(parts, list) else ():
            if part["type"] == "image_url":
                yield str(part["image_url"]["url"])


def _invalid(message: str, param: str | None = None) -> Refused:
    return Refused(OpenAi.error(400, message, "invalid_request_error", None, param))


def _token(text: str, chance: float, alternatives: int) -> dict[str, Any]:
    """Return a token and its chance; a digit's alternatives are the other digits, which share the rest."""
    chance = min(max(chance, 1e-9), 1.0)
    rest = [str(digit) for digit in range(10) if str(digit) != text] if text.isdecimal() else []
    shares = [(text, chance), *((other, (1 - chance) / 9) for other in rest if chance < 1)]
    told = [{"token": it, "logprob": math.log(p), "bytes": list(it.encode())} for it, p in shares]
    return {**told[0], "top_logprobs": told[:alternatives]}
