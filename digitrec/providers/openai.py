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
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from digitrec.answer import Answer
from digitrec.errors import AuthFailed, NotConfigured, ProviderError, QuotaExceeded, Rejected
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.addresses import allows_plain_http
from digitrec.providers.base import (
    BaseProvider,
    Status,
    checked_endpoint,
    checked_key,
    is_installed,
    not_installed,
)
from digitrec.providers.masking import Secrets
from digitrec.providers.openai_servers import (
    LIMITS,
    NO_PICTURES,
    PRESETS,
    TOGETHER,
    error_inside,
    error_of,
    refused_parameters,
)
from digitrec.providers.translate import Problem, Service, dig, from_http
from digitrec.providers.wire import Reply, Wire, carrier
from digitrec.version import install_hint

MODEL, KEY, ENDPOINT = "DIGITREC_OPENAI_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"
"""Variables; the last two are the SDK's own."""
PRESET, LIMIT = "DIGITREC_OPENAI_PRESET", "DIGITREC_OPENAI_LIMIT"
MOST_TOKENS = 2048
"""Tokens that an answer may have; the answer itself has about 20, but a model may think before it."""
QUESTION_TOKENS = 2000
"""More than any known model counts for the question and a picture of 512 pixels with ``detail`` low."""
MOST_USAGE = 1_000_000_000
"""Largest number of tokens that is believed."""
LEFT_OUT = "digitrec_left_out"
"""In ``raw``: the parameters that the answer was made without, because the server refused them."""
QUESTION = (
    "The picture may show one handwritten digit. If it shows exactly one digit, 0 to 9, give it. If it shows "
    "none, several, a letter or something else, give null. Give the reason in at most ten words."
)
AS_JSON = ' Answer with JSON only: {"digit": 7, "reason": "..."}.'
"""Added to the question for a server that does not take the schema."""
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
SENT_HEADERS = ("accept", "authorization", "content-length", "content-type", "user-agent")
"""All else that the SDK would send tells of the machine, the organisation and the project."""
SERVICE = Service(
    "The OpenAI-compatible server",
    {},
    {AuthFailed: f"check {KEY} (or the preset's key), and that it belongs to the server asked"},
)


