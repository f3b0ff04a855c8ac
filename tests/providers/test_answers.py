"""Each cloud's answer document: its words, a page without text, and documents that are refused."""

from __future__ import annotations

from typing import Any

import pytest

from digitrec.answer import Answer, Candidate
from digitrec.errors import BadAnswer, ProviderError, RateLimited, Rejected

from .common import AZURE_WORDS, BOX, Stored
from .documents import PARSE

AWS_WORDS: list[tuple[str, list[Candidate]]] = [
    ("seven", [Candidate("7", 98.6 / 100)]),
    ("two-words", [Candidate("4", 95.5 / 100), Candidate("2", 86.5 / 100)]),
    ("no-text", []),
]
GOOGLE_WORDS: list[tuple[str, list[Candidate]]] = [
    ("seven", [Candidate("7", 0.97, BOX)]),
    ("two-words", [Candidate("42", 0.6, BOX), Candidate("x", 0.5, BOX)]),
    ("word-confidence-only", [Candidate("7", 0.81, BOX)]),
    ("no-confidence", [Candidate("7", None, BOX)]),
    ("at-the-edge", [Candidate("1", 0.9, (0, 0, 30, 40))]),
    ("annotations-only", [Candidate("7")]),
    ("no-text", []),
]
WORDS = {
    "google": (GOOGLE_WORDS, None),
    "aws": (AWS_WORDS, "3.0"),
    "aws-textract": (AWS_WORDS, "1.0"),
    "azure": (AZURE_WORDS, "2022-04-30"),
    "azure-analysis": (AZURE_WORDS, "2023-10-01"),
    "azure-document": (AZURE_WORDS, "prebuilt-read 2024-11-30"),
}
"""For each cloud the words of its stored answers, and the version of its model."""


@pytest.mark.parametrize(
    ("cloud", "case", "candidates", "version"),
    [(cloud, *case, version) for cloud, (cases, version) in WORDS.items() for case in cases],
)
def test_each_word_is_a_candidate_once(
    cloud: str, case: str, candidates: list[Candidate], version: str | None, stored: Stored
) -> None:
    raw = stored(cloud, case)
    assert PARSE[cloud](raw) == Answer(tuple(candidates), raw=raw, model_version=version)


@pytest.mark.parametrize(
    ("cloud", "case", "error", "named"),
    [
        ("google", "bad-image", Rejected, "Bad image data"),
        ("google", "out-of-quota", RateLimited, "exhausted"),
        ("google", "no-pages", BadAnswer, "pages"),
        ("aws", "no-detections", BadAnswer, "TextDetections"),
        ("aws", "no-detected-text", BadAnswer, "DetectedText"),
        ("aws-textract", "no-blocks", BadAnswer, "Blocks"),
        ("aws-textract", "no-confidence", BadAnswer, "Blocks[2]"),
        ("azure", "failed", Rejected, "failed"),
        ("azure", "empty", BadAnswer, "status"),
        ("azure", "no-result", BadAnswer, "analyzeResult"),
        ("azure-analysis", "no-read-result", BadAnswer, "readResult"),
        ("azure-document", "failed", Rejected, "InvalidContent"),
        ("azure-document", "empty", BadAnswer, "status"),
        ("azure-document", "skipped", BadAnswer, "status"),
        ("azure-document", "no-result", BadAnswer, "analyzeResult"),
    ],
)
def test_a_document_that_is_refused_names_the_field(
    cloud: str, case: str, error: type[ProviderError], named: str, stored: Stored
) -> None:
    with pytest.raises(error) as caught:
        PARSE[cloud](stored(cloud, case))
    assert named in str(caught.value)


def aws(kind: str, confidence: float = 50) -> dict[str, Any]:
    return {"DetectedText": "7", "Type": kind, "Confidence": confidence}


def textract(kind: str, confidence: float = 50) -> dict[str, Any]:
    return {"BlockType": kind, "Text": "7", "Confidence": confidence}


def azure(*pages: Any, status: str = "succeeded") -> dict[str, Any]:
    return {"status": status, "analyzeResult": {"readResults": list(pages)}}


