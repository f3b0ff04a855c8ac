from __future__ import annotations

from typing import Any

import pytest

from digitrec.answer import Candidate
from digitrec.errors import AuthFailed, BadAnswer, Rejected
from digitrec.image import PreparedImage
from digitrec.providers.aws_textract import parse
from digitrec.testing import drawn_seven

from .common import Opened, Prepared, Stored


@pytest.mark.parametrize(
    ("case", "candidates"),
    [
        ("seven", [Candidate("7", 98.6 / 100)]),
        ("two-words", [Candidate("4", 95.5 / 100), Candidate("2", 86.5 / 100)]),
        ("no-text", []),
    ],
)
def test_parse_takes_each_word_once(stored: Stored, case: str, candidates: list[Candidate]) -> None:
    raw = stored("aws-textract", case)
    answer = parse(raw)
    assert (list(answer.candidates), answer.raw, answer.model_version) == (candidates, raw, "1.0")


@pytest.mark.parametrize(("case", "said"), [("no-blocks", "Blocks"), ("no-confidence", r"Blocks\[2\]")])
def test_parse_refuses(stored: Stored, case: str, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        parse(stored("aws-textract", case))


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    textract = opened("aws-textract")
    answer = textract.read(prepared(textract), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875),)
    assert {block["BlockType"] for block in answer.raw["Blocks"]} == {"PAGE", "LINE", "WORD"}
    assert answer.model_version == "emulated-function"


def test_a_wrong_key_is_refused(opened: Opened, prepared: Prepared) -> None:
    textract = opened("aws-textract", secret_key="not the secret")
    with pytest.raises(AuthFailed, match="textract:DetectDocumentText"):
        textract.read(prepared(textract), timeout=10)


def test_what_is_no_document_is_refused(opened: Opened) -> None:
    textract = opened("aws-textract")
    page = PreparedImage(b"<html>" + bytes(64), "image/png", textract.wants, drawn_seven().ref)
    with pytest.raises(Rejected, match="UnsupportedDocument"):
        textract.read(page, timeout=10)


def block(kind: str, text: str, confidence: Any = 50) -> dict[str, Any]:
    return {"BlockType": kind, "Text": text, "Confidence": confidence}


def test_a_kind_of_block_that_is_new_is_passed_over() -> None:
    raw = {"Blocks": [block("SIGNATURE", "7"), block("LINE", "7"), block("WORD", "7")]}
    assert parse(raw).candidates == (Candidate("7", 0.5),)


def test_a_line_without_its_words_is_not_taken_for_no_text() -> None:
    with pytest.raises(BadAnswer, match="no WORD"):
        parse({"Blocks": [{"BlockType": "PAGE"}, block("LINE", "7")]})


def test_half_a_document_is_not_taken_for_no_text() -> None:
    for raw in ({}, {"Blocks": None}, {"DocumentMetadata": {"Pages": 1}}):
        with pytest.raises(BadAnswer):
            parse(raw)


@pytest.mark.parametrize(("confidence", "score"), [(0, 0.0), (100, 1.0), (98.6, 0.986)])
def test_a_confidence_is_divided_by_100(confidence: float, score: float) -> None:
    assert parse({"Blocks": [block("WORD", "7", confidence)]}).candidates[0].score == score
