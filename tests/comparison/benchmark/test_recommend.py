"""The cheapest way that reaches an accuracy, and no claim beyond what the other half shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.model_selection import train_test_split
from statsmodels.stats.proportion import proportion_confint

from digitrec.answer.prediction import Failure, Outcome, Prediction
from digitrec.comparison.benchmark.measures import proportion
from digitrec.comparison.benchmark.recommend import Option, Recommendation, recommend
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine, Options
from digitrec.errors import DataError, TimedOut
from digitrec.image import ImageRef
from digitrec.providers.base import Price

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


def timed(name: str, digits: Sequence[int], seconds: float) -> list[Outcome]:
    return [Prediction(ImageRef("x", "0"), name, digit, 0.99, latency_s=seconds) for digit in digits]


def advice(
    n: int, accuracies: dict[str, float], wanted: float, prices: dict[str, float | None] | None = None,
    **options: float | None,
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
    _, reporting = train_test_split(range(1000), test_size=0.5, random_state=0)
    there = [7 if place in set(reporting) else 1 for place in range(1000)]
    again = recommend({"e": timed("e", there, 0.1)}, {"e": engine("e", 0.0)}, [7] * 1000, 0.9)
    assert again.chosen is not None
    assert again.chosen.right.hits == 500, "the same halves each time"


@pytest.mark.parametrize(("names", "tried"), [("a", 1), ("ab", 2 + 2 * 9 + 1), ("abc", 3 + 6 * 9 + 3 + 1)])
def test_each_alone_each_fallback_at_each_threshold_and_each_vote_is_tried(names: str, tried: int) -> None:
    assert advice(20, dict.fromkeys(names, 0.9), 0.9, dict.fromkeys(names, 0.0)).tried == tried


def test_two_of_three_that_err_apart_are_better_than_each() -> None:
    labels = [number % 10 for number in range(2000)]
    said = {name: outcomes(name, labels, 0.9, seed, honest=False) for seed, name in enumerate("abc")}
    found = recommend(said, {name: engine(name, 0.0) for name in "abc"}, labels, 0.95)
    assert found.chosen is not None
    assert (found.chosen.name, found.reached) == ("2 of a+b+c", True)


def test_of_two_that_cost_the_same_the_faster_is_chosen_and_its_mean_time_told() -> None:
    labels = [1] * 100
    said = {"slow": timed("slow", labels, 2.0), "fast": timed("fast", labels, 0.5)}
    found = recommend(said, {name: engine(name, 0.001) for name in said}, labels, 0.9)
    assert found.chosen is not None
    assert (found.chosen.name, found.chosen.latency_s) == ("fast", 0.5)
    assert found.chosen.cost_per_1000 == pytest.approx(1.0)


def test_where_none_reaches_it_the_nearest_is_chosen_and_of_two_as_near_the_cheaper() -> None:
    labels = [1] * 100
    half = [1, 2] * 50
    said = {"dear": timed("dear", half, 0.1), "cheap": timed("cheap", half, 0.1)}
    found = recommend(said, {name: engine(name, PRICES[name]) for name in said}, labels, 0.9)
    assert found.chosen is not None
    assert (found.chosen.name, found.reached) == ("cheap", False)


RIGHT, HALF, NEVER = [7] * 100, [7, 1] * 50, [1] * 100


@pytest.mark.parametrize(
    ("free", "paid", "wanted", "chosen"),
    [
        (RIGHT, RIGHT, 0.9, "free"), (NEVER, RIGHT, 0.9, "paid"), (NEVER, HALF, 0.9, "paid"),
        (HALF, HALF, 0.9, "free"), (HALF, RIGHT, 0.3, "free"), (HALF, RIGHT, 0.99, "paid"),
    ],
)  # fmt: skip
def test_what_is_free_is_cheaper_than_half_a_cent_and_what_is_never_right_reaches_nothing(
    free: list[int], paid: list[int], wanted: float, chosen: str
) -> None:
    said = {"paid": timed("paid", paid, 0.1), "free": timed("free", free, 0.2)}
    found = recommend(said, {"paid": engine("paid", 0.0005), "free": engine("free", 0.0)}, RIGHT, wanted)
    assert found.chosen is not None
    assert found.chosen.name == chosen


def test_choosing_too_the_lower_end_may_be_the_accuracy_itself() -> None:
    choosing, _ = train_test_split(range(100), test_size=0.5, random_state=0)
    once_wrong = [1 if place == choosing[0] else 7 for place in range(100)]
    said = {"free": timed("free", once_wrong, 0.1), "paid": timed("paid", RIGHT, 0.1)}
    wanted = proportion(49, 50).low
    assert wanted is not None
    found = recommend(said, {"free": engine("free", 0.0), "paid": engine("paid", 0.1)}, RIGHT, wanted)
    assert found.chosen is not None
    assert found.chosen.name == "free"


def test_an_amount_that_may_just_be_spent_is_allowed() -> None:
    found = advice(100, {"cheap": 0.9}, 0.5, budget=1.0)
    assert found.chosen is not None


@pytest.mark.parametrize("accuracy", [0.2, 0.5, 0.9, 0.985, 0.999])
def test_so_many_pictures_all_of_them_right_show_it(accuracy: float) -> None:
    """Wilson's lower end of n out of n is n / (n + z^2)."""
    chosen = Option("e", proportion(10, 10), 0.0, 1.0)
    needed = Recommendation(accuracy, chosen, 1).pictures_needed
    assert needed == math.ceil(norm.ppf(0.975) ** 2 * accuracy / (1 - accuracy))


