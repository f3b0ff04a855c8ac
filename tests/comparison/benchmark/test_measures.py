"""Measures and paired tests agree with statsmodels and scikit-learn."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from comparison.engines import labelled
from sklearn import metrics
from sklearn.calibration import calibration_curve
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from digitrec.answer import Outcome
from digitrec.comparison.benchmark import measures, pairs
from digitrec.comparison.benchmark.measures import holm, mcnemar

Said = Callable[..., list[Outcome]]
RNG = np.random.default_rng(3)
TRUTH = RNG.integers(-1, 10, 500)
ANSWERS = np.where(RNG.random(500) < 0.8, TRUTH, RNG.integers(-1, 10, 500))
SCORES = RNG.random(500)
RIGHT = RNG.random(500) < SCORES**0.7
PAIRS = zip(TRUTH.tolist(), ANSWERS.tolist(), strict=True)
WHOLE = measures.confusion([tuple(None if one < 0 else one for one in pair) for pair in PAIRS])


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (10, 10), (1, 3), (98, 100), (9953, 10000)])
def test_intervals_are_wilsons(hits: int, n: int) -> None:
    found = measures.proportion(hits, n)
    assert (found.low, found.high) == pytest.approx(proportion_confint(hits, n, method="wilson"))
    assert found.share == hits / n
    assert measures.proportion(0, 0).share is measures.proportion(0, 0).low is None
    assert measures.proportion(0, 0).interval() == ""


def test_many_groups_take_little_memory() -> None:
    groups = [str(at) for at in range(4000)]
    tracemalloc.start()
    measures.share_of([1] * 4000, groups)
    measures.by_groups([1] * 4000, groups)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


def test_confusion_has_the_truth_in_its_rows() -> None:
    assert np.array(WHOLE).sum() == 500
    assert WHOLE[4][9] == ((TRUTH == 4) & (ANSWERS == 9)).sum()
    assert WHOLE[10][3] == ((TRUTH == -1) & (ANSWERS == 3)).sum()
    assert measures.confusion([]) == ((0,) * 11,) * 11


def test_reliability_against_scikit_learn() -> None:
    found = measures.reliability(list(zip(SCORES, RIGHT, strict=True)))
    assert found is not None
    shares, means = calibration_curve(RIGHT, SCORES, n_bins=10)
    assert found.answers == 500
    assert [bin.right for bin in found.bins] == pytest.approx(shares)
    assert [bin.confidence for bin in found.bins] == pytest.approx(means)
    weights = np.histogram(SCORES, bins=10, range=(0, 1))[0] / 500
    assert found.ece == pytest.approx(float(weights @ np.abs(shares - means)))
    assert found.brier == pytest.approx(metrics.brier_score_loss(RIGHT, SCORES))
    assert measures.reliability([]) is None


@pytest.mark.parametrize("tenths", range(10))
def test_a_confidence_on_an_edge_is_in_the_bin_that_begins_there(tenths: int) -> None:
    found = measures.reliability([(tenths / 10, True), (tenths / 10 + 0.05, False)])
    assert found is not None
    assert [bin.answers for bin in found.bins] == [2]


def test_coverage_rises_while_less_sure_answers_are_taken_in() -> None:
    points = measures.coverage_curve([(0.9, True), (0.5, True), (0.9, False), (0.2, False)], n=5)
    assert points == ((0.9, 0.4, 0.5), (0.5, 0.6, pytest.approx(2 / 3)), (0.2, 0.8, 0.5))
    assert measures.coverage_curve([], n=5) == ()


@pytest.mark.parametrize(("only_one", "only_other"), [(0, 0), (5, 0), (0, 6), (12, 3), (40, 41), (130, 95)])
def test_mcnemars_exact_test(only_one: int, only_other: int) -> None:
    expected = statsmodels_mcnemar([[50, only_one], [only_other, 9]], exact=True).pvalue
    assert mcnemar(only_one, only_other) == pytest.approx(expected)


@pytest.mark.parametrize(
    "p_values", [[], [0.04], [0.04, 0.04], [0.01, 0.04, 0.03], [0.5, 0.6, 0.001, 0.02, 1.0, 0.02]]
)
def test_holms_correction(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1] if p_values else []
    assert holm(p_values) == pytest.approx(list(expected))


def test_a_pair_counts_only_what_both_answered(said: Said) -> None:
    outcomes = {"one": said(1, 2, 3, "!", None), "other": said(1, 9, 9, 4, None)}
    (pair,) = pairs(outcomes, labelled([1, 2, 3, 4, None]))
    assert (pair.n, pair.only_first, pair.only_second, pair.p) == (4, 2, 0, 0.5)
    assert pair.agreement == 0.5
    (same,) = pairs({"one": said(7, 7), "other": said(7, 7)}, labelled([7, 7]))
    assert (same.agreement, same.p) == (1.0, 1.0)
    (never,) = pairs({"one": said("!", 7), "other": said(7, "!")}, labelled([7, 7]))
    assert (never.n, never.agreement, never.p, never.better) == (0, None, None, None)


def test_better_is_named_only_when_the_test_corrected_over_all_pairs_shows_it(said: Said) -> None:
    outcomes = {"a": said(*[1] * 30), "b": said(*[2] * 30), "c": said(*[1] * 26, 2, 2, 2, 2)}
    found = pairs(outcomes, labelled([1] * 30))
    assert [(pair.first, pair.second, pair.better) for pair in found] == [
        ("a", "b", "a"), ("a", "c", None), ("b", "c", "c"),
    ]  # fmt: skip
    corrected = multipletests([pair.p for pair in found], method="holm")[1]
    assert [pair.p_corrected for pair in found] == pytest.approx(list(corrected))


def test_emulated_pairs_are_shown_but_neither_tested_nor_corrected_for(said: Said) -> None:
    labels = [1] * 30
    real = {"a": said(*[1] * 30), "b": said(*[1] * 22, *[2] * 8)}
    both = {"google": said(*[2] * 30, emulated=True), **real, "aws": said(*[2] * 30, emulated=True)}
    both["down"] = said(*["!"] * 30)
    (alone,) = pairs(real, labelled(labels))
    among = {(pair.first, pair.second): pair for pair in pairs(both, labelled(labels))}
    assert among["a", "b"] == alone
    emulated = among["google", "b"]
    assert (emulated.n, emulated.only_second, emulated.agreement) == (30, 22, 8 / 30)
    assert (emulated.p, emulated.p_corrected, emulated.better) == (None, None, None)
    assert among["google", "aws"].p is None
