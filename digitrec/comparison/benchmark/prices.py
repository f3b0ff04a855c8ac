"""What answers cost by the vendors' price lists, whoever paid for them and whenever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from digitrec.answer.prediction import Failure, Outcome, Prediction
from digitrec.comparison.policy import EnginePolicy
from digitrec.engine import Engine, config
from digitrec.recognise.readers import Reader

Prices = Mapping[str, float | None]
"""US dollars for one picture by engine; None is unknown."""


def price_list(readers: Iterable[Reader]) -> dict[str, float | None]:
    """The price of every engine in these, the configuration's over the provider's own."""
    engines = [
        engine for reader in readers
        for engine in (reader.engines if isinstance(reader, EnginePolicy) else [reader])
        if isinstance(engine, Engine)
    ]  # fmt: skip
    return {engine.provider.name: _price(engine) for engine in engines}


def _price(engine: Engine) -> float | None:
    own = engine.provider.price
    settings = engine.options._config or config.load()
    return settings.prices.get(engine.provider.name, None if own is None else own.usd)


def list_price(outcome: Outcome, prices: Prices) -> float | None:
    """US dollars for the outcome if it were bought now, at the first attempt; None is unknown.

    An answer from the ledger costs what it would cost without it, an emulator's what the vendor takes.
    A failure, and a refusal for which no engine was asked, cost nothing.
    """
    if isinstance(outcome, Prediction) and outcome.asked:
        return total([list_price(answer, prices) for answer in outcome.asked])
    if isinstance(outcome, Failure) or not (outcome.attempts or outcome.replayed):
        return 0.0
    return prices.get(outcome.provider)


def per_1000(outcomes: Sequence[Outcome], prices: Prices) -> float | None:
    """US dollars for 1,000 such answers, failures left out; None is unknown, or there are none."""
    answers = [outcome for outcome in outcomes if isinstance(outcome, Prediction)]
    whole = total([list_price(answer, prices) for answer in answers])
    return None if whole is None or not answers else round(1000 * whole / len(answers), 9)  # no noise of sums


def total(costs: Sequence[float | None]) -> float | None:
    """The sum, unknown when one of them is."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
