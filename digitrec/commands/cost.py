"""``--dry-run``: estimate the cost of a command without asking an engine."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import chain

from digitrec.engine import Engine, Estimate
from digitrec.errors import NotConfigured
from digitrec.errors.text import count
from digitrec.image import ImageSource, InputSpec, PreparedImage
from digitrec.providers import registry
from digitrec.providers.base import BaseProvider
from digitrec.recognise.pipeline import batches
from digitrec.report import rows


@dataclass(frozen=True, slots=True)
class Cost(Estimate):
    """The requests and cost for one engine."""

    given: int
    """Number of images, >= 0; ``images`` of them can be sent."""
    configured: bool
    """Whether the engine can be asked; if not, the ledger is not consulted."""

    def sentence(self, *, is_most: bool = False) -> str:
        """Format the estimate as a sentence; with ``is_most`` it may cost less."""
        cost = "an unknown amount" if self.cost_usd is None else f"${self.cost_usd:.4f}"
        cost = f"at most {cost}" if is_most and self.cost_usd else cost
        unknown = "" if self.configured else " (it is not configured, so the ledger was not consulted)"
        return (
            f"{self.provider}: {self.images} of {count(self.given, 'image')} can be sent, {self.replayed} "
            f"{'is' if self.replayed == 1 else 'are'} answered already; {count(self.requests, 'request')} "
            f"would cost {cost} before any free allowance{unknown}"
        )


class Described(BaseProvider):
    """A provider of which only the class is known, with its input and price; it cannot be asked."""

    endpoint: str | None = "not known without credentials"

    def __init__(self, name: str) -> None:
        """Describe the provider of that name.

        Raises:
            NotConfigured: its class does not declare its input.
            UnknownProvider: no provider has that name.
        """
        cls = registry.provider_class(name)
        wants = getattr(cls, "wants", None)
        if not isinstance(wants, InputSpec):  # a class of another package may need an instance
            raise NotConfigured(f"{name} needs its credentials for an estimate; configure it first")
        self.name = name
        self.wants = wants
        self.price = getattr(cls, "price", None)
        self.batch = getattr(cls, "batch", 1)
        self.batch_bytes = getattr(cls, "batch_bytes", math.inf)


def say(
    sources: Sequence[ImageSource], engines: Sequence[Engine], form: str = "table", sure: int | None = None,
    *, sent: Callable[[ImageSource], ImageSource] | None = None,
) -> None:  # fmt: skip
    """Write each engine's estimate: a sentence in a table, else an object or a row.

    Only the first ``sure`` engines (None: all) are asked about every picture; the others may cost less. A
    language model's estimate is the most that its answers may cost. ``sent`` returns what an engine gets of
    a source.
    """
    costs = [_cost(sources, engine, sent) for engine in engines]
    bullet = "- " if form == "markdown" else ""
    later = engines[len(engines) if sure is None else sure :]
    mosts = [engine in later or engine.usd_by_tokens is not None for engine in engines]
    lines = (f"{bullet}{cost.sentence(is_most=is_most)}" for cost, is_most in zip(costs, mosts, strict=True))
    rows.write_rows([asdict(cost) for cost in costs], form, table=lines)


def _cost(
    sources: Sequence[ImageSource], engine: Engine, sent: Callable[[ImageSource], ImageSource] | None
) -> Cost:
    places = chain.from_iterable(batches(map(sent, sources) if sent else sources, engine))
    found = engine.estimate(place for place in places if isinstance(place, PreparedImage))
    return Cost(**asdict(found), given=len(sources), configured=not isinstance(engine.provider, Described))
