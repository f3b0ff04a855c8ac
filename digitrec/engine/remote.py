"""A provider that is far away or costs money: asked with ledger, budget, rate limit, retries and deadline."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from digitrec.answer import Answer
from digitrec.engine import config
from digitrec.engine.asking import Estimate, Options, Outcome, Reply
from digitrec.engine.config import TokenPrice
from digitrec.engine.detect import is_emulator
from digitrec.engine.ledger import Budget, Ledger
from digitrec.engine.ledger.records import Question
from digitrec.engine.rate import Limiter
from digitrec.engine.request import Item, OrderedRequest, Request, Terms, open_items
from digitrec.engine.threads import spread
from digitrec.errors import DigitrecError, LedgerError, NotConfigured
from digitrec.image import PreparedImage
from digitrec.providers import registry
from digitrec.providers.base import Adjustable, BaseProvider, Metered, Provider, Resumable


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
        self._opening = threading.Lock()
        self._books: tuple[Ledger, Limiter, Ledger | None] | None = None  # the last one is the recording
        self._unrecorded: DigitrecError | None = None  # the reason why an answer was not recorded
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
        self.budget = Budget(options._run, options.max_cost, self._config.budget.per_month)
        if self.budget.limited and self.price is None:
            raise NotConfigured(
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
            if isinstance(terms.error, LedgerError):
                self._unrecorded = terms.error
        return [item.reply for item in items if item.reply]

    def estimate(self, images: Iterable[PreparedImage]) -> Estimate:
        """Return what `ask` would take; nothing is asked."""
        terms = self._terms()
        ledger = terms.ledger
        seen: set[str] = set()
        count = left = 0
        for image in images:
            question = Question.about(image, self.provider, emulated=terms.emulated)
            again = question.key in seen and ledger.remembers
            left += not again and ledger.find([question]) == [None]
            seen.add(question.key)
            count += 1
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
        return Terms(self, *self._books, emulated, rate, self._unrecorded)

    def _ledger_path(self, emulated: bool) -> Path | None:
        """Return the ledger's file; an emulator costs nothing of a month's budget."""
        if self.options.ledger == "default":
            return self._config.ledger or config.default_ledger()
        if self.options.ledger != "none":
            return Path(self.options.ledger)
        if self._config.budget.per_month is not None and not emulated:
            raise NotConfigured("a monthly budget needs the ledger; leave out --no-ledger")
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
