from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from digitrec.answer import Candidate
from digitrec.errors import BadAnswer
from digitrec.providers.azure import parse
from digitrec.providers.azure_resource import is_pending

from .common import Opened, Prepared
from .documents import wrong_values


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
