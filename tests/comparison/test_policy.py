"""Policies: who is asked, what follows, and what it costs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import digitrec
from digitrec.comparison.policy import Consensus, EnginePolicy, Fallback
from digitrec.engine import Engine, Options
from digitrec.errors import BudgetExceeded, ImageError, Unavailable
from digitrec.image import ImageRef
from digitrec.prediction import Failure, Prediction
from digitrec.providers.answer import Answer, Candidate
from digitrec.providers.base import Price
from digitrec.recognise import Outcome
from digitrec.testing import FakeProvider, Line, drawn_seven

NOTHING = Answer()
DOWN = Unavailable("down")


def sure(digit: int, score: float | None) -> Answer:
    return Answer((Candidate(str(digit), score),))


def engines(*lines: Line) -> list[Engine]:
    return [Engine(FakeProvider([line], name="abc"[place])) for place, line in enumerate(lines)]


def asked(outcome: Outcome) -> list[str]:
    assert isinstance(outcome, Prediction)
    return [answer.provider for answer in outcome.asked]


@pytest.mark.parametrize(
    ("lines", "digit", "who"),
    [
        ([sure(7, 0.95), sure(1, 0.99)], 7, ["a"]),
        ([sure(7, 0.9), sure(1, 0.99)], 7, ["a"]),
        ([sure(7, 0.5), sure(1, 0.99)], 1, ["a", "b"]),
        ([sure(7, 0.5), sure(1, 0.4)], 7, ["a", "b"]),
        ([sure(7, None), sure(1, 0.99)], 1, ["a", "b"]),
        ([DOWN, sure(1, 0.99)], 1, ["a", "b"]),
        ([NOTHING, sure(1, 0.99)], 1, ["a", "b"]),
        ([sure(7, 0.5), DOWN], 7, ["a", "b"]),
        ([NOTHING, DOWN, NOTHING], None, ["a", "b", "c"]),
    ],
)
def test_fallback_asks_on_only_while_nobody_is_sure(
    lines: Sequence[Line], digit: int | None, who: list[str]
) -> None:
    outcome = digitrec.predict(drawn_seven(), Fallback(engines(*lines), below=0.9))
    assert outcome.digit == digit
    assert asked(outcome) == who


@pytest.mark.parametrize(
    ("lines", "agree", "digit", "reason", "who"),
    [
        ([sure(7, 0.9), sure(7, 0.5), sure(1, 0.9)], 2, 7, None, ["a", "b"]),
        ([sure(7, 0.9), sure(1, 0.5), sure(7, 0.9)], 2, 7, None, ["a", "b", "c"]),
        ([sure(7, 0.9), sure(1, 0.5), sure(2, 0.9)], 2, None, "engines disagree", ["a", "b", "c"]),
        ([sure(7, 0.9), sure(1, 0.5), sure(7, 0.9)], 3, None, "engines disagree", ["a", "b", "c"]),
        ([sure(7, 0.9), DOWN, sure(7, 0.9)], 2, 7, None, ["a", "b", "c"]),
        ([NOTHING, NOTHING, sure(7, 0.9)], 2, None, "no text", ["a", "b"]),
    ],
)
def test_consensus_asks_until_enough_agree(
    lines: Sequence[Line], agree: int, digit: int | None, reason: str | None, who: list[str]
) -> None:
    outcome = digitrec.predict(drawn_seven(), Consensus(engines(*lines), agree))
    assert (outcome.digit, outcome.reason) == (digit, reason)
    assert asked(outcome) == who


def test_consensus_stops_when_agreement_is_no_longer_possible() -> None:
    four = [Engine(FakeProvider([line], name=line)) for line in "1234"]
    outcome = digitrec.predict(drawn_seven(), Consensus(four, 3))
    assert asked(outcome) == ["1", "2", "3"]


def test_the_confidence_of_a_consensus_is_the_mean_of_those_who_agree() -> None:
    lines = [sure(7, 0.9), sure(1, 1.0), sure(7, 0.5)]
    assert digitrec.predict(drawn_seven(), Consensus(engines(*lines), 2)).confidence == pytest.approx(0.7)


def test_all_failing_is_the_last_failure() -> None:
    with pytest.raises(Unavailable, match="also down"):
        digitrec.predict(drawn_seven(), Fallback(engines(DOWN, Unavailable("also down")), below=0.9))


def test_an_unreadable_picture_asks_nobody(tmp_path: Path) -> None:
    members = engines("7", "7")
    (outcome,) = digitrec.predict_many([tmp_path / "none.png"], Fallback(members, below=0.9))
    assert isinstance(outcome, Failure)
    assert isinstance(outcome.error, ImageError)


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


def answer(name: str, digit: int | None, confidence: float | None, **values: object) -> Prediction:
    return Prediction(ImageRef("x.png", "00"), name, digit, confidence, **values)  # type: ignore[arg-type]


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


def test_the_calibrated_chance_decides_where_there_is_one() -> None:
    said = [answer("a", 7, 0.99, calibrated=0.6), answer("b", 1, 0.2, calibrated=0.95)]
    outcome = Fallback(engines("1", "2"), below=0.9).on_answers(said)
    assert isinstance(outcome, Prediction)
    assert outcome.digit == 1
    assert outcome.calibrated is None, "after asking on, b's chance is no longer the chance of being right"


def test_an_uncalibrated_engine_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    policy: EnginePolicy = Fallback(engines(sure(7, 0.95), sure(1, 0.99)), below=0.9)
    with caplog.at_level(logging.WARNING):
        digitrec.predict_many([drawn_seven(), drawn_seven()], policy)
    assert [record.getMessage() for record in caplog.records] == [
        "a is not calibrated: its own confidence is compared with 0.9, and that is not a chance of being "
        "right; run `digitrec calibrate -p a DATA` first"
    ]


@pytest.mark.parametrize("agree", [0, 1, 4])
def test_an_impossible_consensus_is_refused(agree: int) -> None:
    with pytest.raises(ValueError, match="cannot agree among 3"):
        Consensus(engines("1", "2", "3"), agree)


def test_a_threshold_that_is_no_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Fallback(engines("1", "2"), below=90)


def test_a_consensus_of_many_has_a_short_name() -> None:
    assert Consensus(engines("1", "2", "3"), 2).name == "2 of a+b+c"
    assert Consensus([*engines("1", "2", "3"), *engines("4")], 2).name == "2 of 4 engines"


@pytest.mark.parametrize(
    ("said", "digit", "reason", "who"),
    [
        ([("a", 7, True), ("b", 7, True), ("c", 3, False)], None, "emulated answers do not vote", "abc"),
        ([("a", 3, False), ("b", 7, True), ("c", 7, True)], None, "emulated answers do not vote", "abc"),
        ([("a", 3, False), ("b", 7, True), ("c", 3, False)], 3, None, "abc"),
        ([("a", 3, False), ("b", 3, True), ("c", 7, False)], None, "emulated answers do not vote", "abc"),
        ([("a", 7, True), ("b", 7, True), ("c", 1, True)], 7, None, "abc"),
        ([("a", 7, True), ("b", 1, True), ("c", 2, True)], None, "engines disagree", "abc"),
    ],
)
def test_emulators_vote_only_where_nobody_else_answers(
    said: list[tuple[str, int, bool]], digit: int | None, reason: str | None, who: str
) -> None:
    answers = [answer(name, value, 0.9, emulated=emulated) for name, value, emulated in said]
    outcome = Consensus(engines("1", "2", "3"), 2).on_answers(answers)
    assert isinstance(outcome, Prediction)
    assert (outcome.digit, outcome.reason, "".join(asked(outcome))) == (digit, reason, who)
    assert outcome.emulated, "an emulator had a part in it"
