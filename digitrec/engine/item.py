"""One image on its way to its reply, and what its attempts cost."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from digitrec.answer import Answer
from digitrec.engine.asking import Reply
from digitrec.engine.ledger import Claim, Entry, Question
from digitrec.errors import DigitrecError
from digitrec.image import PreparedImage


class Item:
    """One image on its way to its reply."""

    def __init__(self, image: PreparedImage, question: Question) -> None:
        self.image = image
        self.question = question
        self.reply: Reply | None = None
        self.claim: Claim | None = None  # the latest
        self.error: DigitrecError | None = None  # of the latest attempt
        self._attempts = 0
        self.unanswered: Claim | None = None  # of a call that was given up and is not booked yet
        self._costs: dict[int, float | None] = {}  # by claim, of each attempt that may have been billed
        self._started = time.monotonic()
        self._settling = threading.Lock()

    def start(self) -> None:
        """Its time runs from now."""
        self._started = time.monotonic()

    def sent(self, claim: Claim) -> None:
        """Begin an attempt, which counts as paid until it is known to be free."""
        self._attempts += 1
        self._costs.setdefault(claim.id, claim.cost_usd)

    def cost(self, claim: Claim, usd: float) -> None:
        """Replace what was set aside for an attempt by what it cost."""
        self._costs[claim.id] = usd

    def free(self, claim: Claim) -> None:
        """Count an attempt as free."""
        self._costs.pop(claim.id, None)

    def settle(self, outcome: Answer | DigitrecError, *, replayed: bool = False) -> None:
        """Make the reply, unless there is one: who gave the call up may have made it meanwhile."""
        with self._settling:
            if self.reply is not None:
                return
            cost = 0.0 if self.question.emulated else _total(list(self._costs.values()))
            latency = time.monotonic() - self._started
            self.reply = Reply(outcome, latency, cost, self._attempts, replayed, self.question.emulated)

    def replay(self, entry: Entry) -> None:
        """Reply with an answer that was paid for before."""
        self.settle(entry.answer, replayed=True)


def open_items(items: Sequence[Item]) -> list[Item]:
    """Those that have no reply yet."""
    return [item for item in items if item.reply is None]


def _total(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known, 0.0) if len(known) == len(costs) else None
