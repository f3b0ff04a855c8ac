"""Policies: the engines asked, the answer, its cost and its time."""

import io
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import digitrec
from digitrec.answer import Answer, Candidate, Failure, Outcome, Prediction
from digitrec.comparison import WINDOW
from digitrec.comparison.policy import Consensus, EnginePolicy, Fallback
from digitrec.emulator.kit import FakeProvider, Line, drawn_seven
from digitrec.engine import Engine, Options
from digitrec.errors import BudgetExceeded, ImageError, NotConfigured, TimedOut, Unavailable
from digitrec.image import ImageRef, InputSpec
from digitrec.image.pixels import saved
from digitrec.providers.base import Price

from .engines import Emulated, answer, asked, engines, sure

NOTHING = Answer()
DOWN = Unavailable("down")
POLICIES = [lambda two: Fallback(two, below=0.9), lambda two: Consensus(two, 2)]
PICTURES = [np.full((30, 30 + number), 255, np.uint8) for number in range(3)]


def decided(policy: EnginePolicy, said: Sequence[Outcome]) -> Prediction:
    outcome = policy.on_answers(said)
    assert isinstance(outcome, Prediction)
    return outcome


@pytest.mark.parametrize(("lines", "digit", "who"), [
    ([sure(7, 0.9), sure(1, 0.99)], 7, "a"), ([sure(7, 0.5), sure(1, 0.99)], 1, "ab"),
    ([sure(7, 0.5), sure(1, 0.4)], 7, "ab"), ([sure(7, None), sure(1, 0.99)], 1, "ab"),
    ([sure(7, None), sure(1, 0.4)], 7, "ab"), ([DOWN, sure(1, 0.99)], 1, "ab"),
    ([NOTHING, sure(1, 0.5)], 1, "ab"), ([sure(7, 0.4), sure(1, 0.5)], 1, "ab"),
    ([sure(7, 0.5), DOWN], 7, "ab"), ([NOTHING, DOWN, NOTHING], None, "abc"),
])  # fmt: skip
def test_a_fallback_asks_on_until_one_is_sure(lines: Sequence[Line], digit: int | None, who: str) -> None:
    outcome = digitrec.predict(drawn_seven(), Fallback(engines(*lines), below=0.9))
    assert (outcome.digit, "".join(asked(outcome))) == (digit, who)


def test_a_calibrated_chance_decides_in_place_of_the_confidence() -> None:
    boast, sure_one = answer("a", 7, 0.99, calibrated=0.6), answer("b", 1, 0.2, calibrated=0.95)
    outcome = decided(Fallback(engines("1", "2"), below=0.9), [boast, sure_one])
    assert (outcome.digit, outcome.calibrated) == (1, None), "asking on changes the chance of being right"
    kept = decided(Fallback(engines("1", "2"), below=0.9), [boast, replace(sure_one, calibrated=0.1)])
    assert isinstance(kept, Prediction) and kept.at_least(0.7).reason == "not sure"
    sure_enough = [answer("a", 7, None), answer("b", 1, 0.4)]
    assert decided(Fallback(engines("1", "2"), below=0.3), sure_enough).digit == 1


def test_uncalibrated_numbers_log_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    policy = Fallback([reader("a", ("12", 0.5)), reader("b", ("12", 0.9))], below=0.9)
    with caplog.at_level(logging.WARNING):
        digitrec.read_many([PAGE, PAGE], policy)
    one, other = caplog.messages
    assert one.startswith("a is not calibrated") and other.startswith("b is not calibrated")
    assert "digitrec calibrate" not in one, "numbers have a calibration of their own"


def test_an_uncalibrated_engine_logs_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    policy = Fallback(engines(DOWN, NOTHING, sure(7, 0.95)), below=0.9)
    with caplog.at_level(logging.WARNING):
        digitrec.predict_many([drawn_seven(), drawn_seven()], policy)
    (message,) = caplog.messages
    assert message.startswith("c is not calibrated") and "digitrec calibrate -p c" in message


@pytest.mark.parametrize("failing", [0, 2])
def test_a_fallback_without_a_digit_is_the_first_refusal(failing: int) -> None:
    said: list[Outcome] = [replace(answer(name, None, None), reason=name) for name in "abc"]
    said[failing] = Failure(said[0].image, "abc"[failing], DOWN)
    assert decided(Fallback(engines("1", "2", "3"), below=0.9), said).reason == ("b" if failing == 0 else "a")


