"""Servers of OpenAI's protocol: their addresses, and the words in which they refuse a parameter."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

URL = "https://api.openai.com/v1"
LIMITS = ("max_completion_tokens", "max_tokens")
"""Names of the limit on an answer's tokens: OpenAI uses the first, older and local servers the second."""
TOGETHER = ("logprobs", "top_logprobs")
"""The second is refused without the first."""


@dataclass(frozen=True, slots=True)
class Preset:
    """What is known about a server before it is asked."""

    endpoint: str
    """Base URL; "" where each user has another."""
    key: str
    """Environment variable that holds the key."""
    limit: str = LIMITS[1]
    """One of `LIMITS`."""
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
    "mistral": Preset(
        "https://api.mistral.ai/v1",
        "MISTRAL_API_KEY",
        leave_out=("seed", "store", "logprobs", "top_logprobs"),
    ),
    "openrouter": Preset("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "vllm": Preset("http://localhost:8000/v1", "VLLM_API_KEY", needs_key=False),
    "ollama": Preset("http://localhost:11434/v1", "OLLAMA_API_KEY", needs_key=False),
    "llama.cpp": Preset("http://localhost:8080/v1", "LLAMA_API_KEY", needs_key=False),
    "lm-studio": Preset("http://localhost:1234/v1", "LM_API_TOKEN", needs_key=False),
}
"""Servers by name, for ``DIGITREC_OPENAI_PRESET``."""

CHANCES = ("logprob", "topntokens")
SPELLINGS = {
    "response_format": ("responseformat", "jsonschema", "structuredoutput", "grammar"),
    "logprobs": CHANCES,
    "top_logprobs": CHANCES,
}
"""How servers name some parameters, in lower case without "_" and spaces; all others by their own name."""

CODES = {
    "authentication_error": 401, "invalid_api_key": 401, "invalid_request_error": 400,
    "insufficient_quota": 429, "rate_limit_error": 429, "rate_limit_exceeded": 429,
    "resource_exhausted": 429, "model_not_found": 404, "permission_error": 403,
}  # fmt: skip
"""HTTP statuses of the words that stand in place of a status in an error's body."""
STATUS_NAMES = ("code", "status", "statusCode")
"""Under these names an error's body holds its HTTP status."""


def refused_parameters(raw: Any, sent: Collection[str]) -> frozenset[str]:
    """Return the parameters among ``sent`` that the body of a refusal names, in any form.

    An error about something else may hold such a name too; then one more request is refused, at no cost.

    Args:
        raw: the body: any JSON value, or text.
        sent: names of the parameters that the request had and that an answer can do without.
    """
    said = re.sub(r"[\s_]", "", " ".join(_texts(raw)).lower())
    return frozenset(
        name for name in sent if any(it in said for it in SPELLINGS.get(name, (name.replace("_", ""),)))
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts and names in a JSON value, but not the repeated request (pydantic's ``input``)."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name != "input":
                yield name
                yield from _texts(item)


def error_of(raw: Any) -> dict[str, Any] | None:
    """Return the error in a body as one object with a message and a code; None without an error."""
    if isinstance(raw, list):  # Gemini
        return error_of(raw[0]) if raw else None
    if not isinstance(raw, dict):
        return None
    error = raw.get("error")
    if isinstance(error, dict):
        return error
    if error:
        return {**raw, "message": error}
    choices = raw.get("choices")
    if isinstance(choices, list) and choices:  # OpenRouter puts an upstream error there
        return error_of(choices[0])
    is_error = "choices" not in raw and any(_status(raw.get(name)) for name in STATUS_NAMES)
    return raw if is_error or raw.get("object") in ("error", "Error") else None


def status_inside(raw: Any) -> int | None:
    """Return the HTTP status of an error that a gateway put into an answer of status 200; None: an answer."""
    error = error_of(raw)
    if error is None:
        return None
    statuses = (_status(error.get(name)) for name in (*STATUS_NAMES, "type", "error_type"))
    return next((status for status in statuses if status is not None), 502)


def _status(code: object) -> int | None:
    if isinstance(code, str):
        code = int(code) if code.isdecimal() and len(code) == 3 else CODES.get(code.lower())
    return code if isinstance(code, int) and 400 <= code < 600 else None
