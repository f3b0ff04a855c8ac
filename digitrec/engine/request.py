"""Ask a remote or paid provider, with ledger, budget, rate limit, retries and deadline.

The images of one request are first claimed in the ledger. An image that is answered or over budget gets its
reply at once; for an image that another thread or process is asking about, the request waits. Then it waits
for the rate limit, makes one attempt and records the outcome. After a retryable failure it waits and claims
again.
"""

from __future__ import annotations

import logging
import math
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from digitrec import errors
from digitrec.answer import Answer, total
from digitrec.engine import Estimate, Given, Options, Outcome, Reply, caught, config, read_many, usable
from digitrec.engine.config import TokenPrice
from digitrec.engine.detect import is_emulator
from digitrec.engine.ledger import Budget, Claim, Ledger, Verdict
from digitrec.engine.ledger.records import Entry, Question
from digitrec.engine.threads import SLICE_S, in_thread, spread
from digitrec.errors import DigitrecError
from digitrec.errors.arguments import is_number
from digitrec.image import PreparedImage
from digitrec.providers import registry, wire
from digitrec.providers.base import Adjustable, BaseProvider, Metered, Provider, Resumable

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_S = 0.1
"""Polling interval for the answer of another process's call, in seconds."""
GRACE_S = 0.25
"""Seconds after a call's timeout during which its outcome is still awaited."""
SHORTEST_CALL_S = 0.05
"""Minimum timeout of a call, in seconds; some SDKs reject 0."""
LEASE_MARGIN_S = 2.0
"""Seconds after a call's timeout at which it counts as interrupted."""

_ACCOUNTS: dict[str, Ledger] = {}
"""The ledgers in memory of the accounts with a budget, kept until the process ends, as their costs count."""


