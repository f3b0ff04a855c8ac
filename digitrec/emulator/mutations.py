"""A vendor's right answer turned into one that is off protocol: of a wrong type, too deep, not UTF-8, ..."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from digitrec.emulator.faults import Fault
from digitrec.emulator.protocol import Request, Response

Place = tuple[str | int, ...]
"""Where a value stands in a document: the keys and indices that lead to it; () is the whole."""

TEXTS = ("text", "description", "DetectedText")
"""Under these names a vendor says what it read."""
VERSIONS = ("modelVersion", "TextModelVersion")
CONFIDENCES = ("confidence", "Confidence")
ODD: tuple[Any, ...] = (
    True, False, 0, -1, 7.5, 2**63, 10**400, 1e308, "", "7", "\ud83d", [], [[]], [None], ["7"], {}, {"7": {}},
)  # fmt: skip
"""What stands where something else should: every JSON type but null, and numbers that fit nowhere."""
NO_CONFIDENCE: tuple[Any, ...] = (
    -0.01, 1.01, -1, 101, 1e308, -1e308, 10**400, float("nan"), float("inf"), "NaN", "-Infinity", "0.9", "",
    None, True, [], [0.9], {},
)  # fmt: skip
"""What is no confidence, 0..1 or 0..100. A bare NaN is no JSON, but most readers take it."""
ADDRESSES = ("", "7", "/", "http://127.0.0.1:9/vision/v3.2/read/analyzeResults/7", "http://[", "\xff")
"""What is not the address of an operation of this server."""
_MARK = "@here@"
_SURROGATE = "\ud83d"


def mutated(response: Response, fault: Fault, request: Request) -> Response:
    """The answer with the fault's change in it; an answer that is an error is left as it is.

    An answer without a document (Azure's 202) has its Operation-Location changed by "wrong-type" and
    "lost-field", gets the header of "echo", and is left as it is by the others.

    Args:
        response: the vendor's right answer.
        fault: one of `digitrec.emulator.faults.DOCUMENTS`; its seed says which change is made.
        request: what was asked; "echo" repeats the keys that are in it.
    """
    if response.status >= 300:
        return response
    if fault.kind == "echo":
        response = replace(response, headers={**response.headers, "X-Echo": _secrets(request)})
    dice = random.Random(fault.seed)  # noqa: S311 (repeatable on purpose)
    if not response.body:
        return _relocated(response, fault.kind, dice)
    document = json.loads(response.body)
    if fault.kind == "echo":
        body = _encoded(_everywhere(document, (*TEXTS, *VERSIONS), f" {_secrets(request)}"))
    elif fault.kind == "deep":
        depth = fault.amount
        spot = f'"{_MARK}"'.encode()
        body = _encoded(_put(document, _any_place(document, dice), _MARK))
        body = body.replace(spot, b"[" * depth + b"]" * depth)
    elif fault.kind == "huge":
        body = _encoded({**document, "padding": "x" * fault.amount})
    elif fault.kind == "not-utf8":
        body = _encoded(_everywhere(document, TEXTS, _MARK)).replace(_MARK.encode(), b"\xff\xc3\x28")
    elif fault.kind == "surrogate":
        body = _encoded(_everywhere(document, TEXTS, _SURROGATE))
    else:
        body = _encoded(_CHANGES[fault.kind](document, dice))
    return replace(response, body=body)


def _wrong_type(document: Any, dice: random.Random) -> Any:
    """Something of another type; in one case of eight in place of the whole document."""
    place = () if dice.random() < 1 / 8 else _any_place(document, dice)
    there = _type(_get(document, place))
    return _put(document, place, dice.choice([odd for odd in ODD if _type(odd) != there]))


def _null_field(document: Any, dice: random.Random) -> Any:
    return _put(document, () if dice.random() < 1 / 8 else _any_place(document, dice), None)


def _lost_field(document: Any, dice: random.Random) -> Any:
    """Without one member of an object or entry of a list."""
    places = [place for place in _places(document) if place]
    if not places:
        return document
    place = dice.choice(places)
    document = json.loads(json.dumps(document))
    del _get(document, place[:-1])[place[-1]]
    return document


def _bad_confidence(document: Any, dice: random.Random) -> Any:
    """One confidence that is none; a document in which there is no confidence stays as it is."""
    places = [place for place in _places(document) if place and place[-1] in CONFIDENCES]
    return _put(document, dice.choice(places), dice.choice(NO_CONFIDENCE)) if places else document


_CHANGES: Mapping[str, Callable[[Any, random.Random], Any]] = {
    "wrong-type": _wrong_type, "null-field": _null_field,
    "lost-field": _lost_field, "bad-confidence": _bad_confidence,
}  # fmt: skip


def _relocated(response: Response, kind: str, dice: random.Random) -> Response:
    headers = dict(response.headers)
    if kind == "lost-field":
        headers.pop("Operation-Location", None)
    elif kind == "wrong-type" and "Operation-Location" in headers:
        headers["Operation-Location"] = dice.choice(ADDRESSES)
    return replace(response, headers=headers)


def _secrets(request: Request) -> str:
    """The keys that came with a request, as they came; what could not stand in a header is left out."""
    names = ("x-goog-api-key", "authorization", "x-amz-security-token", "ocp-apim-subscription-key")
    found = [*(request.headers.get(name) for name in names), request.parameters.get("key")]
    told = " ".join(value for value in found if value)
    return "".join(char for char in told if char.isascii() and char.isprintable())


def _places(value: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inside:
        yield from _places(held, (*at, key))


def _any_place(document: Any, dice: random.Random) -> Place:
    return dice.choice(list(_places(document)))


def _get(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document


def _put(document: Any, place: Place, value: Any) -> Any:
    """A copy of the document with another value at a place."""
    if not place:
        return value
    document = json.loads(json.dumps(document))
    _get(document, place[:-1])[place[-1]] = value
    return document


def _everywhere(value: Any, names: tuple[str, ...], appended: str) -> Any:
    """A copy with something appended to every string that stands under one of the names."""
    if isinstance(value, list):
        return [_everywhere(held, names, appended) for held in value]
    if not isinstance(value, dict):
        return value
    return {
        key: held + appended if key in names and isinstance(held, str) else _everywhere(held, names, appended)
        for key, held in value.items()
    }


def _type(value: Any) -> str:
    """The JSON type of a value."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    kinds: dict[type, str] = {dict: "object", list: "array", str: "string"}
    return kinds.get(type(value), "number")


def _encoded(document: Any) -> bytes:
    """JSON in ASCII: a lone surrogate becomes its escape, NaN and Infinity stand as they are."""
    return json.dumps(document).encode("ascii")
