"""Worker processes, each with one interpreter and one thread; they end with their parent.

A worker process imports this module first, so it must import nothing that starts threads.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any

Opener = Callable[[], AbstractContextManager[Any]]
"""Opens a context in a worker process, such as a reader, which is closed when the process ends."""
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT")
"""Variables for the number of threads of numerical libraries, read when these are imported."""
KEPT_BYTES = 32_000_000
"""The largest block for which glibc raises its thresholds (mallopt(3): 32 MiB), in bytes."""
BEAT_S = 1.0
"""Minimum seconds between two heartbeats of a process that has new outcomes."""
STUCK_S = 900.0
"""Seconds without a heartbeat after which a process is killed, because it was stopped or hangs."""

_parent: list[Connection] = []
"""The connection to the process that started this one, if it is a worker."""
_beaten = [0.0]
"""Time of this process's last heartbeat, on its monotonic clock."""


def cores() -> int:
    """Return the number of cores that this process may use, >= 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Worker:
    """A process for the calls of one thread; it starts with the first call, and again after it died.

    Unlike the processes of a ``ProcessPoolExecutor`` it shares no lock, which a killed process could leave
    held.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._lock = threading.Lock()
        self._process: multiprocessing.process.BaseProcess | None = None
        self._closed = False

    def call(self, work: Callable[[Any], Any]) -> Any:
        """Return the result of a call with the process's context, or raise its error.

        Return None if the process died, hung and was killed, or cannot be started.
        """
        try:
            self._start()
            self._here.send(work)
            answer = None
            while answer is None:
                if not self._here.poll(STUCK_S):
                    raise EOFError
                answer = self._here.recv()
        except (EOFError, OSError):
            self.kill()
            return None
        result, error = answer
        if error is not None:
            raise error
        return result

    def _start(self) -> None:
        with self._lock:
            if self._closed:
                raise EOFError
            if self._process is None:
                context = multiprocessing.get_context("spawn")
                self._here, there = context.Pipe()
                process = context.Process(target=_work, args=(there, self._opener), daemon=True)
                with _without_ctrl_c():
                    process.start()
                there.close()
                self._process = process

    def kill(self, *, close: bool = False) -> None:
        """Kill the process; with ``close`` it is not started again."""
        with self._lock:
            self._closed |= close
            if self._process is not None:
                self._process.kill()
                self._process.join()
                self._process = None


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Block SIGINT in this thread, and so in a process that it starts.

    A terminal sends Ctrl-C to every process. One that has just started would print a traceback, because it
    loads its modules before `_work` can ignore the signal.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # its first call unblocks SIGINT
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(tasks: Connection, opener: Opener) -> None:
    """Do the tasks that the parent sends, until the parent ends; the main function of a worker process."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    from digitrec.image.headers import quiet_pillow  # imports NumPy, which reads them

    keep_memory()
    quiet_pillow()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # these signals are for the parent
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    _parent.append(tasks)
    context: list[Any] = []
    with ExitStack() as stack, suppress(EOFError, OSError):
        while True:
            work = tasks.recv()
            answer: tuple[Any, Exception | None]
            try:
                context = context or [stack.enter_context(opener())]
                answer = work(context[0]), None
            except Exception as error:
                answer = None, error
            tasks.send(answer)


def progress() -> None:
    """Send a heartbeat from a worker process; end the process if its parent has ended."""
    if _parent and time.monotonic() - _beaten[0] > BEAT_S:
        _beaten[0] = time.monotonic()
        try:
            _parent[0].send(None)
        except OSError:
            os._exit(1)


def keep_memory() -> None:
    """Let the allocator keep the memory of one picture for the next; call it only in a worker process.

    Otherwise the memory returns to the system after each picture, and getting it again takes up to a fifth of
    a photo's time. glibc keeps twice the size of the largest block that was ever freed. The block freed here
    is never written to, so it takes no memory. Other allocators are not affected, nor is an allocator
    configured with MALLOC_TRIM_THRESHOLD_.
    """
    import numpy as np

    np.empty(KEPT_BYTES, np.uint8)
