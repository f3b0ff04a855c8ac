from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from digitrec.answer import Answer, Candidate
from digitrec.errors import BadAnswer, Rejected
from digitrec.providers.azure import parse
from digitrec.providers.azure_resource import is_pending

from .common import AZURE_WORDS, Opened, Prepared, Stored
from .documents import wrong_values


@pytest.mark.parametrize(("case", "candidates"), AZURE_WORDS)
def test_parse(stored: Stored, case: str, candidates: list[Candidate]) -> None:
    raw = stored("azure", case)
    assert parse(raw) == Answer(tuple(candidates), raw=raw, model_version="2022-04-30")


@pytest.mark.parametrize(
    ("case", "error", "said"),
    [
        ("failed", Rejected, "the operation failed"),
        ("empty", BadAnswer, "status"),
        ("no-result", BadAnswer, "analyzeResult"),
    ],
)
def test_parse_refuses_what_the_sdk_lets_through(
    stored: Stored, case: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        parse(stored("azure", case))


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    azure = opened("azure")
    answer = azure.read(prepared(azure), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875, (10, 20, 30, 60)),)
    assert answer.raw["status"] == "succeeded"


@pytest.mark.parametrize("status", ["notStarted", "running"])
def test_an_operation_that_is_not_over_is_pending_and_no_answer(status: str) -> None:
    raw = {"status": status, "createdDateTime": "2026-11-20T08:00:00Z"}
    assert is_pending(raw)
    with pytest.raises(BadAnswer, match="status"):
        parse(raw)


@settings(deadline=None)
@given(wrong_values)
def test_nothing_else_is_pending(value: Any) -> None:
    assert not is_pending(value)
    assert is_pending({"status": value}) == (value == "running")


@pytest.mark.parametrize("status", [None, "", "Succeeded", "cancelled", 1, True, ["succeeded"], {}])
def test_a_status_that_azure_has_not_is_a_bad_answer(status: Any) -> None:
    for raw in ({"status": status}, {"status": status, "analyzeResult": {"readResults": []}}):
        with pytest.raises(BadAnswer, match="status"):
            parse(raw)


def test_a_failed_operation_is_rejected_whatever_it_read() -> None:
    with pytest.raises(Rejected, match="the operation failed"):
        parse({"status": "failed", "analyzeResult": {"readResults": []}})


@pytest.mark.parametrize("pages", [[], [{"lines": []}], [{"lines": [{"words": []}]}]])
def test_no_page_no_line_and_a_line_of_nothing_are_no_text(pages: Any) -> None:
    assert parse({"status": "succeeded", "analyzeResult": {"readResults": pages}}).candidates == ()


def test_a_line_without_its_words_is_not_taken_for_no_text() -> None:
    pages = [{"lines": [{"text": "7", "words": []}]}]
    with pytest.raises(BadAnswer, match="without words"):
        parse({"status": "succeeded", "analyzeResult": {"readResults": pages}})
