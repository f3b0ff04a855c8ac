"""The ledger's file: SQLite, for this user alone; checked before it is used, its errors in plain words."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import stamina

from digitrec.errors import LedgerError

logging.getLogger("stamina").addHandler(logging.NullHandler())  # retries are news for logs, not for stderr

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
    ("ALTER TABLE calls ADD COLUMN leased_at REAL",),  # when lease_until was set, by the same clock
    ("ALTER TABLE calls ADD COLUMN seal TEXT",),  # not used any more
)
"""What takes a ledger from version N to N + 1; a new version is a new entry, and no entry ever changes."""

LOCKED_S = 20.0
"""How long to wait for another process's lock on the ledger, in seconds."""


class Database:
    """One connection for all threads of this process; None as path is a ledger in memory."""

    def __init__(self, path: Path | None, *, copied: bool = False) -> None:
        """Open it, creating file and folder for this user alone, and bring its tables up to date.

        Args:
            path: the file; None: in memory.
            copied: True: read the file into a copy in memory, and leave it as it is.

        Raises:
            LedgerError: it cannot be opened, is damaged, or was written by a newer digitrec.
        """
        self.path = path
        self._copied = copied
        self._checked = path is None
        self._lock = threading.RLock()
        with plainly(path, "read" if copied else "written"):
            if path is not None and not copied:
                _create(path)
            self._open()

    def _open(self) -> None:
        self._process: int | None = os.getpid()
        self._sqlite = sqlite3.connect(
            ":memory:" if self._copied or self.path is None else self.path,
            timeout=LOCKED_S, isolation_level=None, check_same_thread=False,
        )  # fmt: skip
        try:
            self._sqlite.row_factory = sqlite3.Row
            self._sqlite.text_factory = partial(str, encoding="utf-8", errors="replace")
            if self._copied and self.path is not None:
                _copy(self.path, self._sqlite)
            _write_ahead(self._sqlite)
            self._migrate()
        except BaseException:
            self._sqlite.close()
            raise

    def _connection(self) -> sqlite3.Connection:
        if self._process != os.getpid():  # closed, or a fork: it must not share its parent's connection
            self._open()
        return self._sqlite

    def _migrate(self) -> None:
        with _all_or_nothing(self._sqlite):
            version = self._sqlite.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                raise LedgerError(f"the ledger {self.path} was written by a newer digitrec; upgrade this one")
            for statement in chain.from_iterable(MIGRATIONS[version:]):
                self._sqlite.execute(statement)
            self._sqlite.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside happens at once, or not at all; no other process writes meanwhile.

        The first transaction checks the whole file (`check`).

        Raises:
            LedgerError: the file is damaged, or could not be read or written; nothing in it was changed.
        """
        self.check()
        with self._lock, plainly(self.path), _all_or_nothing(self._connection()) as sqlite:
            yield sqlite

    def check(self) -> None:
        """Check the whole file, once for each process.

        Raises:
            LedgerError: it is damaged; `repair` saves what is readable.
        """
        with self._lock, plainly(self.path):
            if not self._checked and not self.is_sound():
                raise damaged(self.path)
            self._checked = True

    def is_sound(self) -> bool:
        """Return whether SQLite finds the file in order."""
        (found,) = self.read("PRAGMA integrity_check(1)")
        return str(found[0]) == "ok"

    def read(self, query: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query; other processes may write meanwhile.

        Raises:
            LedgerError: the file could not be read.
        """
        with self._lock, plainly(self.path):
            return self._connection().execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file; may be called twice. Whoever has something to write down later opens it again."""
        with self._lock:
            self._sqlite.close()
            self._process = None


@contextmanager
def _all_or_nothing(sqlite: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    sqlite.execute("BEGIN IMMEDIATE")
    try:
        yield sqlite
        sqlite.execute("COMMIT")
    finally:
        if sqlite.in_transaction:
            sqlite.execute("ROLLBACK")


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _copy(path: Path, memory: sqlite3.Connection) -> None:
    """Read a ledger that nothing can be written beside, with what SQLite has not moved into its file yet.

    SQLite itself reads such a place only by leaving that out, so it is given a copy.
    """
    with TemporaryDirectory(prefix="digitrec-") as folder:
        copied = Path(folder) / "ledger.sqlite"
        for suffix in ("", "-wal"):
            if (part := Path(f"{path}{suffix}")).exists():
                shutil.copyfile(part, f"{copied}{suffix}")
        with closing(sqlite3.connect(copied)) as source:
            source.backup(memory)


def _write_ahead(sqlite: sqlite3.Connection) -> None:
    """Let readers continue while one process writes; FULL: a recorded answer survives a power cut.

    Several processes that create the same ledger at once get "locked" here without SQLite's own wait.
    """
    for attempt in stamina.retry_context(_is_locked, attempts=None, timeout=LOCKED_S, wait_max=0.1):
        with attempt:
            sqlite.execute("PRAGMA journal_mode = WAL")
    sqlite.execute("PRAGMA synchronous = FULL")


def _is_locked(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


@contextmanager
def plainly(path: Path | None, what_was_done: str = "written") -> Iterator[None]:
    """Raise a LedgerError for the errors of SQLite and the file system inside the block."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise LedgerError(f"the ledger {path} cannot be {what_was_done} ({why}); {_ELSEWHERE}") from error
    except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter where SQLite quotes a damaged name
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # the low byte is the kind
        if code in _DAMAGED:
            raise damaged(path) from error
        advice = "end the program that holds it, or try again" if code == sqlite3.SQLITE_BUSY else _ELSEWHERE
        raise LedgerError(f"the ledger {path} cannot be used ({error}); {advice}") from error


def damaged(path: Path | None) -> LedgerError:
    """Return the error for a damaged ledger."""
    return LedgerError(
        f"the ledger {path} is damaged or not a ledger; "
        f"save what is readable with `digitrec ledger --ledger '{path}' repair`"
    )


_ELSEWHERE = "name another with --ledger, or use --no-ledger"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""SQLite's kinds of errors for a damaged file; the last if its tables are not those that they should be."""