class OpenAi(BaseProvider):
    """Asks a vision model behind OpenAI's protocol."""

    wants = InputSpec(encoding="png", min_side=200, max_side=512, max_bytes=4_000_000, margin=0.1)
    rate = None  # by model and account
    attempt_timeout = 60.0  # a model may think before it answers

    def __init__(
        self,
        *,
        model: str,
        key: str = "",
        preset: str = "openai",
        endpoint: str | None = None,
        limit: str | None = None,
        most_tokens: int = MOST_TOKENS,
        leave_out: Sequence[str] = (),
        allow_plain_http: bool = False,
        name: str = "openai",
    ) -> None:
        """Open a client; nothing is sent yet.

        Args:
            model: which model of the server's, such as "gpt-4o-mini".
            key: the server's key; a server of your own may take none.
            preset: which server is asked, one of `PRESETS`: the defaults of the next two arguments, and the
                parameters that it is known to refuse.
            endpoint: the server's base URL, with its "/v1"; "/chat/completions" is added.
            limit: one of `LIMITS`.
            most_tokens: tokens that an answer may have, >= 1; a budget reserves the price of as many.
            leave_out: optional parameters that are never sent, of `OPTIONAL`.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: what to call this engine in a Prediction.

        Raises:
            NotInstalled: the extra "openai" is missing.
            NotConfigured: a setting is missing or wrong; the message names it.
        """
        if preset not in PRESETS:
            raise NotConfigured(f"{PRESET} must be one of {', '.join(PRESETS)}, got {preset!r}")
        server = PRESETS[preset]
        if not model.strip():
            raise NotConfigured(f"no model is chosen; set {MODEL} to one that reads pictures")
        limit = limit or server.limit
        if limit not in LIMITS:
            raise NotConfigured(f"{LIMIT} must be one of {', '.join(LIMITS)}, got {limit!r}")
        if not (endpoint := endpoint or server.endpoint):
            raise NotConfigured(f"each user of {preset} has another address; set {ENDPOINT}")
        self.name, self.model = name, model.strip()
        self.endpoint = checked_endpoint(endpoint, ENDPOINT, allow_plain_http=allow_plain_http)
        key = checked_key(key, server.key)
        if not key and server.needs_key and self.endpoint == server.endpoint:
            raise NotConfigured(f"{preset} needs a key; set {server.key}, or {ENDPOINT} to another server")
        self.most_tokens = (QUESTION_TOKENS, most_tokens)
        self._limit = limit
        self._settings = frozenset(server.leave_out)
        self._refused: frozenset[str] = frozenset()
        self._learning = threading.Lock()
        self.adjust(leave_out, most_tokens)
        self._wire = Wire(SERVICE, self.endpoint, _refused, Secrets(key), allow_plain_http)
        self._client = self._wire.prepare(lambda: _client(self._wire.endpoint, key or "none"))

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """The model by DIGITREC_OPENAI_MODEL, server and key by DIGITREC_OPENAI_PRESET and its variable.

        OPENAI_BASE_URL replaces the preset's address; ``options`` override the variables.
        """
        preset = options.get("preset") or env.get(PRESET) or "openai"
        found = {
            "model": env.get(MODEL, ""),
            "preset": preset,
            "key": env.get(PRESETS[preset].key, "") if preset in PRESETS else "",
            "endpoint": env.get(ENDPOINT),
            "limit": env.get(LIMIT),
            "allow_plain_http": allows_plain_http(env),
        }
        return cls(**{**found, **options})

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Whether the SDK, a model, and a key or a server of one's own are there."""
        installed = is_installed("openai") and is_installed("requests")
        missing = [] if installed else [install_hint("openai")]
        server = PRESETS.get(env.get(PRESET) or "openai")
        if server is None:
            return Status(installed, False, (*missing, f"set {PRESET} to one of {', '.join(PRESETS)}"))
        has_server = bool(env.get(ENDPOINT) or env.get(server.key) or not server.needs_key)
        missing += [] if env.get(MODEL) else [f"set {MODEL} to a model that reads pictures"]
        missing += [] if has_server else [f"set {server.key}, or {ENDPOINT}"]
        found = tuple(name for name in (MODEL, PRESET, server.key, ENDPOINT, LIMIT) if env.get(name))
        return Status(installed, bool(env.get(MODEL) and has_server), tuple(missing), found)

    def adjust(self, leave_out: Sequence[str], max_tokens: int | None) -> None:
        """Never send the parameters ``leave_out``; allow an answer so many tokens."""
        for parameter in leave_out:
            if parameter not in OPTIONAL:
                raise NotConfigured(f"leave_out may name {', '.join(OPTIONAL)}; got {parameter!r}")
        self._settings |= frozenset(leave_out)
        if self._settings & set(TOGETHER):
            self._settings |= set(TOGETHER)
        if max_tokens is not None:
            self.most_tokens = (QUESTION_TOKENS, max_tokens)
        self.options = {
            "model": self.model,
            "question": QUESTION,
            "limit": [self._limit, self.most_tokens[1]],
            **({"leave_out": sorted(self._settings)} if self._settings else {}),
        }

    def parameters(self) -> Mapping[str, str]:
        """Each parameter, and whether it was accepted, refused or left out so far."""
        words = dict.fromkeys((*OPTIONAL, self._limit), "accepted")
        words |= dict.fromkeys(self._settings, "left out") | dict.fromkeys(self._refused, "refused")
        return words | {self._limit_sent(self._refused): "accepted"}

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Ask once; again at once, and without it, where the server refuses a parameter that can be spared.

        Such a refusal costs nothing, and is remembered: the next question goes out without the parameter.
        """
        deadline = time.monotonic() + timeout
        while True:
            left_out = self._settings | self._refused
            try:
                return self._asked(image, left_out, max(0.01, deadline - time.monotonic()))
            except ProviderError as error:
                refused = self._spared(error, left_out)
                if not refused:
                    raise
                with self._learning:
                    self._refused |= refused

    def _spared(self, error: ProviderError, left_out: frozenset[str]) -> frozenset[str]:
        """The parameters of the request that an error names, and without which it can be asked again."""
        status = error.status
        if not isinstance(status, int) or not 400 <= status < 500 or status in (401, 402, 429):
            return frozenset()
        refused = refused_parameters(error.raw, {*OPTIONAL, *LIMITS} - left_out)
        if refused & set(LIMITS):  # refused under this name, or missed under the other
            other_is_left = not left_out & set(LIMITS)
            refused = refused - set(LIMITS) | ({self._limit} if other_is_left else set())
        return refused

    def _limit_sent(self, left_out: Collection[str]) -> str:
        """The name of the limit on tokens: the other one after the first was refused."""
        return next((name for name in (self._limit, *LIMITS) if name not in left_out), self._limit)

    def _asked(self, image: PreparedImage, left_out: frozenset[str], timeout: float) -> Answer:
        reply = self._wire.ask(lambda: self._post(image, left_out), timeout=timeout)
        raw = self._wire.document(reply)
        if inside := error_inside(raw):
            refusal = _refused(replace(reply, status=inside[0]), raw)
            raise SERVICE.error(refusal, reply.secrets or self._wire.secrets)
        return parse({**raw, LEFT_OUT: sorted(left_out)} if left_out and isinstance(raw, dict) else raw)

    def _post(self, image: PreparedImage, left_out: frozenset[str]) -> Any:
        picture = f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"
        question = QUESTION + (AS_JSON if "response_format" in left_out else "")
        content = [
            {"type": "text", "text": question},
            {"type": "image_url", "image_url": {"url": picture, "detail": "low"}},
        ]
        asked: dict[str, Any] = {name: value for name, value in OPTIONAL.items() if name not in left_out}
        asked[self._limit_sent(left_out)] = self.most_tokens[1]
        messages = [{"role": "user", "content": content}]
        return self._client.chat.completions.create(model=self.model, messages=messages, **asked)

    def tokens(self, answer: Answer) -> tuple[int, int] | None:
        """Tokens of the question and of the answer, thinking included, as ``usage`` has them.

        Gemini counts the thinking in ``total_tokens`` alone.
        """
        usage = answer.raw.get("usage")
        if not isinstance(usage, dict):
            return None
        asked, answered, total = (
            count
            if isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= MOST_USAGE
            else None
            for count in map(usage.get, ("prompt_tokens", "completion_tokens", "total_tokens"))
        )
        if asked is None or answered is None:
            return None
        return asked, max(answered, (total or 0) - asked)

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
    raw = reply.text if raw is None else raw
    error = error_of(raw) or raw
    said = dig(error, "message") or dig(error, "detail") or reply.text
    problem = from_http(reply.status, said, reply.headers, raw)
    kind, todo = problem.kind, ""
    if reply.status == 404:
        todo = "check the endpoint and the model"
    elif dig(error, "code") == "insufficient_quota":
        kind = QuotaExceeded
    elif dig(error, "code") == "content_filter":
        todo = "the server's filter stopped it: send another image"
    elif refused_parameters(raw, LIMITS):
        todo = "set another max_tokens in the configuration, under [parameters.openai]"
    if reply.status not in (401, 402, 403, 429) and NO_PICTURES.search(said):
        kind, todo = Rejected, "choose a model that reads pictures (llama.cpp: start it with --mmproj)"
    return replace(problem, kind=kind, todo=todo)
