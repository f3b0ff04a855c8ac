"""A damaged ledger: what can be read is saved into a new one, and what is lost stays counted as paid.

How many calls are lost is told from the gaps in their numbers, and from the indexes, which may be readable
where the calls are not. Where the end of the file is missing nothing tells; so many are assumed as would
have had their room there.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from digitrec.errors import LedgerError
from digitrec.ledger.database import Database, as_text, plainly

LOST = "(lost)"
"""Stands in place of the provider's name for calls of which nothing is known any more."""
COLUMNS = (
    "id", "key", "state", "run", "asked_at", "lease_until", "cost_usd", "provider", "endpoint", "emulated",
    "options", "spec", "image_sha256", "prepared_sha256", "token", "error", "model_version", "answer",
)  # fmt: skip
"""What is saved of a call; every version of the ledger has these."""
_ASKED_AT, _COST, _EMULATED = (COLUMNS.index(name) for name in ("asked_at", "cost_usd", "emulated"))
SMALLEST_CALL = 200
"""Bytes; two hashes and the form of the image are more."""
_SOURCES = {
    "calls": ("id",),
    "calls INDEXED BY calls_by_key": ("key", "state"),
    "calls INDEXED BY calls_by_run": ("run",),
    "calls INDEXED BY calls_by_time": ("asked_at",),
}
"""What tells the numbers of calls, and in which order it is read."""
Row = tuple[object, ...]
_SAVE = f"INSERT INTO calls ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # nosec B608 # noqa: S608


@dataclass(frozen=True, slots=True)
class Repair:
    """What came of repairing a ledger."""

    saved: int
    """Calls that could be read and are in the new ledger, >= 0."""
    lost: int
    """Calls that could not be read, >= 0; the new ledger counts them as paid, as late as can be."""
    assumed: int
    """How many of ``lost`` are taken from the size of what is missing: there may have been more or fewer."""
    lost_usd: float | None
    """US dollars counted for them, each at the highest price of a saved call; None is unknown."""
    damaged: Path | None
    """Where the damaged file was put; it is not deleted. None: nothing was wrong, and nothing was done."""


def repair(path: Path) -> Repair:
    """Put a damaged ledger aside and start a new one with every call that can still be read.

    What is lost is written into the new one as calls of the state "lost", so that spending and budgets go
    on counting it. A healthy ledger is left alone. No other digitrec may be running on it meanwhile.

    Raises:
        LedgerError: there is no such file, or the new one cannot be written.
    """
    if not path.is_file():
        raise LedgerError(f"there is no ledger {path} to repair; check the name")
    healthy = _healthy_calls(path)
    if healthy is not None:
        return Repair(healthy, 0, 0, 0.0, None)
    with plainly(path):
        names = (path.with_name(f"{path.name}.damaged-{number}") for number in count(1))
        aside = next(name for name in names if not name.exists())
        for suffix in ("", "-wal", "-shm"):
            if (part := Path(f"{path}{suffix}")).exists():
                part.rename(f"{aside}{suffix}")
    rows, known = _readable(aside)
    with closing(Database(path)) as fresh, fresh.transaction() as sqlite:
        saved = {number: row for number, row in rows.items() if _save(sqlite, row)}
        gaps = known - set(saved)
        assumed = _assumed(aside, len(saved), len(gaps))
        prices = [cost for row in saved.values() if isinstance(cost := row[_COST], float)]
        usd = max(prices, default=None)
        emulated = bool(saved) and all(row[_EMULATED] for row in saved.values())
        # Where nothing tells how many they were, one of unknown cost keeps it from being taken for none.
        end = range(max(known, default=0) + 1, max(known, default=0) + 1 + (assumed if known else 1))
        for number, when in _times(sorted({*known, *end}), saved):
            if number in gaps or number in end:
                _write_lost(sqlite, number, when, usd, emulated=emulated)
    lost = len(gaps) + assumed
    return Repair(len(saved), lost, assumed, None if usd is None else lost * usd, aside)


