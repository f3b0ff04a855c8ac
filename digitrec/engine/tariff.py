"""What an answer of a provider cost that is paid by the token."""

from __future__ import annotations

from dataclasses import dataclass

from digitrec.answer import Answer
from digitrec.engine.config import Config, TokenPrice
from digitrec.providers.base import Metered, Provider


@dataclass(frozen=True, slots=True)
class Tariff:
    """A provider's tokens, and their price."""

    provider: Metered
    """Who counts them."""
    price: TokenPrice
    """What they cost."""

    @property
    def most_usd(self) -> float:
        """US dollars that one image costs at most, as far as is known: what a budget sets aside."""
        return self.price.usd(*self.provider.most_tokens)

    def usd(self, answer: Answer) -> float | None:
        """US dollars that an answer cost; None where its tokens were not counted."""
        tokens = self.provider.tokens(answer)
        return None if tokens is None else self.price.usd(*tokens)


def tariff_of(provider: Provider, config: Config) -> Tariff | None:
    """The tariff of a provider; None where an image has one price, or no price of its tokens is known."""
    if not isinstance(provider, Metered) or provider.name in config.prices:
        return None
    price = config.tokens.get(provider.model)
    return None if price is None else Tariff(provider, price)
