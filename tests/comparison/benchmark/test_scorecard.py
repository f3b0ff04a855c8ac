"""A scorecard counts every outcome once, in its own column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from digitrec.answer.prediction import Outcome, Prediction
from digitrec.comparison.benchmark import measures
from digitrec.comparison.benchmark.scorecard import scorecard

Said = Callable[..., list[Outcome]]


def test_errors_refusals_and_failures_are_counted_apart(said: Said) -> None:
    outcomes = said(1, 2, 9, None, None, 4, "!", "!")
    card = scorecard("e", outcomes, [1, 2, 3, 4, None, None, 7, None])
    assert (card.correct, card.wrong, card.refused_rightly, card.refused_wrongly, card.failed) == (
        3,
        2,
        1,
        1,
        2,
    )
    assert (card.accuracy.hits, card.accuracy.n) == (3, 6)
    assert card.correct == card.accuracy.hits
    assert card.correct + card.wrong + card.refused_wrongly + card.failed == card.n == 8


def test_confusion_holds_refusals_too(said: Said) -> None:
    card = scorecard("e", said(1, None, 3), [1, 2, None])
    assert (card.confusion[1][1], card.confusion[2][10], card.confusion[10][3]) == (1, 1, 1)


def test_latency_leaves_out_what_nobody_waited_for(said: Said) -> None:
    seconds = np.linspace(0.1, 2.0, 40)
    fresh = [replace(said(7)[0], latency_s=float(value)) for value in seconds]
    other = [*said(7, latency_s=99.0, replayed=True, attempts=0), *said(None, latency_s=99.0, attempts=0)]
    card = scorecard("e", [*fresh, *other], [7] * 42, spent_s=41.0)
    assert card.latency is not None
    found = (card.latency.answers, card.latency.p50, card.latency.p95, card.latency.p99)
    assert found == pytest.approx((40, *np.percentile(seconds, [50, 95, 99])))
    assert card.throughput == pytest.approx(1.0), "41 of the 42 were not replayed"


def test_a_run_out_of_the_ledger_has_no_speed_but_still_a_price(said: Said) -> None:
    card = scorecard("e", said(7, 7, replayed=True, attempts=0), [7, 1], spent_s=1.0, prices={"e": 0.002})
    assert (card.latency, card.throughput, card.cost_usd) == (None, None, 0.0)
    assert card.cost_per_1000 == pytest.approx(2.0)
    assert card.cost_per_correct == pytest.approx(0.004)


def test_an_unknown_price_is_unknown_and_nothing_right_costs_nobody_knows_what(said: Said) -> None:
    assert scorecard("e", said(7), [7]).cost_per_1000 is None
    assert scorecard("e", said(7), [1], prices={"e": 0.1}).cost_per_correct is None


def test_reliability_is_of_digits_with_a_confidence(said: Said) -> None:
    outcomes = [*said(7, 7, None), Prediction(said(7)[0].image, "e", 7, None)]
    card = scorecard("e", outcomes, [7, 1, 7, 7])
    assert card.reliability is not None
    assert card.reliability.answers == 2
    assert card.reliability.brier == pytest.approx((0.01 + 0.81) / 2)
    assert card.calibrated is None


def test_calibrated_chances_are_judged_beside_the_engines_own(said: Said) -> None:
    card = scorecard("e", said(7, 1, calibrated=0.5), [7, 7])
    assert card.calibrated is not None
    assert card.calibrated.brier == pytest.approx(0.25)
    assert card.coverage[0][0] == 0.5, "calibrated chances decide what is surest"


def test_an_emulated_engine_is_called_so(said: Said) -> None:
    card = scorecard("google", said(7, emulated=True), [7])
    assert card.emulated
    assert card.name == "google (emulated)"


def test_what_answered_is_kept(said: Said) -> None:
    outcomes = said(7, model_version="v2", endpoint="http://x", preparation="enlarged")
    card = scorecard("e", [*outcomes, *said("!")], [7, 7])
    assert (card.model_versions, card.endpoints, card.preparations) == (("v2",), ("http://x",), ("enlarged",))


def test_an_engine_that_never_answered_has_an_empty_card(said: Said) -> None:
    card = scorecard("e", said("!", "!"), [1, None])
    assert (card.failed, card.accuracy.share, card.coverage, card.latency) == (2, None, (), None)


def test_every_count_is_its_own(said: Said) -> None:
    outcomes = said(1, 2, 3, 4, 9, 9, 5, 6, 7, None, None, None, None, None, None, None, None, "!")
    labels = [1, 2, 3, 4, 5, 6, None, None, None, None, None, 6, 7, 8, 9, 0, 1, 1]
    card = scorecard("e", outcomes, labels, prices={"e": 0.002})
    assert (card.n, card.correct, card.wrong, card.failed) == (18, 6, 5, 1)
    assert (card.refused_rightly, card.refused_wrongly) == (2, 6)
    assert (card.accuracy.hits, card.accuracy.n) == (6, 17)
    assert card.cost_per_1000 == pytest.approx(2.0)
    assert card.cost_per_correct == pytest.approx(0.002 * 17 / 6)
    assert card.reliability is not None
    assert card.reliability.brier == pytest.approx((4 * 0.1**2 + 5 * 0.9**2) / 9)
    assert [bin.right for bin in card.reliability.bins] == [pytest.approx(4 / 9)]
    assert card.coverage == ((0.9, 9 / 17, pytest.approx(4 / 9)),)


def test_without_a_time_there_is_no_throughput(said: Said) -> None:
    assert scorecard("e", said(7), [7]).throughput is None


def test_what_was_paid_is_added_up_and_unknown_where_one_is(said: Said) -> None:
    paid = [*said(7, cost_usd=0.5), *said(1, cost_usd=0.25)]
    assert scorecard("e", paid, [7, 7]).cost_usd == 0.75
    assert scorecard("e", [*paid, *said(1, cost_usd=None)], [7, 7, 7]).cost_usd is None


def test_the_engines_own_confidence_decides_where_one_has_no_calibrated_chance(said: Said) -> None:
    card = scorecard("e", [*said(7, calibrated=0.5), *said(7)], [7, 7])
    assert card.coverage == ((0.9, 1.0, 1.0),)
    assert card.calibrated is not None
    assert card.calibrated.answers == 1


def test_a_right_answer_costs_what_all_answers_cost(said: Said) -> None:
    card = scorecard("e", said(7, 7, 1, 1, 1), [7] * 5, prices={"e": 0.002})
    assert card.cost_per_1000 == pytest.approx(2.0)
    assert card.cost_per_correct == pytest.approx(0.005)


def test_several_kinds_of_answers_are_named_in_order(said: Said) -> None:
    outcomes = [*said(7, model_version="v2"), *said(7, model_version="v1"), *said(7, model_version="v2")]
    assert scorecard("e", outcomes, [7] * 3).model_versions == ("v1", "v2")


def test_each_digit_has_its_own_score(said: Said) -> None:
    card = scorecard("e", [*said(7, 1, None, "!")], [7, 7, 7, 7])
    assert card.digits == measures.per_digit([7, 7, 7], [7, 1, -1])
    assert (card.digits[7].recall, card.digits[7].pictures) == (pytest.approx(1 / 3), 3)


def test_an_outcome_without_a_label_is_a_mistake_of_the_program(said: Said) -> None:
    with pytest.raises(ValueError, match="zip"):
        scorecard("e", said(7, 7), [7])
