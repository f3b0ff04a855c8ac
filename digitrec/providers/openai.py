"""Any vision model behind OpenAI's protocol (OpenAI, Azure OpenAI, vLLM, llama.cpp, Ollama), through openai.

Asked by chat completions, which all of them have, with a strict JSON schema; which of them drop it, or the
chances of tokens, is in docs/providers.md.

Which candidate and which confidence: the digit that the model names; its confidence is the chance of that
digit's token among those of all ten digits, where the server gives chances of tokens, else None. A model is
never asked how sure it is.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping
from typing import Any, Self

from digitrec.answer import Answer
from digitrec.errors import AuthFailed, DigitrecError, NotConfigured, QuotaExceeded, Rejected
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.base import (
    BaseProvider,
    Status,
    checked_endpoint,
    checked_key,
    is_installed,
    not_installed,
)
from digitrec.version import install_hint
from digitrec.wire import Reply, Wire, carrier
from digitrec.wire.addresses import allows_plain_http
from digitrec.wire.body import dig
from digitrec.wire.masking import Secrets
from digitrec.wire.translate import Problem, Service, from_http

URL = "https://api.openai.com/v1"
MODEL, KEY, ENDPOINT = "DIGITREC_OPENAI_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"
"""Variables; the last two are the SDK's own."""
LIMIT = "DIGITREC_OPENAI_LIMIT"
LIMITS = ("max_completion_tokens", "max_tokens")
"""What servers call the most tokens of an answer: OpenAI the first, Ollama the second."""
MOST_TOKENS = 2048
"""Tokens that an answer may have; the answer itself has about 20, but a model may think before it."""
QUESTION_TOKENS = 2000
"""More than any known model counts for the question and a picture of 512 pixels with ``detail`` low."""
LEFT_OUT = "digitrec_left_out"
"""In ``raw``: the parameters that the server did not take, and that the answer was made without."""
QUESTION = (
    "The picture may show one handwritten digit. If it shows exactly one digit, 0 to 9, give it. If it shows "
    "none, several, a letter or something else, give null. Give the reason in at most ten words."
)
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "digit": {"type": ["integer", "null"], "enum": [*range(10), None]},
        "reason": {"type": "string"},
    },
    "required": ["digit", "reason"],
    "additionalProperties": False,
}
OPTIONAL: Mapping[str, Any] = {
    "response_format": {
        "type": "json_schema", "json_schema": {"name": "digit", "strict": True, "schema": SCHEMA},
    },
    "logprobs": True, "top_logprobs": 20, "temperature": 0, "seed": 1, "store": False,
}  # fmt: skip
"""Parameters that some models and servers refuse; an answer can be had without each of them."""
TOGETHER = ("logprobs", "top_logprobs")
"""The second is refused without the first."""
SENT_HEADERS = ("accept", "authorization", "content-length", "content-type", "user-agent")
"""All else that the SDK would send tells of the machine, the organisation and the project."""
SERVICE = Service(
    "The OpenAI-compatible server",
    {},
    {AuthFailed: f"check {KEY}, and that it belongs to the server at {ENDPOINT}"},
)


