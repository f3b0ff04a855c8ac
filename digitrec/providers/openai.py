"""Any vision model behind OpenAI's protocol (OpenAI, Azure OpenAI, vLLM, llama.cpp, Ollama).

The request is a chat completion, which all these servers support, with a strict JSON schema;
docs/providers.md lists which servers ignore the schema or return no token probabilities.

The candidate is the digit that the model names. Its confidence is the probability of that digit's token
among the tokens of all ten digits, or None if the server returns no probabilities; tokens that it does not
list count as other digits. The model is never asked for its confidence.

Numbers need another request, because the answer to the first one never holds several digits. The candidates
are the numbers that the model lists, without boxes; the confidence of each is the probability of its tokens.
"""

from __future__ import annotations

import base64
import json
import math
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from typing import Annotated, Any, ClassVar, Self

import msgspec
from msgspec import Meta, Struct

from digitrec.answer import Answer, Candidate
from digitrec.errors import AuthFailed, NotConfigured, ProviderError, QuotaExceeded
from digitrec.errors.arguments import whole
from digitrec.errors.schemas import built
from digitrec.image import InputSpec, PreparedImage
from digitrec.image.pixels import NUMBERS_SIDE
from digitrec.providers.base import Status, checked_endpoint, checked_key, first_set, looked
from digitrec.providers.translate import Problem, Service, dig
from digitrec.providers.wire import Cloud, Reply, Wire

MODEL, KEY, ENDPOINT = "DIGITREC_OPENAI_MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL"
"""Environment variables; the last two are those of OpenAI's own SDK."""
PRESET, LIMIT = "DIGITREC_OPENAI_PRESET", "DIGITREC_OPENAI_LIMIT"
MINI = "gpt-4o-mini"
"""A model for which OpenAI counts 2,833 tokens for a picture and 5,667 for each of its tiles, at most 8."""
MOST_TOKENS = 2048
"""Maximum tokens of an answer; an answer takes about 20, but some models think first."""
LEFT_OUT = "digitrec_left_out"
"""Key in ``raw`` of the parameters that the request omitted because the server refused them."""
SECTION = "[parameters.openai]"
"""Section of the configuration file."""
CHECK = f"check {KEY} (or the preset's key), and that it belongs to the server asked"
"""The advice if the key is refused."""
SERVICE = Service("The OpenAI-compatible server", {}, {AuthFailed: CHECK})


# Servers

URL = "https://api.openai.com/v1"
LIMITS = ("max_completion_tokens", "max_tokens")
"""Names of the limit on an answer's tokens: OpenAI uses the first; older and local servers the second."""
TOGETHER = ("logprobs", "top_logprobs")
"""Two parameters that belong together: servers refuse the second without the first."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Facts about a server that are known before the first request."""

    endpoint: str
    """Base URL; "" if each user has another."""
    key: str
    """Environment variable that holds the key."""
    limit: str = LIMITS[1]
    """Name of the limit on an answer's tokens, one of `LIMITS`."""
    leave_out: tuple[str, ...] = ()
    """Parameters that the server is known to refuse."""
    needs_key: bool = True
    """Whether the server refuses requests without a key."""


