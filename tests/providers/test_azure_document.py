from __future__ import annotations

from typing import Any

import pytest

from digitrec.answer import Answer, Candidate
from digitrec.errors import AuthFailed, BadAnswer, Rejected
from digitrec.image import PreparedImage
from digitrec.providers.azure_document import parse
from digitrec.testing import drawn_seven

from .common import AZURE_WORDS, Opened, Prepared, Stored


@pytest.mark.parametrize(("case", "candidates"), AZURE_WORDS)
def test_parse(stored: Stored, case: str, candidates: list[Candidate]) -> None:
    raw = stored("azure-document", case)
    assert parse(raw) == Answer(tuple(candidates), raw=raw, model_version="prebuilt-read 2024-11-30")


@pytest.mark.parametrize(
    ("case", "error", "said"),
    [
        ("failed", Rejected, "InvalidContent: The file is corrupted"),
        ("empty", BadAnswer, "status"),
        ("skipped", BadAnswer, "status"),
        ("no-result", BadAnswer, "analyzeResult"),
    ],
)
def test_parse_refuses_what_the_sdk_lets_through(
    stored: Stored, case: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        parse(stored("azure-document", case))


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    document = opened("azure-document")
    answer = document.read(prepared(document), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875, (10, 20, 30, 60)),)
    assert answer.model_version == "emulated-function 2024-11-30"


def test_a_wrong_key_is_refused(opened: Opened, prepared: Prepared) -> None:
    document = opened("azure-document", key="another key")
    with pytest.raises(AuthFailed, match="DOCUMENTINTELLIGENCE_API_KEY"):
        document.read(prepared(document), timeout=10)


def test_what_is_no_document_is_refused(opened: Opened) -> None:
    document = opened("azure-document")
    page = PreparedImage(b"<html>" + bytes(64), "image/png", document.wants, drawn_seven().ref)
    with pytest.raises(Rejected):
        document.read(page, timeout=10)


def done(**result: Any) -> dict[str, Any]:
    return {"status": "succeeded", "analyzeResult": result}


@pytest.mark.parametrize("pages", [[], [{}], [{"words": []}], [{"words": [], "lines": []}]])
def test_no_page_and_a_page_without_words_are_no_text(pages: Any) -> None:
    assert parse(done(pages=pages, content="")).candidates == ()


def test_a_content_without_its_words_is_not_taken_for_no_text() -> None:
    with pytest.raises(BadAnswer, match="no words"):
        parse(done(pages=[{"words": []}], content="7"))


def test_a_result_without_pages_is_not_taken_for_no_text() -> None:
    with pytest.raises(BadAnswer, match="pages"):
        parse(done(content=""))


def test_the_least_that_is_an_answer() -> None:
    answer = parse(done(pages=[{"words": [{"content": "7", "confidence": 0.5}]}]))
    assert (answer.candidates[0].text, answer.model_version) == ("7", None)


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_an_operation_that_was_ended_is_rejected_whatever_it_read(status: str) -> None:
    with pytest.raises(Rejected, match=status):
        parse({**done(pages=[]), "status": status})
