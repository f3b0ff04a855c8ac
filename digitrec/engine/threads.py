"""Run work concurrently in daemon threads: a thread stuck in foreign code never keeps the program alive.

`spread` is the only bounded map in digitrec; a `concurrent.futures.ThreadPoolExecutor` would wait for its
threads when the program ends. Example: read pictures, four at a time, in order of completion::

    for picture, answer in spread(pictures, lambda picture: [read(picture)], at_once=4):
        ...
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TypeVar

SLICE_S = 0.2
"""Seconds between two checks for cancellation; Ctrl-C cannot interrupt a wait on Windows."""
Job = TypeVar("Job")
T = TypeVar("T")


class Cancelled(BaseException):
    """The caller no longer waits. Like KeyboardInterrupt, it is not an `Exception`."""


_CANCELLED: ContextVar[threading.Event | None] = ContextVar("digitrec.cancelled", default=None)


@contextmanager
def cancelled_by(event: threading.Event) -> Iterator[None]:
    """Make `spread` raise `Cancelled` inside the block once the event is set."""
    token = _CANCELLED.set(event)
    try:
        yield
    finally:
        _CANCELLED.reset(token)


def in_thread(work: Callable[[], T]) -> Future[T]:
    """Start ``work`` in a daemon thread, with a copy of the caller's context."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=copy_context().run, args=(run,), daemon=True, name="digitrec").start()
    return future


def spread(
    jobs: Iterable[Job], work: Callable[[Job], Iterable[T]], *, at_once: int
) -> Iterator[tuple[Job, T]]:
    """Yield each job with each of its results, in order of arrival.

    Args:
        jobs: an iterable; the next job is taken whenever fewer than ``at_once`` are running.
        work: does one job in a new thread, and returns or yields its results. When the caller closes the
            iterator, ``work`` is stopped at its next result.
        at_once: maximum number of jobs that run at the same time, >= 1.

    When the iterator ends, also by an error, what running jobs spread themselves is cancelled.

    Raises:
        Cancelled: the caller was cancelled (`cancelled_by`).
        BaseException: the first error that ``work`` raises.
    """
    arrivals: SimpleQueue[tuple[Job, T] | Future[None]] = SimpleQueue()
    closed = threading.Event()

    def do(job: Job) -> None:
        with cancelled_by(closed):
            for result in work(job):
                if closed.is_set():
                    return
                arrivals.put((job, result))

    waiting, running = iter(jobs), 0
    try:
        while True:
            _stop_if_cancelled()
            for job in islice(waiting, at_once - running):
                running += 1
                in_thread(partial(do, job)).add_done_callback(arrivals.put)
            if not running:
                return
            arrival = _next(arrivals)
            if isinstance(arrival, tuple):
                yield arrival
            else:
                running -= 1
                arrival.result()
    finally:
        closed.set()


def _next(queue: SimpleQueue[T]) -> T:
    while True:
        _stop_if_cancelled()
        with suppress(Empty):
            return queue.get(timeout=SLICE_S)


def _stop_if_cancelled() -> None:
    event = _CANCELLED.get()
    if event is not None and event.is_set():
        raise Cancelled
