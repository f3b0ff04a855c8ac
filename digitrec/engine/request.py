"""One request's worth of images, from the claim in the ledger to the last reply.

Claim the images in the ledger (one that is answered or over budget is replied to; one that another thread
or process is asking about is waited for), wait for the vendor's turn, make one attempt, record its outcome.
Where it failed and another attempt is worth it, wait and claim again.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TypeVar

from digitrec.answer import Answer
from digitrec.engine import call
from digitrec.engine.asking import Reply
from digitrec.engine.ledger import Claim, Entry, Question, Verdict
from digitrec.engine.ledger.recording import Recorder
from digitrec.engine.retry import Backoff, asked_wait_s, ends_order, is_retried, may_be_billed
from digitrec.engine.terms import Terms
from digitrec.engine.threads import SLICE_S, in_thread
from digitrec.errors import (
    BudgetExceeded,
    DigitrecError,
    LedgerError,
    NotConfigured,
    NotInstalled,
    ProviderError,
    TimedOut,
    Unreachable,
)
from digitrec.image import PreparedImage
from digitrec.providers import wire

log = logging.getLogger(__name__)
logging.getLogger("stamina").addHandler(logging.NullHandler())  # retries are news for logs, not for stderr

LOOK_S = 0.1
"""Seconds between two looks for the answer of another process's call."""
GRACE_S = 0.25
"""Seconds after its timeout in which the outcome of a call is still waited for."""
SHORTEST_CALL_S = 0.05
"""No call is given less time than this: some SDKs refuse a timeout of 0."""
Given = TypeVar("Given")


class Item:
    """One image on its way to its reply, and what its attempts cost."""

    def __init__(self, image: PreparedImage, question: Question) -> None:
        self.image = image
        self.question = question
        self.reply: Reply | None = None
        self.error: DigitrecError | None = None  # of the latest attempt
        self.unanswered: Claim | None = None  # of a call that was given up and is not booked yet
        self.started = time.monotonic()
        self._claim: Claim | None = None
        self._attempts = 0
        self._costs: dict[int, float | None] = {}  # by claim, of each attempt that may have been billed
        self._settling = threading.Lock()

    @property
    def claim(self) -> Claim:
        """The latest claim."""
        assert self._claim is not None
        return self._claim

    @claim.setter
    def claim(self, claim: Claim) -> None:
        self._claim = claim

    def sent(self) -> None:
        """Begin an attempt, which counts as paid until it is known to be free."""
        self._attempts += 1
        self._costs.setdefault(self.claim.id, self.claim.cost_usd)

    def cost(self, claim: Claim, usd: float) -> None:
        """Replace the reserved price of an attempt by its cost."""
        self._costs[claim.id] = usd

    def settle(self, outcome: Answer | DigitrecError, *, replayed: bool = False) -> None:
        """Make the reply, unless a late answer has made it already."""
        with self._settling:
            if self.reply is not None:
                return
            costs = list(self._costs.values())
            cost = None if None in costs else sum((usd or 0.0 for usd in costs), 0.0)
            emulated = self.question.emulated
            latency = time.monotonic() - self.started
            self.reply = Reply(
                outcome, latency, 0.0 if emulated else cost, self._attempts, replayed, emulated
            )

    def replay(self, entry: Entry, recorder: Recorder | None) -> None:
        """Reply with an answer that was paid for before."""
        self.settle(entry.answer, replayed=True)
        if recorder is not None:
            recorder.add(entry)


def open_items(items: Sequence[Item]) -> list[Item]:
    """Return those that have no reply yet."""
    return [item for item in items if item.reply is None]


