"""Blocks of Textract."""

from __future__ import annotations

from typing import Any

import pytest

from digitrec.answer import Candidate
from digitrec.errors import BadAnswer
from digitrec.providers.aws_textract import parse


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
