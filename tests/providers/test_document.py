"""Any JSON value gives a valid Answer or one of our errors."""

import re
from dataclasses import replace
from typing import Any

import pytest

from digitrec.answer import DEEPEST, Answer, Candidate, checked
from digitrec.errors import BadAnswer, ProviderError, RateLimited, Rejected
from digitrec.providers.translate import decoded
from digitrec.recognise.normalise import normalise

from .common import AZURE_WORDS, BOX, CLOUDS
from .documents import PARSE, PLANTED, WRONG, changed, deep, paths, stored, without


def outcome(cloud: str, raw: Any) -> Answer | ProviderError:
    """Parse a document and check what must hold for any JSON value."""
    try:
        answer = PARSE[cloud](raw)
    except ProviderError as error:
        said = str(error)
        assert "\n" not in said
        assert len(said.encode()) < 1000
        assert PLANTED not in said or "message" in raw["error"]  # Google's own error object
        return error
    assert checked(answer).raw is raw
    normalise(answer)
    return answer


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_wrong_value_at_every_place_of_a_stored_answer(cloud: str) -> None:
    raw = stored(cloud, "seven")
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
def test_a_wrong_value_of_a_field_is_a_bad_answer_that_names_it(cloud: str, name: str, wrong: Any) -> None:
    raw = stored(cloud, "seven")
    found = [outcome(cloud, changed(raw, path, wrong)) for path in paths(raw) if path[-1:] == (name,)]
    assert any(isinstance(error, BadAnswer) and name in str(error) for error in found)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_unused_fields_may_have_any_value(cloud: str) -> None:
    raw = stored(cloud, "seven")
    more = {**raw, "news": [{"text": None}], "metadata": None, "createdDateTime": 7}
    assert PARSE[cloud](more).candidates == PARSE[cloud](raw).candidates


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("levels", [120, 100_000])
def test_excessive_nesting_is_a_bad_answer_without_the_document(cloud: str, levels: int) -> None:
    error = outcome(cloud, {"pages": deep(levels, None)})
    assert isinstance(error, BadAnswer)
    assert error.raw is None


@pytest.mark.parametrize("body", [
    b"", b" ", b"{", b"NaN", b'{"a":Infinity}', b"1e999", b'"\\ud83d"', b'"\xff"', b"[1,]", b"{} x", b"'a'",
    b"[" * 100_000, b'{"a":' * 100_000, b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
])  # fmt: skip
def test_invalid_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|empty"):
        decoded(body)


AWS_BOX = (0.25, 0.16, 0.25 + 0.33, 0.16 + 0.5)
"""Boxes in shares of the image, because the answer lacks its size."""
AWS_WORDS: list[tuple[str, list[Candidate]]] = [
    ("seven", [Candidate("7", 98.6 / 100, AWS_BOX)]),
    ("two-words", [Candidate("4", 95.5 / 100, AWS_BOX), Candidate("2", 86.5 / 100, AWS_BOX)]),
    ("no-text", []),
]
GOOGLE_WORDS: list[tuple[str, list[Candidate]]] = [
    ("seven", [Candidate("7", 0.97, BOX)]), ("no-text", []), ("annotations-only", [Candidate("7")]),
    ("two-words", [Candidate("42", 0.6, BOX), Candidate("x", 0.5, BOX)]),
    ("word-confidence-only", [Candidate("7", 0.81, BOX)]), ("no-confidence", [Candidate("7", None, BOX)]),
    ("at-the-edge", [Candidate("1", 0.9, (0, 0, 30, 40))]),
]  # fmt: skip
WORDS = {
    "google": (GOOGLE_WORDS, None), "aws": (AWS_WORDS, "3.0"), "aws-textract": (AWS_WORDS, "1.0"),
    "azure": (AZURE_WORDS, "2022-04-30"), "azure-analysis": (AZURE_WORDS, "2023-10-01"),
    "azure-document": (AZURE_WORDS, "prebuilt-read 2024-11-30"),
}  # fmt: skip
"""For each cloud the words of its stored answers, and the version of its model."""


@pytest.mark.parametrize(("cloud", "case", "words", "version"), [
    (cloud, *case, version) for cloud, (cases, version) in WORDS.items() for case in cases
])  # fmt: skip
def test_each_word_is_there_once(cloud: str, case: str, words: list[Candidate], version: str | None) -> None:
    raw = stored(cloud, case)
    answer = PARSE[cloud](raw)
    found = tuple(replace(candidate, signs=()) for candidate in answer.candidates)
    assert replace(answer, candidates=found) == Answer(tuple(words), raw=raw, model_version=version)


