"""The processes that read parts, as `run` is given them."""

from __future__ import annotations

import os

import numpy as np
import pytest

from digitrec.bulk import workers

resource = pytest.importorskip("resource", reason="not on Windows")

PIECES, BYTES, TIMES = 20, 1_000_000, 10


def faults() -> int:
    """How often the system gave the process a page of memory while it worked with as much again."""
    _filled()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(TIMES):
        _filled()
    found: int = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    return found


def _filled() -> None:
    """Allocate what a photo takes: some pieces of its size, and free all of them."""
    pieces = [np.empty(BYTES, np.uint8) for _ in range(PIECES)]
    for piece in pieces:
        piece.fill(1)


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}), reason="glibc's allocator")
def test_a_worker_keeps_the_memory_of_a_picture_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    monkeypatch.delenv("MALLOC_MMAP_THRESHOLD_", raising=False)
    with workers.Pool(1) as pool:
        found = pool.submit(faults).result(timeout=240)
    assert found < PIECES * BYTES / resource.getpagesize(), "all of it was given once, and not again"
