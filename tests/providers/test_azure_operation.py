"""What is ordered first and fetched later, by each of the services that work so."""

from __future__ import annotations

import json
import time

import pytest
from raw_server import answer, raw_server

from digitrec.answer import Answer
from digitrec.emulator import Emulator
from digitrec.errors import BadAnswer, Rejected, TimedOut, Unavailable
from digitrec.providers.base import Resumable

from .common import POLLED, Opened, Prepared

BOTH = pytest.mark.parametrize("cloud", POLLED)


def fetched(azure: Resumable, token: str) -> Answer:
    """The answer to what was started, as soon as it is there."""
    while (answer := azure.poll(token, timeout=10)) is None:
        time.sleep(azure.poll_s)
    return answer


@BOTH
def test_an_operation_that_was_started_is_finished_by_another_process(
    cloud: str, opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    first, second, before = opened(cloud), opened(cloud), emulator.calls(cloud)
    assert isinstance(first, Resumable)
    assert isinstance(second, Resumable)
    token = first.start(prepared(first), timeout=10)
    first.close()
    assert fetched(second, token).candidates[0].text == "7"
    assert emulator.calls(cloud) - before == 1


@BOTH
def test_a_poll_that_fails_leaves_the_operation_as_it_is(
    cloud: str, opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    azure = opened(cloud)
    assert isinstance(azure, Resumable)
    token = azure.start(prepared(azure), timeout=10)
    emulator.set_faults(cloud, "503:first=1")
    with pytest.raises(Unavailable):
        azure.poll(token, timeout=10)
    assert fetched(azure, token).candidates


@BOTH
def test_an_operation_that_does_not_end_is_given_up_in_time(
    cloud: str, opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    azure = opened(cloud)
    assert isinstance(azure, Resumable)
    emulator.set_faults(cloud, "endless-poll")
    token = azure.start(prepared(azure), timeout=10)
    assert [azure.poll(token, timeout=10) for _ in range(3)] == [None] * 3
    with pytest.raises(TimedOut, match=r"still running|did not answer"):
        azure.read(prepared(azure), timeout=0.5)


@BOTH
def test_an_unknown_operation_is_refused(cloud: str, opened: Opened) -> None:
    azure = opened(cloud)
    assert isinstance(azure, Resumable)
    with pytest.raises(Rejected):
        azure.poll("00000000-0000-0000-0000-000000000000", timeout=5)


@BOTH
@pytest.mark.parametrize("status", ["skipped", "cancelled", "Running", ""])
def test_a_status_that_is_not_known_ends_the_polling(
    cloud: str, status: str, opened: Opened, prepared: Prepared
) -> None:
    with raw_server() as server:
        azure = opened(cloud, endpoint=server.url)
        ordered = answer(202, b"", ("Operation-Location", f"{server.url}/abc"))
        server.say = [ordered, answer(200, json.dumps({"status": status}).encode())]
        with pytest.raises(BadAnswer, match="status"):
            azure.read(prepared(azure), timeout=10)


@BOTH
def test_the_operation_is_looked_for_at_our_own_endpoint(
    cloud: str, opened: Opened, prepared: Prepared
) -> None:
    with raw_server() as stranger, raw_server() as server:
        azure = opened(cloud, endpoint=server.url)
        ordered = answer(202, b"", ("Operation-Location", f"{stranger.url}/results/abc?api-version=1"))
        server.say = [ordered, answer(404, b"{}")]
        with pytest.raises(Rejected):
            azure.read(prepared(azure), timeout=10)
        assert stranger.arrived == []
        assert b"analyzeResults/abc" in server.arrived[1]
