"""The ledger: every paid answer once, the money spent, calls with an unknown outcome, and turns to ask.

A call is recorded before it is made, and its answer before it is shown. The parts::

    records.py   Question, Entry: a request and its answer; and both as JSON
    database.py  the SQLite file: opening, migration, repair, and readable errors
"""

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Literal

from digitrec.answer import Answer
from digitrec.engine.ledger.database import Database
from digitrec.engine.ledger.records import Entry, Question, to_json
from digitrec.errors import BudgetExceeded
from digitrec.errors.text import count, plain

log = logging.getLogger(__name__)

CLOCK_STEP_S = 2.0
"""Seconds by which the clock may be behind the start of a lease. A larger difference means that the clock was
set back; the lease is then void, because its end is unknown and its process may have ended."""
TOKEN_KEPT_S = 24 * 3600.0
"""Seconds for which an order is not repeated; Azure keeps a result for a day or two."""
ROUNDING_USD = 1e-9
"""Sums of prices that differ by less are equal, in US dollars."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of spending; calls answered by emulators are counted separately from real calls."""

    run: str = ""
    """The command whose calls count towards ``max_cost``."""
    max_cost: float | None = None
    """US dollars for that command, >= 0; None: no limit."""
    per_month: float | None = None
    """US dollars for the calendar month (UTC), all commands together, >= 0; None: no limit."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The exclusive right to make one call now; its cost is reserved."""

    id: int
    """The call's id in the ledger."""
    cost_usd: float | None
    """US dollars reserved for this call; 0 if an earlier attempt already paid; None: unknown."""
    token: str | None = None
    """Token of an answer that was already ordered and only has to be fetched."""


Verdict = Entry | Claim | BudgetExceeded | None
"""The ledger's verdict on a question; None: wait, because a call in flight may answer it or free its cost."""


