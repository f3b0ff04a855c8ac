"""An engine: a provider, and all that makes asking it dependable."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from digitrec.answer import Answer
from digitrec.errors import ProviderError
from digitrec.image import PreparedImage
from digitrec.providers.base import Provider


@dataclass(frozen=True, slots=True)
class Options:
    """How an engine asks its provider."""

    timeout: float = 30.0
    """Seconds for one image, waiting and retries included, > 0."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of asking about one image."""

    outcome: Answer | ProviderError
    """The answer, or why there is none."""
    latency_s: float
    """Seconds from asking to this reply, >= 0."""
    cost_usd: float | None = 0.0
    """US dollars spent; None is unknown."""
    attempts: int = 1
    """How many times the provider was asked."""
    replayed: bool = False
    """True when it came from the ledger."""
    emulated: bool = False
    """True when an emulator said it."""


class Engine:
    """Asks one provider, and tells what came of it; never raises for a provider's failure."""

    def __init__(self, provider: Provider, options: Options = Options()) -> None:
        self.provider = provider
        self.options = options
        self.batch = 256 if provider.endpoint is None else 16

    def ask(self, images: Sequence[PreparedImage]) -> list[Reply]:
        """One reply for each image, in order."""
        start = time.perf_counter()
        outcomes = self.provider.read_many(images, timeout=self.options.timeout)
        spent = (time.perf_counter() - start) / max(len(outcomes), 1)
        return [Reply(outcome, spent) for outcome in outcomes]

    def close(self) -> None:
        """Release the provider."""
        self.provider.close()