def test_policies_are_named_and_an_impossible_one_is_refused() -> None:
    one, other, _ = three = engines("1", "2", "3")
    assert Fallback([one, other], below=0.95).name == "a>b@0.95"
    assert Consensus(three, 2).name == "2 of a+b+c"
    assert Consensus([*three, *engines("4")], 2).name == "2 of 4 engines"
    for wrong in (-0.1, 1.5):
        with pytest.raises(ValueError, match=str(wrong)):
            Fallback(three, below=wrong)
    for agree in (1, 4):
        with pytest.raises(ValueError, match=str(agree)):
            Consensus(three, agree)
    for again in (one, one.provider):  # one paid answer would be two votes
        with pytest.raises(ValueError, match="a, b, a"):
            Fallback([one, other, again], below=0.9)


@pytest.mark.parametrize(("lines", "agree", "digit", "reason", "who"), [
    ([sure(7, 0.9), sure(7, 0.5), sure(1, 0.9)], 2, 7, None, "ab"),
    ([sure(7, 0.9), sure(1, 0.5), sure(7, 0.9), sure(7, 0.9)], 2, 7, None, "abc"),
    ([sure(7, 0.9), sure(1, 0.5), sure(7, 0.9)], 3, None, "engines disagree", "abc"),
    ([sure(1, 0.9), sure(2, 0.5), sure(3, 0.9), sure(4, 0.9)], 3, None, "engines disagree", "abc"),
    ([sure(7, 0.9), DOWN, sure(7, 0.9)], 2, 7, None, "abc"),
    ([NOTHING, NOTHING, sure(7, 0.9)], 2, None, "no text", "ab"),
])  # fmt: skip
def test_a_consensus_asks_until_it_is_decided(
    lines: Sequence[Line], agree: int, digit: int | None, reason: str | None, who: str
) -> None:
    outcome = digitrec.predict(drawn_seven(), Consensus(engines(*lines), agree))
    assert (outcome.digit, outcome.reason, "".join(asked(outcome))) == (digit, reason, who)


def test_after_too_many_failures_no_engine_is_asked_in_vain() -> None:
    (*_, last) = three = engines(DOWN, DOWN, sure(7, 0.9))
    with pytest.raises(Unavailable):
        digitrec.predict(drawn_seven(), Consensus(three, 2))
    assert last.provider.calls == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(("said", "digit", "reason", "who"), [
    ([(7, True), (7, True), (3, False)], None, "emulated answers do not vote", "abc"),
    ([(3, False), (7, True), (3, False)], 3, None, "abc"),
    ([(3, False), (3, True), (7, False)], None, "emulated answers do not vote", "abc"),
    ([(7, True), (7, True), (1, True)], 7, None, "abc"),
    ([(7, True), (1, True), (2, True)], None, "engines disagree", "abc"),
    ([(7, True), (7, True), (7, False), (7, False)], 7, None, "abcd"),
    ([(7, True), (1, True), (1, True), (7, True)], None, "engines disagree", "abcd"),
])  # fmt: skip
def test_emulators_vote_only_where_nobody_else_answers(
    said: list[tuple[int, bool]], digit: int | None, reason: str | None, who: str
) -> None:
    answers = [answer(name, value, 0.9, emulated=it) for name, (value, it) in zip("abcd", said, strict=False)]
    members = [Engine(FakeProvider(name=name)) for name in "abcd"[: len(said)]]
    outcome = decided(Consensus(members, 2), answers)
    assert (outcome.digit, outcome.reason, "".join(asked(outcome))) == (digit, reason, who)
    assert outcome.emulated, "an emulator had a part in it"


@pytest.mark.parametrize(("scores", "confidence"), [
    ((None, None), None), ((0.5, None), 0.5), ((None, 0.5), 0.5), ((0.9, 0.5), 0.7),
])  # fmt: skip
def test_a_consensus_has_the_mean_confidence_and_the_words_of_those_who_agree(
    scores: tuple[float | None, float | None], confidence: float | None
) -> None:
    policy = Consensus(engines("1", "2", "3"), 2)
    agreeing = [answer(name, 7, it, text=f"{name}7") for name, it in zip("bc", scores, strict=True)]
    agreeing = [replace(one, probabilities=(0.1,) * 10) for one in agreeing]
    agreed = decided(policy, [answer("a", 1, 1.0), *agreeing])
    assert (agreed.text, agreed.confidence) == ("b7", pytest.approx(confidence))
    assert agreed.probabilities is None, "they are those of one engine"
    said = [answer("a", 7, 0.9, preparation="mnist"), answer("b", None, None), answer("c", 1, 0.9)]
    torn = decided(policy, said)
    assert (torn.text, torn.preparation, torn.image) == ("7, 1", "mnist", said[0].image)