class Ledger(Database):
    """The file of all calls; threads and processes may share it."""

    def __init__(
        self,
        path: Path | None,
        *,
        fresh: bool = False,
        copied: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open or create the ledger.

        Args:
            path: the file; None: a ledger in memory, which counts costs but reuses no answer.
            fresh: True: reuse no stored answer either, so that every question is asked again.
            copied: True: work on a copy in memory; the file is only read.
            clock: seconds since 1970; the clock may be set at any time.

        Raises:
            LedgerError: the ledger cannot be opened; the message says why and what to do.
        """
        super().__init__(path, copied=copied)
        self._clock = clock
        self.remembers = path is not None and not fresh
        """Whether stored answers are reused."""

    def find(self, questions: Sequence[Question]) -> list[Entry | None]:
        """Return the stored answer of each question that has one.

        Raises:
            LedgerError: the file cannot be read.
        """
        if not self.remembers:
            return [None] * len(questions)
        found = [_first_entry(self.read(_ANSWERED, (question.key,))) for question in questions]
        if None in found:
            self.check()  # a damaged index may hide an answer
        return found

    def is_ordered(self, key: str) -> bool:
        """Return whether an answer to the question with this key is paid, but not fetched yet.

        Raises:
            LedgerError: the file cannot be read.
        """
        return bool(self.read(_UNFETCHED, (key, self._clock() - TOKEN_KEPT_S)))

    def claim(
        self, questions: Sequence[Question], *, price: float | None, budget: Budget, lease_s: float
    ) -> list[Verdict]:
        """Return for each question the right to ask it, or the reason why it must not be asked.

        One transaction searches for the answer, checks the budget, reserves the cost and records the call.

        Args:
            questions: the questions.
            price: US dollars for one question; None: unknown.
            budget: the limits of spending.
            lease_s: seconds of the exclusive right. A call that is not finished by then counts as "outcome
                unknown": its cost stays spent, and it may be repeated.

        Raises:
            LedgerError: the file cannot be written; no question may be asked.
        """
        with self.transaction() as sqlite:
            return [self._claim(sqlite, question, price, budget, lease_s) for question in questions]

    def _claim(
        self, sqlite: Connection, question: Question, price: float | None, budget: Budget, lease_s: float
    ) -> Verdict:
        now = self._clock()
        if self.remembers:
            if entry := _first_entry(sqlite.execute(_ANSWERED, (question.key,)).fetchall()):
                return entry
            if sqlite.execute(_ASKING, {"key": question.key, "now": now}).fetchone():
                return None
        sqlite.execute(_CUT_OFF, {"key": question.key, "now": now})
        if ordered := sqlite.execute(_ORDERED, (question.key, now - TOKEN_KEPT_S)).fetchone():
            sqlite.execute(_RENEW, (now + lease_s, now, ordered["id"]))
            return Claim(ordered["id"], 0.0, ordered["token"])
        if refused := _refusal(sqlite, question, price or 0.0, budget, now):
            return None if refused is True else refused
        return Claim(_insert(sqlite, question, price, budget.run, now, lease_s), price)

    def extend(self, claims: Sequence[Claim], lease_s: float) -> None:
        """Extend the right to ``lease_s`` seconds from now, while the call waits for the rate limit."""
        now = self._clock()
        with self.transaction() as sqlite:
            sqlite.executemany(_RENEW, [(now + lease_s, now, claim.id) for claim in claims])

    def ordered(self, claim: Claim, token: str) -> None:
        """Record that the answer was ordered, so that it is fetched instead of ordered again."""
        with self.transaction() as sqlite:
            sqlite.execute("UPDATE calls SET token = ? WHERE id = ?", (token, claim.id))

    def answered(self, claim: Claim, answer: Answer, *, cost_usd: float | None = None) -> None:
        """Record an answer, even a late one.

        Args:
            claim: the call.
            answer: the provider's answer.
            cost_usd: its cost; None: the reserved cost.
        """
        values = (to_json(asdict(answer)), answer.model_version, cost_usd, claim.id)
        with self.transaction() as sqlite:
            sqlite.execute(_ANSWER, values)

    def keep(self, entry: Entry) -> None:
        """Record an answer that was bought elsewhere, unless the file already has it."""
        question, answer = entry.question, to_json(asdict(entry.answer))
        same = (question.key, answer, question.spec, question.image_sha256)
        with self.transaction() as sqlite:
            if not sqlite.execute(_KEPT, same).fetchone():
                number = _insert(sqlite, question, entry.cost_usd, "", entry.asked_at, 0.0)
                sqlite.execute(_ANSWER, (answer, entry.answer.model_version, None, number))

    def failed(self, claim: Claim, error: str, *, unknown: bool, cost_usd: float | None = None) -> None:
        """Record that the call failed.

        Args:
            claim: the call.
            error: class of the error; its message is not stored.
            unknown: True if an answer may exist nevertheless ("outcome unknown").
            cost_usd: its cost; 0 if the call was certainly free; None: the reserved cost.
        """
        state = "unknown" if unknown else "failed"
        with self.transaction() as sqlite:
            sqlite.execute(_FAIL, (state, error, cost_usd, unknown, claim.id))

    def book(self, queue: str, rate: float) -> float:
        """Book the next turn of a queue; its turns are at least 1/rate seconds apart.

        Requests are spaced evenly rather than let through in bursts, so a limit holds over any window.

        Args:
            queue: whose limit it is; each name has its own queue.
            rate: turns a second, > 0.

        Returns:
            Seconds to wait before asking, >= 0; at most as long as the queue.

        Raises:
            LedgerError: the file cannot be written.
        """
        with self.transaction() as sqlite:
            now = self._clock()
            sqlite.execute(_QUEUES)
            row = sqlite.execute("SELECT at, booked FROM queues WHERE name = ?", (queue,)).fetchone()
            at, booked = row or (now, now)
            at = max(now, at - max(0.0, booked - now))  # a clock that is set back does not lengthen the queue
            sqlite.execute("REPLACE INTO queues VALUES (?, ?, ?)", (queue, at + 1 / rate, now))
        return float(at - now)

    def sweep(self) -> None:
        """Mark every interrupted call as "outcome unknown"."""
        now = self._clock()
        with self.transaction() as sqlite:
            sqlite.execute(_SWEEP, {"now": now})


def _refusal(
    sqlite: Connection, question: Question, price: float, budget: Budget, now: float
) -> BudgetExceeded | bool:
    """Return the error if this call would exceed the budget.

    Return True if it may fit later, because a call in flight may cost less than is reserved for it; its lease
    limits the wait. Return False if it fits.
    """
    limits = (
        (_SPENT_BY_RUN, budget.max_cost, "for this command", "raise --max-cost or stop here"),
        (_SPENT_SINCE, budget.per_month, "for this month",
         "raise budget.per_month in the configuration file or wait for the next month"),
    )  # fmt: skip
    month = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    values = {"run": budget.run, "emulated": question.emulated, "since": month.timestamp(), "now": now}
    waits = False
    for query, limit, name, advice in limits:
        if limit is None:
            continue
        spent, reserved = sqlite.execute(query, values).fetchone()
        waits = waits or spent + reserved + price > limit + ROUNDING_USD
        if spent + price > limit + ROUNDING_USD:
            return BudgetExceeded(
                f"not asked: a call to {question.provider} costs ${plain(price)}, but "
                f"${plain(spent)} of the ${plain(limit)} {name} are spent; {advice}"
            )
    return waits


_LEASED = f"""(state = 'asking' AND lease_until > :now
               AND coalesce(leased_at, asked_at) <= :now + {CLOCK_STEP_S})"""
_SPENT = f"""SELECT total(cost_usd) FILTER (WHERE NOT {_LEASED}), total(cost_usd) FILTER (WHERE {_LEASED})
             FROM calls WHERE emulated = :emulated"""  # nosec B608 # noqa: S608 (our own words)
_SPENT_BY_RUN = f"""{_SPENT} AND (run = :run OR
                    state = 'lost' AND id > (SELECT min(id) FROM calls WHERE run = :run))"""  # nosec B608 # noqa: S608
_SPENT_SINCE = f"""{_SPENT} AND (asked_at >= :since
                   OR id > (SELECT min(id) FROM calls
                            WHERE asked_at BETWEEN :since AND :now AND state != 'lost'))"""  # nosec B608 # noqa: S608
"""Costs of a month. A call with a higher id than a call of this month counts too, whatever its clock says;
but calls that were lost in a damaged ledger have the time of its repair."""
_ANSWERED = "SELECT * FROM calls WHERE key = ? AND state = 'answered' ORDER BY id DESC"
_KEPT = """SELECT 1 FROM calls WHERE key = ? AND state = 'answered' AND answer = ? AND spec = ?
           AND image_sha256 IS ?"""
_ASKING = f"SELECT 1 FROM calls WHERE key = :key AND {_LEASED}"  # nosec B608 # noqa: S608
_SWEEP = f"UPDATE calls SET state = 'unknown' WHERE state = 'asking' AND NOT {_LEASED}"  # nosec B608 # noqa: S608
_CUT_OFF = f"{_SWEEP} AND key = :key"
_UNFETCHED = "SELECT id, token FROM calls WHERE key = ? AND asked_at > ? AND token IS NOT NULL"
_ORDERED = f"{_UNFETCHED} AND state = 'unknown' ORDER BY id DESC LIMIT 1"
_RENEW = """UPDATE calls SET state = 'asking', lease_until = ?, leased_at = ?
            WHERE id = ? AND state IN ('asking', 'unknown')"""
_ANSWER = """UPDATE calls SET state = 'answered', answer = ?, model_version = ?, token = NULL, error = NULL,
             cost_usd = coalesce(?, cost_usd) WHERE id = ?"""
_FAIL = """UPDATE calls SET state = ?, error = ?, cost_usd = coalesce(?, cost_usd),
           token = CASE WHEN ? THEN token END WHERE id = ? AND state IN ('asking', 'unknown')"""
_QUEUES = """CREATE TABLE IF NOT EXISTS queues
             (name TEXT PRIMARY KEY, at REAL NOT NULL, booked REAL NOT NULL)"""
_CLAIM = """INSERT INTO calls (key, state, run, asked_at, leased_at, lease_until, cost_usd, provider,
            endpoint, emulated, options, spec, image_sha256, prepared_sha256)
            VALUES (:key, 'asking', :run, :now, :now, :until, :price, :provider,
            :endpoint, :emulated, :options, :spec, :image_sha256, :prepared_sha256)"""


def _insert(
    sqlite: Connection, question: Question, price: float | None, run: str, now: float, lease_s: float
) -> int:
    meta = {"key": question.key, "run": run, "now": now, "until": now + lease_s, "price": price}
    row = sqlite.execute(_CLAIM, asdict(question) | meta).lastrowid
    assert row is not None
    return row


def _first_entry(rows: Sequence[Row]) -> Entry | None:
    """Return the first usable answer; older ledgers hold unusable ones."""
    return next((entry for row in rows if (entry := to_entry(row)) is not None), None)


def to_entry(row: Row) -> Entry | None:
    """Return the entry of an answered call, or None if its answer cannot be used."""
    asked = {item.name: row[item.name] for item in fields(Question)} | {"emulated": bool(row["emulated"])}
    try:
        return Entry.made(asked, json.loads(row["answer"]), row["asked_at"], row["cost_usd"])
    except (ValueError, TypeError, RecursionError):
        return None


# Reports from the ledger

UNUSABLE = "unusable answer"
"""Shown instead of an error's class if the stored answer is unusable."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call in the ledger."""

    asked_at: datetime
    """Time of the call, in UTC."""
    provider: str
    """Name of the engine."""
    endpoint: str | None
    """Address of the request."""
    emulated: bool
    """True if an emulator answered."""
    image_sha256: str | None
    """SHA-256 of the original image."""
    state: Literal["asking", "answered", "failed", "unknown", "cleared", "lost"]
    """"asking": in progress; "answered"; "failed": no answer; "unknown": interrupted, so that answer and cost
    are unknown; "cleared": the answer was cleared, but the cost still counts; "lost": unreadable when a
    damaged ledger was repaired, and counted as paid."""
    cost_usd: float | None
    """US dollars that the budget counts for the call; None: unknown."""
    error: str | None
    """Error class of a failed call; `UNUSABLE` if the stored answer is unusable and will be asked again."""
    text: str | None
    """The text as the provider spelled it, words separated by spaces; None if the provider read nothing."""


def recent(ledger: Ledger, *, limit: int = 20, provider: str | None = None) -> list[Call]:
    """Return at most ``limit`` calls, newest first, of one provider or of all.

    Raises:
        LedgerError: the file cannot be read.
    """
    ledger.sweep()
    most = min(limit, 2**63 - 1)  # SQLite's largest integer
    return [_call(row) for row in ledger.read(_RECENT, (provider, most))]


def _call(row: Row) -> Call:
    entry = to_entry(row) if row["state"] == "answered" else None
    unusable = row["state"] == "answered" and entry is None
    text = "" if entry is None else " ".join(candidate.text for candidate in entry.answer.candidates)
    return Call(
        datetime.fromtimestamp(row["asked_at"], UTC), row["provider"], row["endpoint"], bool(row["emulated"]),
        row["image_sha256"], row["state"], row["cost_usd"], UNUSABLE if unusable else row["error"],
        text or None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spending:
    """The costs of one provider in one month."""

    month: str
    """Calendar month in UTC, such as 2026-11."""
    provider: str
    """Name of the engine."""
    emulated: bool
    """True: no money was spent; the figures are what the vendor would have charged."""
    calls: int
    """Number of calls, also those that did not reach the vendor, >= 0."""
    usd: float
    """US dollars of the calls with a known price, including those with an unknown outcome."""
    unpriced: int
    """Number of calls with an unknown price, whose cost is not included."""
    unknown: int
    """Number of calls interrupted before their outcome was known; they count as paid."""


def spending(ledger: Ledger) -> list[Spending]:
    """Return the spending by month and provider, newest month first.

    Raises:
        LedgerError: the file cannot be read.
    """
    ledger.sweep()
    return [
        Spending(**{**row, "emulated": bool(row["emulated"]), "usd": round(row["usd"], 9)})
        for row in map(dict, ledger.read(_SPENDING))
    ]


def spent(ledger: Ledger, run: str) -> float:
    """Return the US dollars of a command's calls with a known price, >= 0; emulated calls cost nothing.

    Raises:
        LedgerError: the file cannot be read.
    """
    (row,) = ledger.read("SELECT total(cost_usd) FROM calls WHERE run = ? AND NOT emulated", (run,))
    return float(row[0])


def entries(ledger: Ledger, *, provider: str | None = None) -> Iterator[Entry]:
    """Yield every answer, oldest first, of one provider or of all.

    Unusable answers are skipped, with a warning that gives their number.

    Raises:
        LedgerError: the file cannot be read.
    """
    ledger.check()
    last = unusable = 0
    while rows := ledger.read(_PAGE, (last, provider)):
        for row in rows:
            entry = to_entry(row)
            unusable += entry is None
            if entry is not None:
                yield entry
        last = rows[-1]["id"]
    if unusable:
        some = count(unusable, "unusable answer")
        log.warning("left out %s: invalid in the engine's protocol; asking again costs money", some)


def clear(
    ledger: Ledger,
    *,
    provider: str | None = None,
    before: datetime | None = None,
    emulated: bool | None = None,
) -> int:
    """Clear answers, so that they have to be bought again; their cost still counts.

    Args:
        ledger: the ledger.
        provider: clear only answers of this engine; None: of all.
        before: clear only answers to questions asked before this time; None: all.
        emulated: clear only answers of emulators (True) or only real ones (False); None: both.

    Returns:
        The number of cleared answers.

    Raises:
        LedgerError: the file cannot be written; no answer was cleared.
    """
    until = float("inf") if before is None else before.timestamp()
    with ledger.transaction() as sqlite:
        return sqlite.execute(_CLEAR, (provider, until, emulated)).rowcount


_RECENT = "SELECT * FROM calls WHERE provider = coalesce(?, provider) ORDER BY id DESC LIMIT ?"
_SPENDING = """SELECT strftime('%Y-%m', asked_at, 'unixepoch') AS month, provider, emulated,
               count(*) AS calls, total(cost_usd) AS usd, count(*) - count(cost_usd) AS unpriced,
               sum(state = 'unknown') AS unknown
               FROM calls GROUP BY month, provider, emulated ORDER BY month DESC, provider, emulated"""
_PAGE = """SELECT * FROM calls WHERE id > ? AND state = 'answered' AND provider = coalesce(?, provider)
           ORDER BY id LIMIT 500"""
_CLEAR = """UPDATE calls SET state = 'cleared', answer = NULL WHERE state = 'answered'
            AND provider = coalesce(?, provider) AND asked_at < ? AND emulated = coalesce(?, emulated)"""
