"""How much may be spent, and whether one more call fits in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection

from digitrec.engine.ledger.records import Question
from digitrec.errors import BudgetExceeded
from digitrec.errors.text import plain

ROUNDING_USD = 1e-9
"""Sums of prices are equal within this."""
_SPENT_BY_RUN = "SELECT total(cost_usd) FROM calls WHERE run = :run AND emulated = :emulated"
_SPENT_SINCE = """SELECT total(cost_usd) FROM calls WHERE emulated = :emulated AND (asked_at >= :since
                  OR id > (SELECT min(id) FROM calls WHERE asked_at BETWEEN :since AND :now))"""
"""A call that was written down after one of this month is one of this month, whatever its clock said."""


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


def refusal(
    sqlite: Connection, question: Question, price: float, budget: Budget, now: float
) -> BudgetExceeded | None:
    """Why this call may not be made, or None."""
    limits = (
        (_SPENT_BY_RUN, budget.max_cost, "for this command", "raise --max-cost or stop here"),
        (_SPENT_SINCE, budget.per_month, "for this month",
         "raise budget.per_month in the configuration file or wait for the next month"),
    )  # fmt: skip
    values = {"run": budget.run, "emulated": question.emulated, "since": _month_start(now), "now": now}
    for query, limit, name, advice in limits:
        if limit is None:
            continue
        spent = sqlite.execute(query, values).fetchone()[0]
        if spent + price > limit + ROUNDING_USD:
            return BudgetExceeded(
                f"not asked: a call to {question.provider} costs ${plain(price)}, and of the "
                f"${plain(limit)} {name} ${plain(spent)} are spent; {advice}"
            )
    return None


def _month_start(now: float) -> float:
    """When the calendar month of ``now`` began (UTC), in seconds since 1970."""
    today = datetime.fromtimestamp(now, UTC)
    return datetime(today.year, today.month, 1, tzinfo=UTC).timestamp()
