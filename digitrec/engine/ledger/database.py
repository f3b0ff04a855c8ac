"""Store the ledger in a SQLite file, readable by this user only: check and repair it, and explain errors."""

import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryDirectory

from digitrec.engine.config import LEDGER_ENDINGS
from digitrec.errors import LedgerError

MIGRATIONS = (
    (
        """CREATE TABLE calls (
            id INTEGER PRIMARY KEY,
            key TEXT NOT NULL,           -- Question.key
            state TEXT NOT NULL,         -- asking, answered, failed, unknown
            run TEXT NOT NULL,           -- the command it was made for
            asked_at REAL NOT NULL,      -- seconds since 1970
            lease_until REAL NOT NULL,   -- while asking: others wait until then
            cost_usd REAL,               -- what the budget counts; NULL is unknown
            provider TEXT NOT NULL,
            endpoint TEXT,
            emulated INTEGER NOT NULL,
            options TEXT NOT NULL,
            spec TEXT NOT NULL,
            image_sha256 TEXT,
            prepared_sha256 TEXT NOT NULL,
            token TEXT,                  -- of an answer that was ordered and not fetched yet
            error TEXT,                  -- class of the error, for a failed call
            model_version TEXT,
            answer TEXT                  -- JSON of the Answer, the vendor's raw answer in it
        )""",
        "CREATE INDEX calls_by_key ON calls (key, state)",
        "CREATE INDEX calls_by_run ON calls (run)",
        "CREATE INDEX calls_by_time ON calls (asked_at)",
    ),
    ("ALTER TABLE calls ADD COLUMN leased_at REAL",),  # when lease_until was set, by its clock
    ("ALTER TABLE calls ADD COLUMN seal TEXT",),  # no longer used
)
"""Statements that upgrade a ledger from version N to N + 1; append new versions, never change old ones."""

UNREADABLE = (sqlite3.Error, UnicodeDecodeError)
"""Exceptions from reading a damaged file; the second occurs if SQLite quotes a damaged name."""
LOCKED_S = 20.0
"""Maximum wait for another process's lock on the ledger, in seconds."""


class Database:
    """One connection for all threads of this process; None as path is a ledger in memory."""

    def __init__(self, path: Path | None, *, copied: bool = False) -> None:
        """Open the ledger, creating file and folder for this user only, and upgrade its tables.

        Args:
            path: the file; None: in memory.
            copied: True: copy the file into memory, and do not change it.

        Raises:
            LedgerError: the file cannot be opened, is damaged, or was written by a newer digitrec.
        """
        self.path = path
        self._copied = copied
        self._checked = path is None
        self._lock = threading.RLock()
        with plainly(path, "read" if copied else "written"):
            if path is not None and not copied:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._open()

    def _open(self) -> None:
        self._file = _identity(self.path)
        self._sqlite = sqlite3.connect(
            ":memory:" if self._copied or self.path is None else self.path.absolute(),
            timeout=LOCKED_S, isolation_level=None, check_same_thread=False,
        )  # fmt: skip
        try:
            self._sqlite.row_factory = sqlite3.Row
            self._sqlite.text_factory = partial(str, encoding="utf-8", errors="replace")
            if self._copied and self.path is not None:
                _copy(self.path, self._sqlite)
            self._check_tables()
            _write_ahead(self._sqlite)
            self._migrate()
        except BaseException:
            self._sqlite.close()
            raise
        self._process: int | None = os.getpid()

    def _check_tables(self) -> None:
        """Check that the file is a ledger or empty, because another program's file must not be changed."""
        tables = self._sqlite.execute("SELECT 1 FROM sqlite_schema").fetchone()
        columns = {row["name"] for row in self._sqlite.execute("PRAGMA table_info(calls)")}
        if tables and not {"key", "lease_until"} <= columns:
            raise LedgerError(f"{self.path} is another program's database, not a ledger; name another file")

    def _connection(self) -> sqlite3.Connection:
        if not self._checked and _identity(self.path) not in (None, self._file):
            self.close()  # `repair` has replaced the damaged file
        if self._process != os.getpid():  # closed, or a fork, which must not share its parent's connection
            self._open()
        return self._sqlite

    def _migrate(self) -> None:
        with self._sqlite:
            self._sqlite.execute("BEGIN IMMEDIATE")
            version = self._sqlite.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                raise LedgerError(f"the ledger {self.path} was written by a newer digitrec; upgrade this one")
            for statement in chain.from_iterable(MIGRATIONS[version:]):
                self._sqlite.execute(statement)
            self._sqlite.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Execute all statements inside or none; no other process writes meanwhile.

        The first transaction checks the whole file (`check`).

        Raises:
            LedgerError: the file is damaged, or cannot be read or written; nothing in it was changed.
        """
        self.check()
        with self._lock, plainly(self.path), self._connection() as sqlite:
            sqlite.execute("BEGIN IMMEDIATE")
            yield sqlite

    def check(self) -> None:
        """Check the whole file, once for each process.

        Raises:
            LedgerError: the file is damaged; `repair` saves its readable part.
        """
        with self._lock, plainly(self.path):
            if not self._checked and not self.is_sound():
                raise damaged(self.path)
            self._checked = True

    def is_sound(self) -> bool:
        """Return whether SQLite finds no damage in the file."""
        (found,) = self.read("PRAGMA integrity_check(1)")
        return str(found[0]) == "ok"

    def read(self, query: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query; other processes may write meanwhile.

        Raises:
            LedgerError: the file cannot be read.
        """
        with self._lock, plainly(self.path):
            return self._connection().execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file; may be called twice. A later write opens it again."""
        with self._lock:
            self._sqlite.close()
            self._process = None


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Return the device and inode of a file; None without a file."""
    found = path.stat() if path is not None and path.exists() else None
    return found and (found.st_dev, found.st_ino)