def _times(numbers: Sequence[int], saved: Mapping[int, Row]) -> Iterator[tuple[int, float]]:
    """For each number, the last first, when that call was made at the latest."""
    when = time.time()
    for number in reversed(numbers):
        told = saved[number][_ASKED_AT] if number in saved else None
        when = told if isinstance(told, float) else when
        yield number, when


def _healthy_calls(path: Path) -> int | None:
    """How many calls there are in a ledger with which nothing is wrong; None: something is."""
    try:
        with closing(sqlite3.connect(path)) as sqlite:
            if sqlite.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                return None
            calls = sqlite.execute("SELECT count(*) FROM calls").fetchone()[0]
            sqlite.execute(f"SELECT {', '.join(COLUMNS)} FROM calls LIMIT 1")  # nosec B608 # noqa: S608 (our columns)
            return int(calls)
    except sqlite3.Error:
        return None


def _readable(path: Path) -> tuple[dict[int, Row], set[int]]:
    """Every call that can be read, by its number, and the numbers of all that are known to have been."""
    most = (path.stat().st_size + _missing(path)) // SMALLEST_CALL
    rows: dict[int, Row] = {}
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.text_factory = as_text
        sqlite.execute(
            "PRAGMA writable_schema = ON"
        )  # or SQLite reads nothing of a file whose end is missing
        known = {number for number in _numbers(sqlite) if 0 < number <= most}
        for number in range(1, most + 1):
            try:
                query = f"SELECT {', '.join(COLUMNS)} FROM calls WHERE id = ?"  # nosec B608 # noqa: S608 (our columns)
                rows |= {row[0]: row for row in sqlite.execute(query, (number,))}
            except sqlite3.Error:
                continue
    known |= set(range(1, max(rows, default=0) + 1))  # a ledger forgets no call
    return rows, set(range(1, max(known, default=0) + 1))


def _numbers(sqlite: sqlite3.Connection) -> Iterator[int]:
    """Numbers of calls, from whatever tells them: both ends of the table and of its indexes."""
    for source, columns in _SOURCES.items():
        for direction in ("ASC", "DESC"):
            order = ", ".join(f"{column} {direction}" for column in columns)
            try:
                for row in sqlite.execute(f"SELECT id FROM {source} ORDER BY {order}"):  # nosec B608 # noqa: S608 (our own words)
                    if isinstance(row[0], int):
                        yield row[0]
            except sqlite3.Error:
                continue


def _save(sqlite: sqlite3.Connection, row: Row) -> bool:
    """Whether the call could be written into the new ledger: one whose damage can be read cannot."""
    try:
        sqlite.execute(_SAVE, row)
    except (sqlite3.Error, UnicodeError):
        return False
    return True


def _missing(path: Path) -> int:
    """How many bytes are missing at the end of the file, by what its header says (sqlite.org/fileformat2)."""
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(b"SQLite format 3\0") or header[24:28] != header[92:96]:
        return 0  # the size in the header counts only where these two are the same
    page = int.from_bytes(header[16:18], "big")
    size = int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page)
    return max(0, size - path.stat().st_size)


def _assumed(path: Path, saved: int, gaps: int) -> int:
    """How many calls had their room in what is missing, as large as the others, beyond those in the gaps."""
    return max(0, math.ceil(_missing(path) * saved / path.stat().st_size) - gaps) if saved else 0


def _write_lost(
    sqlite: sqlite3.Connection, number: int, when: float, usd: float | None, *, emulated: bool
) -> None:
    values = (number, f"lost {number}", "lost", "", when, when, usd, LOST, emulated, "{}", "{}", "")
    sqlite.execute(
        "INSERT INTO calls (id, key, state, run, asked_at, lease_until, cost_usd, provider, emulated, "
        "options, spec, prepared_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values,
    )  # fmt: skip
