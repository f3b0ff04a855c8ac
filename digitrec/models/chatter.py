"""What the runtimes say on stderr about themselves is no concern of who asks for a digit."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Drop all that is written to stderr, by native code too; an exception goes on as ever."""
    with Path(os.devnull).open("wb") as nowhere, _stderr_to(nowhere.fileno()):
        yield


@contextlib.contextmanager
def without(greeting: bytes) -> Iterator[None]:
    """Hold back what native code writes to stderr, then pass on all lines but those that begin so."""
    readable, writable = os.pipe()
    try:
        with _stderr_to(writable):
            yield
    finally:
        os.close(writable)
        with os.fdopen(readable, "rb") as held_back:
            lines = held_back.read().splitlines(keepends=True)
        with contextlib.suppress(OSError):  # a service that was started without stderr: nobody to tell
            os.write(2, b"".join(line for line in lines if not line.startswith(greeting)))


@contextlib.contextmanager
def _stderr_to(target: int) -> Iterator[None]:
    """File descriptor 2 leads elsewhere for the moment, unless it was closed by whoever started us."""
    try:
        stderr = os.dup(2)
    except OSError:
        yield
        return
    os.dup2(target, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