class Remote:
    """One remote provider with its books: ledger, rate limit and recording."""

    def __init__(self, provider: Provider, options: Options) -> None:
        """Check the options; no file is opened yet.

        Raises:
            NotConfigured: the configuration file is wrong, or there is a budget but no known price.
        """
        self.provider = provider
        self.name = provider.name
        self.options = options
        self._config = options._config or config.load()
        own_s: float = getattr(provider, "attempt_timeout", BaseProvider.attempt_timeout)
        self._names = provider.name, registry.registered_name(provider)
        self.attempt_s = options.attempt_timeout or self._own(self._config.attempt_timeouts, own_s)
        """Seconds for one request, > 0."""
        self.lease_s = min(self.attempt_s, options.timeout) + LEASE_MARGIN_S
        """Seconds for which a call in flight blocks the same call elsewhere."""
        self.unrecorded: DigitrecError | None = None
        """The error that kept an answer out of the recording; nothing more is asked after it."""
        self._opening = threading.Lock()
        self._books: tuple[Ledger, Ledger | None] | None = None  # the second one is the recording
        self._turns: Ledger | None = None
        parameters = self._own(self._config.parameters, None)
        if parameters is not None and isinstance(provider, Adjustable):
            provider.adjust(parameters.leave_out, parameters.max_tokens)
        self.tokens: TokenPrice | None = None
        """Price of the model's tokens; None: each image has the same price."""
        stated = None if provider.price is None else provider.price.usd
        configured = self._own(self._config.prices, None)
        self.price = stated if configured is None else configured
        """Maximum US dollars for one image; None: unknown."""
        if configured is None and isinstance(provider, Metered) and provider.model in self._config.tokens:
            self.tokens = self._config.tokens[provider.model]
            self.price = self.tokens.usd(*provider.most_tokens)
        limits = options.max_cost, self._config.budget.per_month
        self.budget = Budget(options._run, *limits)
        if limits != (None, None) and self.price is None:
            raise errors.NotConfigured(
                f"the price of {provider.name} is unknown, so a budget cannot be kept; "
                + _where_a_price_is_set(provider)
            )
        # Fetching an ordered answer takes requests of its own, so such a provider gets one image at a time.
        self._per_request: int = 1 if isinstance(provider, Resumable) else getattr(provider, "batch", 1)
        self._most_bytes: float = getattr(provider, "batch_bytes", math.inf)
        self.batch = max(16, options.concurrency * self._per_request)

    def ask(self, images: Sequence[PreparedImage]) -> list[Reply]:
        """Return one reply for each image, in order; reuse the ledger's answers."""
        terms = self._terms()
        items = [Item(it, Question.about(it, self.provider, emulated=terms.emulated)) for it in images]
        entries = terms.ledger.find([item.question for item in items])
        for item, entry in zip(items, entries, strict=True):
            if entry is not None:
                terms.replay(entry, item)
        left = open_items(items)
        kind = OrderedRequest if isinstance(self.provider, Resumable) else Request
        requests = [kind(some, terms) for some in self._divided([(it, len(it.image.data)) for it in left])]
        try:
            for _ in spread(requests, Request.run, at_once=self.options.concurrency):
                pass
        finally:
            terms.stopped.set()  # after Ctrl-C no thread starts another attempt
        return [item.reply for item in items if item.reply]

    def estimate(self, images: Iterable[PreparedImage]) -> Estimate:
        """Return the requests and the cost that `ask` would take, without sending any."""
        terms = self._terms()
        asked = [(Question.about(it, self.provider, emulated=terms.emulated), len(it.data)) for it in images]
        sizes = [(one.key, size) for one, size in asked if terms.ledger.find([one]) == [None]]
        left = list(dict(sizes).items()) if terms.ledger.remembers else sizes
        unpaid = sum(not terms.ledger.is_ordered(key) for key, _ in left)
        cost = None if self.price is None and unpaid else unpaid * (self.price or 0.0)
        return Estimate(self.name, len(asked), len(asked) - len(left), len(self._divided(left)), cost)

    def _divided(self, sized: Iterable[tuple[T, int]]) -> list[list[T]]:
        """Divide things, each with its image's size in bytes, into requests."""
        requests: list[list[T]] = []
        room = 0.0
        for thing, size in sized:
            if not requests or len(requests[-1]) == self._per_request or size > room:
                requests.append([])
                room = self._most_bytes
            requests[-1].append(thing)
            room -= size
        return requests

    def close(self) -> None:
        """Close ledger, rate limit and recording; may be called twice."""
        with self._opening:
            for book in (*(self._books or ()), self._turns):
                if book is not None and book is not _ACCOUNTS.get(self.options._run):
                    book.close()
            self._books = self._turns = None

    def _own(self, table: Mapping[str, T], default: T) -> T:
        """Return the provider's setting under its own name, else under the one that its class has."""
        return next((table[name] for name in self._names if name in table), default)

    def _terms(self) -> Terms:
        """Return the terms of one `ask`; an emulator may have been started since the previous one.

        Raises:
            NotConfigured: there is a monthly budget but no ledger to record it.
            LedgerError: the ledger cannot be opened.
        """
        emulated = is_emulator(self.provider.endpoint)
        with self._opening:
            if self._books is None:
                ledger, record = self._ledger(emulated), self.options.record
                is_ledger = ledger.path and record and record.resolve() == ledger.path.resolve()
                self._books = ledger, None if record is None or is_ledger else Ledger(record)
        own_rate = None if emulated else getattr(self.provider, "rate", None)  # an emulator has no quota
        rate = self._own(self._config.rates, own_rate)
        return Terms(self, *self._books, emulated, rate, self.unrecorded)

    def _ledger(self, emulated: bool) -> Ledger:
        """Open the ledger; without a file, engines with one ``max_cost`` share one in memory."""
        path = self.options.ledger
        if path == "default":
            path = self._config.ledger_file
        if path != "none":
            return Ledger(Path(path), fresh=self.options.fresh)
        if self._config.budget.per_month is not None and not emulated:
            raise errors.NotConfigured("a monthly budget needs the ledger; leave out --no-ledger")
        if self.options.max_cost is None:
            return Ledger(None)
        maker, mark, _ = self.options._run.partition(":")
        if mark and int(maker) != os.getpid():
            raise errors.NotConfigured(
                "max_cost holds in several processes only with a ledger; name its file"
            )
        return _ACCOUNTS.get(self.options._run) or _ACCOUNTS.setdefault(self.options._run, Ledger(None))

    def turn_s(self, endpoint: str | None, rate: float) -> float:
        """Book the next turn in the queue of this user's threads and processes; return the seconds to wait.

        If the queue's file cannot be used, the limit holds for this engine only, with a warning.
        """
        queue = f"{self.name} {endpoint}"
        with self._opening:
            is_first = self._turns is None
            try:
                self._turns = self._turns or Ledger(config.default_ledger().with_name("rate.sqlite"))
                wait = self._turns.book(queue, rate)
            except (errors.LedgerError, errors.NotConfigured) as error:  # damaged, locked, no home
                log.warning("other commands do not share the rate limit of %s: %s", self.name, error)
                self._turns = Ledger(None)
                wait = self._turns.book(queue, rate)
        if is_first and wait > LONG_WAIT_S:
            told = "%s waits %.0f s for turns of other commands, even ended ones ([rates])"
            log.warning(told, self.name, wait)
        return wait

    def usd_by_tokens(self, outcome: object) -> float | None:
        """Return the price in US dollars of an answer's tokens; without a count the price of the most."""
        cost = self.counted_usd(outcome)
        return self.price if cost is None else cost

    def counted_usd(self, outcome: object) -> float | None:
        """Return the cost in US dollars of the tokens of an answer, usable or not; None: unknown."""
        raw = getattr(outcome, "raw", None)
        provider, price = self.provider, self.tokens
        if price is None or not isinstance(raw, dict) or not isinstance(provider, Metered):
            return None

        def counted() -> float | None:
            tokens = provider.tokens(Answer(raw=raw))
            return price.usd(*tokens) if tokens is not None and min(tokens) >= 0 else None

        cost = caught(provider, counted)
        return None if isinstance(cost, DigitrecError) else cost


