"""Engines are asked until enough agree."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import digitrec
from digitrec.answer import Answer
from digitrec.comparison.consensus import Consensus
from digitrec.engine import Engine
from digitrec.errors import Unavailable
from digitrec.prediction import Prediction
from digitrec.testing import FakeProvider, Line, drawn_seven

from .engines import answer, asked, engines, sure

NOTHING = Answer()
DOWN = Unavailable("down")


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


@pytest.mark.parametrize("agree", [0, 1, 4])
def test_an_impossible_consensus_is_refused(agree: int) -> None:
    with pytest.raises(ValueError, match="cannot agree among 3"):
        Consensus(engines("1", "2", "3"), agree)


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
