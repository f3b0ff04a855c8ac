"""How fast a vendor may be asked: one queue for all threads and processes of this user.

The limit is the provider's ``rate``, its vendor's default; the configuration file may say otherwise.
Requests are spaced evenly rather than let through in bursts, so a limit holds over any window.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

LONGEST_QUEUE_S = 3600.0
"""A turn further away than this was booked before the clock was set back: it is not believed."""


class Limiter:
    """Hands out turns, each at least 1/rate seconds after the one before it."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Open the queue.

        Args:
            path: a SQLite file shared by everyone who keeps the limit. Where it cannot be written,
                the limit holds for this object alone.
            clock: seconds since 1970; the same clock for everyone.
        """
        self._clock = clock
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._turns = _open(str(path))
        except (OSError, sqlite3.Error):
            self._turns = _open(":memory:")

    def book(self, name: str, rate: float, *, within: float) -> float | None:
        """Book the next turn.

        Args:
            name: whose limit it is; each name has its own queue.
            rate: turns a second, > 0.
            within: how many seconds the caller can wait; no turn is used up when that is too short.

        Returns:
            Seconds to wait before asking, >= 0, or None where no turn comes in time.
        """
        with self._lock:
            try:
                return self._book(name, rate, within)
            except sqlite3.Error:  # damaged, or locked for longer than anyone needs it
                self._turns.close()
                self._turns = _open(":memory:")
                return self._book(name, rate, within)

    def _book(self, name: str, rate: float, within: float) -> float | None:
        self._turns.execute("BEGIN IMMEDIATE")
        now = self._clock()
        row = self._turns.execute("SELECT at FROM turns WHERE name = ?", (name,)).fetchone()
        at = max(now, row[0]) if row and row[0] < now + LONGEST_QUEUE_S else now
        in_time = at - now <= within
        if in_time:
            self._turns.execute("REPLACE INTO turns VALUES (?, ?)", (name, at + 1 / rate))
        self._turns.execute("COMMIT")
        return at - now if in_time else None

    def close(self) -> None:
        """Close the file."""
        self._turns.close()


def _open(path: str) -> sqlite3.Connection:
    turns = sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
    try:
        turns.execute("PRAGMA synchronous = OFF")  # losing the queue in a power cut costs nobody anything
        turns.execute("CREATE TABLE IF NOT EXISTS turns (name TEXT PRIMARY KEY, at REAL NOT NULL)")
    except sqlite3.Error:
        turns.close()
        raise
    return turns
