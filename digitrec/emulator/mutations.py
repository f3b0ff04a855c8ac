"""A vendor's right answer turned into one that is off protocol: of a wrong type, too deep, not UTF-8, ..."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from digitrec.emulator.faults import Fault
from digitrec.emulator.vendors.base import Request, Response

JsonPath = tuple[str | int, ...]
"""Where a value stands in a document: the keys and indices that lead to it; () is the whole."""

TEXTS = ("text", "description", "DetectedText", "Text", "content")
"""Under these names a vendor says what it read."""
VERSIONS = ("model", "modelVersion", "TextModelVersion", "DetectDocumentTextModelVersion", "modelId")
CONFIDENCES = ("confidence", "Confidence")
WRONG_VALUES: tuple[Any, ...] = (
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
    rng = random.Random(fault.seed)  # nosec B311 # noqa: S311 (repeatable on purpose)
    if not response.body:
        return _with_other_location(response, fault.kind, rng)
    document = json.loads(response.body)
    if fault.kind == "echo":
        body = _encoded(_everywhere(document, (*TEXTS, *VERSIONS), f" {_secrets(request)}"))
    elif fault.kind == "deep":
        depth = fault.amount
        spot = f'"{_MARK}"'.encode()
        body = _encoded(_put(document, _any_path(document, rng), _MARK))
        body = body.replace(spot, b"[" * depth + b"]" * depth)
    elif fault.kind == "huge":
        body = _encoded({**document, "padding": "x" * fault.amount})
    elif fault.kind == "not-utf8":
        body = _encoded(_everywhere(document, TEXTS, _MARK)).replace(_MARK.encode(), b"\xff\xc3\x28")
    elif fault.kind == "surrogate":
        body = _encoded(_everywhere(document, TEXTS, _SURROGATE))
    else:
        body = _encoded(_CHANGES[fault.kind](document, rng))
    return replace(response, body=body)


def _wrong_type(document: Any, rng: random.Random) -> Any:
    """Something of another type; in one case of eight in place of the whole document."""
    path = () if rng.random() < 1 / 8 else _any_path(document, rng)
    there = _type(_get(document, path))
    return _put(document, path, rng.choice([value for value in WRONG_VALUES if _type(value) != there]))


def _null_field(document: Any, rng: random.Random) -> Any:
    return _put(document, () if rng.random() < 1 / 8 else _any_path(document, rng), None)


def _lost_field(document: Any, rng: random.Random) -> Any:
    """Without one member of an object or entry of a list."""
    paths = [path for path in _paths(document) if path]
    if not paths:
        return document
    path = rng.choice(paths)
    document = json.loads(json.dumps(document))
    del _get(document, path[:-1])[path[-1]]
    return document


def _bad_confidence(document: Any, rng: random.Random) -> Any:
    """One confidence that is none; a document in which there is no confidence stays as it is."""
    paths = [path for path in _paths(document) if path and path[-1] in CONFIDENCES]
    return _put(document, rng.choice(paths), rng.choice(NO_CONFIDENCE)) if paths else document


_CHANGES: Mapping[str, Callable[[Any, random.Random], Any]] = {
    "wrong-type": _wrong_type, "null-field": _null_field,
    "lost-field": _lost_field, "bad-confidence": _bad_confidence,
}  # fmt: skip


def _with_other_location(response: Response, kind: str, rng: random.Random) -> Response:
    headers = dict(response.headers)
    if kind == "lost-field":
        headers.pop("Operation-Location", None)
    elif kind == "wrong-type" and "Operation-Location" in headers:
        headers["Operation-Location"] = rng.choice(ADDRESSES)
    return replace(response, headers=headers)


def _secrets(request: Request) -> str:
    """The keys that came with a request, as they came; what could not stand in a header is left out."""
    names = ("x-goog-api-key", "authorization", "x-amz-security-token", "ocp-apim-subscription-key")
    found = [*(request.headers.get(name) for name in names), request.parameters.get("key")]
    told = " ".join(value for value in found if value)
    return "".join(char for char in told if char.isascii() and char.isprintable())


def _paths(value: Any, at: JsonPath = ()) -> Iterator[JsonPath]:
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inside:
        yield from _paths(held, (*at, key))


def _any_path(document: Any, rng: random.Random) -> JsonPath:
    return rng.choice(list(_paths(document)))


def _get(document: Any, path: JsonPath) -> Any:
    for step in path:
        document = document[step]
    return document


def _put(document: Any, path: JsonPath, value: Any) -> Any:
    """A copy of the document with another value at a place."""
    if not path:
        return value
    document = json.loads(json.dumps(document))
    _get(document, path[:-1])[path[-1]] = value
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
