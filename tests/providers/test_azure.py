from __future__ import annotations

import time

import pytest

from digitrec.emulator import Emulator
from digitrec.errors import BadAnswer, Rejected, TimedOut, Unavailable
from digitrec.providers.answer import Answer, Candidate
from digitrec.providers.azure import parse
from digitrec.providers.base import Resumable

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


def fetched(azure: Resumable, token: str) -> Answer:
    """The answer to what was started, as soon as it is there."""
    while (answer := azure.poll(token, timeout=10)) is None:
        time.sleep(azure.poll_s)
    return answer


def test_an_operation_that_was_started_is_finished_by_another_process(
    opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    first, second, before = opened("azure"), opened("azure"), emulator.calls("azure")
    assert isinstance(first, Resumable)
    assert isinstance(second, Resumable)
    token = first.start(prepared(first), timeout=10)
    first.close()
    assert fetched(second, token).candidates[0].text == "7"
    assert emulator.calls("azure") - before == 1


def test_a_poll_that_fails_leaves_the_operation_as_it_is(
    opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    azure = opened("azure")
    assert isinstance(azure, Resumable)
    token = azure.start(prepared(azure), timeout=10)
    emulator.set_faults("azure", "503:first=1")
    with pytest.raises(Unavailable):
        azure.poll(token, timeout=10)
    assert fetched(azure, token).candidates


def test_an_operation_that_does_not_end_is_given_up_in_time(
    opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    azure = opened("azure")
    assert isinstance(azure, Resumable)
    emulator.set_faults("azure", "endless-poll")
    token = azure.start(prepared(azure), timeout=10)
    assert [azure.poll(token, timeout=10) for _ in range(3)] == [None] * 3
    with pytest.raises(TimedOut, match=r"still running|did not answer"):
        azure.read(prepared(azure), timeout=0.5)


def test_an_unknown_operation_is_refused(opened: Opened) -> None:
    azure = opened("azure")
    assert isinstance(azure, Resumable)
    with pytest.raises(Rejected):
        azure.poll("00000000-0000-0000-0000-000000000000", timeout=5)
