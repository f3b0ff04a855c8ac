"""A checksum for each call: a damaged call is noticed, counts as spent, and is never replayed.

The checksum has two halves, one of what the call cost (`MONEY`) and one of all its other columns, so that
damage to an answer leaves its cost known. Triggers of the connection write it with every change of a call.
Damaged pages and indexes are found by SQLite's own check.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from zlib import crc32

MONEY = ("id", "run", "asked_at", "cost_usd", "provider", "emulated")
"""Columns that budgets and spending depend on."""
COLUMNS = (
    *MONEY, "key", "state", "lease_until", "endpoint", "options", "spec", "image_sha256", "prepared_sha256",
    "token", "error", "model_version", "answer", "leased_at",
)  # fmt: skip
"""Columns that the checksum covers, in its order."""
HALF = 8
"""Hexadecimal digits of each half of a checksum."""
UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a damaged file raises; the latter where SQLite quotes a damaged name."""
INDEXES = {"calls_by_key": "key", "calls_by_run": "run", "calls_by_time": "asked_at"}
"""The indexes of the calls, and the first column of each."""
LOST = "(lost)"
"""Provider of a call whose own provider is not known any more."""
WHOLE, COST_KNOWN = 2, 1
"""What `intact` returns for an undamaged call, and for one whose `MONEY` is undamaged."""


def _raw(column: str) -> str:
    """Return SQL for a column's stored bytes: damaged text cannot be decoded."""
    return f"CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) ELSE {column} END"


SEAL = f"seal({', '.join(map(_raw, COLUMNS))})"
"""SQL for the checksum that a call should have."""
INTACT = f"intact({_raw('seal')}, {', '.join(map(_raw, COLUMNS))})"
"""SQL that compares a call with its checksum: `WHOLE`, `COST_KNOWN` or 0."""
_TRIGGER = "CREATE TEMP TRIGGER seal_{0} AFTER {1} ON main.calls BEGIN UPDATE calls SET seal = {2} WHERE id = new.id; END"  # noqa: E501
_CALLS = f"SELECT {', '.join(MONEY)}, {INTACT} AS intact FROM calls NOT INDEXED ORDER BY id"  # nosec B608 # noqa: S608 (our own words)
_LOSE = """INSERT INTO calls (id, key, state, run, asked_at, lease_until, cost_usd, provider, emulated,
           options, spec, prepared_sha256)
           VALUES (?1, 'lost ' || ?1, 'lost', ?2, ?3, ?3, ?4, ?5, ?6, '{}', '{}', '')"""


@dataclass(frozen=True, slots=True)
class Healed:
    """What was done about damaged and missing calls."""

    numbers: tuple[int, ...]
    """Numbers of the calls that are not replayed any more, in order."""
    usd: float | None
    """US dollars that they count as; None is unknown."""


def add_functions(sqlite: sqlite3.Connection) -> None:
    """Teach a connection the SQL functions ``seal`` and ``intact``."""
    sqlite.create_function("seal", len(COLUMNS), _seal, deterministic=True)
    sqlite.create_function("intact", len(COLUMNS) + 1, _intact, deterministic=True)


def keep_sealed(sqlite: sqlite3.Connection) -> None:
    """Let a connection write the checksum of every call that it inserts or changes."""
    sqlite.execute(_TRIGGER.format("new", "INSERT", SEAL))
    sqlite.execute(_TRIGGER.format("changed", f"UPDATE OF {', '.join(COLUMNS)}", SEAL))


def _seal(*values: object) -> str:
    return _half(*values[: len(MONEY)]) + _half(*values[len(MONEY) :])


def _half(*values: object) -> str:
    parts = (value if isinstance(value, bytes) else repr(value).encode() for value in values)
    return f"{crc32(b'|'.join(parts)):0{HALF}x}"


def _intact(seal: object, *values: object) -> int:
    right = _seal(*values).encode()
    if seal == right:
        return WHOLE
    return COST_KNOWN if isinstance(seal, bytes) and seal[:HALF] == right[:HALF] else 0


def is_sound(sqlite: sqlite3.Connection) -> bool:
    """Whether SQLite finds the file in order, no call is damaged, and no number of a call is missing."""
    if sqlite.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
        return False
    found = ((row["id"], row["intact"]) for row in sqlite.execute(_CALLS))
    return all(pair == (number, WHOLE) for number, pair in enumerate(found, 1))


def entries_of_indexes(sqlite: sqlite3.Connection, schema: str = "main") -> int:
    """Count the calls in the indexes, which may be readable where the calls are not."""
    found = 0
    for index, column in INDEXES.items():
        query = f"SELECT id FROM {schema}.calls INDEXED BY {index} ORDER BY {column}"  # nosec B608 # noqa: S608 (our own words)
        with suppress(*UNREADABLE):
            for number, _ in enumerate(sqlite.execute(query), 1):
                found = max(found, number)
    return found


def heal(sqlite: sqlite3.Connection, at_least: int = 0) -> Healed:
    """Turn every damaged or missing call into one that counts as spent and has no answer.

    A call whose cost is known keeps it. Any other costs as much as the dearest intact call, at the latest
    time at which it can have been made; it counts as emulated only where all intact calls do.

    Args:
        sqlite: in a transaction, with intact indexes.
        at_least: how many calls there were, where more may be missing than the numbers show.
    """
    rows = sqlite.execute(_CALLS).fetchall()
    believed = {row["id"]: row for row in rows if row["intact"]}
    damaged = [(row["id"],) for row in rows if row["intact"] != WHOLE]
    price = max(_prices(believed.values()), default=max(_prices(rows), default=None))
    emulated = bool(believed) and all(row["emulated"] for row in believed.values())
    when, lost = time.time(), []
    for number in range(max(max(believed, default=0), len(rows), at_least), 0, -1):
        row = believed.get(number)
        if row is None:
            lost.append((number, "", when, price, LOST, emulated))
        else:
            when = _number(row["asked_at"]) or when
            if row["intact"] == COST_KNOWN:
                lost.append(tuple(row)[: len(MONEY)])
    sqlite.executemany("DELETE FROM calls WHERE id = ?", damaged)
    sqlite.executemany(_LOSE, lost)
    costs = [cost for _, _, _, cost, _, _ in lost]
    return Healed(
        tuple(sorted(row[0] for row in lost)), None if None in costs else sum(cost or 0.0 for cost in costs)
    )


def _prices(rows: Iterable[sqlite3.Row]) -> list[float]:
    return [cost for row in rows if (cost := _number(row["cost_usd"])) is not None]


def _number(value: object) -> float | None:
    """Return a finite number >= 0, or None for anything else that a damaged column can hold."""
    return value if isinstance(value, int | float) and 0 <= value < float("inf") else None