class Request:
    """Gets a reply for each of its items; runs in a thread of its own."""

    def __init__(self, items: Sequence[Item], terms: Terms) -> None:
        self._items = items
        self._terms = terms
        self._ledger = terms.books.ledger
        self._deadline = math.inf  # in seconds of `time.monotonic`; every wait for a turn puts it off
        self._given_up: TimedOut | None = None  # of the latest call whose outcome may still come

    def run(self) -> Sequence[Item]:
        """Settle every item, and return them: the one retry loop."""
        import stamina

        now = time.monotonic()
        self._deadline = now + self._terms.options.timeout
        for item in self._items:
            item.started = now
        attempts = self._terms.options.attempts
        while open_items(self._items):
            try:
                backoff = Backoff(lambda: self._left_s)
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

    @property
    def _left_s(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self._deadline - time.monotonic()

    @property
    def _call_s(self) -> float:
        """Seconds that the next call may take, > 0."""
        return max(SHORTEST_CALL_S, min(self._terms.attempt_s, self._left_s))

    def _attempt(self) -> None:
        """Ask once about each open item; raise the error to be retried, if there is one."""
        while claimed := self._claim():
            if not self._may_ask(claimed):
                continue
            for item in claimed:
                item.sent()
            for item, outcome in zip(claimed, self._ask(claimed), strict=True):
                if isinstance(outcome, Answer):
                    self._answered(item, item.claim, outcome)
                elif outcome is self._given_up:
                    item.error = self._terms.late() if self._left_s <= 0 else outcome
                    item.unanswered = item.claim
                else:
                    self._failed(item, outcome)
            failed = [item.error for item in open_items(claimed) if item.error is not None]
            if failed:
                raise max(failed, key=asked_wait_s)

    def _claim(self) -> list[Item]:
        """The items that are ours to ask now; waits for those that somebody else is asking about."""
        terms = self._terms
        while waiting := open_items(self._items):
            if terms.error is not None or terms.stopped.is_set() or self._left_s <= 0:
                for item in waiting:
                    item.settle(item.error or terms.error or terms.late())
                break
            if terms.books.recorder is not None:
                terms.books.recorder.ready()
            for item in waiting:
                if item.unanswered is not None:  # counts as paid now; its answer may still come
                    claim, item.unanswered = item.unanswered, None
                    self._book_failure(item, claim, TimedOut("no answer in time"))
            verdicts = self._ledger.claim(
                [item.question for item in waiting],
                price=terms.price, budget=terms.budget, lease_s=terms.lease_s,
            )  # fmt: skip
            pairs = zip(waiting, verdicts, strict=True)
            if claimed := [item for item, verdict in pairs if self._is_ours(item, verdict)]:
                return claimed
            if open_items(self._items):
                if terms.rate is not None:  # the other may be waiting for its turn, which does not count
                    self._deadline += LOOK_S
                terms.stopped.wait(LOOK_S)
        return []

    def _is_ours(self, item: Item, verdict: Verdict) -> bool:
        """Act on the ledger's verdict; True where the item is ours to ask."""
        if isinstance(verdict, Entry):
            item.replay(verdict, self._terms.books.recorder)
        elif isinstance(verdict, BudgetExceeded):
            item.settle(verdict)
        elif isinstance(verdict, Claim):
            item.claim = verdict
            return True
        return False

    def _may_ask(self, claimed: Sequence[Item]) -> bool:
        """Wait for the vendor's turn; False, with the claims given back, where nothing may be sent."""
        too_short = self._too_short(claimed)
        if too_short is None and self._take_turn(claimed) and self._terms.error is None:
            return True
        error = too_short or self._terms.error or self._terms.late()
        for item in claimed:
            paid = item.claim.token is not None  # by an earlier run
            self._ledger.failed(item.claim, type(error).__name__, unknown=paid, charged=paid)
            item.settle(item.error or error)
        return False

    def _too_short(self, claimed: Sequence[Item]) -> DigitrecError | None:
        """Return the error of items for which too little time is left to ask at all, or None."""
        return None

    def _take_turn(self, claimed: Sequence[Item]) -> bool:
        """Wait until the vendor may be asked, the claims kept; False where the caller waits no more."""
        terms = self._terms
        if terms.rate is None:
            return True
        queue = f"{terms.provider.name} {claimed[0].question.endpoint}"
        wait = terms.books.limiter.book(queue, terms.rate)
        self._deadline += wait
        return self._pause(claimed, wait)

    def _pause(self, claimed: Sequence[Item], seconds: float) -> bool:
        """Wait, the claims kept; False where the caller waits no more."""
        if seconds > 0:
            self._ledger.extend([item.claim for item in claimed], seconds + self._terms.lease_s)
        return not self._terms.stopped.wait(seconds)

    def _ask(self, claimed: Sequence[Item]) -> Sequence[call.Outcome]:
        """Make one call about all claimed items."""
        pairs = [(item, item.claim) for item in claimed]
        provider, timeout = self._terms.provider, self._call_s

        def ask() -> list[call.Outcome]:
            return call.read_many(provider, [item.image for item in claimed], timeout=timeout)

        def late(outcomes: list[call.Outcome] | DigitrecError) -> None:
            told = outcomes if isinstance(outcomes, list) else [outcomes] * len(pairs)
            for (item, claim), outcome in zip(pairs, told, strict=True):
                self._late(item, claim, outcome)

        given = self._call(ask, timeout, late)
        return given if isinstance(given, list) else [given] * len(claimed)

    def _call(
        self, ask: Callable[[], Given], seconds: float, late: Callable[[Given | DigitrecError], None]
    ) -> Given | DigitrecError:
        """Return what ``ask`` returns, or the error it raises; give it up after ``seconds``.

        A call that is given up sends nothing more. The answer to what it sent before may still come: then
        ``late`` is called with the outcome, in the thread of the call.

        Raises:
            KeyboardInterrupt, SystemExit: as raised by ``ask``.
        """
        provider, attempt = self._terms.provider, wire.Attempt()

        def run() -> Given | DigitrecError:
            with wire.attempting(attempt):
                return call.caught(provider, ask)

        def ended(future: Future[Given | DigitrecError]) -> None:
            if future.exception() is None:
                late(future.result())

        running = in_thread(run)
        until = time.monotonic() + seconds + GRACE_S
        # An earlier call that was given up may bring the answers meanwhile.
        while open_items(self._items) and (left := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                return running.result(min(left, SLICE_S))
        sent = attempt.give_up()
        running.add_done_callback(ended)
        if sent is False:
            error = Unreachable(
                f"{provider.name} was not asked: no credentials or no connection within {seconds:.3g} s; "
                "check the network, and what gives the credentials, or allow more with --timeout",
                provider=provider.name,
            )
            error.sent = False
            return error
        self._given_up = TimedOut(
            f"{provider.name} gave no answer within {seconds:.3g} s; try again, or allow more with --timeout "
            "and --attempt-timeout",
            provider=provider.name,
        )
        return self._given_up

    def _late(self, item: Item, claim: Claim, outcome: call.Outcome) -> None:
        """Record an outcome that came after its call was given up; reply with it if there is no reply yet."""
        if isinstance(outcome, Answer):
            self._answered(item, claim, outcome)
        else:
            self._book_failure(item, claim, outcome)

    def _answered(self, item: Item, claim: Claim, answer: Answer) -> None:
        cost = self._terms.counted_usd(answer)
        if cost is not None:
            item.cost(claim, cost)
        with self._recorded():
            self._ledger.answered(claim, answer, cost_usd=cost)
        recorder = self._terms.books.recorder
        if item.reply is None and recorder is not None:  # a late answer is in the ledger alone
            price = self._terms.price if cost is None else cost
            recorder.add(Entry(item.question, answer, time.time(), price))
        item.settle(answer)

    def _failed(self, item: Item, error: DigitrecError) -> None:
        if isinstance(error, ProviderError):
            error.provider = error.provider or self._terms.provider.name
        item.error = error
        self._book_failure(item, item.claim, error)
        if isinstance(error, NotConfigured | NotInstalled):
            self._terms.error = error
        if not is_retried(error):
            item.settle(error)

    def _book_failure(self, item: Item, claim: Claim, error: DigitrecError) -> None:
        ordered_before = claim.token is not None
        unknown = not ends_order(error) if ordered_before else may_be_billed(error)
        charged = ordered_before or unknown
        cost = self._terms.counted_usd(error)
        if cost is not None:  # an answer came, though not a usable one
            unknown, charged = False, True
        if cost is not None or not charged:
            item.cost(claim, cost or 0.0)
        with self._recorded():
            self._ledger.failed(claim, type(error).__name__, unknown=unknown, charged=charged, cost_usd=cost)

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """Log an error of the ledger that is raised inside, and go on.

        An answer that was paid for is shown all the same. The next claim fails too: nothing more is bought.
        """
        try:
            yield
        except LedgerError as error:
            log.warning("an outcome of %s could not be written down: %s", self._terms.provider.name, error)
