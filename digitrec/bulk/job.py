"""The state file of a run: its plan and the finished rows, from which a killed run continues.

The SQLite file ``.OUT.batch`` beside OUT holds them until the last picture is read. Then the rows become OUT
in one step; the file keeps the settings and the summary, which identify a complete run. Paid answers are also
in the ledger, so a damaged state file costs time but no money.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from digitrec.answer import NO_NUMBER, Failure, Prediction, Sheet, record
from digitrec.bulk.inputs import Item
from digitrec.errors import DataError, text
from digitrec.image import atomic
from digitrec.image.files import Frame

Format = Literal["jsonl", "csv"]
FORMATS: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
"""The format of a file, by its ending."""

LEAST, MOST = 8, 1000
"""Minimum and maximum number of images in a task; after a kill each process repeats at most one task."""
TASKS = 8
"""Minimum number of tasks per process, given enough images, so that all processes end together."""
SHOWN = 8
"""Maximum number of kinds of refusals and failures in a summary."""
MOST_BYTES = 32_000_000
"""Approximate maximum size of the pictures from archives in one task, in bytes."""

TABLES = """
CREATE TABLE IF NOT EXISTS plan (id INTEGER PRIMARY KEY, facts TEXT);
CREATE TABLE IF NOT EXISTS items (number INTEGER PRIMARY KEY, name TEXT, data BLOB, flaw TEXT);
CREATE TABLE IF NOT EXISTS parts (
    first INTEGER PRIMARY KEY, count INTEGER, rows BLOB, summary TEXT, failures TEXT
);
"""


@dataclass(slots=True)
class Summary:
    """Counts of images by outcome."""

    images: int = 0
    """Number of images, >= 0."""
    digits: int = 0
    """Images with a digit."""
    sheets: int = 0
    """Images whose numbers were read."""
    numbers: int = 0
    """Numbers with a value."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Images without a digit or number, and numbers without a value, by reason."""
    failures: Counter[str] = field(default_factory=Counter)
    """Failed images, by the class of the error."""
    firsts: int = 0
    """Images from files with several pictures, of which only the first is read."""
    replayed: int = 0
    """Answers from the ledger."""
    cost_usd: float = 0.0
    """Known cost of the other answers, in US dollars."""

    def count(self, outcome: Prediction | Sheet | Failure) -> None:
        """Count the outcome for one picture."""
        self.images += 1
        self.cost_usd += outcome.cost_usd or 0.0
        if isinstance(outcome, Failure):
            self.failures[type(outcome.error).__name__] += 1
            return
        self.firsts += outcome.image.frames > 1
        self.replayed += outcome.replayed
        if isinstance(outcome, Sheet):
            self.sheets += 1
            self.numbers += sum(number.value is not None for number in outcome.numbers)
            reasons = [number.reason for number in outcome.numbers] or [NO_NUMBER]
        else:
            self.digits += outcome.digit is not None
            reasons = [outcome.reason]
        self.refusals.update(reason for reason in reasons if reason is not None)

    @classmethod
    def of(cls, outcomes: Iterable[Prediction | Sheet | Failure]) -> Summary:
        """Return the summary of these outcomes."""
        made = cls()
        for outcome in outcomes:
            made.count(outcome)
        return made

    def add(self, other: Summary) -> None:
        """Add another summary."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Summary:
        """Restore a summary from its `record`, which may come from JSON."""
        counters = {name: Counter(values[name]) for name in ("refusals", "failures")}
        return cls(**{**values, **counters})

    def words(self) -> str:
        """Return the summary as a sentence."""
        refused, failed = self.refusals.total(), self.failures.total()
        read, what = (self.numbers, "number") if self.sheets else (self.digits, "digit")
        parts = [text.count(self.images, "image")]
        parts += [text.count(read, what)] if failed < self.images else []
        parts += [f"{refused:,} without a {what} ({_kinds(self.refusals)})"] if refused else []
        parts += [f"{failed:,} failed ({_kinds(self.failures)})"] if failed else []
        parts += [f"{text.count(self.firsts, 'file')} with unread pictures"] if self.firsts else []
        parts += [f"{self.replayed:,} answered before"] if self.replayed else []
        parts += [f"${text.plain(self.cost_usd)} spent"] if self.cost_usd else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Task:
    """Some pictures for one worker process."""

    first: int
    """Number of the first picture, from 1."""
    images: tuple[Item, ...]
    how: Mapping[str, Any]
    """The options with which each picture is read; see `digitrec.bulk.batch.Batch`."""
    form: Format
    """Format of the rows."""


@dataclass(frozen=True, slots=True)
class Part:
    """The result of one task."""

    rows: bytes
    """The rows in the format of OUT; CSV includes the header."""
    summary: Summary
    """Counts and cost of the task's outcomes."""
    failures: list[str]
    """A line for each picture that failed: its path and the reason."""
    stopped_by: BaseException | None = None
    """Why the task's other pictures were not read; None: all were."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The facts of a run."""

    part: int
    """Maximum number of images in a task."""
    images: int
    """Total number of images."""
    run: str
    """The account of the budget, shared by all processes of the run."""
    settings: Mapping[str, Any]
    """Everything that determines the rows: inputs, engines and options."""
    size: int | None = None
    """Length of OUT in bytes, once the run is complete."""
    summary: Mapping[str, Any] | None = None
    """Summary of a complete run."""