def is_writable(path: Path) -> bool:
    """Return whether this user may change a file and its folder, where SQLite keeps its log."""
    return os.access(path, os.W_OK) and os.access(path.resolve().parent, os.W_OK)


def _copy(path: Path, memory: sqlite3.Connection) -> None:
    """Copy a ledger into memory, including changes in SQLite's write-ahead log.

    Only SQLite copies consistently while a process writes. In a read-only folder SQLite needs that process's
    log; without it nobody writes, and SQLite gets a copy of the files.
    """
    path = path.resolve()
    if is_writable(path) or all(Path(f"{path}{suffix}").exists() for suffix in _BESIDE):
        _back_up(path, memory)
        return
    with TemporaryDirectory(prefix="digitrec-") as folder:
        for suffix in ("", "-wal"):
            if (part := Path(f"{path}{suffix}")).exists():
                shutil.copyfile(part, Path(folder, f"ledger.sqlite{suffix}"))
        _back_up(Path(folder, "ledger.sqlite"), memory)


def _back_up(path: Path, memory: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(path, timeout=LOCKED_S)) as source:
        source.execute("PRAGMA schema_version")  # limits the wait for a lock; `backup` would wait for ever
        source.backup(memory)


def _write_ahead(sqlite: sqlite3.Connection) -> None:
    """Let readers continue while one process writes; with FULL a recorded answer survives a power cut.

    If several processes create the same ledger at once, SQLite reports "locked" here without waiting.
    """
    until = time.monotonic() + LOCKED_S
    while True:
        try:
            sqlite.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.05)
    sqlite.execute("PRAGMA synchronous = FULL")


@contextmanager
def plainly(path: Path | None, what_was_done: str = "written") -> Iterator[None]:
    """Turn errors of SQLite and of the file system inside the block into LedgerErrors."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise LedgerError(f"the ledger {path} cannot be {what_was_done} ({why}); {_ELSEWHERE}") from error
    except UNREADABLE as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # the low byte is the kind
        if code in _DAMAGED:
            raise damaged(path) from error
        is_locked = code == sqlite3.SQLITE_BUSY
        advice = "close the program that locks it, or try again" if is_locked else _ELSEWHERE
        raise LedgerError(f"the ledger {path} cannot be used ({error}); {advice}") from error


def damaged(path: Path | None) -> LedgerError:
    """Return the error for a damaged ledger."""
    return LedgerError(
        f"the ledger {path} is damaged or not a ledger; "
        f"save the readable calls with `digitrec ledger --ledger '{path}' repair`"
    )


_ELSEWHERE = "name another file (--ledger, --record), answer from this one with --replay, or use --no-ledger"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""SQLite's error codes for a damaged file; the last one means that the tables are not the expected ones."""


