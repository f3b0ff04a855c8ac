"""The cheapest way that reaches an accuracy, and no claim beyond what the other half shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from digitrec.benchmark.recommend import Recommendation, recommend
from digitrec.engine import Engine, Options
from digitrec.errors import DataError, TimedOut
from digitrec.image import ImageRef
from digitrec.prediction import Failure, Prediction
from digitrec.providers.base import Price
from digitrec.recognise import Outcome
from digitrec.testing import FakeProvider

PRICES = {"free": 0.0, "cheap": 0.001, "dear": 0.01}


def engine(name: str, price: float | None) -> Engine:
    provider = FakeProvider(name=name, price=None if price is None else Price(price, "test"))
    return Engine(provider, Options(ledger="none"))


def outcomes(
    name: str, labels: Sequence[int], accuracy: float, seed: int, *, honest: bool = True
) -> list[Outcome]:
    """An engine's answers; an honest one is unsure where it is wrong."""
    rng = np.random.default_rng(seed)
    said: list[Outcome] = []
    for label in labels:
        right = rng.random() < accuracy
        sure = 0.99 if right or not honest else 0.3
        said.append(Prediction(ImageRef("x", "0"), name, label if right else (label + 1) % 10, sure))
    return said


def advice(
    n: int, accuracies: dict[str, float], wanted: float, prices: dict[str, float | None] | None = None,
    **options: float,
) -> Recommendation:  # fmt: skip
    labels = [number % 10 for number in range(n)]
    known: dict[str, float | None] = {**PRICES, **(prices or {})}
    said = {
        name: outcomes(name, labels, accuracy, seed)
        for seed, (name, accuracy) in enumerate(accuracies.items())
    }
    engines = {name: engine(name, known[name]) for name in accuracies}
    return recommend(said, engines, labels, wanted, **options)


def test_the_cheapest_that_reaches_it_is_chosen() -> None:
    found = advice(1200, {"free": 0.9, "cheap": 0.999, "dear": 0.999}, 0.98)
    assert found.chosen is not None
    assert found.chosen.name.startswith("free>cheap@")
    assert found.chosen.cost_per_1000 is not None
    assert found.chosen.cost_per_1000 < 0.2, "the paid engine is asked only about the unsure tenth"
    assert found.reached


def test_a_free_engine_that_reaches_it_is_enough() -> None:
    found = advice(800, {"free": 0.99, "dear": 0.999}, 0.95)
    assert found.chosen is not None
    assert (found.chosen.name, found.chosen.cost_per_1000, found.reached) == ("free", 0.0, True)


def test_it_is_reported_on_pictures_that_it_was_not_chosen_on() -> None:
    found = advice(1000, {"free": 0.95}, 0.9)
    assert found.chosen is not None
    assert found.chosen.right.n == 500
    low, _ = proportion_confint(found.chosen.right.hits, 500, method="wilson")
    assert found.chosen.right.low == pytest.approx(low)


def test_reached_means_the_lower_end_of_the_interval() -> None:
    found = advice(200, {"free": 0.99}, 0.985)
    assert found.chosen is not None
    assert found.chosen.right.share is not None
    assert found.chosen.right.share >= 0.985
    assert not found.reached
    needed = found.pictures_needed
    assert needed is not None
    share = found.chosen.right.share
    assert proportion_confint(round(share * needed), needed, method="wilson")[0] >= 0.985
    fewer = needed * 9 // 10
    assert proportion_confint(round(share * fewer), fewer, method="wilson")[0] < 0.985


def test_no_number_of_pictures_shows_what_is_not_there() -> None:
    found = advice(1000, {"free": 0.8}, 0.95)
    assert (found.reached, found.pictures_needed) == (False, None)


def test_what_costs_too_much_or_an_unknown_amount_is_left_out() -> None:
    accuracies = {"free": 0.8, "dear": 0.999}
    assert advice(1000, accuracies, 0.99).chosen is not None
    cheap = advice(1000, accuracies, 0.99, max_per_1000=0.5)
    assert cheap.chosen is not None
    assert cheap.chosen.name == "free"
    unknown = advice(1000, {"dear": 0.999}, 0.99, {"dear": None})
    assert (unknown.chosen, unknown.reached, unknown.pictures_needed) == (None, False, None)


def test_failures_are_not_right_answers() -> None:
    labels = [1] * 100
    failing: list[Outcome] = [
        Failure(ImageRef("x", "0"), "free", TimedOut("slow")) if place % 2 else
        Prediction(ImageRef("x", "0"), "free", 1, 0.9) for place in range(100)
    ]  # fmt: skip
    found = recommend({"free": failing}, {"free": engine("free", 0.0)}, labels, 0.9)
    assert found.chosen is not None
    assert found.chosen.right.n == 50
    assert (found.chosen.right.share or 1) < 0.7


def test_too_few_pictures_are_refused() -> None:
    with pytest.raises(DataError, match=r"too few pictures \(19\)"):
        advice(19, {"free": 0.9}, 0.9)


def test_an_emulated_engine_is_in_no_way_that_is_recommended() -> None:
    labels = [number % 10 for number in range(400)]
    real = outcomes("free", labels, 0.8, 0)
    perfect: list[Outcome] = [
        replace(it, emulated=True) if isinstance(it, Prediction) else it
        for it in outcomes("cheap", labels, 1.0, 1)
    ]
    engines = {name: engine(name, PRICES[name]) for name in ("free", "cheap")}
    found = recommend({"cheap": perfect, "free": real}, engines, labels, 0.99)
    assert found.chosen is not None
    assert (found.chosen.name, found.tried, found.reached) == ("free", 1, False)
    alone = recommend({"cheap": perfect}, engines, labels, 0.99)
    assert (alone.chosen, alone.tried) == (None, 0)
