"""Every call is written down before it is made, and its answer before it is shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection, Row

from digitrec.answer import Answer
from digitrec.errors import BudgetExceeded
from digitrec.ledger.database import Database
from digitrec.ledger.records import Entry, Question, to_answer, to_json

TOKEN_KEPT_S = 24 * 3600.0
"""How long an ordered answer is fetched rather than ordered again; Azure keeps a result for a day or two."""
ROUNDING_USD = 1e-9
"""Sums of prices are equal within this."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be spent; calls that an emulator answers are counted apart from real ones."""

    run: str = ""
    """The command whose calls count towards ``max_cost``."""
    max_cost: float | None = None
    """US dollars for that command, >= 0; None is no limit."""
    per_month: float | None = None
    """US dollars for the calendar month (UTC), all commands together, >= 0; None is no limit."""

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return self.max_cost is not None or self.per_month is not None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right, and the duty, to ask one question now: its cost is reserved, and nobody else asks it."""

    id: int
    """Which call in the ledger."""
    question: Question
    """What to ask."""
    cost_usd: float | None
    """US dollars reserved for it now; 0 where an earlier attempt already paid; None is unknown."""
    token: str | None = None
    """Set where the answer was already ordered and only has to be fetched."""


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else is asking this very question: wait for the answer."""

    until: float
    """When the other's right ends at the latest, in seconds since 1970."""


Verdict = Entry | Claim | Busy | BudgetExceeded
"""What the ledger says to somebody who wants to ask a question."""


