"""What was asked and what was answered, and both as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from digitrec.answer import Answer, Candidate
from digitrec.errors import LedgerError
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
        """One hash for all of it but the original image: the same bytes sent are the same question."""
        parts = (self.provider, self.endpoint, self.emulated, self.options, self.prepared_sha256)
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
        """The entry of one line; ValueError, KeyError or TypeError where it is none."""
        values = json.loads(line)
        if values["digitrec"] != FORMAT:
            raise ValueError(f"format {values['digitrec']}, not {FORMAT}")
        asked = dict(values["question"])
        for name in ("options", "spec"):
            asked[name] = to_json(asked[name])
        to_spec(asked["spec"])  # a form that this version knows
        return cls(Question(**asked), to_answer(values["answer"]), values["asked_at"], values["cost_usd"])


def read_recording(path: Path) -> list[Entry]:
    """Every entry of a recording, in order.

    Raises:
        LedgerError: it cannot be read, or a line in it is not an entry; the message names the line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise LedgerError(f"the recording {path} cannot be read ({why}); check the name") from error
    return [_entry(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def append_recording(path: Path, entries: Sequence[Entry]) -> None:
    """Add entries at the end of a recording; the file is made if it is not there.

    Raises:
        LedgerError: it cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{entry.line()}\n" for entry in entries))
    except OSError as error:
        why = error.strerror
        raise LedgerError(f"the recording {path} cannot be written ({why}); name another") from error


def _entry(path: Path, number: int, line: str) -> Entry:
    try:
        return Entry.parse(line)
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"{path}, line {number}: not a recorded answer; record it again") from error


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
