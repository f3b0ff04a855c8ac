"""Repair a ledger whose file is damaged: copy every readable call into a new one."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from digitrec.engine.ledger.database import Database, plainly
from digitrec.errors import LedgerError

UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a damaged file raises; the latter where SQLite quotes a damaged name."""
LOST = "(lost)"
"""Provider of a call that could not be read."""
SMALLEST_CALL = 200
"""Bytes; two hashes and the form of the image are more."""
_LOSE = """INSERT INTO calls (id, key, state, run, asked_at, lease_until, cost_usd, provider, emulated,
           options, spec, prepared_sha256)
           SELECT ?1, 'lost ' || ?1, 'lost', '', ?2, ?2, max(cost_usd), ?3, 0, '{}', '{}', '' FROM calls"""


@dataclass(frozen=True, slots=True)
class Repair:
    """What came of repairing a ledger."""

    saved: int
    """Calls in the new ledger that could be read, >= 0."""
    lost: int
    """Calls missing between them, >= 0; the new ledger counts each as spent now, at the highest price."""
    damaged: Path | None
    """The damaged file, renamed and kept. None: the ledger was healthy, and was left alone."""


def repair(path: Path) -> Repair:
    """Rename a damaged ledger, and start a new one with every call that can still be read.

    No other digitrec may use it meanwhile.

    Raises:
        LedgerError: there is no such file, a newer digitrec wrote it, or the new one cannot be written.
    """
    if not path.is_file():
        raise LedgerError(f"there is no ledger {path} to repair; check the name")
    calls = _calls_of_a_sound(path)
    if calls is not None:
        return Repair(calls, 0, None)
    with plainly(path):
        aside = next(it for n in count(1) if not (it := path.with_name(f"{path.name}.damaged-{n}")).exists())
        for suffix in ("", "-wal", "-shm"):
            if (part := Path(f"{path}{suffix}")).exists():
                part.rename(f"{aside}{suffix}")
        Database(path).close()
        with closing(sqlite3.connect(path, isolation_level=None)) as new:
            _copy(aside, new)
            saved = {number for (number,) in new.execute("SELECT id FROM calls")}
            lost = sorted(set(range(1, max(saved, default=0))) - saved)
            new.executemany(_LOSE, [(number, time.time(), LOST) for number in lost])
    return Repair(len(saved), len(lost), aside)


def _calls_of_a_sound(path: Path) -> int | None:
    """Return how many calls there are in a ledger without damage; None: it is damaged."""
    try:
        with closing(Database(path, copied=True)) as copy:
            return copy.read("SELECT count(*) FROM calls")[0][0] if copy.is_sound() else None
    except LedgerError as error:
        if isinstance(error.__cause__, UNREADABLE):
            return None
        raise


def _copy(damaged: Path, new: sqlite3.Connection) -> None:
    """Copy every readable call as it is."""
    new.execute("PRAGMA writable_schema = ON")  # or SQLite reads nothing of a file whose end is missing
    with suppress(*UNREADABLE):
        new.execute("ATTACH ? AS damaged", (str(damaged),))
        theirs = len(new.execute("PRAGMA damaged.table_info(calls)").fetchall())
        ours = [name for _, name, *_ in new.execute("PRAGMA main.table_info(calls)")][:theirs]
        copy = f"INSERT INTO main.calls ({', '.join(ours)}) SELECT * FROM damaged.calls WHERE rowid = ?"  # nosec B608 # noqa: S608 (our columns)
        for number in range(1, damaged.stat().st_size // SMALLEST_CALL if theirs else 1):
            with suppress(*UNREADABLE):
                new.execute(copy, (number,))
    new.execute("PRAGMA writable_schema = OFF")
