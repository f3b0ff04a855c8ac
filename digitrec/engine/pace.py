"""How one request spends its time: a deadline, and turns whose wait does not count towards it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from digitrec.engine.ledger import Claim
from digitrec.engine.terms import Halt, Terms

SHORTEST_CALL_S = 0.05
"""No call is given less time than this: some SDKs refuse a timeout of 0."""


class Pace:
    """The clock of one request."""

    def __init__(self, terms: Terms, halt: Halt) -> None:
        self._terms = terms
        self._halt = halt
        self.deadline = math.inf
        """When its time is over, in seconds of `time.monotonic`; every wait for a turn puts it off."""

    def start(self) -> None:
        """The time runs from now."""
        self.deadline = time.monotonic() + self._terms.options.timeout

    @property
    def left_s(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self.deadline - time.monotonic()

    @property
    def call_s(self) -> float:
        """Seconds that the next call may take, > 0."""
        return max(SHORTEST_CALL_S, min(self._terms.attempt_s, self.left_s))

    def take_turn(self, claims: Sequence[Claim]) -> bool:
        """Wait until the vendor may be asked, the claims kept; False where nobody waits any more."""
        terms = self._terms
        if terms.rate is None:
            return True
        wait = terms.limiter.book(f"{terms.provider.name} {claims[0].question.endpoint}", terms.rate)
        if wait > 0:
            self.deadline += wait
            terms.ledger.extend(claims, wait + terms.lease_s)
        return self._halt.sleep(wait)

    def pause(self, claims: Sequence[Claim], seconds: float) -> bool:
        """Wait for so long, the claims kept; False where nobody waits any more."""
        self._terms.ledger.extend(claims, seconds + self._terms.lease_s)
        return self._halt.sleep(seconds)

    def wait_for_another(self, seconds: float) -> None:
        """Wait for somebody else's answer to the same question.

        Who asks a vendor that is limited may be waiting for a turn, which does not count here either.
        """
        if self._terms.rate is not None:
            self.deadline += seconds
        self._halt.sleep(seconds)
