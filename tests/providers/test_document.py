"""Any bytes and any JSON value: an Answer that can be used, or our error."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitrec.answer import DEEPEST, Answer, checked
from digitrec.errors import BadAnswer, ProviderError
from digitrec.providers.document import decoded
from digitrec.recognise.normalise import normalise

from .common import CLOUDS, Stored
from .documents import (
    DOCUMENTS,
    PARSE,
    PLANTED,
    WRONG,
    at,
    changed,
    mutated,
    paths,
    without,
    words,
)

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
def test_a_right_document_is_an_answer(cloud: str) -> None:
    @generated
    @given(DOCUMENTS[cloud])
    def check(raw: Any) -> None:
        answer = PARSE[cloud](raw)
        assert checked(answer).raw is raw
        read = [candidate.text for candidate in answer.candidates]
        assert read == (list(words(raw)) or [it["description"] for it in raw.get("textAnnotations", [])[1:]])

    check()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_whatever_happens_to_a_document_it_is_an_answer_or_our_error(cloud: str) -> None:
    @generated
    @given(mutated(DOCUMENTS[cloud]))
    def check(raw: Any) -> None:
        outcome(cloud, raw)

    check()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_wrong_value_at_every_place_of_the_stored_answers(cloud: str, stored: Stored) -> None:
    for file in (Path(__file__).parent.parent / "answers" / cloud).glob("*.json"):
        raw = stored(cloud, file.stem)
        for path in paths(raw):
            outcome(cloud, without(raw, path))
            for wrong in WRONG:
                outcome(cloud, changed(raw, path, wrong))


UNUSED = re.compile(
    r"symbols/0/boundingBox|lines/0/(appearance|boundingBox|boundingPolygon)|Geometry|Id$|DateTime|metadata"
    r"|TextType|Relationships|DocumentMetadata|span|styles|paragraphs|pages/0/lines|stringIndexType|pageNumber"
    r"|^(id|object|created)$|^usage|/(index|role|bytes|refusal|total_tokens|completion_tokens_details)"
    r"|content/\d/logprob$|/(width|height|blockType|locale|version|page|angle|unit)$"
)
"""What is not looked at in the stored answers."""
NULLABLE = re.compile(r"^model$|logprobs$|logprobs/content$|finish_reason$")
"""What the servers of OpenAI's protocol may send as null."""


@pytest.mark.parametrize("cloud", CLOUDS)
def test_null_or_another_type_in_a_field_that_counts_is_a_bad_answer_that_names_it(
    cloud: str, stored: Stored
) -> None:
    raw = stored(cloud, "seven")
    for path in paths(raw):
        if UNUSED.search("/".join(map(str, path))):
            continue
        here = at(raw, path)
        nullable = cloud == "openai" and NULLABLE.search("/".join(map(str, path)))
        for other in ([] if nullable else [None]) + [True, 70, "7", [7], {"a": 7}]:
            if isinstance(other, str) and str(path[-1:]) == "('content',)":
                continue
            if type(other) is not type(here) and not (isinstance(here, int | float) and other == 70):
                error = outcome(cloud, changed(raw, path, other))
                assert isinstance(error, BadAnswer)
                assert str(path[-1] if path else "the document") in str(error)


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


@pytest.mark.parametrize(
    ("cloud", "path", "wrong", "said"),
    [
        ("google", (), [], "the document: expected an object, got a list"),
        ("google", ("fullTextAnnotation", "pages", 0, "confidence"), PLANTED,
         "fullTextAnnotation.pages[0].confidence: expected a number, got a text"),
        ("aws", ("TextDetections", 1, "DetectedText"), 7,
         "TextDetections[1].DetectedText: expected a text, got a whole number"),
        ("aws", ("TextDetections", 1, "Confidence"), 101,
         "TextDetections[1].Confidence: expected a number <= 100.0"),
        ("aws-textract", ("Blocks", 2, "Confidence"), "98",
         "Blocks[2].Confidence: expected a number, got a text"),
        ("azure", ("analyzeResult", "readResults", 0, "lines", 0, "words"), None,
         "analyzeResult.readResults[0].lines[0].words: expected a list, got null"),
        ("azure", ("analyzeResult", "readResults", 0, "lines", 0, "words", 0, "boundingBox"), [1, 2, 3],
         "analyzeResult.readResults[0].lines[0].words[0].boundingBox: expected a list of length >= 8"),
        ("azure-document", ("analyzeResult", "pages", 0, "words", 0, "confidence"), 1.5,
         "analyzeResult.pages[0].words[0].confidence: expected a number <= 1.0"),
        ("openai", ("choices", 0, "message", "content"), 7,
         "choices[0].message.content: expected a text or a list or null, got a whole number"),
        ("azure-analysis", ("readResult", "blocks", 0, "lines", 0, "words", 0, "boundingPolygon", 2),
         {"x": 7},
         "readResult.blocks[0].lines[0].words[0].boundingPolygon[2]: object missing required field y"),
    ],
)  # fmt: skip
def test_the_message_names_the_place(
    cloud: str, path: tuple[Any, ...], wrong: Any, said: str, stored: Stored
) -> None:
    error = outcome(cloud, changed(stored(cloud, "seven"), path, wrong))
    assert f"({said});" in str(error)


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
    "cloud", [cloud for cloud in CLOUDS if cloud != "openai"]
)  # one digit is all it says
def test_a_page_of_a_twenty_thousand_words_is_read(cloud: str, stored: Stored) -> None:
    raw = stored(cloud, "seven")
    (path,) = [path for path in paths(raw) if path[-1:] in (("words",), ("TextDetections",), ("Blocks",))]
    word = at(raw, path)[-1]
    assert len(PARSE[cloud](changed(raw, path, [word] * 20_000)).candidates) == 20_000


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
