"""Processes that read parts: one interpreter and one thread each; they end with their parent.

This module is imported first in such a process, so it imports nothing that starts threads.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle  # nosec B403 # only our own data crosses the pipe between our own processes
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from digitrec.errors import DigitrecError

Result = TypeVar("Result")

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT")
"""Variables that tell numerical libraries, before they are imported, how many threads to start."""
KEPT_BYTES = 32_000_000
"""The largest block for which glibc raises its thresholds (mallopt(3): 32 MiB)."""
BEAT_S = 1.0
"""Seconds between two signs of life of a process that has new outcomes."""
STUCK_S = 900.0
"""Seconds without a sign of life after which a process is killed: it is stopped, or hangs."""

_parent: list[Connection] = []
"""The connection to the process that started this one, if it is one of a `Pool`."""
_beaten = [0.0]
"""When this process last sent a sign of life, on its monotonic clock."""


def cores() -> int:
    """Return how many cores this process may use, >= 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Died(Exception):
    """The process that worked on a task died, or was killed because it hung."""


class Pool(ThreadPoolExecutor):
    """An executor with one process for each of its threads; where one dies, only its task fails, with `Died`.

    A process that has no new outcome for `STUCK_S` is killed. Unlike ``ProcessPoolExecutor`` it shares
    nothing between processes that a killed one could leave locked.
    """

    def __init__(self, count: int) -> None:
        """Make room for ``count`` processes; each starts with its first task."""
        super().__init__(count)
        self._processes: dict[int, _Process] = {}
        self._over = False
        self._starting = threading.Lock()

    def submit(self, fn: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        """Return the future result of a call in one of the processes."""
        return super().submit(self._call, partial(fn, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:
        """Kill the processes; tasks that are not done fail with `Died`."""
        with self._starting:
            self._over = True
            for process in self._processes.values():
                process.kill()
        super().shutdown(wait, cancel_futures=cancel_futures)

    def _call(self, work: Callable[[], Result]) -> Result:
        thread = threading.get_ident()
        with self._starting:
            if self._over:
                raise Died("the pool is shut down")
            if thread not in self._processes:
                self._processes[thread] = _Process()
        try:
            result: Result = self._processes[thread].call(work)
        except Died:
            del self._processes[thread]
            raise
        return result


class _Process:
    """One process."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_work, args=(there,), daemon=True)
        try:
            self._process.start()
        except OSError as error:
            raise Died(f"no process can be started ({error.strerror})") from error
        there.close()

    def call(self, work: Callable[[], Any]) -> Any:
        """Return what a call in the process returns, or raise its error.

        Raises:
            Died: the process died, or hung and was killed.
        """
        try:
            self._here.send(work)
            answer = None
            while answer is None:
                if not self._here.poll(STUCK_S):
                    raise EOFError
                answer = self._here.recv()
        except (EOFError, OSError) as gone:
            self.kill()
            self._process.join()
            raise Died(f"process {self._process.pid} died") from gone
        result, error = answer
        if error is not None:
            raise error
        return result

    def kill(self) -> None:
        self._process.kill()


def _work(tasks: Connection) -> None:
    """Do the work that is sent until the parent is gone; the main function of a process."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    keep_memory()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # meant for the process that started this one
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    _parent.append(tasks)
    with suppress(EOFError, OSError):
        while True:
            tasks.send_bytes(_answer(tasks.recv()))


def _answer(work: Callable[[], Any]) -> bytes:
    """Return the pickled result of a call and None, or None and the error that it raised."""
    answer: tuple[Any, Exception | None]
    try:
        answer = work(), None
    except Exception as error:
        answer = None, error
    try:
        return pickle.dumps(answer)
    except (TypeError, AttributeError, pickle.PicklingError):
        return pickle.dumps((None, DigitrecError(f"a worker's answer cannot be sent: {answer}")))


def progress() -> None:
    """Send a sign of life from a process of a `Pool`; end the process if its parent is gone."""
    if _parent and time.monotonic() - _beaten[0] > BEAT_S:
        _beaten[0] = time.monotonic()
        try:
            _parent[0].send(None)
        except OSError:
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
