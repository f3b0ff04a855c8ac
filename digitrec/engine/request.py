"""One request's worth of images, from the first look into the ledger to the last reply.

Claim them in the ledger (one already answered is replied to, one over budget too, one that somebody
else is asking about is waited for), wait for the vendor's turn, make one attempt, write down what
came; where that failed and is worth it, wait and claim again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from digitrec.answer import Answer
from digitrec.engine.asking import Options
from digitrec.engine.item import Item, open_items
from digitrec.engine.rate import Limiter
from digitrec.engine.retry import Backoff, is_retried, may_be_billed
from digitrec.errors import BudgetExceeded, LedgerError, ProviderError, TimedOut
from digitrec.ledger import Budget, Claim, Entry, Ledger, Verdict
from digitrec.providers.base import Provider, Resumable

log = logging.getLogger(__name__)
logging.getLogger("stamina").addHandler(logging.NullHandler())  # retries are news for logs, not for stderr

LEASE_MARGIN_S = 2.0
"""A call counts as cut off when it is this much over its own timeout."""
SHORTEST_CALL_S = 0.05
"""No call is given less time than this: some SDKs refuse a timeout of 0."""
POLL_S = 0.1
"""How often to look whether somebody else's call has brought the answer."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a provider is asked: all that its requests share."""

    provider: Provider
    """Whom to ask."""
    options: Options
    """How."""
    ledger: Ledger
    """Where it is written down."""
    limiter: Limiter
    """Whose turn it is."""
    budget: Budget
    """What may be spent."""
    price: float | None
    """US dollars for one image; None is unknown."""
    rate: float | None
    """Requests a second; None is unlimited."""
    emulated: bool
    """True when an emulator answers."""

    @property
    def lease_s(self) -> float:
        """Seconds for which a call under way keeps others from making the same."""
        return min(self.options.attempt_timeout, self.options.timeout) + LEASE_MARGIN_S

    def late(self) -> TimedOut:
        """The error of an image for which the time ran out."""
        said = f"{self.provider.name} gave no answer within {self.options.timeout:g} s"
        return TimedOut(f"{said}; try again, or allow more with --timeout", provider=self.provider.name)


