"""The images of one request, from the claim in the ledger to the last reply.

Claim the images in the ledger (one that is answered or over budget is replied to; one that another thread
or process is asking about is waited for), wait for the vendor's turn, make one attempt, record its outcome.
After a retryable failure, wait and claim again.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from digitrec.answer import Answer
from digitrec.engine import call
from digitrec.engine.asking import Reply
from digitrec.engine.ledger import Claim, Entry, Ledger, Question, Verdict
from digitrec.engine.rate import Limiter
from digitrec.engine.retry import RETRIED, asked_wait_s, ends_order, may_be_billed, wait_s
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

if TYPE_CHECKING:
    from digitrec.engine.remote import Remote

log = logging.getLogger(__name__)

LOOK_S = 0.1
"""Polling interval for the answer of another process's call, in seconds."""
GRACE_S = 0.25
"""Seconds after its timeout in which the outcome of a call is still waited for."""
SHORTEST_CALL_S = 0.05
"""Shortest timeout of a call, in seconds; some SDKs refuse 0."""
LEASE_MARGIN_S = 2.0
"""Seconds after its timeout at which a call counts as cut off."""
Given = TypeVar("Given")


@dataclass(slots=True)
class Terms:
    """The settings and resources that all requests of one `ask` share."""

    remote: Remote
    """The provider and how it is asked."""
    ledger: Ledger
    """The ledger of calls and answers."""
    limiter: Limiter
    """The rate limit's queue."""
    recording: Ledger | None
    """The recording to write; None: no recording."""
    emulated: bool
    """True when an emulator answers."""
    rate: float | None
    """Requests a second; None: unlimited."""
    error: DigitrecError | None = None
    """The error that stops all further images, because each would meet it."""
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set when the caller gave up: start nothing new."""

    @property
    def lease_s(self) -> float:
        """Seconds for which a call in flight blocks the same call elsewhere."""
        return min(self.remote.attempt_s, self.remote.options.timeout) + LEASE_MARGIN_S

    def record(self, entry: Entry) -> None:
        """Add an answer to the recording; stop asking if that fails."""
        if self.recording is not None:
            try:
                self.recording.keep([entry])
            except LedgerError as error:
                log.warning("an answer of %s is not in the recording: %s", self.remote.name, error)
                self.error = error

    def timed_out(self, what: str) -> TimedOut:
        """Return the error of an image for which the time ran out."""
        return TimedOut(f"{self.remote.name} {what}, or allow more with --timeout", provider=self.remote.name)

    def late(self) -> TimedOut:
        """Return the error of an image that was not answered within its timeout."""
        return self.timed_out(f"gave no answer within {self.remote.options.timeout:g} s; try again")


class Item:
    """One image on its way to its reply, and what its attempts cost."""

    claim: Claim
    """The latest claim."""

    def __init__(self, image: PreparedImage, question: Question) -> None:
        self.image = image
        self.question = question
        self.reply: Reply | None = None
        self.error: DigitrecError | None = None  # of the latest attempt
        self.unanswered: Claim | None = None  # of a call that was given up and is not booked yet
        self.started = time.monotonic()
        self._attempts = 0
        self._costs: dict[int, float | None] = {}  # by claim, of each attempt that may have been billed
        self._settling = threading.Lock()

    def sent(self) -> None:
        """Begin an attempt, which counts as paid until it is known to be free."""
        self._attempts += 1
        self._costs.setdefault(self.claim.id, self.claim.cost_usd)

    def cost(self, claim: Claim, usd: float) -> None:
        """Replace the reserved price of an attempt by its cost."""
        self._costs[claim.id] = usd

    def settle(self, outcome: call.Outcome, *, replayed: bool = False) -> None:
        """Make the reply, unless a late answer has made it already."""
        with self._settling:
            if self.reply is not None:
                return
            emulated, costs = self.question.emulated, list(self._costs.values())
            known = [usd for usd in costs if usd is not None]
            cost = 0.0 if emulated else sum(known, 0.0) if len(known) == len(costs) else None
            latency = time.monotonic() - self.started
            self.reply = Reply(outcome, latency, cost, self._attempts, replayed, emulated)

    def replay(self, entry: Entry) -> None:
        """Reply with an answer that was paid for before."""
        self.settle(entry.answer, replayed=True)


def open_items(items: Sequence[Item]) -> list[Item]:
    """Return the items without a reply."""
    return [item for item in items if item.reply is None]


class Request:
    """Gets a reply for each of its items; runs in a thread of its own."""

    def __init__(self, items: Sequence[Item], terms: Terms) -> None:
        self._items = items
        self._terms = terms
        self._deadline = math.inf  # in seconds of `time.monotonic`; every wait for a turn puts it off
        self._given_up: TimedOut | None = None  # of the latest call whose outcome may still come

    def run(self) -> Sequence[Item]:
        """Settle every item, and return them: the one retry loop."""
        import stamina

        now = time.monotonic()
        self._deadline = now + self._terms.remote.options.timeout
        for item in self._items:
            item.started = now
        attempts = self._terms.remote.options.attempts
        while open_items(self._items):
            try:
                for attempt in stamina.retry_context(self._backoff(), attempts, timeout=None):
                    with attempt:
                        self._attempt()
            except LedgerError as error:  # nothing more may be asked
                for item in open_items(self._items):
                    item.settle(error)
            except ProviderError:  # no further attempt: each keeps its latest error
                for item in open_items(self._items):
                    if item.error is not None:
                        item.settle(item.error)
        return self._items

    def _backoff(self) -> Callable[[Exception], float | bool]:
        """Return stamina's question after a failure: the seconds to wait, or False to give up."""
        failures = count(1)

        def wait(error: Exception) -> float | bool:
            if not isinstance(error, RETRIED):
                return False
            seconds = wait_s(error, next(failures))
            return seconds if seconds < self._left_s else False

        return wait

    @property
    def _left_s(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self._deadline - time.monotonic()

    def _attempt(self) -> None:
        """Ask once about each open item; raise the error to be retried, if there is one."""
        while claimed := self._claim():
            if not self._may_ask(claimed):
                continue
            for item in claimed:
                item.sent()
            for item, outcome in zip(claimed, self._ask(claimed), strict=True):
                if outcome is self._given_up:
                    item.error = self._terms.late() if self._left_s <= 0 else self._given_up
                    item.unanswered = item.claim
                else:
                    self._came(item, outcome)
            failed = [item.error for item in open_items(claimed) if item.error is not None]
            if failed:
                raise max(failed, key=asked_wait_s)

    def _claim(self) -> list[Item]:
        """Return the items that are ours to ask now; wait for those that another thread is asking about."""
        terms = self._terms
        while waiting := open_items(self._items):
            if terms.error is not None or terms.stopped.is_set() or self._left_s <= 0:
                for item in waiting:
                    item.settle(item.error or terms.error or terms.late())
                break
            for item in waiting:
                if item.unanswered is not None:  # counts as paid now; its answer may still come
                    claim, item.unanswered = item.unanswered, None
                    self._book(item, claim, TimedOut("no answer in time"))
            verdicts = terms.ledger.claim(
                [item.question for item in waiting],
                price=terms.remote.price, budget=terms.remote.budget, lease_s=terms.lease_s,
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
            item.replay(verdict)
            self._terms.record(verdict)
        elif isinstance(verdict, BudgetExceeded):
            item.settle(verdict)
        elif isinstance(verdict, Claim):
            item.claim = verdict
            return True
        return False

    def _may_ask(self, claimed: Sequence[Item]) -> bool:
        """Wait for the rate limit; False, with the claims returned, if nothing may be sent."""
        too_short = self._too_short(claimed)
        if too_short is None and self._take_turn(claimed) and self._terms.error is None:
            return True
        error = too_short or self._terms.error or self._terms.late()
        for item in claimed:
            paid = item.claim.token is not None  # by an earlier run
            self._terms.ledger.failed(item.claim, type(error).__name__, unknown=paid, charged=paid)
            item.settle(item.error or error)
        return False

    def _too_short(self, claimed: Sequence[Item]) -> DigitrecError | None:
        """Return the error of items for which too little time is left to ask at all, or None."""
        return None

    def _take_turn(self, claimed: Sequence[Item]) -> bool:
        """Wait for the rate limit and keep the claims; False if the caller gave up."""
        terms = self._terms
        if terms.rate is None:
            return True
        wait = terms.limiter.book(f"{terms.remote.name} {claimed[0].question.endpoint}", terms.rate)
        self._deadline += wait
        return self._pause(claimed, wait)

    def _pause(self, claimed: Sequence[Item], seconds: float) -> bool:
        """Wait and keep the claims; False if the caller gave up."""
        if seconds > 0:
            self._terms.ledger.extend([item.claim for item in claimed], seconds + self._terms.lease_s)
        return not self._terms.stopped.wait(seconds)

    def _ask(self, claimed: Sequence[Item]) -> Sequence[call.Outcome]:
        """Make one call about all claimed items."""
        claims = [item.claim for item in claimed]

        def ask(timeout: float) -> list[call.Outcome]:
            images = [item.image for item in claimed]
            return call.read_many(self._terms.remote.provider, images, timeout=timeout)

        def late(outcomes: list[call.Outcome]) -> None:
            for item, claim, outcome in zip(claimed, claims, outcomes, strict=True):
                self._book(item, claim, outcome)

        given = self._call(ask, late)
        return given if isinstance(given, list) else [given] * len(claimed)

    def _call(self, ask: Callable[[float], Given], late: Callable[[Given], None]) -> Given | DigitrecError:
        """Return what ``ask`` returns for a timeout in seconds, or an error once the timeout has passed.

        A call that is given up sends nothing more. The answer to what it sent before may still come: then
        ``late`` is called with the outcome, in the thread of the call.

        Raises:
            KeyboardInterrupt, SystemExit: as raised by ``ask``.
        """
        name, attempt = self._terms.remote.name, wire.Attempt()
        timeout = max(SHORTEST_CALL_S, min(self._terms.remote.attempt_s, self._left_s))

        def run() -> Given:
            wire.ATTEMPT.set(attempt)
            return ask(timeout)

        def ended(future: Future[Given]) -> None:
            if future.exception() is None:
                late(future.result())

        running = in_thread(run)
        until = time.monotonic() + timeout + GRACE_S
        # An earlier call that was given up may bring the answers meanwhile.
        while open_items(self._items) and (left := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                return running.result(min(left, SLICE_S))
        sent = attempt.give_up()
        running.add_done_callback(ended)
        if sent is False:
            error = Unreachable(
                f"{name} was not asked: no credentials or no connection within {timeout:.3g} s; "
                "check the network and the credentials, or allow more with --timeout",
                provider=name,
            )
            error.sent = False
            return error
        self._given_up = self._terms.timed_out(
            f"gave no answer within {timeout:.3g} s; try again, allow more with --attempt-timeout"
        )
        return self._given_up

    def _came(self, item: Item, outcome: call.Outcome) -> None:
        """Record an outcome that came in time; reply with it unless it is retryable."""
        if isinstance(outcome, ProviderError):
            outcome.provider = outcome.provider or self._terms.remote.name
        self._book(item, item.claim, outcome)
        if isinstance(outcome, Answer):
            return
        item.error = outcome
        if isinstance(outcome, NotConfigured | NotInstalled):
            self._terms.error = outcome
        if not isinstance(outcome, RETRIED):
            item.settle(outcome)

    def _book(self, item: Item, claim: Claim, outcome: call.Outcome) -> None:
        """Record the outcome of a call, on time or late; reply with an answer if there is no reply yet."""
        remote = self._terms.remote
        cost = remote.counted_usd(outcome)
        if cost is not None:
            item.cost(claim, cost)
        if isinstance(outcome, DigitrecError):
            self._book_failure(item, claim, outcome, cost)
            return
        with self._recorded():
            self._terms.ledger.answered(claim, outcome, cost_usd=cost)
        if item.reply is None:  # a late answer is in the ledger alone
            price = remote.price if cost is None else cost
            self._terms.record(Entry(item.question, outcome, time.time(), price))
        item.settle(outcome)

    def _book_failure(self, item: Item, claim: Claim, error: DigitrecError, cost: float | None) -> None:
        unknown = charged = may_be_billed(error)
        if cost is not None:  # an answer came, though not a usable one
            unknown, charged = False, True
        elif claim.token is not None:
            unknown, charged = not ends_order(error), True
        if not charged:
            item.cost(claim, 0.0)
        with self._recorded():
            name = type(error).__name__
            self._terms.ledger.failed(claim, name, unknown=unknown, charged=charged, cost_usd=cost)

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """Log an error of the ledger that is raised inside, and continue.

        An answer that was paid for is shown all the same. The next claim fails too: nothing more is bought.
        """
        try:
            yield
        except LedgerError as error:
            log.warning("an outcome of %s could not be recorded: %s", self._terms.remote.name, error)
