"""What was asked and what was answered, and both as JSON."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Meta

from digitrec.answer import Answer, checked
from digitrec.errors import BadAnswer
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.base import Provider

FORMAT = 1
"""Version of the export's lines."""
LARGEST = sys.float_info.max
"""Largest finite number."""


@dataclass(frozen=True)
class Question:
    """All that an answer depends on: the same question is never paid for twice."""

    provider: str
    """Name of the engine."""
    endpoint: str | None
    """Where it is asked, without user name and query."""
    emulated: bool
    """True when an emulator listens there."""
    options: str
    """The provider's options as JSON with sorted keys."""
    spec: str
    """How the image was prepared: its InputSpec as JSON with sorted keys."""
    image_sha256: str | None
    """SHA-256 of the image as it came in."""
    prepared_sha256: str
    """SHA-256 of the bytes that are sent."""

    @classmethod
    def about(cls, image: PreparedImage, provider: Provider, *, emulated: bool) -> Question:
        """Return the question that asking ``provider`` about ``image`` is."""
        return cls(
            provider=provider.name,
            endpoint=_without_secrets(provider.endpoint),
            emulated=emulated,
            options=to_json(getattr(provider, "options", {})),
            spec=to_json(asdict(image.spec)),
            image_sha256=image.image.sha256,
            prepared_sha256=hashlib.sha256(image.data).hexdigest(),
        )

    @cached_property
    def key(self) -> str:
        """One hash for all of it but the original image: the same bytes sent are the same question.

        Of an emulator's endpoint only the path counts: it has another port each time.
        """
        endpoint = urlsplit(self.endpoint or "").path if self.emulated else self.endpoint
        parts = (self.provider, endpoint, self.emulated, self.options, self.prepared_sha256)
        return hashlib.sha256(to_json(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer with its question, as the ledger keeps it."""

    question: Question
    """What was asked."""
    answer: Answer
    """What was answered."""
    asked_at: Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
    """When it was asked, in seconds since 1970."""
    cost_usd: Annotated[float, Meta(ge=0, le=LARGEST)] | None
    """US dollars it cost, >= 0; None: unknown."""

    def line(self) -> str:
        """Return the entry as JSON in one line."""
        asked = asdict(self.question)
        for name in ("options", "spec"):
            asked[name] = json.loads(asked[name])
        meta = {"digitrec": FORMAT, "asked_at": self.asked_at, "cost_usd": self.cost_usd}
        return to_json({**meta, "question": asked, "answer": asdict(self.answer)})

    @classmethod
    def parse(cls, line: str | bytes) -> Entry:
        """Return the entry that `line` wrote.

        Raises:
            ValueError: the line is not an entry, or its answer is unusable.
        """
        try:
            values = json.loads(line)
            if values["digitrec"] != FORMAT:
                raise ValueError(f"format {values['digitrec']}, not {FORMAT}")
            asked = dict(values["question"])
            asked |= {name: to_json(asked[name]) for name in ("options", "spec")}
            return cls.made(asked, values["answer"], values["asked_at"], values["cost_usd"])
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error

    @classmethod
    def made(cls, question: Any, answer: Any, asked_at: Any, cost_usd: Any) -> Entry:
        """Return the entry of values that were stored, and may be anything.

        Args:
            question, answer: the fields of both, as JSON has them.
            asked_at, cost_usd: as the fields.

        Raises:
            ValueError: one of them cannot be used.
        """
        values = {"question": question, "answer": answer, "asked_at": asked_at, "cost_usd": cost_usd}
        try:
            missing = {"candidates", "probabilities", "raw", "model_version"} - set(answer)
            if missing:
                raise ValueError(f"the answer has no {missing}")
            entry = msgspec.convert(values, cls)
            json.loads(entry.question.options)
            to_spec(entry.question.spec)  # a form that this version knows
            checked(entry.answer)
        except (TypeError, AttributeError, RecursionError, ArithmeticError, BadAnswer) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        return entry


def to_json(value: Any) -> str:
    """Compact JSON with sorted keys: equal values give equal text.

    What JSON does not know is written as text: an answer that was paid for is never lost for its form.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def to_spec(text: str) -> InputSpec:
    """Return the InputSpec of which ``text`` is the JSON form."""
    return InputSpec(**json.loads(text))


def _without_secrets(endpoint: str | None) -> str | None:
    """Return the address without user name, password, query and fragment."""
    if endpoint is None:
        return None
    parts = urlsplit(endpoint)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
