from __future__ import annotations

import pytest

from digitrec.answer import Answer, Candidate
from digitrec.errors import BadAnswer, Rejected
from digitrec.providers.azure import parse

from .common import AZURE_WORDS, Opened, Prepared, Stored


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
