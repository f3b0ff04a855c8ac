"""OpenAI's protocol: chat completions about one picture, and the list of models."""

from __future__ import annotations

import base64
import json
import math
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from digitrec.emulator.picture import Picture
from digitrec.emulator.vendors.base import Refused, Request, Response, Vendor
from digitrec.errors import ImageError

CHAT, MODELS = re.compile(r"(/openai)?(/v1)?/chat/completions"), re.compile(r"(/openai)?(/v1)?/models")
DATA_URL = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,(?P<data>[A-Za-z0-9+/=]*)")
MAX_BYTES = 20 * 1024 * 1024
"""The limit for a picture."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_ALTERNATIVES = 20
"""The largest ``top_logprobs``."""
REASONING = re.compile(r"o\d|gpt-5")
"""How the names of models begin that think first, and refuse some parameters."""
REFUSED_BY_REASONING = ("max_tokens", "temperature", "logprobs", "top_logprobs")
QUESTION_TOKENS = 120
"""Tokens of a question with a picture of low detail: 85 and the words."""


def error(http: int, message: str, kind: str, code: str | None = None, param: str | None = None) -> Response:
    """An error in OpenAI's form.

    Args:
        http: HTTP status.
        message: OpenAI's sentence.
        kind: what kind of error.
        code: its code, where it has one.
        param: the parameter that it is about.
    """
    body = {"message": message, "type": kind, "param": param, "code": code}
    return Response.of_json(http, {"error": body})


_BAD_KEY = (
    "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys."
)
_SPENT = "You exceeded your current quota, please check your plan and billing details."
_FAST = "Rate limit reached for requests. Please try again later."
_SERVER = "The server had an error while processing your request. Sorry about that!"
_OVERLOADED = "That model is currently overloaded with other requests."

FAILURES: dict[str, Callable[[], Response]] = {
    "400": partial(error, 400, "Invalid request.", "invalid_request_error"),
    "401": partial(error, 401, _BAD_KEY, "invalid_request_error", "invalid_api_key"),
    "403": partial(error, 403, "Country, region, or territory not supported", "request_forbidden"),
    "404": partial(error, 404, "The model does not exist.", "invalid_request_error", "model_not_found"),
    "413": partial(Response.of_html, 413, "413 Request Entity Too Large"),
    "429": partial(error, 429, _FAST, "requests", "rate_limit_exceeded"),
    "quota": partial(error, 429, _SPENT, "insufficient_quota", "insufficient_quota"),
    "500": partial(error, 500, _SERVER, "server_error"),
    "502": partial(Response.of_html, 502, "502 Bad Gateway"),
    "503": partial(error, 503, _OVERLOADED, "server_error"),
    "504": partial(Response.of_html, 504, "504 Gateway Time-out"),
}
"""OpenAI's answer for each fault."""


