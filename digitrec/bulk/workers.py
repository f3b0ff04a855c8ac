"""The processes that read parts: one interpreter and one thread each, gone when whoever started them is.

This module is imported first in such a process, so it imports nothing that starts threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitrec.bulk.parts import Format
    from digitrec.bulk.reading import How, Opener, Written
    from digitrec.recognise.readers import Reader

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT")
"""Variables by which numerical libraries are told, before they are imported, how many threads to start."""

KEPT_BYTES = 32_000_000
"""As much as glibc is ready to learn from (mallopt(3): 32 MiB)."""

_readers: dict[str, Reader] = {}
"""The reader of this process, by the run for which it was opened; one at most."""
_reading = threading.Lock()


def pool(workers: int) -> ProcessPoolExecutor:
    """So many processes, started when they are needed."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)


def cores() -> int:
    """How many cores this process may use, >= 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _begin() -> None:
    """Make this process one that reads: it is its own, so its environment may be set."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    keep_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for whoever started us
    threading.Thread(target=_end_with_parent, daemon=True).start()


def keep_memory() -> None:
    """Let the allocator of this process keep what a picture took for the next one; for one of our own.

    Otherwise it gives it back to the system after each, and up to a fifth of a photo's time goes into having
    it again. glibc keeps twice as much as the largest piece that was freed; nothing is written into this one,
    so it takes no room. Another allocator, or one that was told by MALLOC_TRIM_THRESHOLD_, stays as it is.
    """
    import numpy as np

    np.empty(KEPT_BYTES, np.uint8)


def _end_with_parent() -> None:
    """Whoever started us was killed, and cannot tell us to stop."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@dataclass(frozen=True, slots=True)
class Task:
    """A part, as it is sent to whoever shall read it: names and settings, no picture."""

    opener: Opener
    """Opens the reader in the process that reads."""
    run: str
    """For whom: all parts of a run are read by the same reader."""
    lines: tuple[str, ...]
    """The images, as they stand in the plan."""
    how: How
    """How each is read."""
    form: Format
    """The format of its file."""
    file: Path
    """Where its rows go."""
    deadly: tuple[str, ...] = ()
    """Those of the lines of whose image a process died."""


def read(task: Task) -> Written:
    """Read a part with this process's own reader, opened when it is first needed.

    Raises:
        DataError: the folder for the part is not there on this machine.
        As `reading.read_part` otherwise.
    """
    from digitrec.bulk.reading import read_part
    from digitrec.errors import DataError

    if not task.file.parent.is_dir():
        raise DataError(
            f"{task.file.parent}: not there on {socket.gethostname()}; give an OUT on a folder that all "
            "workers share"
        )
    with opened(task.opener, task.run) as reader:
        return read_part(task.lines, reader, task.how, task.form, task.file, task.deadly)


@contextmanager
def opened(opener: Opener, run: str) -> Iterator[Reader]:
    """This process's own reader, kept open until another is needed; for one part at a time.

    A process of somebody else's pool may have several threads and outlive many runs: it still has one
    reader, and whoever comes with another waits until that is free.
    """
    from digitrec.recognise.readers import reader_for

    with _reading:
        if run not in _readers:
            while _readers:
                _readers.popitem()[1].close()
            _readers[run] = reader_for(opener())
        yield _readers[run]
