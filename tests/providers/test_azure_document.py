from __future__ import annotations

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
