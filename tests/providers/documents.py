"""The vendors' stored documents, and their mutations."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from digitrec.answer import Answer
from digitrec.providers import aws, azure, google, openai

PARSE: dict[str, Callable[[Any], Answer]] = {
    "google": google.parse, "aws": aws.Aws.parse, "aws-textract": aws.AwsTextract.parse,
    "azure": azure.Azure.parse, "azure-analysis": azure.AzureAnalysis.parse,
    "azure-document": azure.AzureDocument.parse, "openai": openai.parse,
}  # fmt: skip
PLANTED = "planted-content-of-the-document"
"""A marker inside documents, which no message may contain."""

ANSWERS = Path(__file__).parent.parent / "answers"


def stored(cloud: str, case: str = "seven") -> Any:
    """Load the raw bytes of a vendor's answer; its file also names its source."""
    return json.loads((ANSWERS / cloud / f"{case}.json").read_text("utf-8"))["answer"]


def deep(levels: int, key: str | None) -> Any:
    value: Any = 7
    for _ in range(levels):
        value = [value] if key is None else {key: value}
    return value


WRONG: list[Any] = [
    None, True, False, 0, 1, -1, 2, 101, 0.5, 1.5, -0.5, 1e308, 2**31, 2**63, 10**400, 10**5000,
    float("nan"), float("inf"), float("-inf"), "", " ", "7", "0.5", "NaN", "WORD", "succeeded", "failed",
    "running", "\ud83d", "\0", "\u2028", PLANTED, "7" * 10_000, [], {}, [[]], [None], [{}], ["7"], [0.5],
    [1] * 7, [1] * 9, {"": None}, {"\ud83d": 1}, {"code": "3"}, {"code": 8}, {"x": None}, {"text": None},
    {PLANTED: PLANTED}, deep(99, None), deep(120, "pages"), deep(3000, None),
]  # fmt: skip
"""Wrong values for a field: every type of JSON, and values that only `json.loads` accepts."""


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every node, the root first; do not look deeper than a document is nested."""
    yield path
    if len(path) < 20:
        parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, part in parts:
            yield from paths(part, (*path, key))


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        node = node[key]
    return node


def changed(raw: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy with another value at a path."""
    if not path:
        return value
    copy = raw.copy()
    copy[path[0]] = changed(raw[path[0]], path[1:], value)
    return copy


def without(raw: Any, path: tuple[Any, ...]) -> Any:
    """Return a copy without the node at a path."""
    if not path:
        return {}
    copy = at(raw, path[:-1]).copy()
    del copy[path[-1]]
    return changed(raw, path[:-1], copy)
