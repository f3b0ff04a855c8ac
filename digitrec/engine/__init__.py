"""An engine: a provider with retries, rate limit, budget and ledger.

The parts, in the order in which they handle an image::

    asking.py    Options, Reply, Estimate: how to ask, and the result; one call of a provider
      request.py   a remote or paid provider: price, budget, ledger, the retry loop, what may have cost money,
                   and answers that are ordered first and fetched later
      detect.py    whether an endpoint is an emulator
      threads.py   a bounded map over threads, and cancellation
      replay.py    an engine that answers from a recording
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from copy import copy
from typing import Self

from digitrec.engine.asking import Estimate, Options, Reply, caught, read_many
from digitrec.errors import ImageError, NotConfigured
from digitrec.errors.arguments import said
from digitrec.image import DigitImage, PreparedImage
from digitrec.prepare import prepare
from digitrec.providers import registry
from digitrec.providers.base import ForNumbers, Provider

__all__ = ["Engine", "Estimate", "Options", "Reply"]

PATIENCE_S = 0.2
"""Maximum wait for a full batch on this machine, in seconds; short, so that answers appear soon."""


class Engine:
    """Asks one provider and returns the outcome; a provider's failure is an outcome, never an exception."""

    def __init__(self, provider: str | Provider, options: Options = Options()) -> None:
        """Make the engine; no request is sent and no file is created yet.

        Args:
            provider: a provider, or the registered name of one.
            options: timeouts, attempts, budget and ledger.

        Raises:
            TypeError: an argument is of the wrong type.
            UnknownProvider, NotInstalled, ModelError: no usable provider has this name.
            NotConfigured: the configuration file is wrong, there is a budget but no known price, or an
                attribute of the provider is invalid.
        """
        if not isinstance(options, Options):
            raise TypeError(f"options must be a digitrec.Options, got {said(options)}")
        self.provider = provider = registry.open_provider(provider) if isinstance(provider, str) else provider
        if isinstance(provider, type) or not isinstance(provider, Provider):
            raise TypeError(f"a provider must be a name or a digitrec.Provider, got {said(provider)}")
        if flaw := registry.flaw_of(provider):
            raise NotConfigured(f"the provider {said(provider.name)} cannot be used: {flaw}; tell its author")
        self.options = options
        self.loading_s: float | None = None
        """Seconds that `load` took, >= 0; None before it."""
        self._remote = None
        self._for_numbers: Engine | None = None
        self.batch: int = getattr(provider, "batch", 1)
        """Number of images that `ask` handles best at once; their latency is the mean of one `ask`."""
        self.patience_s: float = PATIENCE_S
        """Seconds to wait for a full batch, >= 0."""
        if provider.endpoint is not None or provider.price is None or provider.price.usd > 0:
            from digitrec.engine.request import Remote

            self._remote = Remote(provider, options)
            self.batch, self.patience_s = self._remote.batch, math.inf

    @property
    def usd_per_image(self) -> float | None:
        """US dollars for one image, from the configuration file or else the provider; None: unknown."""
        if self._remote is not None:
            return self._remote.price
        return None if self.provider.price is None else self.provider.price.usd

    @property
    def for_numbers(self) -> Engine:
        """Return the engine that reads numbers with the same options: this one, or that of `ForNumbers`.

        Raises:
            NotConfigured: the provider reads one digit on 28x28 pixels only.
            DigitrecError: as for `ForNumbers.for_numbers`.
        """
        if self._for_numbers is None:
            provider = _asked_about_numbers(self.provider)
            self._for_numbers = self if provider is self.provider else Engine(provider, self.options)
        return self._for_numbers

    def load(self, image: DigitImage) -> None:
        """Load what preparing and reading the first picture needs; later calls do nothing.

        Without it the first picture's latency would include imports and a network's first run.

        Args:
            image: a picture, which is prepared and then discarded; the provider does not get it.
        """
        if self.loading_s is not None:
            return
        start = time.perf_counter()
        with suppress(ImageError):  # it cannot be sent; its own preparation reports that
            prepare(image, self.provider.wants)
        load = getattr(self.provider, "load", None)
        if load is not None:
            caught(self.provider, load)  # reading reports the error
        self.loading_s = time.perf_counter() - start

    def ask(self, images: Sequence[PreparedImage]) -> list[Reply]:
        """Ask about images; return one reply for each, in order.

        Raises:
            LedgerError: the ledger cannot be opened; no request was sent.
        """
        if self._remote is not None:
            return self._remote.ask(images)
        start = time.perf_counter()
        outcomes = read_many(self.provider, images, timeout=self.options.timeout)
        spent = (time.perf_counter() - start) / max(len(outcomes), 1)
        return [Reply(outcome, spent) for outcome in outcomes]

    def estimate(self, images: Iterable[PreparedImage]) -> Estimate:
        """Estimate the cost of `ask` for these images; send nothing, read each image once and keep none.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        if self._remote is not None:
            return self._remote.estimate(images)
        count = sum(1 for _ in images)
        return Estimate(self.provider.name, count, 0, count, 0.0)

    def __enter__(self) -> Self:
        """Return the engine itself; the ``with`` block closes it at its end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the engine, even after an exception."""
        self.close()

    def close(self) -> None:
        """Release the provider and the ledger; may be called twice."""
        others, self._for_numbers = self._for_numbers, None
        try:
            if self._remote is not None:
                self._remote.close()
            if others is not None and others is not self:
                others.close()
        finally:
            self.provider.close()


def _asked_about_numbers(provider: Provider) -> Provider:
    """Return the provider that reads numbers; it gets the whole picture."""
    if isinstance(provider, ForNumbers):
        return provider.for_numbers()
    if provider.wants.encoding == "mnist":
        raise NotConfigured(
            f"{provider.name} reads one digit on 28x28 pixels, not numbers; name another engine"
        )
    if not provider.wants.crop:
        return provider
    from digitrec.prepare.encode import spec_for

    whole = copy(provider)
    whole.wants = spec_for(provider.wants, "plain")
    return whole
