"""Jobs in daemon threads: how many at once, given up when late, errors not swallowed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from digitrec.engine.workers import run_all


def after(seconds: float) -> Callable[[int], float]:
    """Every job is given up so many seconds after it was first looked at."""
    begun: dict[int, float] = {}
    return lambda job: begun.setdefault(job, time.monotonic()) + seconds


def test_every_job_is_done() -> None:
    done: list[int] = []
    run_all(range(20), done.append, at_once=3, give_up_at=after(30))
    assert sorted(done) == list(range(20))


def test_nothing_to_do() -> None:
    run_all([], pytest.fail, at_once=1, give_up_at=after(1))


def test_no_more_run_at_once_than_allowed() -> None:
    running: list[int] = []
    most = 0

    def work(job: int) -> None:
        nonlocal most
        running.append(job)
        most = max(most, len(running))
        time.sleep(0.01)
        running.remove(job)

    run_all(range(12), work, at_once=3, give_up_at=after(30))
    assert 1 <= most <= 3


def test_a_job_that_hangs_is_left_behind_and_the_others_are_done() -> None:
    hang = threading.Event()
    done: list[int] = []

    def work(job: int) -> None:
        if job == 0:
            hang.wait(60)
        done.append(job)

    start = time.monotonic()
    run_all(range(4), work, at_once=1, give_up_at=after(0.5))
    assert time.monotonic() - start < 30
    assert done == [1, 2, 3]
    hang.set()


def test_an_error_in_a_job_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        run_all([1, 0], lambda job: print(1 // job), at_once=1, give_up_at=after(30))  # noqa: T201
