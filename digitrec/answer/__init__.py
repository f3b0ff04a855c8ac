"""A provider's raw answer to a picture."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import fsum
from typing import Any

from digitrec.errors import BadAnswer
from digitrec.image import Box as Box

DEEPEST = 100
"""Levels of lists and dicts that ``Answer.raw`` may have; the vendors' have fewer than 20."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What a provider says about one character of a `Candidate`."""

    score: float | None = None
    """The provider's own confidence scaled to 0..1, or None where it gave none."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the image that was sent, or None."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One piece of text that a provider read."""

    text: str
    """The text as the provider spelled it, never empty."""
    score: float | None = None
    """The provider's own confidence scaled to 0..1, or None where it gave none."""
    box: Box | None = None
    """Left, top, right, bottom in pixels of the image that was sent, or None."""
    signs: tuple[Sign, ...] = ()
    """Its characters, one `Sign` for each, where the provider tells them apart; else empty."""
    chance: float | None = None
    """Chance 0..1 that all of ``text`` is right, where the provider brings its own calibration; else None."""


@dataclass(frozen=True, slots=True)
class Answer:
    """All that a provider said about one image, in one form for every provider."""

    candidates: tuple[Candidate, ...] = ()
    """The words it read, in reading order; for a classifier its best class. Empty: it read nothing."""
    probabilities: tuple[float, ...] | None = None
    """Chance of each digit 0..9, summing to 1, where the provider is a classifier; else None."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The provider's own answer, unabridged: a dict of what JSON knows, at most `DEEPEST` levels deep."""
    model_version: str | None = None
    """Which model answered, in the provider's words, or None where it did not say."""
    reason: str | None = None
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
        raise _bad(f"it is {_kind(answer)}, not an Answer")
    for wrong in _wrong(answer):
        raise _bad(wrong)
    return answer


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


def _wrong(answer: Answer) -> Iterator[str]:
    """Yield what is wrong; the caller takes the first problem only."""
    if not isinstance(answer.candidates, tuple):
        yield f"candidates is {_kind(answer.candidates)}, not a tuple"
    for place, candidate in enumerate(answer.candidates):
        yield from _wrong_candidate(candidate, f"candidates[{place}]")
    yield from _wrong_probabilities(answer.probabilities)
    if not isinstance(answer.raw, dict):
        yield f"raw is {_kind(answer.raw)}, not a dict"
    if (why := no_json(answer.raw)) is not None:
        yield f"raw {why}"
    if answer.model_version is not None:
        yield from _wrong_text(answer.model_version, "model_version")
    if answer.reason is not None:
        yield from _wrong_text(answer.reason, "reason", least=1)


def _wrong_candidate(candidate: object, where: str) -> Iterator[str]:
    if not isinstance(candidate, Candidate):
        yield f"{where} is {_kind(candidate)}, not a Candidate"
        return
    yield from _wrong_text(candidate.text, f"{where}.text", least=1)
    yield from _wrong_share(candidate.chance, f"{where}.chance")
    yield from _wrong_place(candidate, where)
    if candidate.signs == ():
        return
    if not isinstance(candidate.signs, tuple) or len(candidate.signs) != len(candidate.text):
        yield f"{where}.signs is not a tuple with one Sign for each character"
    for place, sign in enumerate(candidate.signs):
        if not isinstance(sign, Sign):
            yield f"{where}.signs[{place}] is {_kind(sign)}, not a Sign"
        yield from _wrong_place(sign, f"{where}.signs[{place}]")


def _wrong_place(part: Candidate | Sign, where: str) -> Iterator[str]:
    yield from _wrong_share(part.score, f"{where}.score")
    if part.box is None:
        return
    if not isinstance(part.box, tuple) or len(part.box) != 4:
        yield f"{where}.box must be a tuple of four numbers or None"
    for side, number in zip(("left", "top", "right", "bottom"), part.box, strict=True):
        yield from _wrong_number(number, f"{where}.box, {side},", -sys.float_info.max, sys.float_info.max)


def _wrong_share(share: float | None, where: str) -> Iterator[str]:
    if share is not None:
        yield from _wrong_number(share, where, 0.0, 1.0)


def _wrong_probabilities(probabilities: object) -> Iterator[str]:
    if probabilities is None:
        return
    if not isinstance(probabilities, tuple) or len(probabilities) != 10:
        yield "probabilities must be a tuple of ten numbers or None"
        return
    plain = set(map(type, probabilities)) == {float} and 0 <= min(probabilities) <= max(probabilities) <= 1
    if plain and abs(fsum(probabilities) - 1) <= 1e-3:
        return  # as they nearly always are; a NaN among them would have made the sum one
    for digit, chance in enumerate(probabilities):
        yield from _wrong_number(chance, f"probabilities[{digit}]", 0.0, 1.0)
    if abs(fsum(probabilities) - 1) > 1e-3:
        yield f"probabilities sum to {fsum(probabilities):.4g}, not to 1"


def is_deeper(value: object, most: int) -> bool:
    """Return whether lists and dicts are nested more than ``most`` levels deep."""
    level: list[Any] = [value]
    for _ in range(most + 1):
        level = [part for part in level if isinstance(part, dict | list | tuple)]
        if not level:
            return False
        level = [part for node in level for part in (node.values() if isinstance(node, dict) else node)]
    return True


def _wrong_text(text: object, where: str, *, least: int = 0) -> Iterator[str]:
    if not isinstance(text, str):
        yield f"{where} is {_kind(text)}, not a text"
    elif len(text) < least:
        yield f"{where} is empty"
    elif not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:  # half of a surrogate pair
            yield f"{where} has an invalid character"


def _wrong_number(number: object, where: str, least: float, most: float) -> Iterator[str]:
    if isinstance(number, bool) or not isinstance(number, int | float):
        yield f"{where} is {_kind(number)}, not an int or a float"
    elif not least <= number <= most:  # NaN is neither
        yield f"{where} is not finite" if most > 1 else f"{where} is not in 0 to 1"


def _kind(value: object) -> str:
    return "None" if value is None else f"of the type {type(value).__name__}"
