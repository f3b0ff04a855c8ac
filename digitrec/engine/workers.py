"""Several jobs at once, each given up when it takes too long; none ever keeps the program from ending."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar

from digitrec.engine import cancellation

Job = TypeVar("Job")
Outcome = tuple[int, BaseException | None]


def run_all(
    jobs: Sequence[Job],
    work: Callable[[Job], None],
    *,
    at_once: int,
    give_up_at: Callable[[Job], float],
) -> None:
    """Do each job in a thread of its own, and come back when all are done or given up.

    The threads are daemons: one that hangs in foreign code is left behind, and if it ends after all
    while the program lives, it still does what it has to do with its answer. (ThreadPoolExecutor
    would wait for it at exit.)

    Args:
        jobs: what to do, started in order.
        work: does one job.
        at_once: how many may run at the same time, >= 1; one that was given up no longer counts.
        give_up_at: when a job that runs is given up, in seconds of `time.monotonic`; asked time and again,
            because it may be put off.

    Raises:
        Cancelled: nobody waits any more; the jobs that run go on.
        BaseException: whatever ``work`` raised first; the jobs that run go on.
    """
    done: SimpleQueue[Outcome] = SimpleQueue()
    waiting = iter(enumerate(jobs))
    running: dict[int, Job] = {}

    def do(number: int, job: Job) -> None:
        try:
            work(job)
        except BaseException as error:
            done.put((number, error))
        else:
            done.put((number, None))

    while True:
        cancellation.check()
        while len(running) < at_once and (following := next(waiting, None)) is not None:
            running[following[0]] = following[1]
            threading.Thread(target=do, args=following, daemon=True, name="digitrec").start()
        if not running:
            return
        try:
            soonest = min(give_up_at(job) for job in running.values())
            number, error = done.get(timeout=min(cancellation.SLICE_S, max(0.0, soonest - time.monotonic())))
        except Empty:
            now = time.monotonic()
            running = {number: job for number, job in running.items() if give_up_at(job) > now}
            continue
        running.pop(number, None)
        if error is not None:
            raise error
