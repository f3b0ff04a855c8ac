"""What was asked and what was answered, and both as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from digitrec.answer import Answer, Candidate, checked
from digitrec.errors import BadAnswer
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.base import Provider

FORMAT = 1
"""Version of a recording's lines."""


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
        """The question that asking ``provider`` about ``image`` is."""
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
    """An answer with its question, as the ledger and a recording keep it."""

    question: Question
    """What was asked."""
    answer: Answer
    """What was answered."""
    asked_at: float
    """When it was asked, in seconds since 1970."""
    cost_usd: float | None
    """US dollars it cost; None is unknown."""

    def line(self) -> str:
        """One line of a recording: JSON, without line break."""
        asked = asdict(self.question)
        for name in ("options", "spec"):
            asked[name] = json.loads(asked[name])
        meta = {"digitrec": FORMAT, "asked_at": self.asked_at, "cost_usd": self.cost_usd}
        return to_json({**meta, "question": asked, "answer": asdict(self.answer)})

    @classmethod
    def parse(cls, line: str) -> Entry:
        """The entry of one line.

        Raises:
            ValueError: it is none, or its answer cannot be used.
        """
        with _value_errors():
            values = json.loads(line)
            if values["digitrec"] != FORMAT:
                raise ValueError(f"format {values['digitrec']}, not {FORMAT}")
            asked = dict(values["question"])
            for name in ("options", "spec"):
                asked[name] = to_json(asked[name])
            return cls.made(asked, values["answer"], values["asked_at"], values["cost_usd"])

    @classmethod
    def made(cls, asked: Mapping[str, Any], answer: Any, asked_at: Any, cost_usd: Any) -> Entry:
        """The entry of what was kept, which may be anything.

        Args:
            asked: the question's fields.
            answer: the answer's JSON form.
            asked_at, cost_usd: as the fields.

        Raises:
            ValueError: something in it cannot be used.
        """
        with _value_errors():
            question = Question(**asked)
            for name in ("provider", "options", "spec", "prepared_sha256"):
                _expect(isinstance(getattr(question, name), str), name)
            for name in ("endpoint", "image_sha256"):
                _expect(isinstance(getattr(question, name), str | None), name)
            _expect(isinstance(question.emulated, bool), "emulated")
            _expect(_is_number(asked_at), "asked_at")
            _expect(cost_usd is None or (_is_number(cost_usd) and cost_usd >= 0), "cost_usd")
            json.loads(question.options)
            to_spec(question.spec)  # a form that this version knows
            return cls(question, checked(to_answer(answer)), asked_at, cost_usd)


@contextmanager
def _value_errors() -> Iterator[None]:
    """Inside, whatever fails because a value is not of the form it should have is a ValueError."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, RecursionError, ArithmeticError, BadAnswer) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _expect(is_so: bool, name: str) -> None:
    if not is_so:
        raise ValueError(f"{name} is of the wrong kind")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def to_json(value: Any) -> str:
    """Compact JSON with sorted keys: equal values give equal text.

    What JSON does not know is written as text: an answer that was paid for is never lost for its form.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def to_answer(values: Mapping[str, Any]) -> Answer:
    """The Answer of which ``values`` is the JSON form."""
    return Answer(
        candidates=tuple(
            Candidate(it["text"], it["score"], None if it["box"] is None else tuple(it["box"]))
            for it in values["candidates"]
        ),
        probabilities=None if values["probabilities"] is None else tuple(values["probabilities"]),
        raw=values["raw"],
        model_version=values["model_version"],
        reason=values.get("reason"),  # recordings made without it stay good
    )


def to_spec(text: str) -> InputSpec:
    """The InputSpec of which ``text`` is the JSON form."""
    return InputSpec(**json.loads(text))


def _without_secrets(endpoint: str | None) -> str | None:
    """The address without user name, password, query and fragment."""
    if endpoint is None:
        return None
    parts = urlsplit(endpoint)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
