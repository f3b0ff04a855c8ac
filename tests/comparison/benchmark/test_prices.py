"""List prices: the same whoever paid, and whenever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from digitrec.answer.prediction import Outcome, Prediction
from digitrec.comparison.benchmark.prices import list_price, per_1000, price_list
from digitrec.comparison.fallback import Fallback
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine, Options
from digitrec.engine.config import Config
from digitrec.providers.base import Price

Said = Callable[..., list[Outcome]]


def test_the_configuration_knows_better_than_the_provider() -> None:
    configured = Options(ledger="none", _config=Config(prices={"b": 0.5}))
    one = Engine(FakeProvider(name="a", price=Price(0.001, "list")), Options(ledger="none"))
    other = Engine(FakeProvider(name="b", price=None), configured)
    unknown = Engine(FakeProvider(name="c", price=None), Options(ledger="none"))
    assert price_list([Fallback([one, other], 0.9), unknown]) == {"a": 0.001, "b": 0.5, "c": None}


def test_what_was_not_asked_costs_nothing_and_what_was_replayed_does(said: Said) -> None:
    gated, replayed, failed = [*said(None, attempts=0), *said(7, attempts=0, replayed=True), *said("!")]
    prices = [list_price(outcome, {"e": 0.25}) for outcome in (gated, replayed, failed)]
    assert prices == [0.0, 0.25, 0.0]


def test_a_policy_costs_what_those_cost_that_it_asked(said: Said) -> None:
    (first, second) = (replace(said(7)[0], provider=name) for name in "ab")
    both = Prediction(first.image, "a>b", 7, 0.9, asked=(first, second))
    alone = replace(both, asked=(first,))
    assert per_1000([both, alone], {"a": 0.001, "b": 0.002}) == pytest.approx(2.0)
    assert per_1000([both, alone], {"a": 0.001, "b": None}) is None
    assert per_1000([], {}) is None


def test_the_price_of_1000_is_exact_to_the_last_digit_that_anybody_writes(said: Said) -> None:
    assert per_1000(said(*[7] * 50), {"e": 0.001}) == 1.0, "though 50 times 0.001 add up to a little more"
    assert per_1000(said(*[7] * 7), {"e": 0.0000015}) == 0.0015