PRESETS = {
    "openai": Preset(URL, "OPENAI_API_KEY", LIMITS[0]),
    "azure-openai": Preset("", "AZURE_OPENAI_API_KEY", LIMITS[0]),
    "gemini": Preset(
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        leave_out=("seed", "store"),
    ),
    "mistral": Preset("https://api.mistral.ai/v1", "MISTRAL_API_KEY", leave_out=("seed", "store", *TOGETHER)),
    "openrouter": Preset("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "vllm": Preset("http://localhost:8000/v1", "VLLM_API_KEY", needs_key=False),
    "ollama": Preset("http://localhost:11434/v1", "OLLAMA_API_KEY", needs_key=False),
    "llama.cpp": Preset("http://localhost:8080/v1", "LLAMA_API_KEY", needs_key=False),
    "lm-studio": Preset("http://localhost:1234/v1", "LM_API_TOKEN", needs_key=False),
}
"""Servers by name, the values of ``DIGITREC_OPENAI_PRESET``."""


# The provider


@dataclass(frozen=True)
class Question:
    """The request to the model about a picture."""

    name: str
    """Name of the schema."""
    text: str
    """The prompt."""
    example: str
    """An example of an answer, which is added to the prompt if the server refuses the schema."""
    properties: Mapping[str, Any]
    """The JSON schema of each property of the answer; all properties are required."""
    detail: str
    """The level of detail at which the model sees the picture, in OpenAI's words."""
    wants: InputSpec
    """The form of the picture."""
    tokens: int
    """Maximum tokens of the prompt with its picture."""
    tokens_of_mini: int
    """The same for the model `MINI`."""

    @property
    def schema(self) -> dict[str, Any]:
        """The request's parameter ``response_format``."""
        properties = {"type": "object", "properties": self.properties, "required": [*self.properties]}
        schema = {"name": self.name, "strict": True, "schema": {**properties, "additionalProperties": False}}
        return {"type": "json_schema", "json_schema": schema}


DIGIT = Question(
    "digit",
    "The picture may show one handwritten digit. If it shows exactly one digit, 0 to 9, give it. If it shows "
    "none, several, a letter or something else, give null. Give the reason in at most ten words.",
    '{"digit": 7, "reason": "..."}',
    {"digit": {"type": ["integer", "null"], "enum": [*range(10), None]}, "reason": {"type": "string"}},
    "low",
    InputSpec(encoding="png", min_side=200, max_side=512, max_bytes=4_000_000, margin=0.1),
    tokens=2000,
    tokens_of_mini=3500,
)
NUMBERS = Question(
    "numbers",
    "List every number on the picture, handwritten or printed, line by line from left to right, each as it "
    "is written with its minus, points and commas. Leave out words and numbers that are part of a word. If "
    "the picture shows no number, give an empty list.",
    '{"numbers": ["12", "7.50"]}',
    {"numbers": {"type": "array", "items": {"type": "string"}}},
    "high",
    InputSpec(
        encoding="png", min_side=200, max_side=2000, max_bytes=4_000_000, margin=0.05, enough=NUMBERS_SIDE
    ),
    tokens=6000,
    tokens_of_mini=48_500,
)
OPTIONAL: Mapping[str, Any] = {
    "response_format": None, "logprobs": True, "top_logprobs": 20, "temperature": 0, "seed": 1,
    "store": False,
}  # fmt: skip
"""Parameters that some models and servers refuse; each can be omitted. `Question` sets the first one."""


class OpenAi(Cloud):
    """Ask a vision model behind OpenAI's protocol."""

    wants = DIGIT.wants
    gives_boxes = False
    rate = None  # differs by model and account
    attempt_timeout = 60.0  # some models think before they answer
    variables: ClassVar[Mapping[str, Sequence[str]]] = {
        "model": (MODEL,), "preset": (PRESET,), "endpoint": (ENDPOINT,), "limit": (LIMIT,),
    }  # fmt: skip

    def __init__(
        self,
        *,
        model: str = "",
        key: str = "",
        preset: str = "openai",
        endpoint: str | None = None,
        limit: str | None = None,
        most_tokens: int = MOST_TOKENS,
        leave_out: Sequence[str] = (),
        allow_plain_http: bool = False,
        name: str = "openai",
    ) -> None:
        """Check the settings; nothing is sent yet.

        Args:
            model: name of a model of the server, such as "gpt-4o-mini".
            key: the server's key; your own server may need none.
            preset: the server, one of `PRESETS`. It sets the defaults of the next two arguments, and the
                parameters that the server is known to refuse.
            endpoint: the server's base URL, with its "/v1"; "/chat/completions" is added.
            limit: one of `LIMITS`.
            most_tokens: maximum tokens of an answer, >= 1; a budget reserves their price.
            leave_out: optional parameters that are never sent, of `OPTIONAL`.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: name of this engine in a Prediction.

        Raises:
            NotInstalled: the extra "openai" is missing.
            NotConfigured: a setting is missing or wrong; the message names it.
            TypeError, ValueError: ``most_tokens`` is not a whole number >= 1.
        """
        if preset not in PRESETS:
            raise NotConfigured(f"{PRESET} must be one of {', '.join(PRESETS)}, got {preset!r}")
        server = PRESETS[preset]
        if not (model or "").strip():
            raise NotConfigured(f"no model is chosen; set {MODEL} to one that reads pictures")
        limit = limit or server.limit
        if limit not in LIMITS:
            raise NotConfigured(f"{LIMIT} must be one of {', '.join(LIMITS)}, got {limit!r}")
        if not (endpoint := endpoint or server.endpoint):
            raise NotConfigured(f"{preset} has a different address for each user; set {ENDPOINT}")
        self.name, self.model = name, model.strip()
        self.endpoint = checked_endpoint(endpoint, ENDPOINT, allow_plain_http=allow_plain_http)
        key = checked_key(key or "", server.key)
        if not key and server.needs_key and self.endpoint == server.endpoint:
            raise NotConfigured(f"{preset} needs a key; set {server.key}, or {ENDPOINT} to another server")
        self._question = DIGIT
        self._limit = limit
        self._settings = frozenset(server.leave_out)
        self._refused: frozenset[str] = frozenset()
        self.adjust(leave_out, whole("most_tokens", most_tokens, 1))
        self._wire = Wire(SERVICE, self.endpoint, "openai", _refused)
        if key:
            self._wire.sign_with("Authorization", key, "Bearer ")

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """Build from `variables`, with the key from the preset's variable; ``options`` override them.

        `ENDPOINT` and `LIMIT` belong to the environment's preset: another preset's key is not sent there.
        """
        its = env.get(PRESET, "").strip() or "openai"
        chosen = options.get("preset") or its
        server = PRESETS.get(chosen)
        if server and chosen != its and server.endpoint and server.needs_key:
            options = {"endpoint": server.endpoint, "limit": server.limit, **options}
        return super().from_env(env, **{"key": env.get(server.key, "") if server else "", **options})

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Return whether requests is installed, and a model and a key (or your own server) are set."""
        server = PRESETS.get(env.get(PRESET, "").strip() or "openai")
        if server is None:
            return looked("openai", ["requests"], (), [f"set {PRESET} to one of {', '.join(PRESETS)}"])
        missing = [] if first_set(env, [MODEL]) else [f"set {MODEL} to a model that reads pictures"]
        if not server.endpoint and not first_set(env, [ENDPOINT]):
            missing.append(f"set {ENDPOINT}")
        elif server.needs_key and not first_set(env, [server.key, ENDPOINT]):
            missing.append(f"set {server.key}, or {ENDPOINT}")
        found = (name for name in (MODEL, PRESET, server.key, ENDPOINT, LIMIT) if env.get(name))
        return looked("openai", ["requests"], found, missing, partial(cls.from_env, env))

    def adjust(self, leave_out: Sequence[str], max_tokens: int | None) -> None:
        """Never send the parameters ``leave_out``; limit the tokens of an answer."""
        for parameter in leave_out:
            if parameter not in OPTIONAL:
                raise NotConfigured(f"leave_out may name {', '.join(OPTIONAL)}; got {parameter!r}")
        self._settings |= frozenset(leave_out)
        if self._settings & set(TOGETHER):
            self._settings |= set(TOGETHER)
        if max_tokens is not None:
            asked = self._question.tokens_of_mini if MINI in self.model else self._question.tokens
            self.most_tokens = (asked, max_tokens)
        self.options = {
            "model": self.model,
            "question": self._question.text,
            "limit": [self._limit, self.most_tokens[1]],
            **({"leave_out": sorted(self._settings)} if self._settings else {}),
        }

    def for_numbers(self) -> OpenAi:
        """Return the same model with the request for all numbers on a larger picture."""
        numbers = copy(self)
        numbers._question, numbers.wants = NUMBERS, NUMBERS.wants
        numbers.adjust((), self.most_tokens[1])
        return numbers

    def parameters(self) -> Mapping[str, str]:
        """Return for each parameter whether it has been accepted, refused or left out so far."""
        words = dict.fromkeys((*OPTIONAL, self._limit), "accepted")
        words |= dict.fromkeys(self._settings, "left out") | dict.fromkeys(self._refused, "refused")
        return words | {self._limit_sent(self._refused): "accepted"}

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Send one request; if the server refuses an optional parameter, send it again without.

        Such a refusal costs nothing. If that helped, later requests omit the parameter too.
        """
        deadline, refused = time.monotonic() + timeout, self._refused
        while True:
            left_out = self._settings | refused
            try:
                answer = self._asked(image, left_out, max(0.01, deadline - time.monotonic()))
            except ProviderError as error:
                if not (more := self._spared(error, left_out)):
                    raise
                refused |= more
            else:
                self._refused |= refused  # a lost update costs one more refused request, which is free
                return answer

    def _spared(self, error: ProviderError, left_out: frozenset[str]) -> frozenset[str]:
        """Return the optional parameters of the request that an error names."""
        status = error.status
        if not isinstance(status, int) or not 400 <= status < 500 or status in (401, 402, 429):
            return frozenset()
        refused = refused_parameters(error.raw, {*OPTIONAL, *LIMITS} - left_out)
        if refused & set(LIMITS):  # refused under this name, or required under the other
            other_is_left = not left_out & set(LIMITS)
            refused = refused - set(LIMITS) | ({self._limit} if other_is_left else set())
        return refused

    def _limit_sent(self, left_out: Collection[str]) -> str:
        """Return the name of the limit on tokens that is sent: the second one after the first was refused."""
        return next((name for name in (self._limit, *LIMITS) if name not in left_out), self._limit)

    def _asked(self, image: PreparedImage, left_out: frozenset[str], timeout: float) -> Answer:
        body = json.dumps(self._request(image, left_out)).encode()
        reply = self._wire.ask("/chat/completions", body, "application/json", timeout=timeout)
        raw = self._wire.document(reply)
        if status := status_inside(raw):
            raise self._wire.error(_refused(replace(reply, status=status), raw))
        raw = {**raw, LEFT_OUT: sorted(left_out)} if left_out and isinstance(raw, dict) else raw
        return parse(raw, Numbers if self._question is NUMBERS else Digit)

    def _request(self, image: PreparedImage, left_out: frozenset[str]) -> dict[str, Any]:
        question, picture = self._question, base64.b64encode(image.data).decode()
        example = f" Answer with JSON only: {question.example}." if "response_format" in left_out else ""
        url = {"url": f"data:{image.media_type};base64,{picture}", "detail": question.detail}
        content = [{"type": "text", "text": question.text + example}, {"type": "image_url", "image_url": url}]
        optional = {**OPTIONAL, "response_format": question.schema}
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            **{name: value for name, value in optional.items() if name not in left_out},
            self._limit_sent(left_out): self.most_tokens[1],
        }

    def tokens(self, answer: Answer) -> tuple[int, int] | None:
        """Return the tokens of the question and of the answer, thoughts included, from ``usage``.

        Gemini counts thoughts in ``total_tokens`` only.
        """
        try:
            usage = msgspec.convert(answer.raw.get("usage"), built(Usage))
        except msgspec.ValidationError:
            return None
        asked = usage.prompt_tokens
        return asked, max(usage.completion_tokens, (usage.total_tokens or 0) - asked)


