"""What the runtimes say on stderr about themselves is no concern of who asks for a digit.

LiteRT greets whoever makes the first interpreter, and TensorFlow whoever imports it, with lines that no
setting of theirs stops (docs/library.md says what was tried). A library may not move its process's stderr
to be rid of them; a program, whose process it is, may: here, and nowhere else.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

GREETING = re.compile(
    rb"INFO: Created TensorFlow Lite"
    rb"|I0000 "  # TensorFlow's lines of information
    rb"|W0000 .* tf_tfl_flatbuffer_helpers"  # its converter speaks of itself
    rb"|E0000 .* failed call to cuInit"  # there is no graphics card
    rb"|WARNING: All log messages before absl::InitializeLog"
    rb"|To enable the following instructions"
    rb"|WARNING:absl:You are saving your model as an HDF5 file"  # as was asked for
)
"""How a line begins that is not passed on."""

_moving = threading.Lock()


@contextmanager
def quietly() -> Iterator[TextIO]:
    """Hold back what is written to stderr, by native code too; at the end pass on all but greetings.

    It gives a stream that is not held back, for what is to be seen meanwhile, such as a bar.

    It never waits: both ends of the pipe are non-blocking, so what is more than the pipe holds (64 kB) is
    lost; and where another thread is at it already, or there is no stderr, nothing is held back.
    """
    if not hasattr(os, "set_blocking") or not _moving.acquire(blocking=False):  # Windows, Python 3.11
        yield sys.stderr
        return
    try:
        with _held_back() as seen:
            yield seen
    finally:
        _moving.release()


@contextmanager
def _held_back() -> Iterator[TextIO]:
    try:
        stderr = os.dup(2)
    except OSError:  # closed by whoever started us
        yield sys.stderr
        return
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    os.dup2(writable, 2)
    os.close(writable)
    try:
        if _is_moved(sys.stderr):
            with os.fdopen(os.dup(stderr), "w", encoding="utf-8", errors="replace", buffering=1) as seen:
                yield seen
        else:
            yield sys.stderr
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        _pass_on(readable)


def _is_moved(stream: TextIO | None) -> bool:
    """Whether what is written to a stream is held back."""
    try:
        return stream is not None and stream.fileno() == 2
    except (OSError, ValueError):  # it stands for no file, or is closed
        return False


def _pass_on(readable: int) -> None:
    """Write to stderr what was held back; greetings are left out."""
    lines: list[bytes] = []
    with suppress(OSError):  # nothing there, or nobody to tell
        with os.fdopen(readable, "rb", buffering=0) as pipe:
            lines = (pipe.read() or b"").splitlines(keepends=True)
        os.write(2, b"".join(line for line in lines if not GREETING.match(line)))
