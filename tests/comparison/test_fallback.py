"""The next engine is asked only while nobody is sure."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

import digitrec
from digitrec.answer import Answer
from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison.fallback import Fallback
from digitrec.comparison.policy import EnginePolicy
from digitrec.emulator.kit import Line, drawn_seven
from digitrec.errors import Unavailable
from digitrec.recognise import Outcome

from .engines import answer, asked, engines, sure

NOTHING = Answer()
DOWN = Unavailable("down")


@pytest.mark.parametrize(
    ("lines", "digit", "who"),
    [
        ([sure(7, 0.95), sure(1, 0.99)], 7, ["a"]),
        ([sure(7, 0.9), sure(1, 0.99)], 7, ["a"]),
        ([sure(7, 0.5), sure(1, 0.99)], 1, ["a", "b"]),
        ([sure(7, 0.5), sure(1, 0.4)], 7, ["a", "b"]),
        ([sure(7, None), sure(1, 0.99)], 1, ["a", "b"]),
        ([sure(7, None), sure(1, 0.4)], 7, ["a", "b"]),
        ([DOWN, sure(1, 0.99)], 1, ["a", "b"]),
        ([NOTHING, sure(1, 0.99)], 1, ["a", "b"]),
        ([NOTHING, sure(1, 0.5)], 1, ["a", "b"]),
        ([sure(7, 0.4), sure(1, 0.5)], 1, ["a", "b"]),
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


def test_a_threshold_that_is_no_chance_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^the threshold below which the next engine is asked"):
        Fallback(engines("1", "2"), below=1.5)


def test_only_an_engine_that_named_a_digit_without_a_chance_is_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = [DOWN, NOTHING, sure(7, 0.95)]
    with caplog.at_level(logging.WARNING):
        digitrec.predict_many([drawn_seven()], Fallback(engines(*said), below=0.9))
    assert [record.getMessage().split()[0] for record in caplog.records] == ["c"]


def test_a_sure_answer_wins_over_one_that_gives_no_chance_at_all() -> None:
    said = [answer("a", 7, None), answer("b", 1, 0.4)]
    outcome = Fallback(engines("1", "2"), below=0.3).on_answers(said)
    assert isinstance(outcome, Prediction)
    assert outcome.digit == 1, "no chance counts a half where nobody is sure, and here somebody is"


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_without_a_digit_it_is_the_first_refusal(failing: int) -> None:
    said: list[Outcome] = [replace(answer(name, None, None), reason=name) for name in "abc"]
    said[failing] = Failure(said[0].image, "abc"[failing], DOWN)
    outcome = Fallback(engines("1", "2", "3"), below=0.9).on_answers(said)
    assert isinstance(outcome, Prediction)
    assert outcome.reason == ("b" if failing == 0 else "a")


def test_with_nothing_but_failures_it_is_the_last() -> None:
    image = answer("a", None, None).image
    errors = [Unavailable(name) for name in "abc"]
    said = [Failure(image, "x", error) for error in errors]
    outcome = Fallback(engines("1", "2", "3"), below=0.9).on_answers(said)
    assert isinstance(outcome, Failure)
    assert outcome.error is errors[2]


@pytest.mark.parametrize(("below", "name"), [(0, "a>b@0"), (0.95, "a>b@0.95"), (1, "a>b@1")])
def test_it_is_called_by_its_engines_and_its_threshold(below: float, name: str) -> None:
    assert Fallback(engines("1", "2"), below=below).name == name


def test_a_look_alike_is_no_digit_unless_that_is_asked_for() -> None:
    policy = Fallback(engines("S"), below=0.5)
    outcomes = [*policy.stream([drawn_seven()]), *policy.stream([drawn_seven()], lenient=True)]
    assert [outcome.digit for outcome in outcomes if isinstance(outcome, Prediction)] == [None, 5]


def test_a_picture_at_which_all_fail_takes_only_its_own_place() -> None:
    (failed,) = Fallback(engines(DOWN, DOWN), below=0.5).stream([drawn_seven()])
    assert isinstance(failed, Failure)
    assert failed.error is DOWN
