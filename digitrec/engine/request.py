"""A provider that is far away or costs money, asked with ledger, budget, rate limit, retries and deadline.

The images of one request, from the claim to the reply: claim them in the ledger (one that is answered or over
budget is replied to; one that another thread or process is asking about is waited for), wait for the vendor's
turn, make one attempt, record its outcome. After a retryable failure, wait and claim again.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from digitrec import errors
from digitrec.answer import Answer
from digitrec.engine import config
from digitrec.engine.asking import Estimate, Options, Outcome, Reply, caught, read_many, usable
from digitrec.engine.config import TokenPrice
from digitrec.engine.detect import is_emulator
from digitrec.engine.ledger import Budget, Claim, Ledger, Verdict
from digitrec.engine.ledger.records import Entry, Question
from digitrec.engine.rate import Limiter
from digitrec.engine.threads import SLICE_S, in_thread, spread
from digitrec.errors import DigitrecError
from digitrec.image import PreparedImage
from digitrec.providers import registry, wire
from digitrec.providers.base import Adjustable, BaseProvider, Metered, Provider, Resumable

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


class Remote:
    """The dependable way to one provider."""

    def __init__(self, provider: Provider, options: Options) -> None:
        """Check the options; nothing is opened yet.

        Raises:
            NotConfigured: the configuration file is wrong, or there is a budget and no known price.
        """
        self.provider = provider
        self.name = provider.name
        self.options = options
        self._config = options._config or config.load()
        own_s: float = getattr(provider, "attempt_timeout", BaseProvider.attempt_timeout)
        self.attempt_s = options.attempt_timeout or self._config.attempt_timeouts.get(provider.name, own_s)
        """Seconds for one request, > 0."""
        self.lease_s = min(self.attempt_s, options.timeout) + LEASE_MARGIN_S
        """Seconds for which a call in flight blocks the same call elsewhere."""
        self.unrecorded: DigitrecError | None = None
        """The error that kept an answer out of the recording; nothing more is asked after it."""
        self._opening = threading.Lock()
        self._books: tuple[Ledger, Limiter, Ledger | None] | None = None  # the last one is the recording
        parameters = self._config.parameters.get(provider.name)
        if parameters is not None and isinstance(provider, Adjustable):
            provider.adjust(parameters.leave_out, parameters.max_tokens)
        self._tokens: TokenPrice | None = None
        self.price = None if provider.price is None else provider.price.usd
        """US dollars for one image, at most; None: unknown."""
        if provider.name in self._config.prices:
            self.price = self._config.prices[provider.name]
        elif isinstance(provider, Metered) and provider.model in self._config.tokens:
            self._tokens = self._config.tokens[provider.model]
            self.price = self._tokens.usd(*provider.most_tokens)
        limits = options.max_cost, self._config.budget.per_month
        self.budget = Budget(options._run, *limits)
        if limits != (None, None) and self.price is None:
            raise errors.NotConfigured(
                f"the price of {provider.name} is unknown, so a budget cannot be kept; "
                + _where_a_price_is_set(provider)
            )
        # An ordered answer is fetched by requests of its own, so its images are asked about one at a time.
        self._per_request: int = 1 if isinstance(provider, Resumable) else getattr(provider, "batch", 1)
        self.batch = max(16, options.concurrency * self._per_request)

    def ask(self, images: Sequence[PreparedImage]) -> list[Reply]:
        """Return one reply for each image, in order; the ledger's answers are replayed."""
        terms = self._terms()
        items = [Item(it, Question.about(it, self.provider, emulated=terms.emulated)) for it in images]
        entries = terms.ledger.find([item.question for item in items])
        for item, entry in zip(items, entries, strict=True):
            if entry is not None:
                item.settle(entry.answer, replayed=True)
                terms.record(entry)
        left = open_items(items)
        kind = OrderedRequest if isinstance(self.provider, Resumable) else Request
        size = self._per_request
        requests = [kind(left[at : at + size], terms) for at in range(0, len(left), size)]
        try:
            for _ in spread(requests, Request.run, at_once=self.options.concurrency):
                pass
        finally:
            terms.stopped.set()  # after Ctrl-C no thread begins another attempt
        return [item.reply for item in items if item.reply]

    def estimate(self, images: Iterable[PreparedImage]) -> Estimate:
        """Return what `ask` would take; nothing is asked."""
        terms = self._terms()
        ledger = terms.ledger
        questions = [Question.about(it, self.provider, emulated=terms.emulated) for it in images]
        keys = [question.key for question in questions if ledger.find([question]) == [None]]
        count, left = len(questions), len(set(keys)) if ledger.remembers else len(keys)
        cost = None if self.price is None else left * self.price
        requests = -(-left // self._per_request)
        return Estimate(self.provider.name, count, count - left, requests, cost)

    def close(self) -> None:
        """Close the books; may be called twice."""
        with self._opening:
            books, self._books = self._books or (), None
        for book in books:
            if book is not None:
                book.close()

    def _terms(self) -> Terms:
        """Return the terms of one `ask`; an emulator may have been started since the last.

        Raises:
            NotConfigured: there is a monthly budget and no ledger to keep it.
            LedgerError: the ledger cannot be opened.
        """
        emulated = is_emulator(self.provider.endpoint)
        with self._opening:
            if self._books is None:
                record = self.options.record
                recording = None if record is None else Ledger(record)
                ledger = Ledger(self._ledger_path(emulated), fresh=self.options.fresh)
                limiter = Limiter(config.default_ledger().with_name("rate.sqlite"))
                self._books = ledger, limiter, recording
        own_rate = None if emulated else getattr(self.provider, "rate", None)  # an emulator has no quota
        rate = self._config.rates.get(self.name, own_rate)
        return Terms(self, *self._books, emulated, rate, self.unrecorded)

    def _ledger_path(self, emulated: bool) -> Path | None:
        """Return the ledger's file; an emulator costs nothing of a month's budget."""
        if self.options.ledger == "default":
            return self._config.ledger or config.default_ledger()
        if self.options.ledger != "none":
            return Path(self.options.ledger)
        if self._config.budget.per_month is not None and not emulated:
            raise errors.NotConfigured("a monthly budget needs the ledger; leave out --no-ledger")
        return None

    def counted_usd(self, outcome: Outcome) -> float | None:
        """Return the cost of an answer's tokens in US dollars, also of an unusable one; None: unknown."""
        raw = getattr(outcome, "raw", None)
        if self._tokens is None or not isinstance(raw, dict) or not isinstance(self.provider, Metered):
            return None
        tokens = self.provider.tokens(Answer(raw=raw))
        return None if tokens is None else self._tokens.usd(*tokens)


def _where_a_price_is_set(provider: Provider) -> str:
    name = provider.name
    if isinstance(provider, Metered):
        return f'set those of its tokens in {config.config_path()}: [tokens."{provider.model}"] input, output'
    if name in registry.names():
        return f"set it in {config.config_path()}: [prices] {name} = US dollars for one image"
    return "give the provider its `price`"  # the configuration takes registered names only


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

    def record(self, entry: Entry) -> None:
        """Add an answer to the recording; stop asking if that fails."""
        if self.recording is not None:
            try:
                self.recording.keep([entry])
            except errors.LedgerError as error:
                log.warning("an answer of %s is not in the recording: %s", self.remote.name, error)
                self.error = self.remote.unrecorded = error

    def timed_out(self, what: str) -> errors.TimedOut:
        """Return the error of an image for which the time ran out."""
        return errors.TimedOut(
            f"{self.remote.name} {what}, or allow more with --timeout", provider=self.remote.name
        )

    def late(self) -> errors.TimedOut:
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
        self.costs: dict[int, float | None] = {}  # by claim, of each attempt that may have been billed
        self._settling = threading.Lock()

    def sent(self) -> None:
        """Begin an attempt, which counts as paid until it is known to be free."""
        self._attempts += 1
        self.costs.setdefault(self.claim.id, self.claim.cost_usd)

    def settle(self, outcome: Outcome, *, replayed: bool = False) -> None:
        """Make the reply, unless a late answer has made it already."""
        with self._settling:
            if self.reply is not None:
                return
            emulated, costs = self.question.emulated, list(self.costs.values())
            known = [usd for usd in costs if usd is not None]
            cost = 0.0 if emulated else sum(known, 0.0) if len(known) == len(costs) else None
            latency = time.monotonic() - self.started
            self.reply = Reply(outcome, latency, cost, self._attempts, replayed, emulated)


def open_items(items: Sequence[Item]) -> list[Item]:
    """Return the items without a reply."""
    return [item for item in items if item.reply is None]


class Request:
    """Gets a reply for each of its items; runs in a thread of its own."""

    def __init__(self, items: Sequence[Item], terms: Terms) -> None:
        self._items = items
        self._terms = terms
        self._deadline = math.inf  # in seconds of `time.monotonic`; every wait for a turn puts it off
        self._given_up: errors.TimedOut | None = None  # of the latest call whose outcome may still come

    def run(self) -> Sequence[Item]:
        """Settle every item, and return them: the one retry loop."""
        now = time.monotonic()
        self._deadline = now + self._terms.remote.options.timeout
        for item in self._items:
            item.started = now
        failures = 0
        try:
            while open_items(self._items):
                error = self._attempt()
                if error is None:
                    continue
                failures += 1
                seconds = wait_s(error, failures)
                if failures < self._terms.remote.options.attempts and seconds < self._left_s:
                    self._terms.stopped.wait(seconds)
                    continue
                failures = 0  # no further attempt: each keeps its latest error
                for item in open_items(self._items):
                    if item.error is not None:
                        item.settle(item.error)
        except errors.LedgerError as error:  # nothing more may be asked
            for item in open_items(self._items):
                item.settle(error)
        return self._items

    @property
    def _left_s(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self._deadline - time.monotonic()

    def _attempt(self) -> DigitrecError | None:
        """Ask once about each open item; return the error to be retried, if there is one."""
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
                return max(failed, key=asked_wait_s)
        return None

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
                    self._book(item, claim, errors.TimedOut("no answer in time"))
            verdicts = terms.ledger.claim(
                [item.question for item in waiting],
                price=terms.remote.price, budget=terms.remote.budget, lease_s=terms.remote.lease_s,
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
            item.settle(verdict.answer, replayed=True)
            self._terms.record(verdict)
        elif isinstance(verdict, errors.BudgetExceeded):
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
            lease_s = seconds + self._terms.remote.lease_s
            self._terms.ledger.extend([item.claim for item in claimed], lease_s)
        return not self._terms.stopped.wait(seconds)

    def _ask(self, claimed: Sequence[Item]) -> Sequence[Outcome]:
        """Make one call about all claimed items."""
        provider, images = self._terms.remote.provider, [item.image for item in claimed]
        given = self._call(claimed, lambda timeout: read_many(provider, images, timeout=timeout))
        return given if isinstance(given, list) else [given] * len(claimed)

    def _call(self, claimed: Sequence[Item], ask: Callable[[float], Given]) -> Given | DigitrecError:
        """Return what ``ask`` returns for a timeout in seconds, or an error once the timeout has passed.

        An abandoned call sends nothing more. If the answer to its earlier request still comes, the thread of
        the call records it.

        Raises:
            KeyboardInterrupt, SystemExit: as raised by ``ask``.
        """
        name, attempt = self._terms.remote.name, wire.Attempt(wire.LATE_S)
        claims = [item.claim for item in claimed]
        timeout = max(SHORTEST_CALL_S, min(self._terms.remote.attempt_s, self._left_s))

        def run() -> Given:
            wire.ATTEMPT.set(attempt)
            return ask(timeout)

        def ended(future: Future[Given]) -> None:
            if future.exception() is not None:
                return
            given = future.result()
            outcomes = given if isinstance(given, list) else [given]
            for item, claim, outcome in zip(claimed, claims, outcomes, strict=True):
                if isinstance(outcome, Answer | DigitrecError):  # not an order's token, or its next poll
                    self._book(item, claim, outcome)

        running = in_thread(run)
        until = time.monotonic() + timeout + GRACE_S
        # An earlier call that was given up may bring the answers meanwhile.
        while open_items(self._items) and (left := until - time.monotonic()) > 0:
            with suppress(TimeoutError):
                return running.result(min(left, SLICE_S))
        sent = attempt.give_up()
        running.add_done_callback(ended)
        if sent is False:
            error = errors.Unreachable(
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

    def _came(self, item: Item, outcome: Outcome) -> None:
        """Record an outcome that came in time; reply with it unless it is retryable."""
        if isinstance(outcome, errors.ProviderError):
            outcome.provider = outcome.provider or self._terms.remote.name
        self._book(item, item.claim, outcome)
        if isinstance(outcome, Answer):
            return
        item.error = outcome
        if isinstance(outcome, errors.NotConfigured | errors.NotInstalled):
            self._terms.error = outcome
        if not isinstance(outcome, RETRIED):
            item.settle(outcome)

    def _book(self, item: Item, claim: Claim, outcome: Outcome) -> None:
        """Record the outcome of a call, on time or late; reply with an answer if there is no reply yet."""
        remote = self._terms.remote
        cost = remote.counted_usd(outcome)
        if cost is not None:
            item.costs[claim.id] = cost
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
            item.costs[claim.id] = 0.0
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
        except errors.LedgerError as error:
            log.warning("an outcome of %s could not be recorded: %s", self._terms.remote.name, error)


class OrderedRequest(Request):
    """A request about one image; each of its calls waits for a turn of its own."""

    @property
    def _provider(self) -> Any:
        """The provider, which is `Resumable`."""
        return self._terms.remote.provider

    def _too_short(self, claimed: Sequence[Item]) -> DigitrecError | None:
        poll_s = self._provider.poll_s
        if claimed[0].claim.token is not None or self._left_s > poll_s + SHORTEST_CALL_S:
            return None
        return self._terms.timed_out(f"was not asked: its answer takes {poll_s:g} s; raise the timeout")

    def _ask(self, claimed: Sequence[Item]) -> Sequence[Outcome]:
        """Order the answer unless that was done before, and poll until it is there."""
        (item,) = claimed
        if item.claim.token is None:
            token = self._order(item)
            if not isinstance(token, str):
                return [token]
            item.claim = replace(item.claim, token=token)
            if not self._wait(item, self._provider.poll_s):
                return [self._not_ready()]
        while isinstance(outcome := self._poll(item), float):
            if self._left_s <= outcome + SHORTEST_CALL_S or not self._wait(item, outcome):
                return [self._not_ready()]
        return [outcome]

    def _order(self, item: Item) -> str | DigitrecError:
        """Order the answer, and record the order's token before anything else happens."""
        claim = item.claim

        def start(timeout: float) -> str:
            token: object = self._provider.start(item.image, timeout=timeout)
            if not isinstance(token, str) or not token:
                raise TypeError("the token is not a text")
            with self._recorded():
                self._terms.ledger.ordered(claim, token)
            return token

        return self._call([item], lambda timeout: caught(self._provider, lambda: start(timeout)))

    def _poll(self, item: Item) -> Outcome | float:
        """Poll once; return the outcome, or the seconds to wait before the next poll."""
        provider, token = self._provider, item.claim.token

        def poll(timeout: float) -> Outcome | float:
            given = caught(provider, lambda: provider.poll(token, timeout=timeout))
            if given is None or isinstance(given, float):
                return max(given or 0.0, float(provider.poll_s))
            return usable(provider, given)

        return self._call([item], poll)

    def _wait(self, item: Item, seconds: float) -> bool:
        """Wait for the poll interval and the rate limit."""
        return self._pause([item], seconds) and self._take_turn([item])

    def _not_ready(self) -> errors.TimedOut:
        return self._terms.timed_out("has not finished in time; try again (at no further cost)")


# Retries

RETRIED = (errors.RateLimited, errors.Unavailable, errors.TimedOut)
"""Errors after which the same request may succeed.

Others need a person (`AuthFailed`), a new period (`QuotaExceeded`), or would come again (`Rejected`); after a
`BadAnswer` or a provider's own error the call may have been billed.
"""

FREE = (
    errors.NotConfigured,
    errors.NotInstalled,
    errors.Unreachable,
    errors.AuthFailed,
    errors.QuotaExceeded,
    errors.Rejected,
)
"""Errors of calls that were not sent, or that the vendor refused."""
FIRST_WAIT_S = 0.5
"""The wait before the second attempt is random, between 0 and this; it doubles for each further one."""
LONGEST_WAIT_S = 8.0
"""No random wait is longer than this."""
FOREVER_S = 1e9
"""Longest wait that a provider may ask for, in seconds."""


def may_be_billed(error: DigitrecError) -> bool:
    """Whether the vendor may have done the work although its answer did not arrive.

    What was never sent is free: the transport records the first byte (``error.sent``); for a provider without
    such a record the class of the error says so. A status outside 200..299 is the vendor's own word that the
    call failed, and a failed call is not billed. Anything else may be.
    """
    if getattr(error, "sent", None) is False or isinstance(error, FREE):
        return False
    if isinstance(error, errors.TimedOut) or not isinstance(error, errors.ProviderError):
        return True
    if isinstance(error, errors.BadAnswer) and not _is_http(error.status):
        return True
    return error.status is None or error.status in range(200, 300)


def ends_order(error: DigitrecError) -> bool:
    """Return whether an error of a poll ends the order.

    It does if the vendor reports that the operation failed (`Rejected` without an HTTP status) or no longer
    exists (404, 410). Any other error concerns only the poll.
    """
    if not isinstance(error, errors.Rejected):
        return False
    return error.status in (404, 410) or not _is_http(error.status)


def _is_http(status: object) -> bool:
    return isinstance(status, int) and not isinstance(status, bool) and 100 <= status < 600


def asked_wait_s(error: Exception) -> float:
    """Seconds that the provider asked to be left alone, >= 0; 0 where it said nothing of use."""
    said = getattr(error, "retry_after", None)
    if isinstance(said, bool) or not isinstance(said, int | float) or not said > 0:
        return 0.0
    return float(min(said, FOREVER_S))


def wait_s(error: Exception, attempt: int, draw: Callable[[float, float], float] = random.uniform) -> float:
    """How many seconds to wait after an attempt failed.

    Full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): random
    between 0 and an exponentially growing bound, but never less than the provider asked for.

    Args:
        error: what the attempt ended with; its ``retry_after`` is honoured.
        attempt: which attempt that was, from 1.
        draw: gives a random number between its two arguments.
    """
    bound = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1))
    return max(asked_wait_s(error), draw(0.0, bound))