# Repair of a damaged file: every readable call is copied into a new one.

LOST = "(lost)"
"""Provider name of a call that could not be read."""
SMALLEST_CALL = 200
"""Minimum size of a call in the file, in bytes: two hashes and the form of the image take more."""
_BESIDE = ("-wal", "-shm")
"""Endings of the files that SQLite keeps beside a ledger."""
_LOSE = """INSERT INTO calls (id, key, state, run, asked_at, lease_until, cost_usd, provider, emulated,
           options, spec, prepared_sha256)
           SELECT ?1, 'lost ' || ?1, 'lost', '', ?2, ?2, max(cost_usd), ?3, min(emulated), '{}', '{}', ''
           FROM calls"""


@dataclass(frozen=True, slots=True)
class Repair:
    """The result of a repair."""

    saved: int
    """Number of readable calls, which were copied to the new ledger, >= 0."""
    lost: int
    """Number of missing calls, >= 0; the new ledger counts each as spent now, at the highest price."""
    damaged: Path | None
    """The damaged file, which was renamed and kept. None: the ledger was healthy and was not changed."""


def repair(path: Path) -> Repair:
    """Replace a damaged ledger by a new one with every call that can still be read; keep the damaged file.

    An interruption changes nothing. No other digitrec process may use the ledger meanwhile.

    Raises:
        LedgerError: the file is missing, a newer digitrec wrote it, or the new file cannot be written.
    """
    if not path.is_file():
        raise LedgerError(f"there is no ledger {path} to repair; check the name")
    with plainly(path, "read"), path.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"{"):
        raise LedgerError(f"{path} is an export, not a ledger; give it to --replay")
    if start != b"SQLite" and path.suffix.lower() not in LEDGER_ENDINGS:
        raise LedgerError(f"{path} is not a ledger, so it was not changed; name another file")
    try:
        with closing(Database(path, copied=True)) as copy:
            if copy.is_sound():
                return Repair(copy.read("SELECT count(*) FROM calls")[0][0], 0, None)
    except LedgerError as error:
        if not isinstance(error.__cause__, UNREADABLE):
            raise
    with plainly(path), TemporaryDirectory(prefix=f"{path.name}.", dir=path.parent) as folder:
        aside = next(it for n in count(1) if not (it := path.with_name(f"{path.name}.damaged-{n}")).exists())
        old, fresh = Path(folder, "damaged"), Path(folder, "new")
        for suffix in ("", *_BESIDE):
            if (part := Path(f"{path}{suffix}")).exists():
                shutil.copy2(part, f"{old}{suffix}")
        Database(fresh).close()
        with closing(sqlite3.connect(fresh, isolation_level=None)) as new:
            _copy_calls(old, new)
            saved = {number for (number,) in new.execute("SELECT id FROM calls")}
            lost = sorted(set(range(1, max(saved, default=0))) - saved)
            new.executemany(_LOSE, [(number, time.time(), LOST) for number in lost])
        shutil.copy2(path, old)  # SQLite may have changed the first copy
        old.rename(aside)
        for suffix in _BESIDE:
            if (part := Path(f"{path}{suffix}")).exists():
                part.rename(f"{aside}{suffix}")
        fresh.replace(path)
    return Repair(len(saved), len(lost), aside)


def _copy_calls(damaged: Path, new: sqlite3.Connection) -> None:
    """Copy every readable call unchanged."""
    new.execute("PRAGMA writable_schema = ON")  # else SQLite cannot read a truncated file
    with suppress(*UNREADABLE):
        new.execute("ATTACH ? AS damaged", (str(damaged),))
        theirs = len(new.execute("PRAGMA damaged.table_info(calls)").fetchall())
        ours = [name for _, name, *_ in new.execute("PRAGMA main.table_info(calls)")][:theirs]
        copy = f"INSERT INTO main.calls ({', '.join(ours)}) SELECT * FROM damaged.calls WHERE rowid = ?"  # nosec B608 # noqa: S608 (our columns)
        for number in range(1, damaged.stat().st_size // SMALLEST_CALL if theirs else 1):
            with suppress(*UNREADABLE):
                new.execute(copy, (number,))
