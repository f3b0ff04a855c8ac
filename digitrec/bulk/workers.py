"""The processes that read parts: one interpreter and one thread each, gone when whoever started them is.

This module is imported first in such a process, so it imports nothing that starts threads.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle  # nosec B403 # written, never read
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitrec.bulk.parts import Format
    from digitrec.bulk.reading import How
    from digitrec.bulk.summary import Summary

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT")
"""Variables by which numerical libraries are told, before they are imported, how many threads to start."""

_readers: dict[bytes, Any] = {}
"""The reader of this process, by what opened it."""


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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for whoever started us
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Whoever started us was killed, and cannot tell us to stop."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def read(
    opener: Callable[[], Any],
    lines: tuple[str, ...],
    how: How,
    form: Format,
    file: Path,
    deadly: tuple[str, ...] = (),
) -> Summary:
    """Read a part with this process's own reader, opened when it is first needed."""
    from digitrec.bulk.reading import read_part

    key = pickle.dumps(opener)
    if key not in _readers:
        _readers[key] = opener()
    return read_part(lines, _readers[key], how, form, file, deadly)