def test_google_tells_the_characters_of_a_word_apart() -> None:
    number, letter = PARSE["google"](stored("google", "two-words")).candidates
    assert [(sign.score, sign.box) for sign in number.signs] == [(0.9, BOX), (0.6, BOX)]
    assert [sign.score for sign in letter.signs] == [0.5]


@pytest.mark.parametrize(("cloud", "case", "error", "named"), [
    ("google", "bad-image", Rejected, "Bad image data"), ("google", "out-of-quota", RateLimited, "exhausted"),
    ("google", "no-pages", BadAnswer, "pages"), ("aws-textract", "no-confidence", BadAnswer, "Blocks[2]"),
    ("azure", "failed", Rejected, "failed"), ("azure-document", "failed", Rejected, "InvalidContent"),
    ("azure-document", "skipped", BadAnswer, "status"),
])  # fmt: skip
def test_a_refused_document_names_it(cloud: str, case: str, error: type[ProviderError], named: str) -> None:
    with pytest.raises(error, match=re.escape(named)):
        PARSE[cloud](stored(cloud, case))


def aws(kind: str, confidence: float = 50) -> dict[str, Any]:
    return {"DetectedText": "7", "Type": kind, "Confidence": confidence}


def textract(kind: str, confidence: float = 50) -> dict[str, Any]:
    return {"BlockType": kind, "Text": "7", "Confidence": confidence}


def azure(*pages: Any) -> dict[str, Any]:
    return {"status": "succeeded", "analyzeResult": {"readResults": list(pages)}}


def analysis(*blocks: Any) -> dict[str, Any]:
    return {"readResult": {"blocks": list(blocks)}}


def document(**result: Any) -> dict[str, Any]:
    return {"status": "succeeded", "analyzeResult": result}


EMPTY_LINE, LINE_ALONE = {"lines": [{"words": []}]}, {"lines": [{"text": "7", "words": []}]}


@pytest.mark.parametrize(("cloud", "raw"), [
    *(("google", raw) for raw in ({}, {"fullTextAnnotation": {}}, {"fullTextAnnotation": {"pages": [{}]}})),
    *(("azure", azure(*pages)) for pages in ([], [{"lines": []}], [EMPTY_LINE])),
    *(("azure-analysis", analysis(*blocks)) for blocks in ([], [{"lines": []}], [EMPTY_LINE])),
    *(("azure-document", document(pages=pages, content=""))
      for pages in ([], [{}], [{"words": []}], [{"words": [], "lines": []}])),
])  # fmt: skip
def test_a_page_without_text_has_no_candidates(cloud: str, raw: Any) -> None:
    assert PARSE[cloud](raw).candidates == ()


@pytest.mark.parametrize(("cloud", "raw"), [
    ("google", {"fullTextAnnotation": {"text": "7"}}),
    ("google", {"fullTextAnnotation": {"text": "7", "pages": [{"blocks": [{"paragraphs": [{}]}]}]}}),
    ("google", {"textAnnotations": [{"description": "7"}]}), ("aws", {"TextDetections": [aws("LINE")]}),
    ("aws-textract", {"Blocks": [{"BlockType": "PAGE"}, textract("LINE")]}),
    *(("aws-textract", raw) for raw in ({}, {"Blocks": None}, {"DocumentMetadata": {"Pages": 1}})),
    ("azure", azure(LINE_ALONE)), ("azure-analysis", analysis(LINE_ALONE)),
    ("azure-document", document(pages=[{"words": []}], content="7")),
    ("azure-document", document(content="")),
])  # fmt: skip
def test_a_text_without_words_is_a_bad_answer(cloud: str, raw: Any) -> None:
    with pytest.raises(BadAnswer):
        PARSE[cloud](raw)


@pytest.mark.parametrize(("confidence", "score"), [(0, 0.0), (100, 1.0), (98.6, 0.986)])
def test_aws_gives_percent_and_new_kinds_of_text_are_skipped(confidence: float, score: float) -> None:
    kinds = ("PARAGRAPH", "LINE", "WORD")
    found = {"TextDetections": [aws(kind, confidence) for kind in kinds]}
    blocks = {"Blocks": [textract(kind, confidence) for kind in kinds]}
    for answer in (PARSE["aws"](found), PARSE["aws-textract"](blocks)):
        assert answer.candidates == (Candidate("7", score),)


@pytest.mark.parametrize("status", [None, "", "Succeeded", "cancelled", "running", 1, ["succeeded"], {}])
@pytest.mark.parametrize("raw", [azure(), document(pages=[])])
def test_an_unknown_status_of_an_operation_is_a_bad_answer(raw: dict[str, Any], status: Any) -> None:
    cloud = "azure" if "readResults" in raw["analyzeResult"] else "azure-document"
    with pytest.raises(BadAnswer, match="status"):
        PARSE[cloud]({**raw, "status": status})
