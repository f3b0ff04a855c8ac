"""Daily budgets for engines that cost money: for each client, and for all clients together."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from digitrec.web.problems import Problem, ProblemError

DAY_S = 86_400
ROUNDING_USD = 1e-9
"""A sum of prices may exceed a budget by this much."""


@dataclass(slots=True)
class Bill:
    """The cost of one request."""

    usd: float
    """US dollars, >= 0: the reserved amount, until the request sets its real cost."""


class Spending:
    """The accounts of one day (UTC), in memory: a restarted server begins with nothing spent."""

    def __init__(
        self, per_client: float | None, per_day: float | None, clock: Callable[[], float] = time.time
    ) -> None:
        """Keep these daily budgets, in US dollars; None is no limit."""
        self._per_client = math.inf if per_client is None else per_client + ROUNDING_USD
        self._per_day = math.inf if per_day is None else per_day + ROUNDING_USD
        self._clock = clock
        self._day = 0
        self._spent: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def reserve(self, account: str, usd: float) -> Iterator[Bill]:
        """Reserve an amount while a request is in progress; at its end its bill counts as spent.

        A request that is cancelled may have cost all of it, and is counted so.

        Args:
            account: whose budget.
            usd: the most that the request may cost, >= 0.

        Raises:
            ProblemError: it would exceed a budget; nothing was reserved.
        """
        today = int(self._clock() // DAY_S)
        if today != self._day:
            self._day, self._spent = today, defaultdict(float)
        spent = self._spent  # a request that began yesterday counts for yesterday
        if usd and spent[account] + usd > self._per_client:
            raise ProblemError(_spent("your budget"))
        if usd and sum(spent.values()) + usd > self._per_day:
            raise ProblemError(_spent("this server's budget"))
        bill = Bill(usd)
        spent[account] += usd
        try:
            yield bill
        finally:
            spent[account] += bill.usd - usd


def _spent(budget: str) -> Problem:
    detail = f"{budget} for today is spent; ask an engine that is free, or come back tomorrow"
    return Problem(402, "budget-exceeded", detail)