class Request:
    """Gets a reply for each of its items; runs in a thread of its own."""

    def __init__(self, items: Sequence[Item], terms: Terms, stop: threading.Event) -> None:
        self._items = items
        self._terms = terms
        self._stop = stop  # set when nobody waits for the replies any more: begin nothing new
        self._deadline = 0.0

    def run(self) -> None:
        """Settle every item: the one retry loop."""
        import stamina

        self._deadline = time.monotonic() + self._terms.options.timeout
        for item in self._items:
            item.start()
        attempts = self._terms.options.attempts
        while open_items(self._items):
            try:
                for attempt in stamina.retry_context(Backoff(self._deadline), attempts, timeout=None):
                    with attempt:
                        self._attempt()
            except ProviderError:  # no further attempt is worth it: each keeps its latest error
                for item in open_items(self._items):
                    if item.error is not None:
                        item.settle(item.error)
            except LedgerError as error:  # nothing more may be asked
                for item in open_items(self._items):
                    item.settle(error)

    def _attempt(self) -> None:
        """Ask once about what is still open; raises the error to be retried, if there is one."""
        while claimed := self._claim():
            if not self._take_turn(claimed):
                continue
            left = max(SHORTEST_CALL_S, self._deadline - time.monotonic())
            timeout = min(self._terms.options.attempt_timeout, left)
            for item, outcome in zip(claimed, self._call(claimed, timeout), strict=True):
                if isinstance(outcome, Answer):
                    self._answered(item, outcome)
                else:
                    self._failed(item, outcome)
            failed = [item.error for item in open_items(claimed) if item.error is not None]
            if failed:
                raise max(failed, key=lambda error: getattr(error, "retry_after", None) or 0.0)

    def _claim(self) -> list[Item]:
        """The items that are ours to ask now; waits for those that somebody else is asking about."""
        terms = self._terms
        while waiting := open_items(self._items):
            if self._stop.is_set() or time.monotonic() >= self._deadline:
                for item in waiting:
                    item.settle(item.error or terms.late())
                break
            questions = [item.question for item in waiting]
            verdicts = terms.ledger.claim(
                questions, price=terms.price, budget=terms.budget, lease_s=terms.lease_s
            )
            pairs = zip(waiting, verdicts, strict=True)
            if claimed := [item for item, verdict in pairs if _is_ours(item, verdict)]:
                return claimed
            if open_items(self._items):
                self._stop.wait(POLL_S)
        return []

    def _take_turn(self, claimed: Sequence[Item]) -> bool:
        """Wait until the vendor may be asked; False, with the items settled, where that is too late."""
        terms = self._terms
        if terms.rate is None or terms.emulated:  # an emulator has no quota to keep
            return True
        where = f"{terms.provider.name} {claimed[0].question.endpoint}"
        wait = terms.limiter.book(where, terms.rate, within=self._deadline - time.monotonic())
        if wait:
            terms.ledger.extend([_claim_of(item) for item in claimed], wait + terms.lease_s)
        if wait is not None and not self._stop.wait(wait):
            return True
        for item in claimed:
            ordered = _claim_of(item).token is not None
            terms.ledger.failed(_claim_of(item), "TimedOut", unknown=ordered, charged=ordered)
            item.settle(TimedOut(
                f"no turn within {terms.options.timeout:g} s at {terms.rate:g} requests a second; allow more "
                "with --timeout, or set [rates] in the configuration file", provider=terms.provider.name,
            ))  # fmt: skip
        return False

    def _call(self, claimed: Sequence[Item], timeout: float) -> list[Answer | ProviderError]:
        """One attempt by the provider."""
        for item in claimed:
            item.sent(_claim_of(item))
        provider = self._terms.provider
        if len(claimed) > 1 and not isinstance(provider, Resumable):
            return provider.read_many([item.image for item in claimed], timeout=timeout)
        return [self._read(item, timeout) for item in claimed]

    def _read(self, item: Item, timeout: float) -> Answer | ProviderError:
        """One answer or error; the token of an answer that is fetched later is kept in between."""
        provider = self._terms.provider
        try:
            if not isinstance(provider, Resumable):
                return provider.read(item.image, timeout=timeout)
            until = time.monotonic() + timeout
            claim = _claim_of(item)
            token = claim.token
            if token is None:
                token = provider.start(item.image, timeout=timeout)
                item.claim = replace(claim, token=token)
                self._write_down(partial(self._terms.ledger.ordered, claim, token))
            return provider.finish(token, timeout=max(SHORTEST_CALL_S, until - time.monotonic()))
        except ProviderError as error:
            return error

    def _answered(self, item: Item, answer: Answer) -> None:
        item.entry = Entry(item.question, answer, time.time(), self._terms.price)
        self._write_down(partial(self._terms.ledger.answered, _claim_of(item), answer))
        item.settle(answer)

    def _failed(self, item: Item, error: ProviderError) -> None:
        error.provider = error.provider or self._terms.provider.name
        item.error = error
        ordered = _claim_of(item).token is not None
        unknown = may_be_billed(error) or (ordered and is_retried(error))
        charged = may_be_billed(error) or ordered
        if not charged:
            item.free()
        kind = type(error).__name__
        failed = self._terms.ledger.failed
        self._write_down(partial(failed, _claim_of(item), kind, unknown=unknown, charged=charged))
        if not is_retried(error):
            item.settle(error)

    def _write_down(self, write: Callable[[], None]) -> None:
        """Into the ledger, before anybody sees it.

        Where that fails, what was paid for is shown all the same; the next claim will fail too, so
        nothing more is bought.
        """
        try:
            write()
        except LedgerError as error:
            log.warning("an outcome of %s could not be written down: %s", self._terms.provider.name, error)


def _is_ours(item: Item, verdict: Verdict) -> bool:
    """Act on the ledger's verdict; True where the item is ours to ask."""
    if isinstance(verdict, Entry):
        item.replay(verdict)
    elif isinstance(verdict, BudgetExceeded):
        item.settle(verdict)
    elif isinstance(verdict, Claim):
        item.claim = verdict
        return True
    return False


def _claim_of(item: Item) -> Claim:
    assert item.claim is not None
    return item.claim