def test_so_many_pictures_show_it_to_the_last_digit() -> None:
    thirty = proportion(30, 30).low
    assert thirty is not None
    assert Recommendation(thirty, Option("e", proportion(10, 10), 0.0, 1.0), 1).pictures_needed == 30


def test_a_share_that_is_only_just_there_is_never_shown() -> None:
    assert Recommendation(0.5, Option("e", proportion(5, 10), 0.0, 1.0), 1).pictures_needed is None


def test_reaching_it_to_the_last_digit_is_reaching_it() -> None:
    chosen = Option("e", proportion(9, 10), 0.0, 1.0)
    assert chosen.right.low is not None
    assert Recommendation(chosen.right.low, chosen, 1).reached


@pytest.mark.parametrize(
    ("accuracy", "amount", "error", "told"),
    [
        (1.5, None, ValueError, "target"), (-0.1, None, ValueError, "target"),
        ("high", None, TypeError, "target"), (0.9, -0.1, ValueError, "budget"),
        (0.9, "much", TypeError, "budget"),
    ],
)  # fmt: skip
def test_what_is_no_accuracy_or_no_amount_is_refused(
    accuracy: float, amount: float | None, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=f"^{told}"):
        advice(20, {"free": 0.9}, accuracy, budget=amount)


@pytest.mark.parametrize(("accuracy", "amount"), [(0, None), (1, None), (0.9, 0)])
def test_the_ends_of_both_ranges_are_allowed(accuracy: float, amount: float | None) -> None:
    assert advice(20, {"free": 0.9}, accuracy, budget=amount).chosen is not None


def test_reached_means_the_lower_end_of_the_interval() -> None:
    found = advice(200, {"free": 0.99}, 0.985)
    assert found.chosen is not None
    assert found.chosen.right.share is not None
    assert found.chosen.right.share >= 0.985
    assert not found.reached
    needed = found.pictures_needed
    assert needed is not None
    share = found.chosen.right.share
    assert proportion_confint(share * needed, needed, method="wilson")[0] >= 0.985
    assert proportion_confint(share * (needed - 1), needed - 1, method="wilson")[0] < 0.985


def test_no_number_of_pictures_shows_what_is_not_there() -> None:
    found = advice(1000, {"free": 0.8}, 0.95)
    assert (found.reached, found.pictures_needed) == (False, None)


def test_what_costs_too_much_or_an_unknown_amount_is_left_out() -> None:
    accuracies = {"free": 0.8, "dear": 0.999}
    assert advice(1000, accuracies, 0.99).chosen is not None
    cheap = advice(1000, accuracies, 0.99, budget=0.5)
    assert cheap.chosen is not None
    assert cheap.chosen.name == "free"
    unknown = advice(1000, {"dear": 0.999}, 0.99, {"dear": None})
    assert (unknown.chosen, unknown.reached, unknown.pictures_needed) == (None, False, None)
    assert (unknown.target, unknown.tried) == (0.99, 1)


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
    told = r"^too few pictures \(19\) to choose on one half and report on the other$"
    with pytest.raises(DataError, match=told):
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