def _refused(reply: Reply, raw: Any) -> Problem:
    """Translate a refused request by its HTTP status, or by its code if that is more exact."""
    raw = reply.text if raw is None else raw
    error = error_of(raw) or raw
    problem = reply.problem(dig(error, "message") or dig(error, "detail") or reply.text, raw)
    kind, todo = problem.kind, ""
    if reply.status == 404:
        todo = "check the endpoint and the model"
    elif dig(error, "code") == "insufficient_quota":
        kind = QuotaExceeded
    elif refused_parameters(raw, LIMITS):
        todo = f"set another max_tokens in the configuration, under {SECTION}"
    return replace(problem, kind=kind, todo=todo)


# Refusals: the words that servers use to refuse a parameter, and errors in place of an answer

SPELLINGS = {
    "response_format": ("responseformat", "jsonschema", "responseschema", "structuredoutput", "grammar"),
    **dict.fromkeys(TOGETHER, ("logprob", "topntokens")),
    **{name: (name.replace("_", ""),) for name in LIMITS},
}
"""Servers' names of some parameters, in lower case without "_" and spaces; others keep their own name, a
whole word."""

CODES = {
    "authentication_error": 401, "invalid_api_key": 401, "invalid_request_error": 400,
    "insufficient_quota": 429, "rate_limit_error": 429, "rate_limit_exceeded": 429,
    "resource_exhausted": 429, "model_not_found": 404, "permission_error": 403,
}  # fmt: skip
"""HTTP statuses of the words that may stand in an error's body in place of a status."""
STATUS_NAMES = ("code", "status", "statusCode")
"""Names under which an error's body holds its HTTP status."""


