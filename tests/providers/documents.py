"""The vendors' documents: a grammar of right ones, and what may happen to them on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from digitrec.providers import aws, azure, azure_analysis, google
from digitrec.providers.answer import Answer

PARSE: dict[str, Callable[[Any], Answer]] = {
    "google": google.parse,
    "aws": aws.parse,
    "azure": azure.parse,
    "azure-analysis": azure_analysis.parse,
}
PLANTED = "planted-content-of-the-document"
"""Stands in many a document; no message may show it."""

texts = st.text("0123456789OlS.٧é七 ", min_size=1, max_size=4).filter(str.strip) | st.just(PLANTED)
scores = st.floats(0, 1) | st.sampled_from([0, 1])
pixels = st.integers(-5, 10_000)


def some(part: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[list[Any]]:
    return st.lists(part, min_size=least, max_size=2)


def form(optional: dict[str, Any] | None = None, /, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fields, optional=optional or {})


def google_documents() -> st.SearchStrategy[Any]:
    corner = form({"x": pixels, "y": pixels})
    box = {"boundingBox": form({"vertices": st.lists(corner, min_size=4, max_size=4)})}
    scored = {"confidence": scores}
    symbol = form({**scored, **box, "property": form()}, text=texts)
    word = form({**scored, **box}, symbols=some(symbol, 1))
    paragraph = form(scored, words=some(word, 1))
    block = form({**scored, "blockType": st.just("TEXT")}, paragraphs=some(paragraph, 1))
    page = form({**scored, "width": pixels, "height": pixels}, blocks=some(block, 1))
    full = form({"text": texts}, pages=some(page, 1))
    entity = form({"locale": st.just("und"), "boundingPoly": form()}, description=texts)
    error = form({"code": st.just(0), "message": texts, "details": some(form())})
    return form(
        {"fullTextAnnotation": full | form(), "textAnnotations": st.lists(entity, min_size=2, max_size=3)}
    ) | form({"error": error | form(code=st.sampled_from([3, 8, 13, 99]))}, fullTextAnnotation=full)


def aws_documents() -> st.SearchStrategy[Any]:
    box = form(Width=scores, Height=scores, Left=scores, Top=scores)
    details = {"Id": pixels, "ParentId": pixels, "Geometry": form(BoundingBox=box)}
    percent = st.floats(0, 100) | st.sampled_from([0, 100])
    word = form(details, DetectedText=texts, Type=st.just("WORD"), Confidence=percent)
    line = form(details, DetectedText=texts, Type=st.just("LINE"), Confidence=percent)
    found = st.tuples(line, word, word | line).map(list) | st.just([])
    return form({"TextModelVersion": st.just("3.0")}, TextDetections=found)


def azure_documents() -> st.SearchStrategy[Any]:
    box = {"boundingBox": st.lists(pixels | st.floats(0, 100), min_size=8, max_size=8)}
    word = form(box, text=texts, confidence=scores)
    line = form({**box, "text": texts, "appearance": form(style=form())}, words=some(word, 1))
    page = form({"page": pixels, "angle": pixels, "unit": st.just("pixel")}, lines=some(line))
    result = form({"modelVersion": st.just("2022-04-30"), "version": texts}, readResults=some(page))
    return form({"createdDateTime": texts}, status=st.just("succeeded"), analyzeResult=result)


def azure_analysis_documents() -> st.SearchStrategy[Any]:
    box = {"boundingPolygon": st.lists(form(x=pixels, y=pixels), min_size=4, max_size=4)}
    word = form(box, text=texts, confidence=scores)
    line = form({**box, "text": texts}, words=some(word, 1))
    block = form(lines=some(line))
    metadata = {"modelVersion": st.just("2023-10-01"), "metadata": form(width=pixels, height=pixels)}
    return form(metadata, readResult=form(blocks=some(block)))


DOCUMENTS = {
    "google": google_documents(),
    "aws": aws_documents(),
    "azure": azure_documents(),
    "azure-analysis": azure_analysis_documents(),
}


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
"""What stands where something else should: every type of JSON, and what `json.loads` takes beside it."""
wrong_values = st.integers(0, len(WRONG) - 1).map(lambda place: WRONG[place])
"""One of them, chosen by its place: Hypothesis cannot show them all."""


def words(node: Any) -> Iterator[str]:
    """The texts of all words in a right document, wherever they stand."""
    if isinstance(node, list):
        for part in node:
            yield from words(part)
    elif isinstance(node, dict) and "symbols" in node:
        yield "".join(symbol["text"] for symbol in node["symbols"])
    elif isinstance(node, dict) and node.get("Type") == "WORD":
        yield node["DetectedText"]
    elif isinstance(node, dict) and "text" in node and "confidence" in node:
        yield node["text"]
    elif isinstance(node, dict):
        for part in node.values():
            yield from words(part)


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every node, the root first; what is nested deeper than a document counts as one."""
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
    """The same with another value at a place."""
    if not path:
        return value
    copy = raw.copy()
    copy[path[0]] = changed(raw[path[0]], path[1:], value)
    return copy


def without(raw: Any, path: tuple[Any, ...]) -> Any:
    """The same without what stands at a place."""
    if not path:
        return {}
    copy = at(raw, path[:-1]).copy()
    del copy[path[-1]]
    return changed(raw, path[:-1], copy)


@st.composite
def mutated(draw: st.DrawFn, documents: st.SearchStrategy[Any]) -> Any:
    """A right document to which something has happened, once to three times, anywhere."""
    raw = draw(documents)
    for _ in range(draw(st.integers(1, 3))):
        places = list(paths(raw))
        path = draw(st.sampled_from(places))
        here = at(raw, path)
        match draw(st.sampled_from(["wrong", "wrong", "wrong", "gone", "twice", "wrapped", "moved"])):
            case "gone":
                raw = without(raw, path)
            case "twice":
                raw = changed(raw, path, [here, here])
            case "wrapped":
                raw = changed(raw, path, {"value": here})
            case "moved":  # one part of it where another should be
                raw = changed(raw, path, at(raw, draw(st.sampled_from(places))))
            case _:
                raw = changed(raw, path, draw(wrong_values))
    return raw
