"""Hide the lines that the runtimes print on stderr about themselves, which none of their settings stops."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
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
"""Beginnings of the lines to hide."""

_moving = threading.Lock()


@contextmanager
def quietly() -> Iterator[TextIO]:
    """Hold back stderr, of native code too, and at the end print it without the greetings.

    Yield a stream that is not held back, for a progress bar. While another thread holds stderr back, or
    where there is no stderr or no room for a temporary file, nothing is held back.
    """
    if not _moving.acquire(blocking=False):
        yield sys.stderr
        return
    try:
        try:
            held, stderr = TemporaryFile(), os.dup(2)  # noqa: SIM115 (closed below)
        except OSError:
            yield sys.stderr
            return
        with held, os.fdopen(stderr, "w", encoding="utf-8", errors="replace", buffering=1) as seen:
            os.dup2(held.fileno(), 2)
            try:
                yield seen if sys.stderr is sys.__stderr__ else sys.stderr
            finally:
                os.dup2(stderr, 2)
                held.seek(0)
                seen.buffer.write(b"".join(line for line in held if not GREETING.match(line)))
    finally:
        _moving.release()
