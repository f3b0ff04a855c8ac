from __future__ import annotations

from typing import Any

import pytest

from digitrec.answer import Answer, Candidate
from digitrec.errors import AuthFailed, BadAnswer, Rejected
from digitrec.image import PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.aws import parse
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
    raw = stored("aws", case)
    assert parse(raw) == Answer(tuple(candidates), raw=raw, model_version="3.0")


@pytest.mark.parametrize(
    ("case", "said"), [("no-detections", "TextDetections"), ("no-detected-text", "DetectedText")]
)
def test_parse_refuses(stored: Stored, case: str, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        parse(stored("aws", case))


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    aws = opened("aws")
    answer = aws.read(prepared(aws), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875),)
    assert "ResponseMetadata" not in answer.raw


def test_a_wrong_key_is_refused(opened: Opened, prepared: Prepared) -> None:
    aws = opened("aws", secret_key="not the secret")
    with pytest.raises(AuthFailed, match="rekognition:DetectText"):
        aws.read(prepared(aws), timeout=10)


def test_a_format_that_rekognition_does_not_read_is_refused(opened: Opened, prepared: Prepared) -> None:
    aws = opened("aws")
    tiff = PreparedImage(b"II*\0" + bytes(64), "image/tiff", aws.wants, drawn_seven().ref)
    with pytest.raises(Rejected):
        aws.read(tiff, timeout=10)


def test_what_mnist_is_made_of_is_enlarged_past_the_minimum_of_80_pixels(opened: Opened) -> None:
    picture = prepare(drawn_seven(), opened("aws").wants).picture()
    assert min(picture.size) >= 80


def test_answers_are_kept_whole(opened: Opened, prepared: Prepared) -> None:
    aws = opened("aws")
    answer = aws.read(prepared(aws), timeout=10)
    assert isinstance(answer, Answer)
    assert {found["Type"] for found in answer.raw["TextDetections"]} == {"LINE", "WORD"}


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
