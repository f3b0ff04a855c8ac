"""Processes that read parts: one interpreter and one thread each; they end with their parent.

This module is imported first in such a process, so it imports nothing that starts threads.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import pickle  # nosec B403 # only our own data crosses the pipe between our own processes
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from digitrec.errors import DigitrecError

if TYPE_CHECKING:
    from digitrec.bulk.reading import Opener
    from digitrec.recognise.readers import Reader

Result = TypeVar("Result")

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT")
"""Variables that tell numerical libraries, before they are imported, how many threads to start."""
KEPT_BYTES = 32_000_000
"""The largest block for which glibc raises its thresholds (mallopt(3): 32 MiB)."""
BEAT_S = 1.0
"""Seconds between two signs of life of a process."""
SILENT = 30
"""Missing signs of life, one after the other, after which a process is killed: it is stopped, or hangs."""
STUCK_S = 900.0
"""Seconds without a new outcome after which a process gives no more signs of life."""

_readers: dict[str, Reader] = {}
"""The reader of this process, by the run for which it was opened; at most one."""
_reading = threading.Lock()
_progress = [math.inf]
"""When this process last had a new outcome, on its monotonic clock; infinity without a task."""


def cores() -> int:
    """Return how many cores this process may use, >= 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Died(Exception):
    """The process that worked on a task died, or was killed because it hung."""


class Pool(Executor):
    """An executor of processes that can die one by one: only the task of the dead one fails, with `Died`.

    A process that gives no sign of life, because it is stopped or hangs, is killed. Unlike
    ``ProcessPoolExecutor`` it shares nothing between processes that a killed one could leave locked.
    """

    def __init__(self, count: int) -> None:
        """Start ``count`` threads, each of which starts a process when it gets its first task."""
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._processes: set[_Process] = set()
        self._over = False
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """Return the future result of a call in one of the processes."""
        future: Future[Result] = Future()
        self._tasks.put((future, partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Kill the processes; tasks that are not done fail with `Died`."""
        with self._lock:
            self._over = True
            for process in self._processes:
                process.kill()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _serve(self) -> None:
        """Work on tasks, one after the other, in a process of this thread's own."""
        process: _Process | None = None
        while (task := self._tasks.get()) is not None:
            future, work = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                process = process or self._started()
                result, error = process.call(work)
            except Died as died:
                result, error, process = None, died, None
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def _started(self) -> _Process:
        with self._lock:
            if self._over:
                raise Died("the pool is shut down")
            try:
                process = _Process()
            except OSError as error:
                raise Died(f"no process can be started ({error.strerror})") from error
            self._processes.add(process)
        return process


class _Process:
    """One process, and the thread that watches whether it lives."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._beats, beating = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(there, beating), daemon=True)
        self._process.start()
        there.close()
        beating.close()
        threading.Thread(target=self._watch, daemon=True).start()

    def call(self, work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
        """Return what a call in the process returned, or the error that it raised.

        Raises:
            Died: the process died.
        """
        try:
            self._here.send(work)
            answer: tuple[Any, BaseException | None] = self._here.recv()
        except (EOFError, OSError) as error:
            raise Died(f"process {self._process.pid} died") from error
        return answer

    def kill(self) -> None:
        self._process.kill()

    def _watch(self) -> None:
        silent = 0
        # Missing signs are counted, not timed: this process may have been stopped as well.
        with suppress(EOFError, OSError):
            while silent < SILENT:
                if self._beats.poll(BEAT_S):
                    self._beats.recv_bytes()
                    silent = 0
                else:
                    silent += 1
        self._process.kill()
        self._process.join()


def _work(tasks: Connection, beats: Connection) -> None:
    """Do what is asked until nobody is left to ask; the main function of a process."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    keep_memory()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # meant for the process that started this one
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_beat, args=(beats,), daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            work = tasks.recv()
            progress()
            _answer(tasks, work)
            _progress[0] = math.inf


def _answer(tasks: Connection, work: Callable[[], Any]) -> None:
    answer: tuple[Any, Exception | None]
    try:
        answer = work(), None
    except Exception as error:
        answer = None, error
    try:
        tasks.send(answer)
    except (TypeError, AttributeError, pickle.PicklingError):
        tasks.send((None, DigitrecError(f"a worker's answer cannot be sent: {answer}")))


def progress() -> None:
    """Note that this process is getting on with its task."""
    _progress[0] = time.monotonic()


def _beat(beats: Connection) -> None:
    """Give signs of life, unless a task is stuck; end this process with the one that started it."""
    parent = multiprocessing.parent_process()
    with suppress(OSError):
        while parent is not None and parent.is_alive():
            parent.join(BEAT_S)
            if time.monotonic() - _progress[0] < STUCK_S:
                beats.send_bytes(b".")
    os._exit(1)


def keep_memory() -> None:
    """Let the allocator keep the memory of one picture for the next; call it only in a process of our own.

    Otherwise the memory goes back to the system after each picture, and getting it again takes up to a fifth
    of a photo's time. glibc keeps twice the size of the largest block that was ever freed; the block that is
    freed here is never written to, so it takes no memory. Other allocators are not affected, nor is one that
    is configured with MALLOC_TRIM_THRESHOLD_.
    """
    import numpy as np

    np.empty(KEPT_BYTES, np.uint8)


@contextmanager
def opened(opener: Opener, run: str) -> Iterator[Reader]:
    """Yield this process's own reader, which stays open until another run needs one.

    A process of a foreign pool may have several threads and outlive many runs: it still has one reader, which
    reads one part at a time.
    """
    from digitrec.recognise.readers import reader_for

    with _reading:
        if run not in _readers:
            while _readers:
                _readers.popitem()[1].close()
            _readers[run] = reader_for(opener())
        yield _readers[run]
