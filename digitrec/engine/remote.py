"""Asking a provider that is far away or costs money: with ledger, budget, rate, retries and deadline."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from digitrec.engine import config
from digitrec.engine.asking import Estimate, Options, Reply
from digitrec.engine.books import books
from digitrec.engine.detect import is_emulator
from digitrec.engine.item import Item, open_items
from digitrec.engine.ledger import Budget, Ledger, Question
from digitrec.engine.ledger.recording import Recorder
from digitrec.engine.rate import Limiter
from digitrec.engine.request import Request
from digitrec.engine.tariff import tariff_of
from digitrec.engine.terms import Halt, Terms
from digitrec.engine.threads import spread
from digitrec.errors import NotConfigured
from digitrec.image import PreparedImage
from digitrec.providers import registry
from digitrec.providers.base import Adjustable, BaseProvider, Metered, Provider, Resumable

if TYPE_CHECKING:
    from digitrec.engine.far import FarLedger, FarLimiter

Opened = tuple["Ledger | FarLedger", "Limiter | FarLimiter", Recorder | None]
"""What is open while a provider is asked."""


class Remote:
    """The dependable way to one provider."""

    def __init__(self, provider: Provider, options: Options) -> None:
        """Check what is asked for; nothing is opened yet.

        Raises:
            NotConfigured: the configuration file is wrong, or there is a budget and no known price.
        """
        self._provider = provider
        self._options = options
        self._config = options.config or config.load()
        parameters = self._config.parameters.get(provider.name)
        if parameters is not None and isinstance(provider, Adjustable):
            provider.adjust(parameters.leave_out, parameters.max_tokens)
        own = None if provider.price is None else provider.price.usd
        self._tariff = tariff_of(provider, self._config)
        most = None if self._tariff is None else self._tariff.most_usd
        self.price = self._config.prices.get(provider.name, own if most is None else most)
        """US dollars for one image, at most; None is unknown."""
        self._budget = Budget(options.run, options.max_cost, self._config.per_month)
        # What is ordered and fetched is asked about one at a time: each is several requests anyway.
        self._per_request: int = 1 if isinstance(provider, Resumable) else getattr(provider, "batch", 1)
        self.batch = max(16, options.concurrency * self._per_request)
        self._opening = threading.Lock()
        self._opened: Opened | None = None
        if self._budget.limited and self.price is None:
            raise NotConfigured(
                f"the price of {provider.name} is not known, so no budget can be kept; "
                + _where_a_price_is_set(provider)
            )

    def ask(self, images: Sequence[PreparedImage]) -> list[Reply]:
        """One reply for each image, in order; what the ledger holds is not asked again."""
        terms = self._terms()
        items = [Item(it, Question.about(it, self._provider, emulated=terms.emulated)) for it in images]
        for item, entry in zip(items, terms.ledger.find([item.question for item in items]), strict=True):
            if entry is not None:
                item.replay(entry)
                if terms.recorder is not None:
                    terms.recorder.add(entry)
        self._run(open_items(items), terms)
        return [item.reply for item in items if item.reply]

    def _run(self, items: Sequence[Item], terms: Terms) -> None:
        """Settle every item; those whose threads do not come back in time as TimedOut."""
        size = self._per_request
        halt = Halt()
        requests = [Request(items[at : at + size], terms, halt) for at in range(0, len(items), size)]
        try:
            for _ in spread(requests, Request.run, at_once=self._options.concurrency):
                pass
        finally:
            halt.stop()  # after Ctrl-C no thread begins another attempt
        for item in open_items(items):
            item.settle(terms.late())

    def estimate(self, images: Iterable[PreparedImage]) -> Estimate:
        """What `ask` would take; nothing is asked."""
        terms = self._terms()
        seen: set[str] = set()
        count = left = 0
        for image in images:
            question = Question.about(image, self._provider, emulated=terms.emulated)
            again = question.key in seen and terms.ledger.remembers
            left += not again and terms.ledger.find([question]) == [None]
            seen.add(question.key)
            count += 1
        cost = None if self.price is None else left * self.price
        requests = -(-left // self._per_request)
        return Estimate(self._provider.name, count, count - left, requests, cost)

    def close(self) -> None:
        """Close the ledger and the queue; may be called twice.

        Raises:
            LedgerError: an answer could not be written into the recording; it is in the ledger.
        """
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None:
            ledger, limiter, recorder = opened
            ledger.close()
            limiter.close()
            if recorder is not None:
                recorder.close()

    def _terms(self) -> Terms:
        """The terms of one `ask`; an emulator may have been started since the last."""
        emulated = is_emulator(self._provider.endpoint)
        ledger, limiter, recorder = self._open(emulated)
        own = (
            None if emulated else getattr(self._provider, "rate", None)
        )  # an emulator has no quota of its own
        rate = self._config.rates.get(self._provider.name, own)
        return Terms(
            self._provider,
            self._options,
            ledger,
            limiter,
            self._budget,
            self.price,
            rate,
            emulated,
            self._attempt_s(),
            recorder,
            self._tariff,
        )

    def _attempt_s(self) -> float:
        """Seconds for one request: by the options, else the configuration, else the provider."""
        if self._options.attempt_timeout is not None:
            return self._options.attempt_timeout
        own: float = getattr(self._provider, "attempt_timeout", BaseProvider.attempt_timeout)
        return self._config.attempt_timeouts.get(self._provider.name, own)

    def _open(self, emulated: bool) -> Opened:
        with self._opening:
            if self._opened is None:
                record = self._options.record
                recorder = (
                    None if record is None else Recorder(record)
                )  # fails now, or not after money was spent
                if self._options.owner is None:
                    self._opened = (*books(self._options, self._config, emulated=emulated), recorder)
                else:
                    from digitrec.engine.far import FarLedger, FarLimiter  # few keep their books elsewhere

                    owner = self._options.owner
                    self._opened = (FarLedger(owner), FarLimiter(owner), recorder)
            return self._opened


def _where_a_price_is_set(provider: Provider) -> str:
    name = provider.name
    if isinstance(provider, Metered):
        return f'set those of its tokens in {config.config_path()}: [tokens."{provider.model}"] input, output'
    if name in registry.names():
        return f"set it in {config.config_path()}: [prices] {name} = US dollars for one image"
    return "give the provider its `price`"  # the configuration takes registered names only