class OpenAi(Vendor):
    """A server of OpenAI's protocol, whose model answers what a digit's schema asks for."""

    name = "openai"
    speaks = True
    failures = FAILURES

    @classmethod
    def environment(cls, endpoint: str) -> dict[str, str]:
        """As OpenAI's SDK reads them; the model is digitrec's own."""
        variables = {"OPENAI_BASE_URL": f"{endpoint}/v1", "OPENAI_API_KEY": "test"}
        return {**variables, "DIGITREC_OPENAI_MODEL": "emulated"}

    def read(self, request: Request) -> Response:
        """The one digit on a picture, or null, as JSON in a chat completion."""
        key = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        taken = self.credentials.openai_keys
        if not key or (taken is not None and key not in taken):
            return FAILURES["401"]()
        if request.method == "GET" and MODELS.fullmatch(request.path):
            models = [{"id": self.model_version, "object": "model", "created": 0, "owned_by": "digitrec"}]
            return Response.of_json(200, {"object": "list", "data": models})
        if request.method != "POST" or not CHAT.fullmatch(request.path):
            return FAILURES["404"]()
        asked = _asked(request.body)
        return self._completed(asked, _picture(asked))

    def common_headers(self) -> dict[str, str]:
        """The number of the request."""
        return {"x-request-id": f"req_{uuid.uuid4().hex}"}

    def without_field(self, request: Request) -> Response:
        """A completion without "choices"."""
        return Response.of_json(200, {"object": "chat.completion", "model": self.model_version})

    def spoken_as(self, kind: str, response: Response) -> Response:
        """A completion that was refused, cut off or filtered, is in Markdown, or lacks what was counted."""
        body = json.loads(response.body)
        for choice in body.get("choices", []):
            message = choice["message"]
            content = message["content"]
            if kind == "refusal":
                message.update(content=None, refusal="I'm sorry, I can't assist with that request.")
            elif kind == "length":
                message["content"], choice["finish_reason"] = content[: len(content) // 2], "length"
            elif kind == "filtered":
                message["content"], choice["finish_reason"] = None, "content_filter"
            elif kind == "fenced":
                message["content"], choice["logprobs"] = f"```json\n{content}\n```", None
            elif kind == "no-logprobs":
                choice["logprobs"] = None
        if kind == "no-usage":
            body.pop("usage", None)
        return Response.of_json(200, body, billed=response.billed)

    def _completed(self, asked: Mapping[str, Any], picture: Picture) -> Response:
        words = self.reader.read(picture)
        text = "".join(word.text for word in words)
        digit = int(text) if len(text) == 1 and text in "0123456789" else None
        reason = "one digit" if digit is not None else "several characters" if text else "nothing is written"
        before, shown, after = '{"digit":', json.dumps(digit), f',"reason":{json.dumps(reason)}}}'
        tokens = [
            _token(before, 1.0),
            _token(shown, words[0].confidence if words else 1.0),
            _token(after, 1.0),
        ]
        alternatives = asked.get("top_logprobs") or 0
        for token in tokens:
            token["top_logprobs"] = token["top_logprobs"][:alternatives]
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": before + shown + after, "refusal": None},
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
    """The request's parameters, when the model takes them."""
    try:
        asked = json.loads(body)
        model = asked["model"]
        reasons = REASONING.match(model)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _invalid("We could not parse the JSON body of your request.") from None
    for name in REFUSED_BY_REASONING if reasons else ():
        if name in asked:
            message = f"Unsupported parameter: '{name}' is not supported with this model."
            raise Refused(error(400, message, "invalid_request_error", "unsupported_parameter", name))
    alternatives = asked.get("top_logprobs", 0)
    if not isinstance(alternatives, int) or not 0 <= alternatives <= MOST_ALTERNATIVES:
        raise _invalid(f"Invalid value for 'top_logprobs': it is 0 to {MOST_ALTERNATIVES}.", "top_logprobs")
    if alternatives and not asked.get("logprobs"):
        raise _invalid("'top_logprobs' is only allowed when 'logprobs' is true.", "top_logprobs")
    return dict(asked)


def _picture(asked: Mapping[str, Any]) -> Picture:
    """The one picture in the messages."""
    try:
        urls = list(_urls(asked["messages"]))
    except (KeyError, TypeError, AttributeError):
        raise _invalid("Invalid value for 'messages'.", "messages") from None
    if len(urls) != 1:
        raise _invalid("This emulator answers questions about one picture.", "messages")
    found = DATA_URL.fullmatch(urls[0])
    if found is None:
        raise _invalid("Failed to download the image: this emulator takes data URLs.", "messages")
    try:
        data = base64.b64decode(found["data"], validate=True)
        if len(data) > MAX_BYTES:
            raise ImageError("too large")
        picture = Picture.decode(data)
    except (ValueError, ImageError):
        picture = None
    if picture is None or picture.format not in FORMATS:
        message = "You uploaded an unsupported image. Please make sure your image is valid."
        raise Refused(error(400, message, "invalid_request_error", "invalid_image_format"))
    return picture


def _urls(messages: Any) -> Iterator[str]:
    for message in messages:
        parts = message["content"]
        for part in parts if isinstance(parts, list) else ():
            if part["type"] == "image_url":
                yield str(part["image_url"]["url"])


def _invalid(message: str, param: str | None = None) -> Refused:
    return Refused(error(400, message, "invalid_request_error", None, param))


def _token(text: str, chance: float) -> dict[str, Any]:
    """A token and its chance; a digit's alternatives are the other digits, which share what is left."""
    chance = min(max(chance, 1e-9), 1.0)
    rest = [str(digit) for digit in range(10) if str(digit) != text] if text.isdecimal() else []
    shares = [(text, chance), *((other, (1 - chance) / 9) for other in rest if chance < 1)]
    told = [{"token": it, "logprob": math.log(p), "bytes": list(it.encode())} for it, p in shares]
    return {**told[0], "top_logprobs": told}