class Job:
    """A run, planned or not; an open run is locked for other processes."""

    def __init__(self, out: Path, database: sqlite3.Connection) -> None:
        """Lock the state file.

        Raises:
            sqlite3.Error: the state file is locked or damaged, or cannot be written.
        """
        self.out = out
        self._form = FORMATS[out.suffix.lower()]
        self._database = database
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.executescript(f"BEGIN EXCLUSIVE; {TABLES} COMMIT;")
        found = database.execute("SELECT facts FROM plan").fetchone()
        self.plan = None if found is None else _plan(found[0], out)

    def begin(self, items: Iterable[Item], settings: Mapping[str, Any], processes: int) -> Plan:
        """Plan a run for a number of worker processes: find and record every image.

        Raises:
            DataError: there is no image.
        """
        count = 0
        with self._database:  # commits, or rolls back after an error
            self._database.execute("BEGIN")
            self._clear()
            for count, item in enumerate(items, 1):
                content = (item.source, json.dumps(item.flaw)) if isinstance(item, Frame) else (None, None)
                # JSON escapes a name that is invalid in UTF-8.
                name = json.dumps(str(item))
                self._database.execute("INSERT INTO items VALUES (?, ?, ?, ?)", (count, name, *content))
            if not count:
                raise DataError("no image was found; name files, a folder, a pattern, or an archive")
            part = min(max(count // (TASKS * processes), LEAST), MOST)
            return self._keep(Plan(part, count, os.urandom(8).hex(), settings))

    def undone(self, how: Mapping[str, Any]) -> Iterator[Task]:
        """Yield tasks with the images that have no rows yet; ``how`` holds the options for reading them."""
        assert self.plan is not None
        done = self._database.execute("SELECT first, count FROM parts ORDER BY first").fetchall()
        first = 1
        for start, count in [*done, (self.plan.images + 1, 0)]:
            while first < start:
                images = self._images(first, min(self.plan.part, start - first))
                yield Task(first, images, how, self._form)
                first += len(images)
            first = start + count

    def _images(self, first: int, most: int) -> tuple[Item, ...]:
        """Return the images of the task that starts with this number."""
        images: list[Item] = []
        room = MOST_BYTES
        query = "SELECT name, data, flaw FROM items WHERE number >= ? ORDER BY number LIMIT ?"
        with closing(self._database.execute(query, (first, most))) as rows:
            for name, data, flaw in rows:
                given = json.loads(name)
                images.append(given if data is None else Frame(data, None, given, json.loads(flaw)))
                room -= len(data or b"")
                if room <= 0:
                    break
        return tuple(images)

    def finish(self, task: Task, part: Part) -> None:
        """Store the rows of a task; its other pictures remain undone."""
        if not part.summary.images:
            return
        facts = json.dumps(record(part.summary)), json.dumps(part.failures)
        values = (task.first, part.summary.images, part.rows, *facts)
        self._database.execute("INSERT INTO parts VALUES (?, ?, ?, ?, ?)", values)

    def summary(self) -> Summary:
        """Return the counts and cost of all rows so far."""
        if self.plan is not None and self.plan.summary is not None:
            return Summary.restored(self.plan.summary)
        total = Summary()
        for (values,) in self._database.execute("SELECT summary FROM parts"):
            total.add(Summary.restored(json.loads(values)))
        return total

    def failures(self) -> Iterator[str]:
        """Yield a line for each picture that failed, in order: its path and the reason."""
        for (lines,) in self._database.execute("SELECT failures FROM parts ORDER BY first"):
            yield from json.loads(lines)

    def complete(self, total: Summary) -> None:
        """Write OUT in one step; keep in the state file only the facts about the run and its summary.

        Raises:
            OSError: OUT cannot be written.
        """
        assert self.plan is not None
        with atomic.replacing(self.out, locked=True) as unfinished, unfinished.open("wb") as joined:
            for first, rows in self._database.execute("SELECT first, rows FROM parts ORDER BY first"):
                has_header = self._form == "csv" and first > 1
                joined.write(rows.partition(b"\n")[2] if has_header else rows)
        with self._database:
            self._database.execute("BEGIN")
            self._keep(replace(self.plan, size=self.out.stat().st_size, summary=record(total)))
            self._clear()
        self._database.execute("VACUUM")

    def _clear(self) -> None:
        self._database.execute("DELETE FROM items")
        self._database.execute("DELETE FROM parts")

    def _keep(self, plan: Plan) -> Plan:
        self._database.execute("INSERT OR REPLACE INTO plan VALUES (1, ?)", (json.dumps(record(plan)),))
        self.plan = plan
        return plan


def _plan(facts: str, out: Path) -> Plan | None:
    """Return the plan in a state file; None: OUT was removed.

    Raises:
        DataError: OUT was changed, or another version wrote the state file.
    """
    try:
        plan = Plan(**json.loads(facts))
    except TypeError as error:
        raise DataError(f"{out}: another version of digitrec began this run; choose another OUT") from error
    if plan.size is None:
        return plan
    if not out.exists():
        return None
    if out.stat().st_size != plan.size:
        raise DataError(f"{out}: changed since its batch was complete; choose another OUT")
    return plan


@contextmanager
def opened(out: Path) -> Iterator[Job]:
    """Open the run that writes to ``out``; if this process dies, the run is released.

    Raises:
        DataError: another process has opened the run, or its state file is damaged.
        OSError: the state file cannot be written.
    """
    whole = Path(os.path.realpath(out))  # another run may name it by a link
    file = whole.with_name(f".{whole.name}.batch")
    file.parent.mkdir(parents=True, exist_ok=True)
    job = None
    try:
        with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as database:
            job = Job(out, database)
            yield job
    except sqlite3.Error as error:
        raise _plain(error, file) from error
    finally:
        if job is not None and job.plan is None:
            file.unlink()  # nothing was planned


def _plain(error: sqlite3.Error, file: Path) -> Exception:
    """Convert an error of SQLite to one of digitrec or of the system."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_BUSY:
        return DataError(f"{file}: another batch is running there; wait, or change OUT")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
        return DataError(f"{file}: damaged; remove it and start again (paid answers are in the ledger)")
    try:
        file.open("ab").close()  # SQLite does not say why it cannot open a file
    except OSError as reason:
        return reason
    return OSError(errno.EIO, str(error), str(file))


def _kinds(counted: Counter[str]) -> str:
    """Return the most frequent kinds; a language model may give each picture a reason of its own."""
    more = ["..."] if len(counted) > SHOWN else []
    return ", ".join([f"{kind}: {number:,}" for kind, number in counted.most_common(SHOWN)] + more)
