"""On what terms a provider is asked, and why nothing new may be begun."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from digitrec.answer import Answer
from digitrec.engine.asking import Options
from digitrec.engine.ledger import Budget, Ledger
from digitrec.engine.ledger.recording import Recorder
from digitrec.engine.rate import Limiter
from digitrec.engine.tariff import Tariff
from digitrec.errors import DigitrecError, TimedOut
from digitrec.providers.base import Provider

if TYPE_CHECKING:
    from digitrec.engine.far import FarLedger, FarLimiter

LEASE_MARGIN_S = 2.0
"""A call counts as cut off when it is this much over its own timeout."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a provider is asked: all that its requests share."""

    provider: Provider
    """Whom to ask."""
    options: Options
    """How."""
    ledger: Ledger | FarLedger
    """Where it is written down."""
    limiter: Limiter | FarLimiter
    """Whose turn it is."""
    budget: Budget
    """What may be spent."""
    price: float | None
    """US dollars for one image; None is unknown."""
    rate: float | None
    """Requests a second; None is unlimited."""
    emulated: bool
    """True when an emulator answers."""
    attempt_s: float
    """Seconds for one request, > 0; never more than is left for the image."""
    recorder: Recorder | None = None
    """The recording that is made; None: none is."""
    tariff: Tariff | None = None
    """How an answer's cost is known; None: it is the price."""

    @property
    def lease_s(self) -> float:
        """Seconds for which a call under way keeps others from making the same."""
        return min(self.attempt_s, self.options.timeout) + LEASE_MARGIN_S

    def counted_usd(self, outcome: Answer | DigitrecError) -> float | None:
        """US dollars that an answer, usable or not, cost by its tokens; None: its tokens are not known."""
        raw = getattr(outcome, "raw", None)
        return None if self.tariff is None or not isinstance(raw, dict) else self.tariff.usd(Answer(raw=raw))

    def late(self) -> TimedOut:
        """The error of an image for which the time ran out."""
        said = f"{self.provider.name} gave no answer within {self.options.timeout:g} s"
        return TimedOut(f"{said}; try again, or allow more with --timeout", provider=self.provider.name)


class Halt:
    """Tells the requests of one `ask` that nothing new may be begun; shared by their threads."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self.error: DigitrecError | None = None
        """Why no further image is asked about, where an image has shown that it would be in vain."""

    def stop(self) -> None:
        """Nobody waits for the replies any more."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether nobody waits any more."""
        return self._stopped.is_set()

    def sleep(self, seconds: float) -> bool:
        """Wait; False as soon as nobody waits for the replies any more."""
        return not self._stopped.wait(seconds)
