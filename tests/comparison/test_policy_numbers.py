"""Fallback and consensus on whole numbers."""

from __future__ import annotations

import numpy as np
import pytest

import digitrec
from digitrec.answer import Answer, Candidate
from digitrec.answer.prediction import Failure
from digitrec.emulator.kit import FakeProvider
from digitrec.errors import TimedOut

PAGE = np.full((200, 400), 255, np.uint8)


def engine(name: str, *numbers: tuple[str, float], left: float = 20) -> FakeProvider:
    words = [
        Candidate(text, score, (left, 20.0 + 60 * at, left + 60, 50.0 + 60 * at))
        for at, (text, score) in enumerate(numbers)
    ]
    return FakeProvider([Answer(tuple(words))], name=name)


def test_the_next_engine_is_asked_if_a_number_is_unsure() -> None:
    first, second = engine("a", ("12", 0.99), ("7", 0.5)), engine("b", ("12", 0.95), ("1", 0.93))
    third = engine("c", ("3", 1.0))
    sheet = digitrec.read(PAGE, digitrec.Fallback([first, second, third], below=0.9))
    assert [number.text for number in sheet.numbers] == ["12", "1"]
    assert [one.provider for one in sheet.asked] == ["a", "b"] and third.calls == 0


def test_a_failed_engine_and_an_empty_sheet_fall_back_too() -> None:
    failing, empty = FakeProvider([TimedOut("too slow")], name="a"), engine("b")
    sheet = digitrec.read(PAGE, digitrec.Fallback([failing, empty, engine("c", ("5", 0.4))], below=0.9))
    assert [number.text for number in sheet.numbers] == ["5"] and len(sheet.asked) == 3


def test_where_all_engines_fail_the_failure_has_the_cost_of_all() -> None:
    failing = [FakeProvider([TimedOut("too slow")], name=name) for name in "ab"]
    each = [outcome for one in failing for outcome in digitrec.read_many([PAGE], one)]
    (failure,) = digitrec.read_many([PAGE], digitrec.Fallback(failing, below=0.9))
    assert isinstance(failure, Failure)
    assert failure.attempts == sum(one.attempts for one in each) == 2 * each[0].attempts


def test_a_number_counts_if_enough_engines_read_it_at_its_place() -> None:
    engines = [
        engine("a", ("12", 0.9), ("7", 0.9)), engine("b", ("12", 0.9), ("1", 0.9)),
        engine("c", ("7", 0.9), left=300),
    ]  # fmt: skip
    sheet = digitrec.read(PAGE, digitrec.Consensus(engines, 2))
    assert [(number.text, number.reason) for number in sheet.numbers] == [
        ("12", None), ("7", "engines disagree")
    ]  # fmt: skip
    assert sheet.numbers[0].confidence == pytest.approx(0.99), "wrong only if both are"


def test_agreement_makes_a_doubtful_number_sure_enough() -> None:
    words = Candidate("12", 0.8, (20, 20, 80, 50), chance=0.4), Candidate("3/4", 0.9, (20, 80, 80, 110))
    unsure = FakeProvider([Answer(words)], name="a")
    other = engine("b", ("12", 0.7), ("3/4", 0.9))
    policy = digitrec.Consensus([unsure, other], 2)
    twelve, date = digitrec.read(PAGE, policy, at_least=0.8).numbers
    assert (twelve.value, twelve.reason, date.value) == (12, None, None)
    assert twelve.confidence == pytest.approx(1 - 0.6 * 0.3)
    assert digitrec.read(PAGE, policy, at_least=0.9).numbers[0].reason == "not sure"
