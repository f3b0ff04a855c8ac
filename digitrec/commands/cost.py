"""``--dry-run``: estimate the cost of a command without asking an engine."""

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
    """The requests and cost for one engine."""

    provider: str
    """Name of the engine."""
    given: int
    """Number of images, >= 0."""
    images: int
    """Number of images that can be sent, >= 0."""
    replayed: int
    """Number of images already answered, or equal to another, >= 0."""
    requests: int
    """Number of requests to send if no request fails, >= 0."""
    cost_usd: float | None
    """US dollars for them before any free allowance; None: unknown."""
    configured: bool
    """Whether it can be asked; if not, the ledger is not consulted."""

    def sentence(self) -> str:
        """Format the estimate as a sentence."""
        cost = "an unknown amount" if self.cost_usd is None else f"${self.cost_usd:.4f}"
        unknown = "" if self.configured else " (it is not configured, so the ledger was not consulted)"
        return (
            f"{self.provider}: {self.images} of {count(self.given, 'image')} can be sent, {self.replayed} "
            f"{'is' if self.replayed == 1 else 'are'} answered already; {count(self.requests, 'request')} "
            f"would cost {cost} before any free allowance{unknown}"
        )


class _Described(BaseProvider):
    """A provider known by its class only: its input and its price; it cannot be asked."""

    endpoint: str | None = "not known without credentials"

    def __init__(self, name: str) -> None:
        cls = registry.provider_class(name)
        wants = getattr(cls, "wants", None)
        if not isinstance(wants, InputSpec):  # another package's, which needs an instance
            raise NotConfigured(f"{name} needs its credentials for an estimate; configure it first")
        self.name = name
        self.wants = wants
        self.price = getattr(cls, "price", None)
        self.batch = getattr(cls, "batch", 1)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Ignore the environment: no provider needs it here."""
        raise NotConfigured("this provider is not configured, so it cannot be asked")


class Unopened(Engine):
    """Estimates like an engine, without the ledger, whose answers depend on the endpoint."""

    def __init__(self, name: str, options: Options) -> None:
        """Describe the engine of that name.

        Raises:
            NotConfigured: a budget is set and the price unknown, or its class does not declare its input.
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
    """Write a line, object or row for each engine; a sentence for people."""
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
