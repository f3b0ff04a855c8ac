"""A recording: answers as JSON Lines, to be answered from again on another machine."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from digitrec.errors import LedgerError
from digitrec.ledger.records import Entry

log = logging.getLogger(__name__)

BEGINNING = b'{"answer":'
"""What every line of a recording begins with, its keys being sorted."""


def read_recording(path: Path) -> list[Entry]:
    """Every entry of a recording, in order.

    A last line that was cut off while it was written is skipped, with a warning.

    Raises:
        LedgerError: it cannot be read, or a line in it is not an entry; the message names the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LedgerError(
            f"the recording {path} cannot be read ({error.strerror}); check the name"
        ) from error
    lines = data.rstrip().split(b"\n")
    if _is_torn(lines[-1]):
        log.warning("the last line of %s was cut off while it was written, and is skipped", path)
        lines.pop()
    return [_entry(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def append_recording(path: Path, entries: Sequence[Entry]) -> None:
    """Add entries at the end of a recording, all or none; the file is made if it is not there.

    Raises:
        LedgerError: it cannot be written.
    """
    lines = "".join(f"{entry.line()}\n" for entry in entries).encode()
    with _plainly(path):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            _write(file, lines)
        finally:
            os.close(file)


def mend_recording(path: Path) -> None:
    """Make a recording ready to be added to: a last line that was cut off is taken away.

    Raises:
        LedgerError: it cannot be written, or its last line is no recorded answer.
    """
    append_recording(path, [])
    if not path.is_file():  # a device or a pipe has no end to look at
        return
    with _plainly(path), path.open("r+b") as file:
        data = file.read()
        last = data.rstrip().rpartition(b"\n")[2]
        if _is_torn(last):
            file.truncate(data.rindex(last))
        elif last:
            _entry(path, 0, last)  # what is no recording is not added to
            if not data.endswith(b"\n"):
                file.write(b"\n")


@contextmanager
def _plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror
        raise LedgerError(f"the recording {path} cannot be written ({why}); name another") from error


def _write(file: int, lines: bytes) -> None:
    """All of it or nothing: what was written of it before the disk was full is taken away again."""
    left = memoryview(lines)
    try:
        while left:
            left = left[os.write(file, left) :]
    except OSError:
        with suppress(OSError):  # not a file of which anything can be taken away
            os.ftruncate(file, os.fstat(file).st_size - (len(lines) - len(left)))
        raise


def _is_torn(line: bytes) -> bool:
    """Whether it is the beginning of a line of ours, and not all of it."""
    line = line.strip()
    if not line or not (line.startswith(BEGINNING) or BEGINNING.startswith(line)):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return True
    return False


def _parsed(line: bytes) -> Entry | None:
    try:
        return Entry.parse(line.decode())
    except ValueError:
        return None


def _entry(path: Path, number: int, line: bytes) -> Entry:
    entry = _parsed(line)
    if entry is None:
        where = f"{path}, line {number}" if number else f"{path}, its last line"
        raise LedgerError(f"{where}: not a recorded answer; record it again")
    return entry
