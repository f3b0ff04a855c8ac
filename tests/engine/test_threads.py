"""Jobs in daemon threads: their number, the order of results, and their end."""

import threading
import time
from collections.abc import Iterator
from itertools import count

import pytest

from digitrec.engine.threads import Cancelled, cancelled_by, spread


@pytest.mark.parametrize("at_once", [1, 3, 99])
def test_every_job_is_done_and_no_more_run_at_once_than_allowed(at_once: int) -> None:
    running: list[int] = []
    most = 0

    def work(job: int) -> Iterator[str]:
        nonlocal most
        running.append(job)
        most = max(most, len(running))
        yield f"first of {job}"
        time.sleep(0.005)
        yield f"second of {job}"
        running.remove(job)

    expected = sorted((job, f"{it} of {job}") for job in range(12) for it in ("first", "second"))
    assert sorted(spread(iter(range(12)), work, at_once=at_once)) == expected
    assert 1 <= most <= at_once
    assert list(spread([], work, at_once=at_once)) == []


def test_closing_stops_a_job_at_its_next_result() -> None:
    closed, ended = threading.Event(), threading.Event()

    def work(job: int) -> Iterator[int]:
        try:
            yield 0
            assert closed.wait(60)
            yield 1
            raise AssertionError("nobody takes another result")
        finally:
            ended.set()

    results = spread([0], work, at_once=1)
    next(results)
    results.close()  # type: ignore[attr-defined]
    closed.set()
    assert ended.wait(60)


def test_a_cancelled_caller_does_not_wait() -> None:
    hang, gone = threading.Event(), threading.Event()

    def work(job: int) -> list[int]:
        gone.set()
        hang.wait(60)
        return []

    for one in (work, lambda job: pytest.fail("no job starts")):
        with cancelled_by(gone), pytest.raises(Cancelled):
            list(spread([0], one, at_once=1))
    hang.set()


def test_a_closed_iterator_cancels_what_its_jobs_spread() -> None:
    started = count()

    def work(job: int) -> Iterator[object]:
        yield "first"
        yield list(spread(range(100), lambda _: [time.sleep(0.05), next(started)], at_once=1))

    results = spread([0], work, at_once=1)
    next(results)
    results.close()  # type: ignore[attr-defined]
    time.sleep(1)
    assert next(started) < 20
