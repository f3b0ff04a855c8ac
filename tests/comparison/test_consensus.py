"""Engines are asked until enough agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

import digitrec
from digitrec.answer import Answer
from digitrec.answer.prediction import Prediction
from digitrec.comparison.consensus import Consensus
from digitrec.emulator.kit import FakeProvider, Line, drawn_seven
from digitrec.engine import Engine
from digitrec.errors import Unavailable

from .engines import answer, asked, engines, sure

NOTHING = Answer()
DOWN = Unavailable("down")


@pytest.mark.parametrize(
    ("lines", "agree", "digit", "reason", "who"),
    [
        ([sure(7, 0.9), sure(7, 0.5), sure(1, 0.9)], 2, 7, None, "ab"),
        ([sure(7, 0.9), sure(1, 0.5), sure(7, 0.9)], 2, 7, None, "abc"),
        ([sure(7, 0.9), sure(1, 0.5), sure(7, 0.9), sure(7, 0.9)], 2, 7, None, "abc"),
        ([sure(7, 0.9), sure(1, 0.5), sure(2, 0.9)], 2, None, "engines disagree", "abc"),
        ([sure(7, 0.9), sure(1, 0.5), sure(7, 0.9)], 3, None, "engines disagree", "abc"),
        ([sure(1, 0.9), sure(2, 0.5), sure(3, 0.9), sure(4, 0.9)], 3, None, "engines disagree", "abc"),
        ([sure(7, 0.9), DOWN, sure(7, 0.9)], 2, 7, None, "abc"),
        ([NOTHING, NOTHING, sure(7, 0.9)], 2, None, "no text", "ab"),
    ],
)
def test_engines_are_asked_while_agreement_is_open(
    lines: Sequence[Line], agree: int, digit: int | None, reason: str | None, who: str
) -> None:
    outcome = digitrec.predict(drawn_seven(), Consensus(engines(*lines), agree))
    assert (outcome.digit, outcome.reason, "".join(asked(outcome))) == (digit, reason, who)


def test_after_too_many_failures_no_engine_is_asked_in_vain() -> None:
    (*_, last) = three = engines(DOWN, DOWN, sure(7, 0.9))
    with pytest.raises(Unavailable):
        digitrec.predict(drawn_seven(), Consensus(three, 2))
    assert last.provider.calls == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("agree", [0, 1, 4])
def test_an_impossible_consensus_is_refused(agree: int) -> None:
    with pytest.raises(ValueError, match=f"^{agree} "):
        Consensus(engines("1", "2", "3"), agree)


def test_a_consensus_of_many_has_a_short_name() -> None:
    assert Consensus(engines("1", "2", "3"), 2).name == "2 of a+b+c"
    assert Consensus([*engines("1", "2", "3"), *engines("4")], 2).name == "2 of 4 engines"


@pytest.mark.parametrize(
    ("said", "digit", "reason", "who"),
    [
        ([(7, True), (7, True), (3, False)], None, "emulated answers do not vote", "abc"),
        ([(3, False), (7, True), (7, True)], None, "emulated answers do not vote", "abc"),
        ([(3, False), (7, True), (3, False)], 3, None, "abc"),
        ([(3, False), (3, True), (7, False)], None, "emulated answers do not vote", "abc"),
        ([(7, True), (7, True), (1, True)], 7, None, "abc"),
        ([(7, True), (1, True), (2, True)], None, "engines disagree", "abc"),
    ],
)
def test_emulators_vote_only_where_nobody_else_answers(
    said: list[tuple[int, bool]], digit: int | None, reason: str | None, who: str
) -> None:
    answers = [answer(name, value, 0.9, emulated=it) for name, (value, it) in zip("abc", said, strict=True)]
    outcome = Consensus(engines("1", "2", "3"), 2).on_answers(answers)
    assert isinstance(outcome, Prediction)
    assert (outcome.digit, outcome.reason, "".join(asked(outcome))) == (digit, reason, who)
    assert outcome.emulated, "an emulator had a part in it"


def test_where_only_emulators_agree_it_goes_on_one_by_one() -> None:
    five = [Engine(FakeProvider(name=name)) for name in "abcde"]
    said = [answer(name, 7, 0.9, emulated=name in "abc") for name in "abcde"]
    assert asked(Consensus(five, 3).on_answers(said)) == ["a", "b", "c", "d"], "three can agree no more"


@pytest.mark.parametrize(
    ("scores", "confidence"),
    [((None, None), None), ((0.5, None), 0.5), ((None, 0.5), 0.5), ((0.9, 0.5), 0.7)],
)
def test_the_confidence_is_the_mean_of_those_who_agree_and_gave_one(
    scores: tuple[float | None, float | None], confidence: float | None
) -> None:
    said = [answer("a", 1, 1.0), *(answer(name, 7, it) for name, it in zip("bc", scores, strict=True))]
    outcome = Consensus(engines("1", "2", "3"), 2).on_answers(said)
    assert isinstance(outcome, Prediction)
    assert outcome.confidence == pytest.approx(confidence)


def test_an_agreement_has_the_words_of_the_first_and_a_disagreement_those_of_all() -> None:
    policy = Consensus(engines("1", "2", "3"), 2)
    said = [answer("a", 1, 0.9), answer("b", 7, 0.9, text="7."), answer("c", 7, 0.9, text="(7)")]
    agreed = policy.on_answers(said)
    assert isinstance(agreed, Prediction)
    assert agreed.text == "7."
    said = [answer("a", 7, 0.9, preparation="mnist"), answer("b", None, None), answer("c", 1, 0.9)]
    torn = policy.on_answers(said)
    assert isinstance(torn, Prediction)
    assert (torn.text, torn.preparation, torn.image) == ("7, 1", "mnist", said[0].image)
    nothing = answer("a", None, None)
    silent = policy.on_answers([nothing, *[replace(nothing, emulated=True)] * 2])
    assert isinstance(silent, Prediction)
    assert (silent.reason, silent.text) == ("emulated answers do not vote", None)
