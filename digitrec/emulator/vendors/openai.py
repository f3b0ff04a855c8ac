"""OpenAI's protocol: chat completions about one picture."""

import base64
import json
import math
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from digitrec.emulator.reading import Word, lines
from digitrec.emulator.vendors.base import Request, Response, Vendor
from digitrec.errors.schemas import built

CHAT = re.compile(r"(/openai)?(/v1)?/chat/completions")
DATA_URL = re.compile(
    r"data:image/(?:png|jpeg|webp|gif);base64,"
    r"(?P<data>(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)"
)
QUESTION_TOKENS = 120
"""Tokens of a question with a picture of low detail: 85 and the words."""


class _Url(msgspec.Struct):
    url: str


class _Part(msgspec.Struct):
    type: str
    text: str = ""
    image_url: _Url | None = None


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None


class _Asked(msgspec.Struct):
    model: str
    messages: list[_Message]
    response_format: Any = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    stream: bool | None = None
    n: int | None = None


class OpenAi(Vendor):
    """A server of OpenAI's protocol, whose model answers with a digit and a reason."""

    name = "openai"
    request_id = "x-request-id"
    variables: ClassVar[Mapping[str, str]] = {
        "OPENAI_BASE_URL": "{}/v1",
        "OPENAI_API_KEY": "test",
        "DIGITREC_OPENAI_MODEL": "emulated",
    }
    formats = ("PNG", "JPEG", "WEBP", "GIF")
    max_bytes = 20 * 1024 * 1024

    @staticmethod
    def error(
        status: int, message: str, kind: str, code: str | None = None, param: str | None = None
    ) -> Response:
        """Return an error in OpenAI's form; ``kind`` is its type."""
        body = {"message": message, "type": kind, "param": param, "code": code}
        return Response.of_json(status, {"error": body})

    def read(self, request: Request) -> Response:
        """Return the one digit on a picture, or null, as JSON in a chat completion."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        self.check_key(key.strip() if scheme == "Bearer" else "")
        if request.method != "POST" or not CHAT.fullmatch(request.path):
            return self.failure("404")
        try:
            asked = msgspec.json.decode(request.body, type=built(_Asked))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return _invalid("We could not parse the JSON body of your request.")
        if asked.stream or asked.n not in (None, 1):
            return _invalid(
                "This emulator gives one answer, not as a stream.", "stream" if asked.stream else "n"
            )
        contents = [message.content for message in asked.messages if isinstance(message.content, list)]
        parts = [part for content in contents for part in content]
        urls = [part.image_url.url if part.image_url else "" for part in parts if part.type == "image_url"]
        found = DATA_URL.fullmatch(urls[0]) if len(urls) == 1 else None
        if found is None:
            return _invalid("This emulator answers questions about one picture, in a data URL.", "messages")
        about = json.dumps(asked.response_format) + "".join(part.text for part in parts)
        picture = self.picture(base64.b64decode(found["data"]))
        return self._completed(asked, self.words_on(picture), about_numbers='"numbers"' in about)

    def _completed(self, asked: _Asked, words: Sequence[Word], *, about_numbers: bool) -> Response:
        text = "".join(word.text for word in words)
        digit = int(text) if len(text) == 1 and text in "0123456789" else None
        reason = "one digit" if digit is not None else "several characters" if text else "nothing is written"
        sure = words[0].confidence if words else 1.0
        parts = [('{"digit":', 1.0), (json.dumps(digit), sure), (f',"reason":{json.dumps(reason)}}}', 1.0)]
        if about_numbers:
            spelled = [(json.dumps(word.text), word.confidence) for row in lines(words) for word in row]
            listed = [part for one in spelled for part in ((",", 1.0), one)]
            parts = [('{"numbers":[', 1.0), *listed[1:], ("]}", 1.0)]
        tokens = [_token(*part, asked.top_logprobs or 0) for part in parts]
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "".join(text for text, _ in parts), "refusal": None},
            "logprobs": {"content": tokens, "refusal": None} if asked.logprobs else None,
        }
        usage = {"prompt_tokens": QUESTION_TOKENS, "completion_tokens": len(tokens)}
        body = {
            "id": f"chatcmpl-{uuid.uuid4().hex}", "object": "chat.completion", "created": int(time.time()),
            "model": self.model_version, "choices": [choice],
            "usage": {**usage, "total_tokens": sum(usage.values())},
        }  # fmt: skip
        return Response.of_json(200, body, billed=1)


def _invalid(message: str, param: str | None = None) -> Response:
    return OpenAi.error(400, message, "invalid_request_error", None, param)


def _token(text: str, chance: float, alternatives: int) -> dict[str, Any]:
    """Return a token and its chance; a digit's alternatives are the other digits, which share the rest."""
    chance = min(max(chance, 1e-9), 1.0)
    rest = [str(digit) for digit in range(10) if str(digit) != text] if text.isdecimal() else []
    shares = [(text, chance), *((other, (1 - chance) / 9) for other in rest if chance < 1)]
    told = [{"token": it, "logprob": math.log(p), "bytes": list(it.encode())} for it, p in shares]
    return {**told[0], "top_logprobs": told[:alternatives]}
