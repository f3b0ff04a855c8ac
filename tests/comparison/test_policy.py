"""What every policy does: who is asked, what it costs, how long it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import digitrec
from digitrec.answer import Answer, Candidate
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


@pytest.mark.parametrize("policy", [lambda two: Fallback(two, below=0.9), lambda two: Consensus(two, 2)])
def test_all_failing_is_the_last_failure(policy: Callable[[list[Engine]], EnginePolicy]) -> None:
    with pytest.raises(Unavailable, match="also down"):
        digitrec.predict(drawn_seven(), policy(engines(DOWN, Unavailable("also down"))))


def test_what_one_failed_at_costs_what_the_others_cost() -> None:
    failed = Failure(ImageRef("x.png", "00"), "a", DOWN, latency_s=1.0, cost_usd=0.25, attempts=3)
    last = replace(failed, provider="b", latency_s=0.5, attempts=1)
    outcome = Fallback(engines("1", "2"), below=0.9).on_answers([failed, last])
    assert isinstance(outcome, Failure)
    assert (outcome.provider, outcome.latency_s) == ("a>b@0.9", 1.5)
    assert (outcome.cost_usd, outcome.attempts) == (0.5, 4)


@pytest.mark.parametrize("lenient", [False, True])
def test_a_look_alike_is_a_digit_only_where_that_is_asked_for(lenient: bool) -> None:
    policy = Fallback(engines(Answer((Candidate("S", 0.95),))), below=0.9)
    (outcome,) = digitrec.predict_many([drawn_seven()], policy, lenient=lenient)
    assert isinstance(outcome, Prediction)
    assert outcome.digit == (5 if lenient else None)
    (unasked,) = policy.stream([drawn_seven()])
    assert isinstance(unasked, Prediction)
    assert unasked.digit is None


def test_an_answer_is_replayed_where_all_were_and_keeps_its_chance_where_one_was_asked() -> None:
    first = answer("a", 7, 0.1, replayed=True)
    both = [Fallback(engines("1", "2"), below=0.9).on_answers([first, answer("b", 7, 0.95, replayed=it)])
            for it in (True, False)]  # fmt: skip
    assert [outcome.replayed for outcome in both if isinstance(outcome, Prediction)] == [True, False]
    alone = Fallback(engines("1"), below=0.5).on_answers([answer("a", 7, 0.1, calibrated=0.8)])
    assert isinstance(alone, Prediction)
    assert (alone.calibrated, alone.asked[0].provider) == (0.8, "a")


def test_an_engine_given_twice_is_refused() -> None:
    (one, other) = engines("1", "2")
    with pytest.raises(ValueError, match=r"^an engine is given twice: a, b, a$"):
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


def test_time_and_money_of_all_who_were_asked_add_up() -> None:
    said = [
        answer("a", 7, 0.1, latency_s=1.0, cost_usd=0.5, attempts=2),
        answer("b", 7, 0.95, latency_s=2.0, cost_usd=0.25, emulated=True),
    ]
    outcome = Fallback(engines("1", "2"), below=0.9).on_answers(said)
    assert isinstance(outcome, Prediction)
    assert (outcome.latency_s, outcome.cost_usd, outcome.attempts) == (3.0, 0.75, 3)
    assert outcome.emulated
    assert outcome.provider == "a>b@0.9"


def test_those_asked_together_take_as_long_as_the_slowest() -> None:
    said = [answer(name, digit, 0.9, latency_s=seconds) for name, digit, seconds in
            [("a", 7, 1.0), ("b", 1, 3.0), ("c", 7, 2.0)]]  # fmt: skip
    outcome = Consensus(engines("1", "2", "3"), 2).on_answers(said)
    assert outcome.latency_s == 5.0
    assert outcome.provider == "2 of a+b+c"


def test_an_unknown_cost_stays_unknown() -> None:
    said = [answer("a", 7, 0.1, cost_usd=None), answer("b", 7, 0.95, cost_usd=0.25)]
    assert Fallback(engines("1", "2"), below=0.9).on_answers(said).cost_usd is None


def test_what_one_of_them_was_is_told_of_all_together() -> None:
    first = answer("a", 7, 0.1, emulated=True, calibrated=0.1)
    last = answer("b", 7, 0.95, replayed=True, calibrated=0.95)
    outcome = Fallback(engines("1", "2"), below=0.9).on_answers([first, last])
    assert isinstance(outcome, Prediction)
    assert (outcome.emulated, outcome.replayed, outcome.calibrated) == (True, False, None)


def test_pictures_are_taken_as_they_are_needed() -> None:
    taken = []
    pictures = (taken.append(number) or drawn_seven() for number in range(10 * WINDOW))  # type: ignore[func-returns-value]
    policy = Consensus(engines("S", "S"), 2)
    first = next(policy.stream(pictures))
    assert isinstance(first, Prediction)
    assert (first.digit, len(taken)) == (None, WINDOW)