def refused_parameters(raw: Any, sent: Collection[str]) -> frozenset[str]:
    """Return the parameters among ``sent`` that the body of a refusal names, in any form.

    An error about something else may contain such a name too; then one more request is refused, at no cost.

    Args:
        raw: the body: any JSON value, or text.
        sent: names of the optional parameters that the request had.
    """
    said = " ".join(text for text in _texts(raw) if not text.lstrip().startswith("<")).lower()  # no web page
    words, joined = set(re.findall(r"[^\W_]+", said)), re.sub(r"[\s_]", "", said)
    return frozenset(
        name for name in sent if name in words or any(it in joined for it in SPELLINGS.get(name, ()))
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts and names in a JSON value, except those of a quoted request (pydantic's ``input``)."""
    if isinstance(value, str):
        yield value
    if isinstance(value, dict):
        value = [part for pair in value.items() if pair[0] != "input" for part in pair]
    if isinstance(value, list):
        for part in value:
            yield from _texts(part)


def error_of(raw: Any) -> dict[str, Any] | None:
    """Return the error in a body as one object with a message and a code; None if there is no error."""
    if isinstance(raw, list):  # Gemini
        return error_of(raw[0]) if raw else None
    if not isinstance(raw, dict):
        return None
    error = raw.get("error")
    if isinstance(error, dict) and error:
        return error
    if error:
        return {**raw, "message": error}
    choices = raw.get("choices")
    if isinstance(choices, list) and choices:  # OpenRouter puts errors of the upstream server here
        return error_of(choices[0])
    is_error = "choices" not in raw and any(_status(raw.get(name)) for name in STATUS_NAMES)
    return raw if is_error or raw.get("object") in ("error", "Error") else None


def status_inside(raw: Any) -> int | None:
    """Return the HTTP status of an error inside a response with status 200; None if it is an answer."""
    error = error_of(raw)
    if error is None:
        return None
    statuses = (_status(error.get(name)) for name in (*STATUS_NAMES, "type", "error_type"))
    return next((status for status in statuses if status is not None), 502)


def _status(code: object) -> int | None:
    if isinstance(code, str):
        code = int(code) if code.isdecimal() and len(code) == 3 else CODES.get(code.lower())
    return code if isinstance(code, int) and 400 <= code < 600 else None


# Answers

Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
"""A plausible number of tokens."""
LogChance = Annotated[float, Meta(le=1e-3)]
"""The natural logarithm of a probability; it may exceed 0 slightly, because servers round."""
NAME = re.compile(r'"(?:digit|numbers)"\s*:')
"""One of the requested names in a JSON object."""
OBJECT = re.compile(r'\{\s*"')
"""The beginning of a JSON object."""
MOST_OBJECTS = 200
"""Number of beginnings that are tried, because each may take time in proportion to the text."""


class Usage(Struct):
    """The tokens of an answer, as the server counted them."""

    prompt_tokens: Count
    completion_tokens: Count
    total_tokens: Count | None = None


class TopLogprob(Struct):
    """An alternative to a token."""

    token: str
    logprob: LogChance


class TokenLogprob(Struct):
    """A token of the answer, with its alternatives."""

    token: str
    top_logprobs: tuple[TopLogprob, ...] = ()


class Logprobs(Struct):
    """The answer as tokens; null if the server returns none."""

    content: tuple[TokenLogprob, ...] | None = None


class Part(Struct):
    """A part of an answer; parts of other kinds, such as thoughts, have no text."""

    text: str | None = None


class Message(Struct):
    """The message of the model."""

    content: str | tuple[Part, ...] | None = None
    refusal: str | None = None


class Choice(Struct):
    """One answer; the request asks for a single one."""

    message: Message
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class ChatCompletion(Struct):
    """The body of a response; some servers omit everything but the choices, or send null."""

    choices: Annotated[tuple[Choice, ...], Meta(min_length=1)]
    model: str | None = None


class Digit(Struct):
    """The answer about a digit; a server that ignores the schema may quote the digit."""

    digit: Annotated[int, Meta(ge=0, le=9)] | None
    reason: Any = ""

    def answer(self, text: str, tokens: Sequence[TokenLogprob]) -> Answer:
        """Return the digit with its confidence, or the reason why there is none."""
        if self.digit is None:
            reason = self.reason.strip() if isinstance(self.reason, str) else ""
            return Answer(reason=reason or "no digit")
        return Answer((Candidate(str(self.digit), confidence(tokens, self.digit, text)),))


class Numbers(Struct):
    """The answer about numbers."""

    numbers: list[Any]
    """Texts; JSON numbers, which some models write, become their own text, so that 7.50 keeps its zero."""

    def __post_init__(self) -> None:
        if not all(isinstance(said, str | int) for said in self.numbers):
            raise TypeError("neither a text nor a number")

    def answer(self, text: str, tokens: Sequence[TokenLogprob]) -> Answer:
        """Return each number with the probability of its tokens."""
        whole = text.rfind(_object_in(text))
        candidates, at = [], max(whole, text.find('"numbers"', whole))
        for number in filter(None, (str(said).strip() for said in self.numbers)):
            start = text.find(number, at)
            at = start + len(number) if start >= 0 else at
            candidates.append(Candidate(number, _probability(_covering(tokens, text, start, at))))
        return Answer(tuple(candidates))


def parse(raw: Any, form: type[Digit | Numbers] = Digit) -> Answer:
    """Convert the body of a chat completion, any JSON value, to an Answer.

    Of the model's answer the last JSON object of this form counts; Markdown and thoughts are ignored.

    Raises:
        BadAnswer: the value is not a chat completion; the model refused, was filtered or cut off; or its
            text does not answer the request. None of these means "no digit".
    """
    completion, text, tokens = _completed(raw)
    try:
        said = msgspec.json.Decoder(built(form), strict=False, float_hook=str).decode(_object_in(text))
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise SERVICE.refusal("choices[0].message.content: not the JSON asked for", raw) from None
    return replace(said.answer(text, tokens), raw=raw, model_version=completion.model)


def _completed(raw: Any) -> tuple[ChatCompletion, str, Sequence[TokenLogprob]]:
    """Return a complete answer, its text and its tokens."""
    completion = SERVICE.document(raw, ChatCompletion)
    choice = completion.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        todo = "ask another model, or send another image"
        raise SERVICE.refusal("the model refused, or was filtered", raw, todo)
    if choice.finish_reason == "length":
        todo = f"raise max_tokens under {SECTION} in the configuration, or ask a model that thinks less"
        raise SERVICE.refusal("the answer was cut off", raw, todo)
    content = choice.message.content
    if content is None:
        raise SERVICE.refusal("choices[0].message.content: null, and no refusal", raw)
    text = content if isinstance(content, str) else "".join(part.text or "" for part in content)
    return completion, text, (choice.logprobs.content if choice.logprobs else None) or ()


def _object_in(text: str) -> str:
    """Return the outermost JSON object around the last of the requested names; "" if there is none."""
    name = max((found.start() for found in NAME.finditer(text)), default=0)
    starts = [found.start() for found in OBJECT.finditer(text) if found.start() < name]
    for start in starts[-MOST_OBJECTS:]:
        with suppress(ValueError, RecursionError):
            _, end = json.JSONDecoder().raw_decode(text, start)
            if end > name:
                return text[start:end]
    return ""


def _covering(tokens: Sequence[TokenLogprob], text: str, start: int, end: int) -> list[TokenLogprob]:
    """Return the tokens that spell ``text[start:end]``; empty if the tokens belong to another text."""
    if start < 0 or not "".join(token.token for token in tokens).startswith(text):  # a token may end it
        return []
    ends = accumulate(len(token.token) for token in tokens)
    return [
        token for token, stop in zip(tokens, ends, strict=True)
        if stop > start and stop - len(token.token) < end
    ]  # fmt: skip


def _probability(tokens: Sequence[TokenLogprob]) -> float | None:
    """Return the probability of these tokens; None if they have no probabilities."""
    own = [[it.logprob for it in token.top_logprobs if it.token == token.token] for token in tokens]
    return min(1.0, math.exp(sum(it[0] for it in own))) if own and all(own) else None


def confidence(tokens: Sequence[TokenLogprob], digit: int, text: str) -> float | None:
    """Return the probability of a digit's token among the tokens of all ten digits; None if unknown.

    A token may also contain a space or a quote; the probabilities of tokens for the same digit are summed.
    Tokens that the server does not list may all be other digits.

    Args:
        tokens: the tokens of the answer, in order.
        digit: the digit in the answer, after its last name "digit".
        text: the answer; tokens that do not spell it are ignored.
    """
    place = re.match(rf'.*"digit"\s*:\s*"?\s*(?={digit})', text, re.DOTALL)
    found = _covering(tokens, text, place.end(), place.end() + 1) if place else []
    mass, others = [0.0] * 10, 0.0
    for alternative in found[0].top_logprobs if found else ():
        bare = alternative.token.strip(' \t\r\n"')
        if len(bare) == 1 and bare in "0123456789":
            mass[int(bare)] += math.exp(alternative.logprob)
        else:
            others += math.exp(alternative.logprob)
    return mass[digit] / max(math.fsum(mass), 1 - others) if mass[digit] else None
