"""Engines on labelled pictures: the counts and measures of each, on known outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from comparison.engines import labelled
from sklearn.metrics import log_loss

from digitrec.answer.prediction import Outcome, Prediction
from digitrec.comparison.benchmark import measures
from digitrec.comparison.benchmark.measure import (
    Result,
    list_price,
    measure,
    per_1000,
    price_list,
    scorecard,
)  # fmt: skip
from digitrec.comparison.datasets.loader import Sample, read_samples
from digitrec.comparison.policy import Fallback
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine, Options
from digitrec.engine.config import Config
from digitrec.providers.base import Price
from digitrec.providers.local import Local

Said = Callable[..., list[Outcome]]


def test_every_count_is_its_own(said: Said) -> None:
    outcomes = said(1, 2, 3, 4, 9, 9, 5, 6, 7, None, None, None, None, None, None, None, None, "!")
    labels = [1, 2, 3, 4, 5, 6, None, None, None, None, None, 6, 7, 8, 9, 0, 1, 1]
    card = scorecard("e", outcomes, labelled(labels), prices={"e": 0.002})
    assert (card.n, card.correct, card.wrong, card.failed) == (18, 6, 5, 1)
    assert (card.refused_rightly, card.refused_wrongly) == (2, 6)
    assert (card.accuracy.hits, card.accuracy.n) == (6, 17)
    assert (card.confusion[1][1], card.confusion[5][9], card.confusion[6][10], card.confusion[10][5]) == (
        1, 1, 1, 1,
    )  # fmt: skip
    assert card.cost_per_1000 == pytest.approx(2.0)
    assert card.reliability is not None
    assert card.reliability.answers == 9
    assert card.reliability.brier == pytest.approx((4 * 0.1**2 + 5 * 0.9**2) / 9)
    assert [bin.right for bin in card.reliability.bins] == [pytest.approx(4 / 9)]
    assert card.coverage == ((0.9, 9 / 17, pytest.approx(4 / 9)),)
    assert (card.calibrated, card.name) == (None, "e")


def test_latency_leaves_out_replayed_answers_and_those_that_asked_nothing(said: Said) -> None:
    seconds = np.linspace(0.1, 2.0, 40)
    fresh = [replace(said(7)[0], latency_s=float(value)) for value in seconds]
    other = [*said(7, latency_s=99.0, replayed=True, attempts=0), *said(None, latency_s=99.0, attempts=0)]
    card = scorecard("e", [*fresh, *other], labelled([7] * 42))
    assert card.latency is not None
    found = (card.latency.answers, card.latency.p50, card.latency.p95, card.latency.p99)
    assert found == pytest.approx((40, *np.percentile(seconds, [50, 95, 99])))
    replayed = scorecard("e", other[:1], labelled([7]), prices={"e": 0.002})
    assert (replayed.latency, replayed.cost_per_1000) == (None, 2.0)
    silent = scorecard("e", said("!", "!"), labelled([1, None]))
    assert (silent.failed, silent.accuracy.share, silent.coverage, silent.latency) == (2, None, (), None)


def test_costs_are_added_up_and_unknown_if_one_is(said: Said) -> None:
    paid = [*said(7, cost_usd=0.5), *said(1, cost_usd=0.25)]
    assert scorecard("e", paid, labelled([7, 7])).cost_usd == 0.75
    assert scorecard("e", [*paid, *said(1, cost_usd=None)], labelled([7, 7, 7])).cost_usd is None
    assert scorecard("e", said(7), labelled([7])).cost_per_1000 is None


def test_calibrated_chances_decide_what_is_surest_where_all_answers_have_one(said: Said) -> None:
    card = scorecard("e", said(7, 1, calibrated=0.5), labelled([7, 7]))
    assert card.calibrated is not None
    assert (card.calibrated.brier, card.coverage[0][0]) == (pytest.approx(0.25), 0.5)
    mixed = scorecard("e", [*said(7, calibrated=0.5), *said(7)], labelled([7, 7]))
    assert mixed.calibrated is not None
    assert (mixed.coverage, mixed.calibrated.answers) == (((0.9, 1.0, 1.0),), 1)
    unsure = [*said(7), Prediction(said(7)[0].image, "e", 7, None)]
    assert scorecard("e", unsure, labelled([7, 7])).reliability == measures.reliability([(0.9, True)])


def test_who_answered_and_how_is_kept(said: Said) -> None:
    outcomes = [*said(7, model_version="v2", endpoint="http://x", preparation="enlarged", emulated=True),
                *said(7, "!", model_version="v1")]  # fmt: skip
    card = scorecard("google", outcomes, labelled([7] * 3))
    assert (card.model_versions, card.endpoints) == (("v1", "v2"), ("http://x",))
    assert card.preparations == ("enlarged", "plain")
    assert (card.emulated, card.name) == (True, "google (emulated)")


def test_the_configuration_knows_better_than_the_provider() -> None:
    configured = Options(ledger="none", _config=Config(prices={"b": 0.5}))
    one = Engine(FakeProvider(name="a", price=Price(0.001, "list")), Options(ledger="none"))
    other = Engine(FakeProvider(name="b", price=None), configured)
    unknown = Engine(FakeProvider(name="c", price=None), Options(ledger="none"))
    assert price_list([Fallback([one, other], 0.9), unknown]) == {"a": 0.001, "b": 0.5, "c": None}


def test_list_prices_count_replayed_answers(said: Said) -> None:
    gated, replayed, failed = [*said(None, attempts=0), *said(7, attempts=0, replayed=True), *said("!")]
    prices = [list_price(outcome, {"e": 0.25}) for outcome in (gated, replayed, failed)]
    assert prices == [0.0, 0.25, 0.0]


def test_a_policy_costs_what_those_cost_that_it_asked(said: Said) -> None:
    (first, second) = (replace(said(7)[0], provider=name) for name in "ab")
    both = Prediction(first.image, "a>b", 7, 0.9, asked=(first, second))
    alone = replace(both, asked=(first,))
    assert per_1000([both, alone], {"a": 0.001, "b": 0.002}) == pytest.approx(2.0)
    assert per_1000([both, alone], {"a": 0.001, "b": None}) is None
    assert per_1000([], {}) is None
    assert per_1000(said(*[7] * 50), {"e": 0.001}) == 1.0, "though 50 times 0.001 add up to a little more"


BLANK = np.full((60, 60), 240, np.uint8)


@pytest.fixture(scope="module")
def found() -> Result:
    """Measure the first 120 test digits, two with a wrong label, a blank page, and no picture at all."""
    samples = read_samples("mnist-test")[:120]
    wrong = [Sample(samples[0].image, 3), Sample(samples[1].image, 0)]
    odd = [Sample(BLANK, None), Sample(BLANK, 5), Sample(b"no picture", 4)]
    return measure([*wrong, *samples[2:], *odd], Engine(Local()), "odd ones")


def test_refusals_and_failures_count_as_wrong_where_there_is_a_digit(found: Result) -> None:
    assert (found.card.failed, found.card.refused_rightly, found.card.refused_wrongly) == (1, 1, 1)
    assert (found.accuracy.hits, found.accuracy.n) == (119, 123)
    assert found.accuracy.low is not None and found.accuracy.low < 119 / 123
    assert (found.named.hits, found.named.n) == (120, 122)


def test_the_loss_is_the_cross_entropy_of_what_was_answered(found: Result) -> None:
    rows = [outcome.probabilities for outcome in found.outcomes[:120]]  # type: ignore[union-attr]
    chances = np.array(rows, float)
    chances /= chances.sum(axis=1, keepdims=True)
    truth = [sample.label for sample in found.samples[:120]]
    assert found.loss == pytest.approx(log_loss(truth, chances, labels=range(10)))


def test_the_misread_come_surest_first(found: Result) -> None:
    assert set(found.misread) == {0, 1}
    first, second = [found.outcomes[place] for place in found.misread]
    assert isinstance(first, Prediction) and isinstance(second, Prediction)
    assert (first.confidence or 0) >= (second.confidence or 0)