@pytest.mark.parametrize("policy", POLICIES)
def test_if_all_fail_the_costs_add_up(policy: Callable[[list[Engine]], EnginePolicy]) -> None:
    two = policy(engines("1", "2"))
    first = Failure(ImageRef("x.png", "00"), "a", DOWN, latency_s=1.0, cost_usd=0.25, attempts=3)
    last = replace(first, provider="b", error=Unavailable("also down"), latency_s=0.5, attempts=1)
    outcome = two.on_answers([first, last])
    assert isinstance(outcome, Failure)
    assert (outcome.error, outcome.provider) == (last.error, two.name)
    assert outcome.latency_s == (1.5 if isinstance(two, Fallback) else 1.0)
    assert (outcome.cost_usd, outcome.attempts) == (0.5, 4)


def test_each_picture_is_decided_for_itself_and_an_unreadable_one_asks_nobody(tmp_path: Path) -> None:
    first = FakeProvider([sure(1, 0.99), sure(2, 0.1), sure(3, 0.99)], name="first")
    second = FakeProvider([sure(8, 0.99)], name="second")
    policy = Fallback([Engine(first), Engine(second)], below=0.9)
    *read, failed = digitrec.predict_many([*PICTURES, tmp_path / "none.png"], policy)
    assert [outcome.digit for outcome in read if isinstance(outcome, Prediction)] == [1, 8, 3]
    assert (first.calls, second.calls) == (3, 1)
    assert isinstance(failed, Failure) and isinstance(failed.error, ImageError)
    assert (failed.provider, Path(failed.image.source).name) == (policy.name, "none.png")


def test_the_budget_of_an_engine_ends_its_turn_not_the_policys() -> None:
    price = Price(0.01, "test")
    paid = FakeProvider([sure(9, 0.99)], name="paid", price=price, endpoint="http://127.0.0.1:9")
    unsure = FakeProvider([sure(7, 0.5)], name="unsure")
    engines = [Engine(unsure), Engine(paid, Options(max_cost=0.015, ledger="none"))]
    with Fallback(engines, below=0.9) as policy:
        outcomes = [it for it in digitrec.predict_many(PICTURES, policy) if isinstance(it, Prediction)]
    assert sorted(outcome.digit or 0 for outcome in outcomes) == [7, 7, 9]
    assert paid.calls == 1
    failures = [said for outcome in outcomes for said in outcome.asked if isinstance(said, Failure)]
    assert [type(failure.error) for failure in failures] == [BudgetExceeded, BudgetExceeded]
    assert sum(outcome.cost_usd or 0 for outcome in outcomes) == pytest.approx(0.01)


def test_time_money_and_origin_of_all_who_were_asked_add_up() -> None:
    first = answer("a", 7, 0.1, latency_s=1.0, cost_usd=0.5, attempts=2, replayed=True, emulated=True)
    second = answer("b", 7, 0.95, latency_s=2.0, cost_usd=0.25, calibrated=0.95)
    policy = Fallback(engines("1", "2"), below=0.9)
    both = decided(policy, [first, second])
    assert (both.latency_s, both.cost_usd, both.attempts) == (3.0, 0.75, 3)
    assert (both.provider, both.emulated, both.replayed, both.calibrated) == ("a>b@0.9", True, False, None)
    unknown = decided(policy, [replace(first, cost_usd=None), replace(second, replayed=True)])
    assert (unknown.cost_usd, unknown.replayed) == (None, True)
    alone = decided(Fallback(engines("1"), below=0.5), [answer("a", 7, 0.1, calibrated=0.8)])
    assert (alone.calibrated, alone.asked[0].provider) == (0.8, "a")
    said = [answer(name, digit, 0.9, latency_s=seconds) for name, digit, seconds in
            [("a", 7, 1.0), ("b", 1, 3.0), ("c", 7, 2.0)]]  # fmt: skip
    slowest = decided(Consensus(engines("1", "2", "3"), 2), said)
    assert slowest.latency_s == 5.0, "the two asked together take as long as the slower"