def _where_a_price_is_set(provider: Provider) -> str:
    name = registry.registered_name(provider)
    if isinstance(provider, Metered):
        return f'set those of its tokens in {config.config_path()}: [tokens."{provider.model}"] input, output'
    if name in registry.found():
        return f"set it in {config.config_path()}: [prices] {name} = US dollars for one image"
    return "give the provider its `price`"  # the configuration file accepts registered names only


@dataclass(slots=True)
class Terms:
    """The settings and resources shared by all requests of one `ask`."""

    remote: Remote
    """The provider and its options."""
    ledger: Ledger
    """The ledger of calls and answers."""
    recording: Ledger | None
    """The recording to write; None: no recording."""
    emulated: bool
    """True if an emulator answers."""
    rate: float | None
    """Requests per second; None: unlimited."""
    error: DigitrecError | None = None
    """The error that stops all further images, because it applies to each of them."""
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set when the caller gave up: no new attempt may start."""

    def recorded(self, entry: Entry) -> Outcome:
        """Add an answer to the recording and return it.

        If that fails, stop asking, and return the error if the ledger has the answer: a repetition is free.
        """
        if self.recording is not None:
            try:
                self.recording.keep(entry)
            except errors.LedgerError as error:
                log.warning("an answer of %s is not in the recording: %s", self.remote.name, error)
                self.error = self.remote.unrecorded = error
                if self.ledger.find([entry.question]) != [None]:
                    return error
        return entry.answer

    def replay(self, entry: Entry, item: Item) -> None:
        """Make a stored answer an item's reply, and record it under the hash of the item's own file."""
        item.settle(self.recorded(replace(entry, question=item.question)), replayed=True)

    def timed_out(self, what: str) -> errors.TimedOut:
        """Return the error of an image whose time ran out."""
        name = self.remote.name
        return errors.TimedOut(f"{name} {what}, or allow more with --timeout", provider=name)

    def late(self) -> errors.TimedOut:
        """Return the error of an image that was not answered within its timeout."""
        return self.timed_out(f"gave no answer within {self.remote.options.timeout:g} s; try again")


class Item:
    """One image until its reply, with the costs of its attempts."""

    claim: Claim
    """The latest claim."""

    def __init__(self, image: PreparedImage, question: Question) -> None:
        self.image = image
        self.question = question
        self.reply: Reply | None = None
        self.error: DigitrecError | None = None  # the error of the latest attempt
        self.unanswered: Claim | None = None  # of a call that was given up but is not recorded yet
        self.started = time.monotonic()
        self._attempts = 0
        self.costs: dict[int, float | None] = {}  # by claim id, for each attempt that may have been billed
        self._settling = threading.Lock()

    def sent(self) -> None:
        """Record the start of an attempt, which counts as paid until it is known to be free."""
        self._attempts += 1
        self.costs.setdefault(self.claim.id, self.claim.cost_usd)

    def settle(self, outcome: Outcome, *, replayed: bool = False) -> None:
        """Set the reply, unless a late answer has already set it."""
        with self._settling:
            if self.reply is not None:
                return
            emulated = self.question.emulated
            cost = 0.0 if emulated else total(list(self.costs.values()))
            latency = time.monotonic() - self.started
            self.reply = Reply(outcome, latency, cost, self._attempts, replayed, emulated)


def open_items(items: Sequence[Item]) -> list[Item]:
    """Return the items without a reply."""
    return [item for item in items if item.reply is None]


class Request:
    """Gets a reply for each of its items, in its own thread."""

    def __init__(self, items: Sequence[Item], terms: Terms) -> None:
        self._items = items
        self._terms = terms
        self._deadline = math.inf  # in seconds of `time.monotonic`; every wait for a turn postpones it
        self._given_up: errors.TimedOut | None = None  # of the latest call whose outcome may still arrive

    def run(self) -> Sequence[Item]:
        """Settle every item and return all items; this is the only retry loop."""
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
                failures = 0  # no further attempt: each item keeps its latest error
                for item in open_items(self._items):
                    if item.error is not None:
                        item.settle(item.error)
        except errors.LedgerError as error:  # no further question may be asked
            for item in open_items(self._items):
                item.settle(error)
        return self._items

    @property
    def _left_s(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self._deadline - time.monotonic()

    def _attempt(self) -> DigitrecError | None:
        """Make one call about all open items; return the error if it is retryable."""
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
        """Claim the open items and return those to ask now; wait for those of other threads."""
        terms = self._terms
        while waiting := open_items(self._items):
            if terms.error is not None or terms.stopped.is_set() or self._left_s <= 0:
                for item in waiting:
                    item.settle(item.error or terms.error or terms.late())
                break
            for item in waiting:
                if item.unanswered is not None:  # it counts as paid now; its answer may still arrive
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
                self._deadline += LOOK_S  # waiting for another's answer does not count
                terms.stopped.wait(LOOK_S)
        return []

    def _is_ours(self, item: Item, verdict: Verdict) -> bool:
        """Act on the ledger's verdict; return True if this request may ask about the item."""
        if isinstance(verdict, Entry):
            self._terms.replay(verdict, item)
        elif isinstance(verdict, errors.BudgetExceeded):
            item.settle(verdict)
        elif isinstance(verdict, Claim):
            item.claim = verdict
            return True
        return False

    def _may_ask(self, claimed: Sequence[Item]) -> bool:
        """Wait for the rate limit; if nothing may be sent, release the claims and return False."""
        too_short = self._too_short(claimed)
        if too_short is None and self._take_turn(claimed) and self._terms.error is None:
            return True
        error = too_short or self._terms.error or self._terms.late()
        for item in claimed:
            paid = item.claim.token is not None  # an earlier run has paid for it
            cost = None if paid else 0.0
            self._terms.ledger.failed(item.claim, type(error).__name__, unknown=paid, cost_usd=cost)
            item.settle(item.error or error)
        return False

    def _too_short(self, claimed: Sequence[Item]) -> DigitrecError | None:
        """Return the error if too little time is left to ask at all, else None."""
        return None

    def _take_turn(self, claimed: Sequence[Item]) -> bool:
        """Wait for the rate limit and extend the claims; return False if the caller gave up."""
        terms = self._terms
        if terms.rate is None:
            return not terms.stopped.is_set()
        wait = terms.remote.turn_s(claimed[0].question.endpoint, terms.rate)
        self._deadline += wait
        return self._pause(claimed, wait)

    def _pause(self, claimed: Sequence[Item], seconds: float) -> bool:
        """Wait and extend the claims; return False if the caller gave up."""
        if seconds > 0:
            self._terms.ledger.extend([item.claim for item in claimed], seconds + self._terms.remote.lease_s)
        return not self._terms.stopped.wait(seconds)

    def _ask(self, claimed: Sequence[Item]) -> Sequence[Outcome]:
        """Make one call for all claimed items."""
        provider, images = self._terms.remote.provider, [item.image for item in claimed]
        given = self._call(claimed, lambda timeout: read_many(provider, images, timeout=timeout))
        return given if isinstance(given, list) else [given] * len(claimed)

    def _call(self, claimed: Sequence[Item], ask: Callable[[float], Given]) -> Given | DigitrecError:
        """Return the result of ``ask``, a function of the timeout in seconds, or an error after the timeout.

        An abandoned call sends nothing more. If the answer to a request that it sent still arrives, the
        call's thread records it.

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
                if isinstance(outcome, Answer | DigitrecError):  # neither an order's token nor a poll's wait
                    self._book(item, claim, outcome)

        running = in_thread(run)
        until = time.monotonic() + timeout + GRACE_S
        # Meanwhile an earlier abandoned call may bring the answers.
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
        """Record an outcome that arrived in time; make it the reply unless it is retryable."""
        self._book(item, item.claim, outcome)
        if isinstance(outcome, Answer):
            return
        item.error = outcome
        if isinstance(outcome, errors.NotConfigured | errors.NotInstalled):
            self._terms.error = outcome
        if not isinstance(outcome, RETRIED):
            item.settle(outcome)

    def _book(self, item: Item, claim: Claim, outcome: Outcome) -> None:
        """Record the outcome of a call, even a late one; an answer becomes the reply if there is none yet."""
        remote = self._terms.remote
        cost = remote.counted_usd(outcome)
        if cost is not None:
            item.costs[claim.id] = cost
        if isinstance(outcome, DigitrecError):
            self._book_failure(item, claim, outcome, cost)
            return
        with self._recorded():
            self._terms.ledger.answered(claim, outcome, cost_usd=cost)
        if item.reply is None:  # a late answer is only in the ledger
            price = remote.price if cost is None else cost
            item.settle(self._terms.recorded(Entry(item.question, outcome, time.time(), price)))

    def _book_failure(self, item: Item, claim: Claim, error: DigitrecError, cost: float | None) -> None:
        unknown = may_be_billed(error)
        if cost is not None:  # there was an answer, but an unusable one
            unknown = False
        elif claim.token is not None:
            unknown = not ends_order(error)
        elif not unknown:
            cost = item.costs[claim.id] = 0.0
        with self._recorded():
            self._terms.ledger.failed(claim, type(error).__name__, unknown=unknown, cost_usd=cost)

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """Log an error of the ledger that occurs inside, and continue.

        So a paid answer is shown even if it cannot be recorded. The next claim fails too, so no more is
        spent.
        """
        try:
            yield
        except errors.LedgerError as error:
            log.warning("an outcome of %s could not be recorded: %s", self._terms.remote.name, error)


class OrderedRequest(Request):
    """A request about one image; each of its calls waits for its own turn."""

    @property
    def _provider(self) -> Any:
        """The provider, which is a `Resumable`."""
        return self._terms.remote.provider

    def _too_short(self, claimed: Sequence[Item]) -> DigitrecError | None:
        poll_s = self._provider.poll_s
        if claimed[0].claim.token is not None or self._left_s > poll_s + SHORTEST_CALL_S:
            return None
        return self._terms.timed_out(f"was not asked: its answer takes {poll_s:g} s; raise the timeout")

    def _ask(self, claimed: Sequence[Item]) -> Sequence[Outcome]:
        """Order the answer unless an earlier run did, and poll until it is ready."""
        (item,) = claimed
        if item.claim.token is None:
            token = self._order(item)
            if not isinstance(token, str):
                return [token]
            item.claim = replace(item.claim, token=token)
            if not self._wait(item, self._provider.poll_s):
                return [self._not_ready(self._provider.poll_s)]
        while isinstance(outcome := self._poll(item), float):
            if self._left_s <= outcome + SHORTEST_CALL_S or not self._wait(item, outcome):
                return [self._not_ready(outcome)]
        return [outcome]

    def _order(self, item: Item) -> str | DigitrecError:
        """Order the answer, and record the order's token at once."""
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
            if given is None or is_number(given):
                return max(float(provider.poll_s), float(given or 0))
            return usable(provider, given)

        return self._call([item], poll)

    def _wait(self, item: Item, seconds: float) -> bool:
        """Wait for the poll interval and the rate limit."""
        return self._pause([item], seconds) and self._take_turn([item])

    def _not_ready(self, wait_s: float) -> errors.TimedOut:
        again = "at no further cost" if self._terms.ledger.path else "which costs again without a ledger"
        error = self._terms.timed_out(f"has not finished in time; try again ({again})")
        error.retry_after = wait_s
        return error


