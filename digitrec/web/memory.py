"""Memory that large pictures took, returned to the system: glibc would keep it for later requests."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of the parameters in glibc's malloc.h."""
LARGE_BLOCK = 4_000_000
"""Bytes from which a block of memory is mapped on its own, and returned when it is freed. With less, an
ordinary photo takes a third longer."""
KEPT = 16_000_000
"""Free bytes that the heap may keep at its end; with glibc's own 128 kB a drawing takes a fifth longer."""

Result = TypeVar("Result")


def give_large_blocks_back() -> None:
    """Return large blocks to the system as soon as they are freed, from now on.

    After the first large block is freed, glibc takes blocks of up to 32 MB out of the heap of the thread
    that asks, and keeps freed memory there: each thread comes to hold the largest picture it ever read.
    Thresholds that are set stay as they are (mallopt(3)). Other systems' allocators are left alone.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        mallopt(M_TRIM_THRESHOLD, KEPT)


def given_back(work: Callable[[], Result]) -> Result:
    """Run the work, then return free memory in the heaps of all threads (malloc_trim(3)): milliseconds."""
    try:
        return work()
    finally:
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
