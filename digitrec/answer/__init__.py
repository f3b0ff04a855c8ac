"""A provider's raw answer to a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import fsum
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from digitrec.errors import BadAnswer
from digitrec.image import Box as Box

Share = Annotated[float, Meta(ge=0, le=1)]
Text = Annotated[str, Meta(min_length=1)]
Ten = Annotated[tuple[Share, ...], Meta(min_length=10, max_length=10)]

DEEPEST = 100
"""Levels of lists and dicts that ``Answer.raw`` may have; the vendors' have fewer than 20."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What a provider says about one character of a `Candidate`."""

    score: Share | None = None
    """The provider's own confidence scaled to 0..1, or None where it gave none."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the image that was sent, or None."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One piece of text that a provider read."""

    text: Text
    """The text as the provider spelled it, never empty."""
    score: Share | None = None
    """The provider's own confidence scaled to 0..1, or None where it gave none."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the image that was sent, or None."""
    signs: tuple[Sign, ...] = ()
    """Its characters, one `Sign` for each, where the provider tells them apart; else empty."""
    chance: Share | None = None
    """Chance 0..1 that all of ``text`` is right, where the provider brings its own calibration; else None."""


@dataclass(frozen=True, slots=True)
class Answer:
    """All that a provider said about one image, in one form for every provider."""

    candidates: tuple[Candidate, ...] = ()
    """The words it read, in reading order; for a classifier its best class. Empty: it read nothing."""
    probabilities: Ten | None = None
    """Chance of each digit 0..9, summing to 1, where the provider is a classifier; else None."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The provider's own answer, unabridged: a dict of what JSON knows, at most `DEEPEST` levels deep."""
    model_version: str | None = None
    """Which model answered, in the provider's words, or None where it did not say."""
    reason: Text | None = None
    """Why the provider itself takes it for no digit; None where it does not judge, or takes it for one."""


def checked(answer: object) -> Answer:
    """Return the answer if each field has the documented type and range.

    Numbers are finite ints or floats; bool and NumPy's float32 are not accepted, so give ``float(x)``. Texts
    can be encoded as UTF-8, and ``raw`` as JSON. An answer that passes can be normalised
    (`digitrec.recognise.normalise`), stored, recorded and loaded again.

    Raises:
        BadAnswer: a field is wrong; the message says which, and shows no text of the answer.
    """
    if not isinstance(answer, Answer):
        raise _bad(f"it is of the type {type(answer).__name__}, not an Answer")
    if not isinstance(answer.raw, dict):
        raise _bad("raw is not a dict")
    if (why := no_json(answer.raw)) is not None:
        raise _bad(f"raw {why}")
    for name, kind in _KINDS.items():
        value = getattr(answer, name)
        try:
            same = msgspec.json.decode(msgspec.json.encode(value, enc_hook=_float), type=kind)
        except (TypeError, ValueError) as error:
            raise _bad(f"{name}: {error}") from error
        if same != value:  # JSON has no tuples, and NaN becomes null
            raise _bad(f"{name} holds another type than it should, such as a list in place of a tuple")
    _check_sums(answer)
    return answer


_KINDS = {name: kind for name, kind in get_type_hints(Answer, include_extras=True).items() if name != "raw"}


def _float(value: object) -> float:
    """Return NumPy's float64, which is a float, as one.

    Raises:
        TypeError: the value is of another type.
    """
    if not isinstance(value, float):
        raise TypeError(f"{type(value).__name__} is not allowed")
    return float(value)


def _check_sums(answer: Answer) -> None:
    """Check what no type says: there is a sign for each character, and probabilities sum to 1.

    Raises:
        BadAnswer: one of them is wrong.
    """
    for place, candidate in enumerate(answer.candidates):
        if candidate.signs and len(candidate.signs) != len(candidate.text):
            raise _bad(f"candidates[{place}].signs has not one Sign for each character")
    if answer.probabilities is not None and abs(fsum(answer.probabilities) - 1) > 1e-3:
        raise _bad(f"probabilities sum to {fsum(answer.probabilities):.4g}, not to 1")


def no_json(value: object) -> str | None:
    """Why a value cannot be an answer's ``raw``, or a part of it; None where it can.

    It can when it is written as JSON in UTF-8 (no NaN, no lone surrogate, no integer of 5,000 digits) and has
    at most `DEEPEST` levels, so that whatever walks through it later does not run out of stack.
    """
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return f"cannot be written as JSON ({error})"
    return f"has more than {DEEPEST} levels" if is_deeper(value, DEEPEST) else None


def _bad(wrong: str) -> BadAnswer:
    return BadAnswer(f"the answer is invalid: {wrong}; report it to the provider's author")


def is_deeper(value: object, most: int) -> bool:
    """Return whether lists and dicts are nested more than ``most`` levels deep."""
    level: list[Any] = [value]
    for _ in range(most + 1):
        level = [part for part in level if isinstance(part, dict | list | tuple)]
        if not level:
            return False
        level = [part for node in level for part in (node.values() if isinstance(node, dict) else node)]
    return True