class Ledger:
    """The calls that were made, in a file; threads and processes may share it."""

    def __init__(
        self, path: Path | None, *, fresh: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        """Open the ledger, or make it.

        Args:
            path: the file; None: in memory, where money is counted and no answer is found again.
            fresh: True: no answer is found again in the file either, and everything is asked anew.
            clock: seconds since 1970.

        Raises:
            LedgerError: it cannot be opened; the message says why and what to do.
        """
        self.database = Database(path)
        self._clock = clock
        self._remembers = path is not None and not fresh

    def find(self, questions: Sequence[Question]) -> list[Entry | None]:
        """For each question its answer, where it was already answered.

        Raises:
            LedgerError: the file cannot be read.
        """
        if not self._remembers:
            return [None] * len(questions)
        return [_first_entry(self.database.read(_ANSWERED, (question.key,))) for question in questions]

    def claim(
        self, questions: Sequence[Question], *, price: float | None, budget: Budget, lease_s: float
    ) -> list[Verdict]:
        """For each question the right to ask it, or why not.

        All in one transaction: looked up, found free, found affordable, reserved and written down.

        Args:
            questions: what to ask.
            price: US dollars for one; None is unknown.
            budget: what may be spent.
            lease_s: seconds for which nobody else may ask; a call not finished by then counts as
                "outcome unknown": its cost stays spent, and it may be repeated.

        Raises:
            LedgerError: the file cannot be written; nothing may be asked.
        """
        with self.database.transaction() as sqlite:
            return [self._claim(sqlite, question, price, budget, lease_s) for question in questions]

    def _claim(
        self, sqlite: Connection, question: Question, price: float | None, budget: Budget, lease_s: float
    ) -> Verdict:
        now = self._clock()
        if self._remembers:
            if entry := _first_entry(sqlite.execute(_ANSWERED, (question.key,)).fetchall()):
                return entry
            if asking := sqlite.execute(_ASKING, (question.key, now)).fetchone():
                return Busy(asking["lease_until"])
        sqlite.execute(_CUT_OFF, (question.key, now))
        if ordered := sqlite.execute(_ORDERED, (question.key, now - TOKEN_KEPT_S)).fetchone():
            sqlite.execute(_RENEW, (now + lease_s, ordered["id"]))
            return Claim(ordered["id"], question, 0.0, ordered["token"])
        if budget.limited and (refusal := _refusal(sqlite, question, price or 0.0, budget, now)):
            return refusal
        return Claim(_insert(sqlite, question, price, budget.run, now, lease_s), question, price)

    def extend(self, claims: Sequence[Claim], lease_s: float) -> None:
        """Keep others from asking for another ``lease_s`` seconds from now: the call has to wait its turn."""
        until = self._clock() + lease_s
        with self.database.transaction() as sqlite:
            sqlite.executemany(_RENEW, [(until, claim.id) for claim in claims])

    def ordered(self, claim: Claim, token: str) -> None:
        """Write down that the answer was ordered, so that it is fetched and not ordered again."""
        with self.database.transaction() as sqlite:
            sqlite.execute("UPDATE calls SET token = ? WHERE id = ?", (token, claim.id))

    def answered(self, claim: Claim, answer: Answer) -> None:
        """Write down the answer, on time or late."""
        values = (to_json(asdict(answer)), answer.model_version, claim.id)
        with self.database.transaction() as sqlite:
            sqlite.execute(_ANSWER, values)

    def failed(self, claim: Claim, error: str, *, unknown: bool, charged: bool) -> None:
        """Write down that there was no answer.

        Args:
            claim: the call.
            error: class of the error; its message is not kept.
            unknown: True where an answer may exist all the same ("outcome unknown").
            charged: False where the call certainly cost nothing, and its reservation ends.
        """
        state = "unknown" if unknown else "failed"
        with self.database.transaction() as sqlite:
            sqlite.execute(_FAIL, (state, error, charged, unknown, claim.id))

    def sweep(self) -> None:
        """Mark every call that was cut off as "outcome unknown"."""
        with self.database.transaction() as sqlite:
            sqlite.execute(_SWEEP, (self._clock(),))

    def close(self) -> None:
        """Close the file; may be called twice."""
        self.database.close()


_ANSWERED = "SELECT * FROM calls WHERE key = ? AND state = 'answered' ORDER BY id DESC LIMIT 1"
_ASKING = "SELECT lease_until FROM calls WHERE key = ? AND state = 'asking' AND lease_until > ? LIMIT 1"
_CUT_OFF = "UPDATE calls SET state = 'unknown' WHERE key = ? AND state = 'asking' AND lease_until <= ?"
_SWEEP = "UPDATE calls SET state = 'unknown' WHERE state = 'asking' AND lease_until <= ?"
_ORDERED = """SELECT id, token FROM calls WHERE key = ? AND state = 'unknown' AND token IS NOT NULL
              AND asked_at > ? ORDER BY id DESC LIMIT 1"""
_RENEW = "UPDATE calls SET state = 'asking', lease_until = ? WHERE id = ?"
_ANSWER = """UPDATE calls SET state = 'answered', answer = ?, model_version = ?, token = NULL, error = NULL
             WHERE id = ?"""
_FAIL = """UPDATE calls SET state = ?, error = ?, cost_usd = CASE WHEN ? THEN cost_usd ELSE 0 END,
           token = CASE WHEN ? THEN token END WHERE id = ?"""
_CLAIM = """INSERT INTO calls (key, state, run, asked_at, lease_until, cost_usd, provider, endpoint, emulated,
            options, spec, image_sha256, prepared_sha256)
            VALUES (?, 'asking', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_SPENT_BY_RUN = "SELECT total(cost_usd) FROM calls WHERE run = ? AND emulated = ?"
_SPENT_SINCE = "SELECT total(cost_usd) FROM calls WHERE asked_at >= ? AND emulated = ?"
_COLUMNS = ("provider", "endpoint", "emulated", "options", "spec", "image_sha256", "prepared_sha256")


def _insert(
    sqlite: Connection, question: Question, price: float | None, run: str, now: float, lease_s: float
) -> int:
    asked = (getattr(question, column) for column in _COLUMNS)
    row = sqlite.execute(_CLAIM, (question.key, run, now, now + lease_s, price, *asked)).lastrowid
    assert row is not None
    return row


def _refusal(
    sqlite: Connection, question: Question, price: float, budget: Budget, now: float
) -> BudgetExceeded | None:
    """Why this call may not be made, or None."""
    limits = (
        (_SPENT_BY_RUN, budget.run, budget.max_cost, "for this command", "raise --max-cost or stop here"),
        (_SPENT_SINCE, _month_start(now), budget.per_month, "for this month",
         "raise budget.per_month in the configuration file or wait for the next month"),
    )  # fmt: skip
    for query, value, limit, name, advice in limits:
        if limit is None:
            continue
        spent = sqlite.execute(query, (value, question.emulated)).fetchone()[0]
        if spent + price > limit + ROUNDING_USD:
            return BudgetExceeded(
                f"not asked: a call to {question.provider} costs ${price:g}, and of the ${limit:g} {name} "
                f"${spent:.6g} are spent; {advice}"
            )
    return None


def _month_start(now: float) -> float:
    """When the calendar month of ``now`` began (UTC), in seconds since 1970."""
    today = datetime.fromtimestamp(now, UTC)
    return datetime(today.year, today.month, 1, tzinfo=UTC).timestamp()


def _first_entry(rows: Sequence[Row]) -> Entry | None:
    return to_entry(rows[0]) if rows else None


def to_entry(row: Row) -> Entry:
    """The entry of an answered call."""
    asked = {name: row[name] for name in _COLUMNS}
    question = Question(**{**asked, "emulated": bool(row["emulated"])})
    return Entry(question, to_answer(json.loads(row["answer"])), row["asked_at"], row["cost_usd"])
