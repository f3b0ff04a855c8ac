"""Any bytes and any JSON value: an Answer that can be used, or our error."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitrec.answer import DEEPEST, Answer, checked
from digitrec.errors import BadAnswer, ProviderError
from digitrec.providers.document import decoded
from digitrec.recognise.normalise import normalise

from .common import CLOUDS, Stored
from .documents import PARSE, PLANTED, WRONG, all_stored, changed, mutated, paths, without

CASES = int(os.environ.get("DOCUMENT_CASES", "300"))
"""Generated documents for each vendor and test; a long run has had 20,000."""
generated = settings(
    max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def outcome(cloud: str, raw: Any) -> Answer | ProviderError:
    """What parsing gives, after what must hold for any JSON value."""
    try:
        answer = PARSE[cloud](raw)
    except ProviderError as error:
        said = str(error)
        assert "\n" not in said
        assert len(said.encode()) < 1000
        assert PLANTED not in said or "message" in raw["error"]  # what Google itself says went wrong
        return error
    assert checked(answer).raw is raw
    normalise(answer)
    return answer


@pytest.mark.parametrize("cloud", CLOUDS)
def test_whatever_happens_to_a_document_it_is_an_answer_or_our_error(cloud: str) -> None:
    @generated
    @given(mutated(cloud))
    def check(raw: Any) -> None:
        outcome(cloud, raw)

    check()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_wrong_value_at_every_place_of_the_stored_answers(cloud: str) -> None:
    for raw in all_stored(cloud):
        for path in paths(raw):
            outcome(cloud, without(raw, path))
            for wrong in WRONG:
                outcome(cloud, changed(raw, path, wrong))


USED = {
    "google": "fullTextAnnotation pages blocks paragraphs words symbols text vertices x",
    "aws": "TextDetections DetectedText Type Confidence TextModelVersion",
    "aws-textract": "Blocks BlockType Text Confidence DetectDocumentTextModelVersion",
    "azure": "status analyzeResult readResults lines words text confidence boundingBox modelVersion",
    "azure-analysis": "readResult blocks lines words text confidence x y modelVersion",
    "azure-document": "status analyzeResult pages words content confidence polygon modelId apiVersion",
    "openai": "choices message top_logprobs token logprob",
}
"""The fields that digitrec reads."""


@pytest.mark.parametrize(("cloud", "name"), [(it, name) for it in CLOUDS for name in USED[it].split()])
@pytest.mark.parametrize("wrong", [None, True, [[]]])
def test_a_wrong_value_of_a_field_that_counts_is_a_bad_answer_that_names_it(
    cloud: str, name: str, wrong: Any, stored: Stored
) -> None:
    raw = stored(cloud, "seven")
    found = [outcome(cloud, changed(raw, path, wrong)) for path in paths(raw) if path[-1:] == (name,)]
    assert any(isinstance(error, BadAnswer) and name in str(error) for error in found)


@pytest.mark.parametrize(
    "score", [-0.01, 1.01, float("nan"), float("inf"), 10**400, "0.9", "NaN", None, True]
)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_confidence_that_is_none_is_a_bad_answer(cloud: str, score: Any, stored: Stored) -> None:
    raw = stored(cloud, "seven")
    for path in (path for path in paths(raw) if path[-1:] in (("confidence",), ("Confidence",))):
        if {"style", "styles"} & set(path):  # how sure Azure is that it is handwriting, which is not used
            continue
        percent = score * 100 if cloud.startswith("aws") and isinstance(score, float) else score
        assert isinstance(outcome(cloud, changed(raw, path, percent)), BadAnswer)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_is_not_used_may_be_anything(cloud: str, stored: Stored) -> None:
    raw = stored(cloud, "seven")
    more = {**raw, "news": [{"text": None}], "metadata": None, "createdDateTime": 7}
    assert PARSE[cloud](more).candidates == PARSE[cloud](raw).candidates


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("levels", [120, 100_000])
def test_nesting_beyond_any_vendors_is_a_bad_answer_that_keeps_nothing_of_it(cloud: str, levels: int) -> None:
    nested: Any = []
    for _ in range(levels):
        nested = [nested]
    error = outcome(cloud, {"pages": nested})
    assert isinstance(error, BadAnswer)
    assert error.raw is None


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"NaN", b'{"a":Infinity}', b"1e999", b'"\\ud83d"', b'"\xff"', b"[1,]", b"{} x", b"'a'",
     b"[" * 100_000, b'{"a":' * 100_000, b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)],
)  # fmt: skip
def test_what_is_no_document(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|empty"):
        decoded(body)


texts = st.text(st.characters(codec="utf-8"))
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda part: st.lists(part) | st.dictionaries(texts, part),
)


@given(json_values)
def test_any_json_value_is_a_document(value: Any) -> None:
    assert decoded(json.dumps(value).encode()) == value
    assert decoded(b"\xef\xbb\xbf" + json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary())
def test_any_bytes_are_a_document_or_none(body: bytes) -> None:
    try:
        json.dumps(decoded(body)).encode()
    except ValueError as error:
        assert str(error)
    else:
        json.loads(body.removeprefix(b"\xef\xbb\xbf"))