# Retries

RETRIED = (errors.RateLimited, errors.Unavailable, errors.TimedOut)
"""Errors after which the same request may succeed.

Others need a person (`AuthFailed`), a new period (`QuotaExceeded`), or would come again (`Rejected`); after a
`BadAnswer` or a provider's own error the call may have been billed.
"""

UNSENT = (errors.NotConfigured, errors.NotInstalled, errors.Unreachable)
"""Errors of calls that were not sent, which are free."""
REFUSED = (errors.AuthFailed, errors.QuotaExceeded, errors.Rejected)
"""Errors of calls that the vendor refused, which are free too."""
FIRST_WAIT_S = 0.5
"""The wait before the second attempt is random, from 0 to this; the limit doubles for each attempt."""
LONG_WAIT_S = 10.0
"""Wait for other commands' requests of which the user is told, in seconds."""
LONGEST_WAIT_S = 8.0
"""Maximum random wait."""
FOREVER_S = 1e9
"""Maximum wait that a provider may ask for, in seconds."""


def may_be_billed(error: DigitrecError) -> bool:
    """Return whether the vendor may have done the work although its answer did not arrive.

    A request that was never sent is free: the transport records the first byte (``error.sent``); for a
    provider without such a record, the class of the error decides. A status outside 200..299 means that the
    vendor itself reports a failed call, and failed calls are not billed. Any other call may be billed.
    """
    if getattr(error, "sent", None) is False or isinstance(error, UNSENT + REFUSED):
        return False
    if isinstance(error, errors.TimedOut) or not isinstance(error, errors.ProviderError):
        return True
    if isinstance(error, errors.BadAnswer) and not _is_http(error.status):
        return True
    return error.status is None or error.status in range(200, 300)


