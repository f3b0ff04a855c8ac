"""What every policy does: who is asked, what it costs, how long it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import digitrec
from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison.consensus import Consensus
from digitrec.comparison.fallback import Fallback
from digitrec.comparison.policy import EnginePolicy
from digitrec.comparison.race import WINDOW
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine, Options
from digitrec.errors import BudgetExceeded, ImageError, Unavailable
from digitrec.image import ImageRef
from digitrec.providers.base import Price

from .engines import answer, engines, sure

DOWN = Unavailable("down")


POLICIES = [lambda two: Fallback(two, below=0.9), lambda two: Consensus(two, 2)]


@pytest.mark.parametrize("policy", POLICIES)
def test_all_failing_is_the_last_failure_at_the_cost_of_all(
    policy: Callable[[list[Engine]], EnginePolicy],
) -> None:
    two = policy(engines("1", "2"))
    first = Failure(ImageRef("x.png", "00"), "a", DOWN, latency_s=1.0, cost_usd=0.25, attempts=3)
    last = replace(first, provider="b", error=Unavailable("also down"), latency_s=0.5, attempts=1)
    outcome = two.on_answers([first, last])
    assert isinstance(outcome, Failure)
    assert (outcome.error, outcome.provider) == (last.error, two.name)
    assert outcome.latency_s == (1.5 if isinstance(two, Fallback) else 1.0)
    assert (outcome.cost_usd, outcome.attempts) == (0.5, 4)
    (failed,) = policy(engines(DOWN, DOWN)).stream([drawn_seven()])
    assert isinstance(failed, Failure)


@pytest.mark.parametrize("lenient", [False, True])
def test_a_look_alike_is_a_digit_only_where_that_is_asked_for(lenient: bool) -> None:
    policy = Fallback(engines("S"), below=0.5)
    outcomes = [
        *digitrec.predict_many([drawn_seven()], policy, lenient=lenient),
        *policy.stream([drawn_seven()]),
    ]
    found = [outcome.digit for outcome in outcomes if isinstance(outcome, Prediction)]
    assert found == [5 if lenient else None, None]


def test_an_engine_given_twice_is_refused() -> None:
    (one, other) = engines("1", "2")
    with pytest.raises(ValueError, match="a, b, a"):
        Fallback([one, other, one], below=0.9)


def test_closing_a_policy_closes_its_engines() -> None:
    class Closing(FakeProvider):
        closed = False

        def close(self) -> None:
            self.closed = True

    providers = [Closing(name="a"), Closing(name="b")]
    with Fallback([Engine(provider) for provider in providers], below=0.9) as policy:
        assert isinstance(policy, Fallback)
        assert not any(provider.closed for provider in providers)
    assert all(provider.closed for provider in providers)


def test_an_unreadable_picture_asks_nobody(tmp_path: Path) -> None:
    members = engines("7", "7")
    (outcome,) = digitrec.predict_many([tmp_path / "none.png"], Fallback(members, below=0.9))
    assert isinstance(outcome, Failure)
    assert isinstance(outcome.error, ImageError)
    assert (outcome.provider, Path(outcome.image.source).name) == ("a>b@0.9", "none.png")


def test_each_picture_is_decided_for_itself_and_only_unsure_ones_are_passed_on() -> None:
    first = FakeProvider([sure(1, 0.99), sure(2, 0.1), sure(3, 0.99)], name="first")
    second = FakeProvider([sure(8, 0.99)], name="second")
    pictures = [np.full((30, 30 + number), 255, np.uint8) for number in range(3)]
    outcomes = digitrec.predict_many(pictures, Fallback([Engine(first), Engine(second)], below=0.9))
    assert [outcome.digit for outcome in outcomes if isinstance(outcome, Prediction)] == [1, 8, 3]
    assert second.calls == 1


def test_the_budget_of_an_engine_ends_its_turn_not_the_policys() -> None:
    price = Price(0.01, "test")
    paid = FakeProvider([sure(9, 0.99)], name="paid", price=price, endpoint="http://127.0.0.1:9")
    unsure = FakeProvider([sure(7, 0.5)], name="unsure")
    policy = Fallback([Engine(unsure), Engine(paid, Options(max_cost=0.015, ledger="none"))], below=0.9)
    pictures = [np.full((30, 30 + number), 255, np.uint8) for number in range(3)]
    outcomes = [
        outcome for outcome in digitrec.predict_many(pictures, policy) if isinstance(outcome, Prediction)
    ]
    assert sorted(outcome.digit or 0 for outcome in outcomes) == [7, 7, 9]
    assert paid.calls == 1
    refusals = [
        answer.error for outcome in outcomes for answer in outcome.asked if isinstance(answer, Failure)
    ]
    assert [type(error) for error in refusals] == [BudgetExceeded, BudgetExceeded]
    assert sum(outcome.cost_usd or 0 for outcome in outcomes) == pytest.approx(0.01)
    policy.close()


def test_time_money_and_origin_of_all_who_were_asked_add_up() -> None:
    first = answer("a", 7, 0.1, latency_s=1.0, cost_usd=0.5, attempts=2, replayed=True, emulated=True)
    second = answer("b", 7, 0.95, latency_s=2.0, cost_usd=0.25, calibrated=0.95)
    policy = Fallback(engines("1", "2"), below=0.9)
    both = policy.on_answers([first, second])
    assert isinstance(both, Prediction)
    assert (both.latency_s, both.cost_usd, both.attempts) == (3.0, 0.75, 3)
    assert (both.provider, both.emulated, both.replayed, both.calibrated) == ("a>b@0.9", True, False, None)
    unknown = policy.on_answers([replace(first, cost_usd=None), replace(second, replayed=True)])
    assert isinstance(unknown, Prediction)
    assert (unknown.cost_usd, unknown.replayed) == (None, True)
    alone = Fallback(engines("1"), below=0.5).on_answers([answer("a", 7, 0.1, calibrated=0.8)])
    assert isinstance(alone, Prediction)
    assert (alone.calibrated, alone.asked[0].provider) == (0.8, "a")


def test_those_asked_together_take_as_long_as_the_slowest() -> None:
    said = [answer(name, digit, 0.9, latency_s=seconds) for name, digit, seconds in
            [("a", 7, 1.0), ("b", 1, 3.0), ("c", 7, 2.0)]]  # fmt: skip
    assert Consensus(engines("1", "2", "3"), 2).on_answers(said).latency_s == 5.0


def test_pictures_are_taken_as_they_are_needed() -> None:
    taken = []
    pictures = (taken.append(number) or drawn_seven() for number in range(10 * WINDOW))  # type: ignore[func-returns-value]
    policy = Consensus(engines("S", "S"), 2)
    first = next(policy.stream(pictures))
    assert isinstance(first, Prediction)
    assert (first.digit, len(taken)) == (None, WINDOW)
