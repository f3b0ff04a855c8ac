"""What a provider said, before anybody decides which digit that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from digitrec.fieldhelp import documented


@documented
@dataclass(frozen=True, slots=True)
class Candidate:
    """One piece of text that a provider read."""

    text: str
    """The text as the provider spelled it, never empty."""
    score: float | None = None
    """The provider's own confidence scaled to 0..1, or None where it gave none."""
    box: tuple[float, float, float, float] | None = None
    """Left, top, right, bottom in pixels of the image that was sent, or None."""


@documented
@dataclass(frozen=True, slots=True)
class Answer:
    """All that a provider said about one image, in one form for every provider."""

    candidates: tuple[Candidate, ...] = ()
    """The words it read, in reading order; for a classifier its best class. Empty: it read nothing."""
    probabilities: tuple[float, ...] | None = None
    """Chance of each digit 0..9, summing to 1, where the provider is a classifier; else None."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The provider's own answer, as JSON-like values, unabridged."""
    model_version: str | None = None
    """Which model answered, in the provider's words, or None where it did not say."""
    reason: str | None = None
    """Why the provider itself takes it for no digit; None where it does not judge, or takes it for one."""
