"""Define a request and its answer as the ledger stores them, and their JSON form."""

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
from digitrec.errors.schemas import built
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.base import Provider

FORMAT = 1
"""Version of the exported lines."""
LARGEST = sys.float_info.max
"""Largest finite number."""


@dataclass(frozen=True)
class Question:
    """Everything that an answer depends on: an equal question is never paid for twice."""

    provider: str
    """Name of the engine."""
    endpoint: str | None
    """Address of the request, without user name and query."""
    emulated: bool
    """True if an emulator listens at the address."""
    options: str
    """The provider's options as JSON with sorted keys."""
    spec: str
    """The preparation of the image: its InputSpec as JSON with sorted keys."""
    image_sha256: str | None
    """SHA-256 of the original image; of a turned or cropped image that of this hash and the view."""
    prepared_sha256: str
    """SHA-256 of the prepared bytes."""

    @classmethod
    def about(cls, image: PreparedImage, provider: Provider, *, emulated: bool) -> Question:
        """Return the question that a request to ``provider`` about ``image`` represents."""
        view, sha256 = image.image.view, image.image.sha256
        return cls(
            provider=provider.name,
            endpoint=_without_secrets(provider.endpoint),
            emulated=emulated,
            options=to_json(getattr(provider, "options", {})),
            spec=to_json(asdict(image.spec)),
            image_sha256=hashlib.sha256(f"{sha256}{view}".encode()).hexdigest() if view else sha256,
            prepared_sha256=hashlib.sha256(image.data).hexdigest(),
        )

    @cached_property
    def key(self) -> str:
        """One hash of all fields but the original image: equal bytes make equal questions.

        Of an emulator's address only the path counts, because its port differs each time.
        """
        endpoint = urlsplit(self.endpoint or "").path if self.emulated else self.endpoint
        parts = (self.provider, endpoint, self.emulated, self.options, self.prepared_sha256)
        return hashlib.sha256(to_json(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer with its question, as stored in the ledger."""

    question: Question
    """The question."""
    answer: Answer
    """The answer."""
    asked_at: Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
    """Time of the request, in seconds since 1970."""
    cost_usd: Annotated[float, Meta(ge=0, le=LARGEST)] | None
    """Cost in US dollars, >= 0; None: unknown."""

    def line(self) -> str:
        """Return the entry as JSON in one line."""
        asked = asdict(self.question)
        asked |= {name: json.loads(asked[name]) for name in ("options", "spec")}
        meta = {"digitrec": FORMAT, "asked_at": self.asked_at, "cost_usd": self.cost_usd}
        return to_json({**meta, "question": asked, "answer": asdict(self.answer)})

    @classmethod
    def parse(cls, line: str | bytes) -> Entry:
        """Parse an entry written by `line`.

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
        """Build an entry from stored values, which may be anything.

        Args:
            question, answer: the fields of both, as JSON values.
            asked_at, cost_usd: the values of these fields.

        Raises:
            ValueError: a value is invalid.
        """
        values = {"question": question, "answer": answer, "asked_at": asked_at, "cost_usd": cost_usd}
        try:
            missing = {"candidates", "probabilities", "raw", "model_version"} - set(answer)
            if missing:
                raise ValueError(f"the answer has no {missing}")
            entry = msgspec.convert(values, built(cls))
            json.loads(entry.question.options)
            to_spec(entry.question.spec)  # raises an error for a form that this version does not know
            checked(entry.answer)
        except (TypeError, AttributeError, RecursionError, ArithmeticError, BadAnswer) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        return entry


def to_json(value: Any) -> str:
    """Return compact JSON with sorted keys, so that equal values give equal texts.

    Values that have no JSON form are written as text: a paid answer must never be lost because of its form.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def to_spec(text: str) -> InputSpec:
    """Convert the JSON form of an InputSpec back.

    Raises:
        TypeError: a field is unknown.
        ValueError: a value is invalid.
    """
    return msgspec.convert(asdict(InputSpec(**json.loads(text))), built(InputSpec))


def _without_secrets(endpoint: str | None) -> str | None:
    """Return the address without user name, password, query and fragment."""
    if endpoint is None:
        return None
    parts = urlsplit(endpoint)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
