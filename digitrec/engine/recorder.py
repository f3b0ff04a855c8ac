"""The recording that is made while a provider is asked: each answer is in it before it is shown."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from digitrec.errors import LedgerError
from digitrec.ledger import Entry
from digitrec.ledger.recording import append_recording, mend_recording

log = logging.getLogger(__name__)


class Recorder:
    """Adds answers to a recording, from several threads; what could not be written is tried again first."""

    def __init__(self, path: Path) -> None:
        """Make the file, or its end one to which lines can be added.

        Raises:
            LedgerError: it cannot be written, or is no recording.
        """
        self._path = path
        self._lock = threading.Lock()
        self._waiting: list[Entry] = []
        mend_recording(path)

    def add(self, entry: Entry) -> None:
        """Write an answer down; one that cannot be written waits for `ready`."""
        with self._lock:
            self._waiting.append(entry)
            try:
                self._write()
            except LedgerError as error:  # it is paid for, and is shown all the same
                log.debug("an answer is not in the recording yet: %s", error)

    def ready(self) -> None:
        """Write what could not be written before; nothing more may be paid for until that is done.

        Raises:
            LedgerError: it still cannot be written.
        """
        with self._lock:
            self._write()

    def _write(self) -> None:
        if self._waiting:
            append_recording(self._path, self._waiting)
            self._waiting = []
