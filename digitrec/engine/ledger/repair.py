"""A ledger whose file is damaged: copy every readable call into a new one, and count the others as spent."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from digitrec.engine.ledger import seal
from digitrec.engine.ledger.database import Database, plainly
from digitrec.engine.ledger.seal import UNREADABLE
from digitrec.errors import LedgerError

SMALLEST_CALL = 200
"""Bytes; two hashes and the form of the image are more."""


@dataclass(frozen=True, slots=True)
class Repair:
    """What came of repairing a ledger."""

    saved: int
    """Intact calls in the new ledger, >= 0."""
    lost: int
    """Damaged and missing calls, >= 0; the new ledger counts them as spent (`seal.heal`)."""
    assumed: int
    """How many of ``lost`` are estimated from the size of the missing end of the file."""
    lost_usd: float | None
    """US dollars that the new ledger counts for them; None is unknown."""
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
        return Repair(calls, 0, 0, 0.0, None)
    with plainly(path):
        aside = next(it for n in count(1) if not (it := path.with_name(f"{path.name}.damaged-{n}")).exists())
        for suffix in ("", "-wal", "-shm"):
            if (part := Path(f"{path}{suffix}")).exists():
                part.rename(f"{aside}{suffix}")
        Database(path).close()
        with closing(sqlite3.connect(path, isolation_level=None)) as new:
            new.row_factory = sqlite3.Row
            seal.add_functions(new)
            copied, known = _copied(aside, new)
            assumed = max(0, math.ceil(_missing(aside) * copied / aside.stat().st_size) - (known - copied))
            seal.keep_sealed(new)
            # Where nothing shows how many calls there were, one of unknown cost stays as a reminder.
            healed = seal.heal(new, known + assumed or 1)
            (calls,) = new.execute("SELECT count(*) FROM calls").fetchone()
    return Repair(calls - len(healed.numbers), len(healed.numbers), assumed, healed.usd, aside)


def _calls_of_a_sound(path: Path) -> int | None:
    """How many calls there are in a ledger without damage, of which nothing is changed; None: it has some."""
    try:
        with closing(Database(path, copied=True)) as copy:
            return copy.read("SELECT count(*) FROM calls")[0][0] if copy.is_sound() else None
    except LedgerError as error:
        if isinstance(error.__cause__, UNREADABLE):
            return None
        raise


def _copied(damaged: Path, new: sqlite3.Connection) -> tuple[int, int]:
    """Copy every readable call as it is; how many those are, and how many there were at least."""
    new.execute("PRAGMA writable_schema = ON")  # or SQLite reads nothing of a file whose end is missing
    most = (damaged.stat().st_size + _missing(damaged)) // SMALLEST_CALL
    known = 0
    with suppress(*UNREADABLE):
        new.execute("ATTACH ? AS damaged", (str(damaged),))
        theirs = len(new.execute("PRAGMA damaged.table_info(calls)").fetchall())
        ours = [row["name"] for row in new.execute("PRAGMA main.table_info(calls)")][:theirs]
        copy = f"INSERT INTO main.calls ({', '.join(ours)}) SELECT * FROM damaged.calls WHERE rowid = ?"  # nosec B608 # noqa: S608 (our columns)
        for number in range(1, most + 1 if theirs else 0):
            with suppress(*UNREADABLE):
                new.execute(copy, (number,))
        if "seal" not in ours:
            new.execute(f"UPDATE main.calls SET seal = {seal.SEAL}")  # nosec B608 # noqa: S608
        known = min(most, seal.entries_of_indexes(new, "damaged"))
    new.execute("PRAGMA writable_schema = OFF")
    (copied,) = new.execute("SELECT count(*) FROM main.calls").fetchone()
    (highest,) = new.execute("SELECT coalesce(max(id), 0) FROM main.calls").fetchone()
    return copied, max(known, highest)


def _missing(path: Path) -> int:
    """Bytes missing at the end of the file, according to its header (sqlite.org/fileformat2)."""
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(b"SQLite format 3\0") or header[24:28] != header[92:96]:
        return 0  # the size in the header counts only where these two are the same
    page = int.from_bytes(header[16:18], "big")
    size = int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page)
    return max(0, size - path.stat().st_size)
