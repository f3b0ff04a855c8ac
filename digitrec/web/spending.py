"""What questions to engines that cost money may cost in a day, for each client and for all together."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from digitrec.web.problems import Problem, ProblemError

DAY_S = 86_400
ROUNDING_USD = 1e-9
"""By so much may sums of prices pass a budget."""
FREE_OR_LATER = "ask an engine that is free, or come back tomorrow"
YOURS = Problem(402, "budget-exceeded", f"what you may spend here today is spent; {FREE_OR_LATER}")
EVERYBODYS = Problem(402, "budget-exceeded", f"what may be spent here today is spent; {FREE_OR_LATER}")


@dataclass(slots=True)
class Bill:
    """What one request cost in the end."""

    usd: float
    """US dollars, >= 0; what was put aside, until the request says what it was."""


class Spending:
    """The accounts of one day (UTC), in memory: a server that starts anew begins with nothing spent."""

    def __init__(
        self, per_client: float | None, per_day: float | None, clock: Callable[[], float] = time.time
    ) -> None:
        """Keep these budgets, in US dollars for a day; None is no limit."""
        self._per_client = per_client
        self._per_day = per_day
        self._clock = clock
        self._day = 0
        self._spent: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def reserve(self, account: str, usd: float) -> Iterator[Bill]:
        """Put so much aside while a request is at work; at its end what the bill says was spent.

        A request that is given up half-way may have cost all of it, and is counted so.

        Args:
            account: whose money it is counted as.
            usd: what the request may cost at most, >= 0.

        Raises:
            ProblemError: it would pass a budget; nothing was put aside.
        """
        today = int(self._clock() // DAY_S)
        if today != self._day:
            self._day, self._spent = today, defaultdict(float)
        spent = self._spent  # a request that began yesterday is yesterday's
        if usd and _passes(spent.get(account, 0.0) + usd, self._per_client):
            raise ProblemError(YOURS)
        if usd and _passes(sum(spent.values()) + usd, self._per_day):
            raise ProblemError(EVERYBODYS)
        spent[account] += usd
        bill = Bill(usd)
        try:
            yield bill
        finally:
            spent[account] += bill.usd - usd
            if spent[account] <= ROUNDING_USD:
                del spent[account]


def _passes(usd: float, budget: float | None) -> bool:
    return budget is not None and usd > budget + ROUNDING_USD