class OpenAi(BaseProvider):
    """Asks a vision model behind OpenAI's protocol."""

    wants = InputSpec(encoding="png", min_side=200, max_side=512, max_bytes=4_000_000, margin=0.1)
    rate = None  # by model and account

    def __init__(
        self,
        *,
        model: str,
        key: str = "",
        endpoint: str = URL,
        limit: str = LIMITS[0],
        most_tokens: int = MOST_TOKENS,
        allow_plain_http: bool = False,
        name: str = "openai",
    ) -> None:
        """Open a client; nothing is sent yet.

        Args:
            model: which model of the server's, such as "gpt-4o-mini".
            key: the server's key; OpenAI itself needs one, a server of your own may take none.
            endpoint: the server's base URL, with its "/v1"; "/chat/completions" is added.
            limit: one of `LIMITS`.
            most_tokens: tokens that an answer may have, >= 1; what a budget sets aside for it, too.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: what to call this engine in a Prediction.

        Raises:
            NotInstalled: the extra "openai" is missing.
            NotConfigured: model, key or endpoint is empty or is none.
        """
        if not model.strip():
            raise NotConfigured(f"no model is chosen; set {MODEL} to one that reads pictures")
        if limit not in LIMITS:
            raise NotConfigured(f"{LIMIT} is none of {', '.join(LIMITS)}")
        self.name, self.model, self._limit = name, model.strip(), limit
        self.endpoint = checked_endpoint(endpoint, ENDPOINT, allow_plain_http=allow_plain_http)
        key = checked_key(key, KEY)
        if not key and self.endpoint == URL:
            raise NotConfigured(f"OpenAI has no key; set {KEY}, or {ENDPOINT} to a server that takes none")
        self.most_tokens = (QUESTION_TOKENS, most_tokens)
        self.options = {"model": self.model, "question": QUESTION, "limit": [limit, most_tokens]}
        self._left_out: frozenset[str] = frozenset()
        self._learning = threading.Lock()
        self._wire = Wire(SERVICE, self.endpoint, _refused, Secrets(key), allow_plain_http)
        self._client = self._wire.prepare(lambda: _client(self._wire.endpoint, key or "none"))

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The model by DIGITREC_OPENAI_MODEL, key and address by OPENAI_API_KEY and OPENAI_BASE_URL."""
        return cls(
            model=env.get(MODEL, ""),
            key=env.get(KEY, ""),
            endpoint=env.get(ENDPOINT) or URL,
            limit=env.get(LIMIT) or LIMITS[0],
            allow_plain_http=allows_plain_http(env),
        )

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Whether the SDK, a model, and a key or a server of one's own are there."""
        installed = is_installed("openai") and is_installed("requests") and is_installed("msgspec")
        missing = [] if installed else [install_hint("openai")]
        missing += [] if env.get(MODEL) else [f"set {MODEL} to a model that reads pictures"]
        missing += [] if env.get(KEY) or env.get(ENDPOINT) else [f"set {KEY}, or {ENDPOINT}"]
        found = tuple(name for name in (MODEL, KEY, ENDPOINT, LIMIT) if env.get(name))
        configured = bool(env.get(MODEL) and (env.get(KEY) or env.get(ENDPOINT)))
        return Status(installed, configured, tuple(missing), found)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Ask once; again at once, and without it, where the server refuses a parameter that can be spared.

        Such a refusal costs nothing, and is remembered: the next question goes out without the parameter.
        """
        deadline = time.monotonic() + timeout
        while True:
            left_out = self._left_out
            try:
                return self._asked(image, left_out, max(0.01, deadline - time.monotonic()))
            except Rejected as error:
                refused = _spared(error.raw) - left_out
                if not refused:
                    raise
                with self._learning:
                    self._left_out |= refused

    def _asked(self, image: PreparedImage, left_out: frozenset[str], timeout: float) -> Answer:
        reply = self._wire.ask(lambda: self._post(image, left_out), timeout=timeout)
        return parse(_told(self._wire.document(reply), left_out))

    def _post(self, image: PreparedImage, left_out: frozenset[str]) -> Any:
        picture = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"
        content = [
            {"type": "text", "text": QUESTION},
            {"type": "image_url", "image_url": {"url": picture, "detail": "low"}},
        ]
        asked: dict[str, Any] = {name: value for name, value in OPTIONAL.items() if name not in left_out}
        asked[self._limit] = self.most_tokens[1]
        messages = [{"role": "user", "content": content}]
        return self._client.chat.completions.create(model=self.model, messages=messages, **asked)

    def tokens(self, answer: Answer) -> tuple[int, int] | None:
        """Tokens of the question and of the answer, thinking included, as ``usage`` has them."""
        usage = answer.raw.get("usage")
        found = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")] if usage else []
        return (found[0], found[1]) if found and None not in found else None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def parse(raw: Any) -> Answer:
    """The body of a chat completion: any JSON value.

    Raises:
        BadAnswer: it is none, or the model answered something else than was asked for.
    """
    from digitrec.providers import openai_answer

    return openai_answer.parse(raw, SERVICE)


def _client(endpoint: str, key: str) -> Any:
    """The SDK's client, which sends by a carrier."""
    try:
        import httpx2
        from openai import OpenAI
        from requests import Session

        from digitrec.providers import openai_answer  # noqa: F401 (missed here, before a question is paid for)
    except ImportError as error:
        raise not_installed("The provider openai", "openai") from error
    session = Session()
    carrier.mount(session, carrier.questions())

    class Carried(httpx2.BaseTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            headers = {name: value for name, value in request.headers.items() if name in SENT_HEADERS}
            headers["accept-encoding"] = "gzip, deflate"
            carrier.forward(session, request.method, str(request.url), headers, request.read())
            raise AssertionError("the wire ends the call")

        def close(self) -> None:
            session.close()

    http = httpx2.Client(transport=Carried(), trust_env=False)
    client = OpenAI(api_key=key, base_url=endpoint, max_retries=0, http_client=http)
    _ = client.chat.completions  # imported when first looked at: now, and not in the first question's time
    return client


def _refused(reply: Reply, raw: Any) -> Problem:
    """A refused request: by the code where it tells more than the HTTP status."""
    error = raw.get("error") if isinstance(raw, dict) else None
    within = error if isinstance(error, dict) else raw
    said = dig(within, "message") or dig(raw, "error") or dig(raw, "detail") or reply.text
    problem = from_http(reply.status, said, reply.headers, raw)
    kind: type[DigitrecError] = problem.kind
    todo = "check the endpoint and the model" if reply.status == 404 else ""
    if dig(within, "code") == "insufficient_quota":
        kind = QuotaExceeded
    elif dig(within, "code") == "content_filter":
        todo = "the server's filter stopped it: send another image"
    return Problem(kind, said, problem.status, problem.retry_after, raw, todo)


def _spared(raw: Any) -> frozenset[str]:
    """The parameters that a refusal is about and that can be spared; empty where it is about others."""
    named = dig(raw, "error", "param") or dig(raw, "param")
    said = dig(raw, "error", "message") or dig(raw, "message")
    first = named.partition(".")[0] if named else next((it for it in OPTIONAL if f"'{it}'" in said), "")
    if first in TOGETHER:
        return frozenset(TOGETHER)
    return frozenset({first} & set(OPTIONAL))


def _told(raw: Any, left_out: frozenset[str]) -> Any:
    """The document, with the parameters it was answered without: they change what the answer means."""
    if not left_out or not isinstance(raw, dict):
        return raw
    return {**raw, LEFT_OUT: sorted(left_out)}
