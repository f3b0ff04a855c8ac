"""One request's worth of images, from the first look into the ledger to the last reply.

Claim them in the ledger (one that is answered is replied to, one over budget too, one that somebody else is
asking about is waited for), wait for the vendor's turn, make one attempt, write down its outcome; where it
failed and another attempt is worth it, wait and claim again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from digitrec.answer import Answer
from digitrec.engine import call, ordered
from digitrec.engine.attempt import Attempts, Unanswered
from digitrec.engine.item import Item, open_items
from digitrec.engine.ledger import Claim, Entry, Verdict
from digitrec.engine.pace import Pace
from digitrec.engine.retry import Backoff, asked_wait_s, ends_order, is_retried, may_be_billed
from digitrec.engine.terms import Halt, Terms
from digitrec.errors import (
    BudgetExceeded,
    DigitrecError,
    LedgerError,
    NotConfigured,
    NotInstalled,
    ProviderError,
    TimedOut,
)
from digitrec.providers.base import Resumable

log = logging.getLogger(__name__)
logging.getLogger("stamina").addHandler(logging.NullHandler())  # retries are news for logs, not for stderr

LOOK_S = 0.1
"""How often to look whether somebody else's call has brought the answer."""


class Request:
    """Gets a reply for each of its items; runs in a thread of its own."""

    def __init__(self, items: Sequence[Item], terms: Terms, halt: Halt) -> None:
        self._items = items
        self._terms = terms
        self._halt = halt
        self._pace = Pace(terms, halt)
        self._attempts = Attempts(terms.provider, lambda: bool(open_items(items)))

    def run(self) -> Sequence[Item]:
        """Settle every item, and return them: the one retry loop."""
        import stamina

        self._pace.start()
        for item in self._items:
            item.start()
        attempts = self._terms.options.attempts
        while open_items(self._items):
            try:
                backoff = Backoff(lambda: self._pace.left_s)
                for attempt in stamina.retry_context(backoff, attempts, timeout=None):
                    with attempt:
                        self._attempt()
            except LedgerError as error:  # nothing more may be asked
                for item in open_items(self._items):
                    item.settle(error)
            except ProviderError:  # no further attempt is worth it: each keeps its latest error
                for item in open_items(self._items):
                    if item.error is not None:
                        item.settle(item.error)
        return self._items

    def _attempt(self) -> None:
        """Ask once about what is still open; raises the error to be retried, if there is one."""
        while claimed := self._claim():
            if not self._may_ask(claimed):
                continue
            for item, outcome in zip(claimed, self._ask(claimed), strict=True):
                claim = _claim_of(item)
                if isinstance(outcome, Answer):
                    self._answered(item, claim, outcome)
                elif isinstance(outcome, Unanswered):
                    is_over = self._pace.left_s <= 0
                    item.error = self._terms.late() if is_over else outcome.error
                    item.unanswered = claim
                else:
                    self._failed(item, claim, outcome)
            failed = [item.error for item in open_items(claimed) if item.error is not None]
            if failed:
                raise max(failed, key=asked_wait_s)

    def _claim(self) -> list[Item]:
        """The items that are ours to ask now; waits for those that somebody else is asking about."""
        terms = self._terms
        while waiting := open_items(self._items):
            if self._nothing_new(waiting):
                break
            if terms.recorder is not None:
                terms.recorder.ready()
            for item in waiting:
                self._leave(item)
            questions = [item.question for item in waiting]
            verdicts = terms.ledger.claim(
                questions, price=terms.price, budget=terms.budget, lease_s=terms.lease_s
            )
            pairs = zip(waiting, verdicts, strict=True)
            if claimed := [item for item, verdict in pairs if self._is_ours(item, verdict)]:
                return claimed
            if open_items(self._items):
                self._pace.wait_for_another(LOOK_S)
        return []

    def _nothing_new(self, items: Sequence[Item]) -> bool:
        """Whether no further call may be begun; the items are settled then."""
        halted = self._halt.error
        if halted is None and not self._halt.stopped and self._pace.left_s > 0:
            return False
        for item in items:
            item.settle(item.error or halted or self._terms.late())
        return True

    def _is_ours(self, item: Item, verdict: Verdict) -> bool:
        """Act on the ledger's verdict; True where the item is ours to ask."""
        if isinstance(verdict, Entry):
            item.replay(verdict)
            self._record(verdict)
        elif isinstance(verdict, BudgetExceeded):
            item.settle(verdict)
        elif isinstance(verdict, Claim):
            item.claim = verdict
            return True
        return False

    def _may_ask(self, claimed: Sequence[Item]) -> bool:
        """Wait for the vendor's turn; False, with the claims given back, where nobody is to be asked."""
        too_short = self._too_short(claimed)
        claims = [_claim_of(item) for item in claimed]
        if too_short is None and self._pace.take_turn(claims) and self._halt.error is None:
            return True
        error = too_short or self._halt.error or self._terms.late()
        for item, claim in zip(claimed, claims, strict=True):
            paid = claim.token is not None  # by an earlier run
            self._terms.ledger.failed(claim, type(error).__name__, unknown=paid, charged=paid)
            item.settle(item.error or error)
        return False

    def _too_short(self, claimed: Sequence[Item]) -> DigitrecError | None:
        """Why an answer that is fetched later is not even ordered: nobody would be there to fetch it."""
        provider = self._terms.provider
        if not isinstance(provider, Resumable) or _claim_of(claimed[0]).token is not None:
            return None
        return ordered.too_short(provider, self._pace.left_s)

    def _ask(self, claimed: Sequence[Item]) -> Sequence[call.Outcome | Unanswered]:
        """Make one attempt."""
        for item in claimed:
            item.sent(_claim_of(item))
        provider = self._terms.provider
        if isinstance(provider, Resumable):  # they are asked about one at a time
            (item,) = claimed
            return [ordered.read(provider, item, self._pace, self._attempts, self._write_order, self._late)]
        pairs = [(item, _claim_of(item)) for item in claimed]
        images, timeout = [item.image for item in claimed], self._pace.call_s

        def ask() -> list[call.Outcome]:
            if len(images) > 1:
                return call.read_many(provider, images, timeout=timeout)
            return [call.read(provider, images[0], timeout=timeout)]

        def late(outcomes: list[call.Outcome] | DigitrecError) -> None:
            told = outcomes if isinstance(outcomes, list) else [outcomes] * len(pairs)
            for (item, claim), outcome in zip(pairs, told, strict=True):
                self._late(item, claim, outcome)

        given = self._attempts.make(ask, timeout, late)
        return given if isinstance(given, list) else [given] * len(claimed)

    def _late(self, item: Item, claim: Claim, outcome: call.Outcome) -> None:
        """Write down what came after the call was given up; reply with it if there is no reply yet."""
        if isinstance(outcome, Answer):
            self._answered(item, claim, outcome)
        else:
            self._book_failure(item, claim, outcome)

    def _leave(self, item: Item) -> None:
        """Count a call that was given up as paid, before the next one is made; its answer may still come."""
        if item.unanswered is not None:
            claim, item.unanswered = item.unanswered, None
            self._book_failure(item, claim, TimedOut("no answer in time"))

    def _answered(self, item: Item, claim: Claim, answer: Answer) -> None:
        cost = self._terms.counted_usd(answer)
        if cost is not None:
            item.cost(claim, cost)
        self._write_down(partial(self._terms.ledger.answered, claim, answer, cost_usd=cost))
        if item.reply is None:  # what comes late is in the ledger alone: the recording may be in use
            self._record(
                Entry(item.question, answer, time.time(), self._terms.price if cost is None else cost)
            )
        item.settle(answer)

    def _failed(self, item: Item, claim: Claim, error: DigitrecError) -> None:
        if isinstance(error, ProviderError):
            error.provider = error.provider or self._terms.provider.name
        item.error = error
        self._book_failure(item, claim, error)
        if isinstance(error, NotConfigured | NotInstalled):
            self._halt.error = error  # it would be the same for every image
        if not is_retried(error):
            item.settle(error)

    def _book_failure(self, item: Item, claim: Claim, error: DigitrecError) -> None:
        ordered_before = claim.token is not None
        unknown = not ends_order(error) if ordered_before else may_be_billed(error)
        charged = ordered_before or unknown
        cost = self._terms.counted_usd(error)
        if cost is not None:  # an answer came, though not a usable one
            unknown, charged = False, True
            item.cost(claim, cost)
        elif not charged:
            item.free(claim)
        failed = partial(self._terms.ledger.failed, unknown=unknown, charged=charged, cost_usd=cost)
        self._write_down(partial(failed, claim, type(error).__name__))

    def _write_order(self, claim: Claim, token: str) -> None:
        self._write_down(partial(self._terms.ledger.ordered, claim, token))

    def _record(self, entry: Entry) -> None:
        if self._terms.recorder is not None:
            self._terms.recorder.add(entry)

    def _write_down(self, write: Callable[[], None]) -> None:
        """Into the ledger, before anybody sees it.

        Where that fails, what was paid for is shown all the same; the next claim will fail too, so
        nothing more is bought.
        """
        try:
            write()
        except LedgerError as error:
            log.warning("an outcome of %s could not be written down: %s", self._terms.provider.name, error)


def _claim_of(item: Item) -> Claim:
    assert item.claim is not None
    return item.claim
