"""Rate limits: one queue for all threads and processes of this user.

The limit is the vendor's default, the provider's ``rate``, unless the configuration file sets another.
Requests are spaced evenly rather than sent in bursts, so that the limit holds in any period.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

_TABLE = """CREATE TABLE IF NOT EXISTS queues
            (name TEXT PRIMARY KEY, at REAL NOT NULL, booked REAL NOT NULL)"""


class Limiter:
    """Spaces requests at least 1/rate seconds apart."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Open the queue.

        Args:
            path: a SQLite file shared by all processes under the limit. If it cannot be written, the limit
                holds only for this object.
            clock: seconds since 1970; all processes use the same clock, which may be set while they wait.
        """
        self._clock = clock
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._queues = _connected(str(path))
        except (OSError, sqlite3.Error):
            self._queues = _connected(":memory:")

    def book(self, name: str, rate: float) -> float:
        """Book the next turn.

        Args:
            name: name of the limit; each name has its own queue.
            rate: turns per second, > 0.

        Returns:
            Seconds to wait before the request, >= 0; at most the length of the queue.
        """
        with self._lock:
            try:
                return self._book(name, rate)
            except sqlite3.Error:  # damaged, or locked for too long
                self._queues.close()
                self._queues = _connected(":memory:")
                return self._book(name, rate)

    def _book(self, name: str, rate: float) -> float:
        self._queues.execute("PRAGMA synchronous = OFF")  # losing the queue in a power cut is harmless
        self._queues.execute("BEGIN IMMEDIATE")
        self._queues.execute(_TABLE)
        now = self._clock()
        row = self._queues.execute("SELECT at, booked FROM queues WHERE name = ?", (name,)).fetchone()
        at, booked = row or (now, now)
        if now < booked:  # the clock was set back: keep the queue's length
            at -= booked - now
        at = max(now, at)
        self._queues.execute("REPLACE INTO queues VALUES (?, ?, ?)", (name, at + 1 / rate, now))
        self._queues.execute("COMMIT")
        return float(at - now)

    def close(self) -> None:
        """Close the file."""
        self._queues.close()


def _connected(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
