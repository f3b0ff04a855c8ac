"""``--dry-run``: what a command would cost, found out without asking anybody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import chain
from typing import Self

import click

from digitrec.engine import Engine, Estimate, Options
from digitrec.errors import NotConfigured
from digitrec.errors.text import count
from digitrec.image import ImageSource, InputSpec, PreparedImage
from digitrec.providers import registry
from digitrec.providers.base import BaseProvider
from digitrec.recognise.pipeline import batches
from digitrec.report import rows


@dataclass(frozen=True, slots=True)
class Cost:
    """What one engine would be sent, and for how much."""

    provider: str
    """Name of the engine."""
    given: int
    """How many images there are, >= 0."""
    images: int
    """How many of them can be sent, >= 0."""
    replayed: int
    """How many of these are answered already, or are the same as another, >= 0."""
    requests: int
    """How many requests would be sent if none fails, >= 0."""
    cost_usd: float | None
    """US dollars for them before any free allowance; None is unknown."""
    configured: bool
    """False: it could not be asked yet, so what the ledger holds is not known and not counted."""

    def sentence(self) -> str:
        """Format the estimate as a sentence."""
        cost = "an unknown amount" if self.cost_usd is None else f"${self.cost_usd:.4f}"
        unknown = "" if self.configured else " (it is not configured, so the ledger was not looked into)"
        return (
            f"{self.provider}: {self.images} of {count(self.given, 'image')} can be sent, {self.replayed} "
            f"{'is' if self.replayed == 1 else 'are'} answered already; {count(self.requests, 'request')} "
            f"would cost {cost} before any free allowance{unknown}"
        )


class _Described(BaseProvider):
    """A provider as its class describes it: its form of images and its price, and nothing to ask."""

    endpoint: str | None = "not known without credentials"

    def __init__(self, name: str) -> None:
        cls = registry.provider_class(name)
        wants = getattr(cls, "wants", None)
        if not isinstance(wants, InputSpec):  # another package's, which says it only when it is made
            raise NotConfigured(f"{name} says only with its credentials what it wants; configure it first")
        self.name = name
        self.wants = wants
        self.price = getattr(cls, "price", None)
        self.batch = getattr(cls, "batch", 1)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Ignore the environment: no provider needs it here."""
        raise NotConfigured("what is only described cannot be asked; configure it")


class Unopened(Engine):
    """Estimates as the engine would, but for the ledger: which answers are in it depends on the endpoint."""

    def __init__(self, name: str, options: Options) -> None:
        """Describe the engine of that name.

        Raises:
            NotConfigured: there is a budget and no known price, or its class does not say what it wants.
            UnknownProvider: no provider has that name.
        """
        super().__init__(_Described(name), options)

    def estimate(self, images: Iterable[PreparedImage]) -> Estimate:
        """Estimate asking about these images with an empty ledger; repeated images are asked once."""
        digests = [sha256(image.data).digest() for image in images]
        count, price = len(set(digests)), self.usd_per_image
        requests = -(-count // getattr(self.provider, "batch", 1))
        usd = None if price is None else count * price
        return Estimate(self.provider.name, len(digests), len(digests) - count, requests, usd)


def say(sources: Sequence[ImageSource], engines: Iterable[Engine], form: str = "table") -> None:
    """One line, object or row for each engine; people get a sentence."""
    costs = [_cost(sources, engine) for engine in engines]
    if form in rows.FORMS:
        rows.write_rows([asdict(cost) for cost in costs], form)
        return
    for cost in costs:
        click.echo(f"{'- ' if form == 'markdown' else ''}{cost.sentence()}")


def _cost(sources: Sequence[ImageSource], engine: Engine) -> Cost:
    places = chain.from_iterable(batches(sources, engine))
    found = engine.estimate(place for place in places if isinstance(place, PreparedImage))
    return Cost(given=len(sources), configured=not isinstance(engine, Unopened), **asdict(found))
