"""Recordings: a ledger in a file of its own, which ``--record`` fills and ``--replay`` answers from.

The ledger's export, and what digitrec up to 0.2.0 recorded, is JSON Lines (`Entry.line`); it is read as well.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from digitrec.engine.ledger.book import Ledger
from digitrec.engine.ledger.queries import entries
from digitrec.engine.ledger.records import Entry
from digitrec.errors import LedgerError

log = logging.getLogger(__name__)

SQLITE = b"SQLite format 3\0"
"""The first bytes of a ledger."""


def _is_ledger(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SQLITE)) == SQLITE


def read_recording(path: Path) -> list[Entry]:
    """Return every answer in a recording, in order; the file is not changed.

    A last line of JSON without a line break, cut off while it was written, is skipped with a warning.

    Raises:
        LedgerError: it cannot be read, or a line in it is not an answer; the message names the line.
    """
    try:
        lines = [] if (is_ledger := _is_ledger(path)) else path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        why = f"the recording {path} cannot be read ({error.strerror}); check the name"
        raise LedgerError(why) from error
    if is_ledger:
        with closing(Ledger(path, copied=True)) as ledger:
            return list(entries(ledger))
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found += [Entry.parse(line.decode())] if line.strip() else []
        except ValueError as error:
            if line.endswith(b"\n"):
                raise LedgerError(f"{path}, line {number}: not a recorded answer; record it again") from error
            log.warning("the last line of %s is incomplete, and is skipped", path)
    return found


class Recorder:
    """Adds answers to a recording, from several threads; what could not be written is tried again first."""

    def __init__(self, path: Path) -> None:
        """Open the recording, or make it; one of JSON Lines becomes a ledger.

        Raises:
            LedgerError: it cannot be written, or the file is not a recording.
        """
        with _named(path):
            if path.is_file() and not _is_ledger(path) and (answers := read_recording(path)):
                converted = path.with_name(f"{path.name}.part")
                with closing(Ledger(converted)) as ledger:
                    ledger.keep(answers)
                converted.replace(path)
            self._ledger = Ledger(path)
        self._path = path
        self._lock = threading.Lock()
        self._waiting: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Record an answer; one that cannot be written waits for `ready`."""
        with self._lock:
            self._waiting.append(entry)
            try:
                self._write()
            except LedgerError as error:  # it is paid for, and is shown all the same
                log.debug("an answer is not in the recording yet: %s", error)

    def ready(self) -> None:
        """Write the answers that could not be written before; until then nothing more may be paid for.

        Raises:
            LedgerError: they still cannot be written.
        """
        with self._lock:
            self._write()

    def close(self) -> None:
        """Write what is left, and close the file; may be called twice.

        Raises:
            LedgerError: an answer could not be written.
        """
        try:
            self.ready()
        finally:
            self._ledger.close()

    def _write(self) -> None:
        if self._waiting:
            with _named(self._path):
                self._ledger.keep(self._waiting)
            self._waiting = []


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Inside, an error of the ledger says that it is the recording's."""
    try:
        yield
    except (LedgerError, OSError) as error:
        raise LedgerError(f"the recording {path} cannot be written, name another: {error}") from error
