"""Show progress with an estimate on stderr, and hide the lines that the runtimes print about themselves."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, TextIO, TypeVar

import click

from digitrec.errors.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

Item = TypeVar("Item")

GREETING = re.compile(
    rb"INFO: Created TensorFlow Lite"
    rb"|Matplotlib is building the font cache"  # when Keras imports it
    rb"|I0000 "  # TensorFlow's information
    rb"|W0000 .* tf_tfl_flatbuffer_helpers"  # TensorFlow's converter
    rb"|E0000 .* failed call to cuInit"  # there is no graphics card
    rb"|WARNING: All log messages before absl::InitializeLog"
    rb"|To enable the following instructions"
    rb"|WARNING:tensorflow:\d+ out of the last"  # each trial of `tune` is another network
    rb"|WARNING:absl:You are saving your model as an HDF5 file"  # the user asked for that
)
"""Beginnings of the lines to hide."""


WORTH_A_BAR = 64
"""Minimum number of items for a bar; fewer are finished too soon."""
LINE_EVERY = 60.0
"""Seconds between two lines in the log if there is no terminal."""

_moving = threading.Lock()


@contextmanager
def quietly() -> Iterator[TextIO]:
    """Hold back stderr, of native code too, and at the end print it without the runtimes' own lines.

    Yield a stream that is not held back, for a progress bar. Hold nothing back if another thread already
    does, if stderr is closed, or if there is no room for a temporary file.
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


def terminal(out: IO[str]) -> Console:
    """Return a console on ``out``; assume 80 columns if it reports 0 (COLUMNS=0)."""
    from rich.console import Console  # a pipe does not need this slow import

    plain = bool(os.environ.get("NO_COLOR"))  # rich alone would keep bold and dim
    console = Console(file=out, highlight=False, color_system=None if plain else "auto")
    if console.width < 1:
        console.width = 80
    return console


class Bar:
    """A bar on a terminal, a line a minute in a log."""

    def __init__(self, what: str, stream: TextIO, shown: Progress | None, done: float) -> None:
        self._what, self._stream, self._shown = what, stream, shown
        self._start = self._told = time.monotonic()
        self._first = self._done = done

    def at(self, done: float, remark: str) -> None:
        """Show the finished share, 0..1, with a remark; a smaller share than before begins another part."""
        if done < self._done:
            self._start, self._first = time.monotonic(), done
        self._done = done
        if self._shown is not None:
            self._shown.update(
                self._shown.task_ids[0], completed=done, description=printable(f"{self._what}: {remark}")
            )
        elif time.monotonic() - self._told >= LINE_EVERY:
            self._told = time.monotonic()
            left = (self._told - self._start) * (1 - done) / max(done - self._first, 1e-9)
            words = f"{self._what}: {done:.0%}, {remark}, about {left / 60:.0f} min left"
            click.echo(words, file=self._stream)


@contextmanager
def bar(what: str, stream: TextIO | None = None, *, done: float = 0.0) -> Iterator[Bar]:
    """Show progress on a stream, from the share that is done already, 0..1; None: stderr."""
    stream = stream or sys.stderr
    if not stream.isatty():
        yield Bar(what, stream, None, done)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal(stream), transient=True) as shown:
        shown.add_task(what, total=1.0)
        yield Bar(what, stream, shown, done)


@contextmanager
def quiet_bar(what: str) -> Iterator[Bar]:
    """Show a bar and hold back the runtimes' own messages, which would break it."""
    with quietly() as stream, bar(what, stream) as shown:
        yield shown


def tracked(items: Iterable[Item], total: int) -> Iterator[Item]:
    """Count the items on stderr as they pass; stay silent for short work, and if rows show progress."""
    if total < WORTH_A_BAR or sys.stdout.isatty() or not sys.stderr.isatty():
        yield from items
        return
    with bar("reading") as shown:
        for number, item in enumerate(items, 1):
            yield item
            shown.at(number / total, f"{number} of {total}")