def analysis(*blocks: Any) -> dict[str, Any]:
    return {"readResult": {"blocks": list(blocks)}}


def document(status: str = "succeeded", **result: Any) -> dict[str, Any]:
    return {"status": status, "analyzeResult": result}


EMPTY_LINE, LINE_ALONE = {"lines": [{"words": []}]}, {"lines": [{"text": "7", "words": []}]}


@pytest.mark.parametrize(
    ("cloud", "raw"),
    [
        ("google", {}),
        ("google", {"fullTextAnnotation": {}}),
        ("google", {"fullTextAnnotation": {"pages": [{}]}}),
        *(("azure", azure(*pages)) for pages in ([], [{"lines": []}], [EMPTY_LINE])),
        *(("azure-analysis", analysis(*blocks)) for blocks in ([], [{"lines": []}], [EMPTY_LINE])),
        *(
            ("azure-document", document(pages=pages, content=""))
            for pages in ([], [{}], [{"words": []}], [{"words": [], "lines": []}])
        ),
    ],
)
def test_a_page_without_text_has_no_candidates(cloud: str, raw: Any) -> None:
    assert PARSE[cloud](raw).candidates == ()


@pytest.mark.parametrize(
    ("cloud", "raw"),
    [
        ("google", {"fullTextAnnotation": {"text": "7"}}),
        ("google", {"fullTextAnnotation": {"text": "7", "pages": [{"blocks": [{"paragraphs": [{}]}]}]}}),
        ("google", {"textAnnotations": [{"description": "7"}]}),
        ("aws", {"TextDetections": [aws("LINE")]}),
        ("aws-textract", {"Blocks": [{"BlockType": "PAGE"}, textract("LINE")]}),
        *(("aws-textract", raw) for raw in ({}, {"Blocks": None}, {"DocumentMetadata": {"Pages": 1}})),
        ("azure", azure(LINE_ALONE)),
        ("azure-analysis", analysis(LINE_ALONE)),
        ("azure-document", document(pages=[{"words": []}], content="7")),
        ("azure-document", document(content="")),
    ],
)
def test_a_text_without_its_words_is_not_taken_for_no_text(cloud: str, raw: Any) -> None:
    with pytest.raises(BadAnswer):
        PARSE[cloud](raw)


@pytest.mark.parametrize(("confidence", "score"), [(0, 0.0), (100, 1.0), (98.6, 0.986)])
def test_aws_gives_percent_and_new_kinds_of_text_are_skipped(confidence: float, score: float) -> None:
    kinds = ("PARAGRAPH", "LINE", "WORD")
    found = {"TextDetections": [aws(kind, confidence) for kind in kinds]}
    blocks = {"Blocks": [textract(kind, confidence) for kind in kinds]}
    for answer in (PARSE["aws"](found), PARSE["aws-textract"](blocks)):
        assert answer.candidates == (Candidate("7", score),)


def test_the_smallest_answer_of_document_intelligence() -> None:
    answer = PARSE["azure-document"](document(pages=[{"words": [{"content": "7", "confidence": 0.5}]}]))
    assert (answer.candidates, answer.model_version) == ((Candidate("7", 0.5),), None)


@pytest.mark.parametrize(
    ("cloud", "raw"),
    [
        ("azure", azure(status="failed")),
        ("azure-document", document("failed", pages=[])),
        ("azure-document", document("canceled", pages=[])),
    ],
)
def test_an_operation_that_ended_without_success_is_rejected(cloud: str, raw: Any) -> None:
    with pytest.raises(Rejected):
        PARSE[cloud](raw)


@pytest.mark.parametrize("status", [None, "", "Succeeded", "cancelled", "running", 1, ["succeeded"], {}])
@pytest.mark.parametrize("raw", [azure(), document(pages=[])])
def test_an_unknown_status_of_an_operation_is_a_bad_answer(raw: dict[str, Any], status: Any) -> None:
    cloud = "azure" if "readResults" in raw["analyzeResult"] else "azure-document"
    with pytest.raises(BadAnswer) as caught:
        PARSE[cloud]({**raw, "status": status})
    assert "status" in str(caught.value)
