"""Engines are asked until enough agree."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import digitrec
from digitrec.answer import Answer
from digitrec.answer.prediction import Failure, Prediction
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


def test_after_the_first_it_asks_one_by_one() -> None:
    four = [Engine(FakeProvider([digit], name=name)) for name, digit in zip("abcd", "7177", strict=True)]
    assert asked(digitrec.predict(drawn_seven(), Consensus(four, 2))) == ["a", "b", "c"]


def test_where_only_emulators_agree_it_goes_on_one_by_one() -> None:
    five = [Engine(FakeProvider(name=name)) for name in "abcde"]
    said = [answer(name, 7, 0.9, emulated=name in "abc") for name in "abcde"]
    assert asked(Consensus(five, 3).on_answers(said)) == ["a", "b", "c", "d"], "three can agree no more"


def test_nobody_is_asked_in_vain_where_too_many_failed() -> None:
    (*_, last) = three = engines(DOWN, DOWN, sure(7, 0.9))
    with pytest.raises(Unavailable):
        digitrec.predict(drawn_seven(), Consensus(three, 2))
    assert last.provider.calls == 0  # type: ignore[attr-defined]


def test_with_nothing_but_failures_it_is_the_last() -> None:
    image = answer("a", None, None).image
    errors = [Unavailable(name) for name in "abc"]
    outcome = Consensus(engines("1", "2", "3"), 3).on_answers([Failure(image, "x", it) for it in errors])
    assert isinstance(outcome, Failure)
    assert outcome.error is errors[2]


def test_what_is_agreed_on_is_told_in_the_words_of_the_first_who_said_it() -> None:
    said = [answer("a", 1, 0.9), answer("b", 7, 0.9, text="7."), answer("c", 7, 0.9, text="(7)")]
    outcome = Consensus(engines("1", "2", "3"), 2).on_answers(said)
    assert isinstance(outcome, Prediction)
    assert outcome.text == "7."


def test_the_confidence_of_a_consensus_is_the_mean_of_those_who_agree() -> None:
    lines = [sure(7, 0.9), sure(1, 1.0), sure(7, 0.5)]
    assert digitrec.predict(drawn_seven(), Consensus(engines(*lines), 2)).confidence == pytest.approx(0.7)


@pytest.mark.parametrize("agree", [0, 1, 4])
def test_an_impossible_consensus_is_refused(agree: int) -> None:
    with pytest.raises(ValueError, match=f"^{agree} cannot agree among 3 engines: ask for 2 to 3$"):
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


@pytest.mark.parametrize(
    ("scores", "confidence"), [((None, None), None), ((0.5, None), 0.5), ((None, 0.5), 0.5)]
)
def test_a_consensus_passes_over_confidences_that_nobody_gave(
    scores: tuple[float | None, float | None], confidence: float | None
) -> None:
    lines = [sure(7, score) for score in scores]
    assert digitrec.predict(drawn_seven(), Consensus(engines(*lines), 2)).confidence == confidence


def test_engines_that_disagree_are_quoted_and_the_picture_is_named() -> None:
    said = [answer("a", 7, 0.9, preparation="mnist"), answer("b", None, None), answer("c", 1, 0.9)]
    outcome = Consensus(engines("1", "2", "3"), 2).on_answers(said)
    assert isinstance(outcome, Prediction)
    assert (outcome.provider, outcome.confidence, outcome.text) == ("2 of a+b+c", None, "7, 1")
    assert (outcome.image, outcome.preparation) == (said[0].image, "mnist")
    silent = Consensus(engines("1", "2"), 2).on_answers([answer("a", None, None), answer("b", 7, 0.9)])
    assert isinstance(silent, Prediction)
    assert silent.text == "7"


def test_what_an_emulator_and_a_refusal_leave_has_no_text() -> None:
    said = [answer("a", None, None), answer("b", None, None, emulated=True)]
    outcome = Consensus(engines("1", "2"), 2).on_answers(said)
    assert isinstance(outcome, Prediction)
    assert (outcome.reason, outcome.text) == ("emulated answers do not vote", None)


@pytest.mark.parametrize("agree", [2.0, "2", None])
def test_a_number_of_engines_is_a_whole_one(agree: object) -> None:
    with pytest.raises(TypeError, match=r"^the number of engines that must agree"):
        Consensus(engines("1", "2", "3"), agree)  # type: ignore[arg-type]
