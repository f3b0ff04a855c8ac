"""From what a provider said to a digit: the one place that decides what counts as one."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from digitrec.answer import Answer


@dataclass(frozen=True, slots=True)
class Reading:
    """A provider's answer, understood."""

    digit: int | None
    """The digit 0..9, or None."""
    confidence: float | None
    """The provider's own confidence in it, 0..1, or None where it gave none."""
    reason: str | None = None
    """Why there is no digit; None beside one."""
    text: str | None = None
    """What it read, as it spelled it; None where it read nothing."""
    inferred: bool = False
    """True when a look-alike letter was turned into the digit."""


def normalise(answer: Answer, *, lenient: bool = False) -> Reading:
    """The digit in an answer.

    Args:
        lenient: also take a letter that resembles a digit (O, l, S, ...), and say ``inferred``.
    """
    if not answer.candidates:
        return Reading(None, None, "no text")
    text = " ".join(candidate.text for candidate in answer.candidates)
    scores = [candidate.score for candidate in answer.candidates if candidate.score is not None]
    digits = [value for char in text if (value := unicodedata.digit(char, None)) is not None]
    if len(digits) > 1:
        return Reading(None, None, "more than one digit", text)
    if not digits:
        return Reading(None, None, "no digit", text)
    return Reading(digits[0], min(scores) if scores else None, None, text)
