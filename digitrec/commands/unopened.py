"""What asking an engine would cost, for someone who has no keys yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Self

from digitrec import config
from digitrec.engine import Engine, Estimate, Options
from digitrec.errors import NotConfigured
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers import registry
from digitrec.providers.base import BaseProvider


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
        """There is none: nothing of the environment is needed."""
        raise NotConfigured("what is only described cannot be asked; configure it")


class Unopened(Engine):
    """Estimates as the engine would, but for the ledger: which answers are in it depends on the endpoint."""

    def __init__(self, name: str, options: Options) -> None:
        """Describe the engine of that name.

        Raises:
            NotConfigured: there is a budget and no known price, or its class does not say what it wants.
            UnknownProvider: there is none of that name.
        """
        super().__init__(_Described(name), options)

    def estimate(self, images: Iterable[PreparedImage]) -> Estimate:
        """What asking about these images would take if the ledger held none; the same one is asked once."""
        count, different = 0, set()
        for image in images:
            count += 1
            different.add(sha256(image.data).digest())
        provider = self.provider
        own = None if provider.price is None else provider.price.usd
        price = (self.options.config or config.load()).prices.get(provider.name, own)
        left = len(different)
        requests = -(-left // getattr(provider, "batch", 1))
        return Estimate(provider.name, count, count - left, requests, None if price is None else left * price)
