from __future__ import annotations

import time

import pytest
from raw_server import RawServer, answer, raw_server

from digitrec.answer import Answer
from digitrec.emulator import Emulator
from digitrec.errors import Rejected, TimedOut
from digitrec.providers.base import Resumable

from .common import POLLED, Opened, Prepared, Told

BOTH = pytest.mark.parametrize("cloud", POLLED)


@BOTH
def test_an_operation_that_was_started_is_finished_by_another_provider(
    cloud: str, opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    first, second, before = opened(cloud), opened(cloud), emulator.calls(cloud)
    assert isinstance(first, Resumable) and isinstance(second, Resumable)
    token = first.start(prepared(first), timeout=10)
    first.close()
    while not isinstance(found := second.poll(token, timeout=10), Answer):
        time.sleep(second.poll_s)
    assert found.candidates[0].text == "7"
    assert emulator.calls(cloud) - before == 1
    with pytest.raises(Rejected):
        second.poll("00000000-0000-0000-0000-000000000000", timeout=5)


@BOTH
def test_an_operation_that_does_not_end_is_given_up(
    cloud: str, opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    azure = opened(cloud)
    emulator.set_faults(cloud, "endless-poll")
    with pytest.raises(TimedOut):
        azure.read(prepared(azure), timeout=0.5)


@BOTH
def test_the_operation_is_polled_at_our_own_endpoint(cloud: str, server: RawServer, told: Told) -> None:
    with raw_server() as stranger:
        ordered = answer(202, b"", ("Operation-Location", f"{stranger.url}/results/abc?api-version=1"))
        assert isinstance(told(cloud, ordered, answer(404, b"{}")), Rejected)
        assert stranger.arrived == []
    assert b"analyzeResults/abc" in server.arrived[1]
