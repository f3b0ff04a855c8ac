"""Being told that nobody waits any more: what Ctrl-C is to a program, for one caller of many in a process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import TypeVar

SLICE_S = 0.2
"""Seconds between two looks; Ctrl-C cannot interrupt a wait on Windows, so no single wait is longer."""
T = TypeVar("T")


class Cancelled(BaseException):
    """Whoever asked waits no more. It takes the way that KeyboardInterrupt takes, so nobody may catch it."""


_TOLD: ContextVar[threading.Event | None] = ContextVar("told", default=None)


@contextmanager
def told_by(gone: threading.Event) -> Iterator[None]:
    """Inside, and in threads that are given a copy of the context, `check` looks at ``gone``."""
    token = _TOLD.set(gone)
    try:
        yield
    finally:
        _TOLD.reset(token)


def check() -> None:
    """Go on, if anybody waits.

    Raises:
        Cancelled: nobody does.
    """
    gone = _TOLD.get()
    if gone is not None and gone.is_set():
        raise Cancelled


def taken(queue: SimpleQueue[T]) -> T:
    """The next thing in the queue, as soon as there is one.

    Raises:
        Cancelled: nobody waits for it any more.
    """
    while True:
        check()
        try:
            return queue.get(timeout=SLICE_S)
        except Empty:
            continue
