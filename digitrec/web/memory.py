"""Memory that pictures took, given back to the system: glibc would keep it for whoever asks next."""

from __future__ import annotations

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""The parameters' numbers in glibc's malloc.h."""
LARGE_BLOCK = 4_000_000
"""Bytes from which a block of memory is the system's own, and goes back to it when it is freed. With less, an
ordinary photo takes a third longer."""
KEPT = 16_000_000
"""Bytes that the heap may keep free at its end; with glibc's own 128 kB a drawing takes a fifth longer."""


def give_large_blocks_back() -> None:
    """Have what a large picture took returned to the system as soon as it was read, from now on.

    After the first large block is freed, glibc takes blocks of up to 32 MB out of the heap of whichever
    thread asks, and keeps there what is freed: each thread comes to hold the largest picture it ever
    read. Thresholds that are set stay as they are (mallopt(3)). Other systems' allocators are left alone.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
        mallopt(M_TRIM_THRESHOLD, KEPT)


def give_back() -> None:
    """Return to the system what is free in the heaps of all threads (malloc_trim(3)); takes milliseconds."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
