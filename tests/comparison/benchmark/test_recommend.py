"""The cheapest combination that reaches an accuracy; claims come from the other half of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from comparison.engines import labelled
from sklearn.model_selection import train_test_split
from statsmodels.stats.proportion import proportion_confint

from digitrec.answer.prediction import Failure, Outcome, Prediction
from digitrec.comparison.benchmark.measures import proportion
from digitrec.comparison.benchmark.recommend import Recommendation, recommend
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine, Options
from digitrec.errors import TimedOut
from digitrec.image import ImageRef
from digitrec.providers.base import Price

IMAGE = ImageRef("x", "0")
CHOOSING, REPORTING = train_test_split(range(100), test_size=0.5, random_state=0)
RIGHT, HALF, NEVER = [7] * 100, [7, 1] * 50, [1] * 100
ONCE_WRONG = [1 if place == CHOOSING[0] else 7 for place in range(100)]
LOWEST = proportion(49, 50).low or 0.0


def engine(name: str, price: float | None) -> Engine:
    provider = FakeProvider(name=name, price=None if price is None else Price(price, "test"))
    return Engine(provider, Options(ledger="none"))


def answers(name: str, digits: Sequence[int], seconds: float = 0.1) -> list[Outcome]:
    return [Prediction(IMAGE, name, digit, 0.99, latency_s=seconds) for digit in digits]


def by_chance(name: str, labels: Sequence[int], accuracy: float, unsure: float = 0.3) -> list[Outcome]:
    """Answers that are right with this chance, and less sure if they are wrong."""
    right = np.random.default_rng(ord(name[0])).random(len(labels)) < accuracy
    return [
        Prediction(IMAGE, name, label if is_right else (label + 1) % 10, 0.99 if is_right else unsure)
        for label, is_right in zip(labels, right, strict=True)
    ]


def advice(
    said: dict[str, list[Outcome]], prices: Sequence[float | None], wanted: float, *,
    labels: Sequence[int] = RIGHT, budget: float | None = None,
) -> Recommendation:  # fmt: skip
    engines = {name: engine(name, price) for name, price in zip(said, prices, strict=True)}
    return recommend(said, engines, labelled(labels), wanted, budget)


@pytest.mark.parametrize(
    ("free", "paid", "wanted", "budget", "chosen", "reached"),
    [
        (RIGHT, RIGHT, 0.9, None, "free", True), (NEVER, RIGHT, 0.9, None, "paid", True),
        (NEVER, HALF, 0.9, None, "paid", False), (HALF, HALF, 0.9, None, "free", False),
        (HALF, RIGHT, 0.3, None, "free", True), (HALF, RIGHT, 0.99, None, "paid", False),
        (HALF, RIGHT, 0.9, 0.4, "free", False), (HALF, RIGHT, 0.9, 0.5, "paid", True),
        (ONCE_WRONG, RIGHT, LOWEST, None, "free", True), (RIGHT, RIGHT, 0, None, "free", True),
        (RIGHT, RIGHT, 1, 0, "free", False),
    ],
)  # fmt: skip
def test_the_cheapest_that_reaches_the_target_is_chosen_else_the_nearest(
    free: list[int], paid: list[int], wanted: float, budget: float | None, chosen: str, reached: bool
) -> None:
    said = {"paid": answers("paid", paid), "free": answers("free", free, 0.2)}
    found = advice(said, [0.0005, 0.0], wanted, budget=budget)
    assert found.chosen is not None
    assert (found.chosen.name, found.reached, found.target) == (chosen, reached, wanted)
    assert found.chosen.cost_per_1000 == pytest.approx({"free": 0.0, "paid": 0.5}[chosen])


def test_of_two_that_cost_the_same_the_faster_is_chosen_and_its_mean_time_told() -> None:
    said = {"slow": answers("slow", RIGHT, 2.0), "fast": answers("fast", RIGHT, 0.5)}
    chosen = advice(said, [0.001, 0.001], 0.9).chosen
    assert chosen is not None
    assert (chosen.name, chosen.latency_s) == ("fast", 0.5)


def test_it_is_reported_on_pictures_that_it_was_not_chosen_on() -> None:
    there = [7 if place in set(REPORTING) else 1 for place in range(100)]
    chosen = advice({"e": answers("e", there)}, [0.0], 0.9).chosen
    assert chosen is not None
    assert (chosen.right.hits, chosen.right.n) == (50, 50)
    low, _ = proportion_confint(50, 50, method="wilson")
    assert chosen.right.low == pytest.approx(low)


def test_each_alone_each_fallback_at_each_threshold_and_each_vote_is_tried() -> None:
    found = advice({name: answers(name, RIGHT) for name in "abc"}, [0.0] * 3, 0.9)
    assert found.tried == 3 + 6 * 9 + 3 + 1


def test_a_fallback_and_a_vote_are_chosen_where_they_are_better_than_each_alone() -> None:
    labels = [number % 10 for number in range(800)]
    said = {"free": by_chance("free", labels, 0.9), "cheap": by_chance("cheap", labels, 0.999)}
    fallback = advice(said, [0.0, 0.001], 0.98, labels=labels).chosen
    assert fallback is not None
    assert fallback.name.startswith("free>cheap@")
    assert fallback.cost_per_1000 is not None
    assert fallback.cost_per_1000 < 0.2, "the paid engine is asked only about the unsure tenth"
    boasts = {name: by_chance(name, labels, 0.93, unsure=0.99) for name in "abc"}
    vote = advice(boasts, [0.0] * 3, 0.95, labels=labels)
    assert vote.chosen is not None
    assert (vote.chosen.name, vote.reached) == ("2 of a+b+c", True)


def test_unknown_costs_and_emulators_are_left_out() -> None:
    unknown = advice({"dear": answers("dear", RIGHT)}, [None], 0.9)
    assert (unknown.chosen, unknown.reached, unknown.tried) == (None, False, 1)
    failing: list[Outcome] = [
        Failure(IMAGE, "free", TimedOut("slow")) if place % 2 else Prediction(IMAGE, "free", 7, 0.9)
        for place in range(100)
    ]
    perfect: list[Outcome] = [replace(Prediction(IMAGE, "cloud", 7, 0.9), emulated=True)] * 100
    found = advice({"cloud": perfect, "free": failing}, [0.0, 0.0], 0.9)
    assert found.chosen is not None
    assert (found.chosen.name, found.chosen.right.n, found.tried, found.reached) == ("free", 50, 1, False)
    assert (found.chosen.right.share or 1) < 0.7
    alone = advice({"cloud": perfect}, [0.0], 0.9)
    assert (alone.chosen, alone.tried) == (None, 0)
