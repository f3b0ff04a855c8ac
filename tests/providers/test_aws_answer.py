"""Lines and words of Rekognition."""

from __future__ import annotations

from typing import Any

import pytest

from digitrec.errors import BadAnswer
from digitrec.providers.answer import Candidate
from digitrec.providers.aws import parse


def found(kind: str, text: str, confidence: Any = 50) -> dict[str, Any]:
    return {"DetectedText": text, "Type": kind, "Confidence": confidence}


def test_a_kind_of_text_that_is_new_is_passed_over() -> None:
    raw = {"TextDetections": [found("PARAGRAPH", "7"), found("LINE", "7"), found("WORD", "7")]}
    assert parse(raw).candidates == (Candidate("7", 0.5),)


def test_a_line_without_its_words_is_not_taken_for_no_text() -> None:
    with pytest.raises(BadAnswer, match="no WORD"):
        parse({"TextDetections": [found("LINE", "7")]})


@pytest.mark.parametrize(("confidence", "score"), [(0, 0.0), (100, 1.0), (98.6, 0.986)])
def test_a_confidence_is_divided_by_100(confidence: float, score: float) -> None:
    assert parse({"TextDetections": [found("WORD", "7", confidence)]}).candidates[0].score == score
