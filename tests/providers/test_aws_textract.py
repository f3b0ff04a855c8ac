from __future__ import annotations

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
