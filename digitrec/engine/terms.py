"""What all requests of one `ask` share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from digitrec.answer import Answer
from digitrec.engine.asking import Options
from digitrec.engine.books import Books
from digitrec.engine.config import TokenPrice
from digitrec.engine.ledger import Budget
from digitrec.errors import DigitrecError, TimedOut
from digitrec.providers.base import Metered, Provider

LEASE_MARGIN_S = 2.0
"""Seconds after its timeout at which a call counts as cut off."""


@dataclass(slots=True)
class Terms:
    """What all requests of one `ask` share."""

    provider: Provider
    """The provider to ask."""
    options: Options
    """How to ask it."""
    books: Books
    """Where calls and turns are recorded."""
    budget: Budget
    """What may be spent."""
    price: float | None
    """US dollars for one image, at most; None is unknown."""
    token_price: TokenPrice | None
    """Price of the provider's tokens; None: an answer costs ``price``."""
    rate: float | None
    """Requests a second; None is unlimited."""
    emulated: bool
    """True when an emulator answers."""
    attempt_s: float
    """Seconds for one request, > 0."""
    error: DigitrecError | None = None
    """Why no further image is asked about: an error that every image would meet."""
    stopped: threading.Event = field(default_factory=threading.Event)
    """Set when the caller waits no more: nothing new is begun."""

    @property
    def lease_s(self) -> float:
        """Seconds for which a call under way keeps others from making the same."""
        return min(self.attempt_s, self.options.timeout) + LEASE_MARGIN_S

    def counted_usd(self, outcome: Answer | DigitrecError) -> float | None:
        """Return the cost of an answer's tokens in US dollars, also of an unusable one; None is unknown."""
        raw = getattr(outcome, "raw", None)
        if self.token_price is None or not isinstance(raw, dict) or not isinstance(self.provider, Metered):
            return None
        tokens = self.provider.tokens(Answer(raw=raw))
        return None if tokens is None else self.token_price.usd(*tokens)

    def late(self) -> TimedOut:
        """Return the error of an image for which the time ran out."""
        said = f"{self.provider.name} gave no answer within {self.options.timeout:g} s"
        return TimedOut(f"{said}; try again, or allow more with --timeout", provider=self.provider.name)
