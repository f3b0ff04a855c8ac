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
from digitrec.emulator.kit import Line, drawn_seven
from digitrec.errors import Unavailable
from digitrec.recognise import Outcome

from .engines import answer, asked, engines, sure

NOTHING = Answer()
DOWN = Unavailable("down")


@pytest.mark.parametrize(
    ("lines", "digit", "who"),
    [
        ([sure(7, 0.95), sure(1, 0.99)], 7, "a"),
        ([sure(7, 0.9), sure(1, 0.99)], 7, "a"),
        ([sure(7, 0.5), sure(1, 0.99)], 1, "ab"),
        ([sure(7, 0.5), sure(1, 0.4)], 7, "ab"),
        ([sure(7, None), sure(1, 0.99)], 1, "ab"),
        ([sure(7, None), sure(1, 0.4)], 7, "ab"),
        ([DOWN, sure(1, 0.99)], 1, "ab"),
        ([NOTHING, sure(1, 0.99)], 1, "ab"),
        ([NOTHING, sure(1, 0.5)], 1, "ab"),
        ([sure(7, 0.4), sure(1, 0.5)], 1, "ab"),
        ([sure(7, 0.5), DOWN], 7, "ab"),
        ([NOTHING, DOWN, NOTHING], None, "abc"),
    ],
)
def test_the_next_engine_is_asked_only_while_nobody_is_sure(
    lines: Sequence[Line], digit: int | None, who: str
) -> None:
    outcome = digitrec.predict(drawn_seven(), Fallback(engines(*lines), below=0.9))
    assert (outcome.digit, "".join(asked(outcome))) == (digit, who)


@pytest.mark.parametrize(
    ("below", "first", "second", "why"),
    [
        (0.9, {"confidence": 0.99, "calibrated": 0.6}, {"confidence": 0.2, "calibrated": 0.95},
         "the calibrated chance decides"),
        (0.3, {"confidence": None}, {"confidence": 0.4},
         "no chance counts a half where nobody is sure, and here the second is"),
    ],
)  # fmt: skip
def test_a_sure_answer_wins(
    below: float, first: dict[str, float], second: dict[str, float], why: str
) -> None:
    said = [answer("a", 7, **first), answer("b", 1, **second)]
    outcome = Fallback(engines("1", "2"), below=below).on_answers(said)
    assert isinstance(outcome, Prediction)
    assert outcome.digit == 1, why
    assert outcome.calibrated is None, "after asking on, b's chance is no longer the chance of being right"


def test_an_uncalibrated_engine_that_named_a_digit_is_warned_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    policy = Fallback(engines(DOWN, NOTHING, sure(7, 0.95)), below=0.9)
    with caplog.at_level(logging.WARNING):
        digitrec.predict_many([drawn_seven(), drawn_seven()], policy)
    (message,) = caplog.messages
    assert message.startswith("c is not calibrated") and "digitrec calibrate -p c" in message


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_without_a_digit_it_is_the_first_refusal(failing: int) -> None:
    said: list[Outcome] = [replace(answer(name, None, None), reason=name) for name in "abc"]
    said[failing] = Failure(said[0].image, "abc"[failing], DOWN)
    outcome = Fallback(engines("1", "2", "3"), below=0.9).on_answers(said)
    assert isinstance(outcome, Prediction)
    assert outcome.reason == ("b" if failing == 0 else "a")


@pytest.mark.parametrize(("below", "name"), [(0, "a>b@0"), (0.95, "a>b@0.95"), (1, "a>b@1")])
def test_it_is_called_by_its_engines_and_its_threshold(below: float, name: str) -> None:
    assert Fallback(engines("1", "2"), below=below).name == name


@pytest.mark.parametrize("below", [-0.1, 1.5])
def test_a_threshold_that_is_no_chance_is_refused(below: float) -> None:
    with pytest.raises(ValueError, match=str(below)):
        Fallback(engines("1", "2"), below=below)