def test_the_turn_is_in_all_answers() -> None:
    turned = digitrec.predict(PICTURES[0], Fallback(engines("1", "2"), below=1), rotate=180)
    assert [getattr(said, "turned", 0) for said in (turned, *turned.asked)] == [180] * 3


@pytest.mark.parametrize(("pause_s", "least", "most"), [(0, WINDOW, WINDOW), (0.1, 1, WINDOW // 2)])
def test_pictures_are_taken_as_they_are_needed(pause_s: float, least: int, most: int) -> None:
    taken = []
    pictures = (taken.append(time.sleep(pause_s)) or drawn_seven() for _ in range(10 * WINDOW))  # type: ignore[func-returns-value]
    first = next(Consensus(engines("S", "S"), 2).stream(pictures))
    assert isinstance(first, Prediction)
    assert first.digit is None and least <= len(taken) <= most


@pytest.mark.parametrize("policy", POLICIES)
def test_every_engine_is_asked_as_leniently_as_the_policy(policy: Callable[..., EnginePolicy]) -> None:
    strict, lenient = policy(engines("O", "O")), policy(engines("O", "O"))
    assert digitrec.predict(PICTURES[0], strict).digit is None
    assert digitrec.predict(PICTURES[0], lenient, lenient=True).digit == 0


PAGE = np.full((200, 400), 255, np.uint8)


def reader(name: str, *numbers: tuple[str, float], left: float = 20) -> FakeProvider:
    words = [Candidate(text, score, (left, 20.0 + 60 * at, left + 60, 50.0 + 60 * at))
             for at, (text, score) in enumerate(numbers)]  # fmt: skip
    return FakeProvider([Answer(tuple(words))], name=name)


def test_the_next_engine_is_asked_if_a_number_is_unsure() -> None:
    first, second = reader("a", ("12", 0.99), ("7", 0.5)), reader("b", ("12", 0.95), ("1", 0.93))
    third = reader("c", ("3", 1.0))
    sheet = digitrec.read(PAGE, digitrec.Fallback([first, second, third], below=0.9))
    assert [number.text for number in sheet.numbers] == ["12", "1"]
    assert [one.provider for one in sheet.asked] == ["a", "b"] and third.calls == 0
    first = reader("a", ("12", 0.8))
    (number,) = digitrec.read(PAGE, digitrec.Fallback([first, second], below=0.7), at_least=0.9).numbers
    assert (number.reason, second.calls) == ("not sure", 1), "an engine's number is sure or not for itself"
    unscored = FakeProvider([Answer((Candidate("17"),))])
    sheet = digitrec.read(PAGE, digitrec.Fallback([reader("a", ("12", 0.3)), unscored], below=0.9))
    assert [number.text for number in sheet.numbers] == ["17"], "without a confidence it ranks as 0.5"


def test_a_region_of_a_stream_is_as_large_as_that_of_a_file() -> None:
    page, engine = Image.new("L", (4000, 4000), 255), reader("a", ("7", 0.9))
    policy = digitrec.Fallback([engine], below=0.5)
    digitrec.read(io.BytesIO(saved(page, "PNG")), policy, region=(0, 0, 900, 900))
    assert engine.images[0].size == (900, 900)


def test_a_failed_engine_and_an_empty_sheet_fall_back_too() -> None:
    failing, empty = FakeProvider([TimedOut("too slow")], name="a"), reader("b")
    sheet = digitrec.read(PAGE, digitrec.Fallback([failing, empty, reader("c", ("5", 0.4))], below=0.9))
    assert [number.text for number in sheet.numbers] == ["5"] and len(sheet.asked) == 3


def test_an_engine_that_reads_no_numbers_is_a_failure_among_the_others() -> None:
    digit_only = FakeProvider(name="a", wants=InputSpec(encoding="mnist", preparation="mnist"))
    sheet = digitrec.read(PAGE, digitrec.Fallback([digit_only, reader("b", ("5", 0.95))], below=0.9))
    failed, read = sheet.asked
    assert isinstance(failed, Failure) and isinstance(failed.error, NotConfigured)
    assert (read.provider, [number.text for number in sheet.numbers]) == ("b", ["5"])


def test_where_all_engines_fail_the_failure_has_the_cost_of_all() -> None:
    failing = [FakeProvider([TimedOut("too slow")], name=name) for name in "ab"]
    each = [outcome for one in failing for outcome in digitrec.read_many([PAGE], one)]
    (failure,) = digitrec.read_many([PAGE], digitrec.Fallback(failing, below=0.9))
    assert isinstance(failure, Failure)
    assert failure.attempts == sum(one.attempts for one in each) == 2 * each[0].attempts


def test_a_number_counts_if_enough_engines_read_it_at_its_place() -> None:
    engines = [
        reader("a", ("12", 0.9), ("7", 0.9)), reader("b", ("12", 0.9), ("1", 0.9)),
        reader("c", ("7", 0.9), left=300),
    ]  # fmt: skip
    sheet = digitrec.read(PAGE, digitrec.Consensus(engines, 2))
    assert [(number.text, number.reason) for number in sheet.numbers] == [
        ("12", None), ("7", "engines disagree")
    ]  # fmt: skip
    assert sheet.numbers[0].confidence == pytest.approx(0.99), "wrong only if both are"
    assert [one.provider for one in sheet.asked] == ["a", "b", "c"]


@pytest.mark.parametrize("lines", [[DOWN, sure(8, 0.9)], [NOTHING, DOWN], [DOWN, DOWN]])
def test_too_few_answers_to_agree_are_the_failure_of_an_engine(lines: Sequence[Line]) -> None:
    (failure,) = digitrec.predict_many([drawn_seven()], Consensus(engines(*lines), 2))
    assert isinstance(failure, Failure) and isinstance(failure.error, Unavailable)


def test_too_few_sheets_to_agree_are_the_failure_of_an_engine() -> None:
    failing = FakeProvider([TimedOut("too slow")], name="b")
    (failure,) = digitrec.read_many([PAGE], digitrec.Consensus([reader("a", ("12", 0.9)), failing], 2))
    assert isinstance(failure, Failure) and isinstance(failure.error, TimedOut)
    (failure,) = digitrec.read_many([PAGE], digitrec.Consensus([failing, reader("c", ("12", 0.9))], 2))
    assert isinstance(failure, Failure)


def test_emulated_sheets_do_not_count_beside_a_real_one() -> None:
    engines = [Emulated(reader(name, ("12", 0.9))) for name in "ab"]
    assert digitrec.read(PAGE, digitrec.Consensus(engines, 2)).numbers[0].value == 12
    (number,) = digitrec.read(PAGE, digitrec.Consensus([*engines, reader("c", ("12", 0.9))], 2)).numbers
    assert (number.text, number.value, number.reason) == ("12", None, "engines disagree")


def test_a_reading_confirms_one_number_at_its_place() -> None:
    fives = Candidate("5", 0.6, (20, 20, 80, 50)), Candidate("5", 0.6, (20, 80, 80, 110))
    for box, reasons in ((None, [None, "engines disagree"]), ((20, 44, 80, 74), ["engines disagree"] * 2)):
        said = Answer(fives), Answer((Candidate("5", 0.9, box),))
        engines = [FakeProvider([one], name=name) for one, name in zip(said, "ab", strict=True)]
        assert [one.reason for one in digitrec.read(PAGE, digitrec.Consensus(engines, 2)).numbers] == reasons


def test_a_date_is_as_sure_as_it_was_read() -> None:
    first, other = reader("a", ("12:30", 0.99)), reader("b", ("7", 0.9))
    sheet = digitrec.read(PAGE, digitrec.Fallback([first, other], 0.5))
    assert [one.text for one in sheet.numbers] == ["12:30"] and len(sheet.asked) == 1


def test_agreement_makes_a_doubtful_number_sure_enough() -> None:
    words = Candidate("12", 0.8, (20, 20, 80, 50), chance=0.4), Candidate("3/4", 0.9, (20, 80, 80, 110))
    unsure = FakeProvider([Answer(words)], name="a")
    policy = digitrec.Consensus([unsure, reader("b", ("12", 0.7), ("3/4", 0.9))], 2)
    twelve, date = digitrec.read(PAGE, policy, at_least=0.8).numbers
    assert (twelve.value, twelve.reason, date.value, date.reason) == (12, None, None, "not one number")
    (other_length, _) = digitrec.read(PAGE, policy, digits=3).numbers
    assert (other_length.value, other_length.reason) == (None, "another number of digits")
    assert twelve.confidence == pytest.approx(1 - 0.6 * 0.3)
    assert digitrec.read(PAGE, policy, at_least=0.9).numbers[0].reason == "not sure"