def ends_order(error: DigitrecError) -> bool:
    """Return whether an error of a poll ends the order.

    It does if the vendor reports that the operation failed (`Rejected` without an HTTP status) or no longer
    exists (404, 410). Any other error affects only the poll.
    """
    if not isinstance(error, errors.Rejected):
        return False
    return error.status in (404, 410) or not _is_http(error.status)


def _is_http(status: object) -> bool:
    return isinstance(status, int) and 100 <= status < 600


def asked_wait_s(error: Exception) -> float:
    """Return the seconds that the provider asks to wait, >= 0; 0 if it gave no usable number."""
    said = getattr(error, "retry_after", None)
    if isinstance(said, bool) or not isinstance(said, int | float) or not said > 0:
        return 0.0
    return float(min(said, FOREVER_S))


def wait_s(error: Exception, attempt: int, draw: Callable[[float, float], float] = random.uniform) -> float:
    """Return the seconds to wait after a failed attempt.

    The wait has full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): it is
    random, from 0 to an exponentially growing limit, but never less than the provider asks for.

    Args:
        error: the error of the attempt; its ``retry_after`` is respected.
        attempt: number of the attempt, from 1.
        draw: returns a random number between its two arguments.
    """
    bound = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(attempt - 1, 10))
    return max(asked_wait_s(error), draw(0.0, bound))
