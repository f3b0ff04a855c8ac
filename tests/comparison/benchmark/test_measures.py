"""The measures agree with statsmodels and scikit-learn, computed here by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve
from statsmodels.stats.proportion import proportion_confint

from digitrec.comparison.benchmark import measures

RNG = np.random.default_rng(3)
TRUTH = RNG.integers(-1, 10, 500)
ANSWERS = np.where(RNG.random(500) < 0.8, TRUTH, RNG.integers(-1, 10, 500))
SCORES = RNG.random(500)
RIGHT = RNG.random(500) < SCORES**0.7


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (10, 10), (1, 3), (98, 100), (9953, 10000)])
def test_intervals_are_wilsons(hits: int, n: int) -> None:
    found = measures.proportion(hits, n)
    assert (found.low, found.high) == pytest.approx(proportion_confint(hits, n, method="wilson"))
    assert found.share == hits / n


def test_no_pictures_have_no_share_and_no_interval() -> None:
    found = measures.proportion(0, 0)
    assert found == measures.Proportion(0, 0, None, None)
    assert found.share is None


def test_confusion_has_the_truth_in_its_rows() -> None:
    counts = measures.confusion([7, 7, 1, -1], [7, 1, 1, 3])
    assert (counts[7][7], counts[7][1], counts[1][1], counts[10][3]) == (1, 1, 1, 1)
    assert sum(map(sum, counts)) == 4
    whole = np.array(measures.confusion(TRUTH.tolist(), ANSWERS.tolist()))
    assert whole.sum() == 500
    assert whole[4, 9] == ((TRUTH == 4) & (ANSWERS == 9)).sum()
    assert measures.confusion([], []) == ((0,) * 11,) * 11


@pytest.mark.parametrize("digit", range(10))
def test_precision_and_recall_of_a_digit(digit: int) -> None:
    found = measures.per_digit(TRUTH.tolist(), ANSWERS.tolist())[digit]
    assert found.digit == digit
    assert found.precision == pytest.approx(metrics.precision_score(digit == TRUTH, digit == ANSWERS))
    assert found.recall == pytest.approx(metrics.recall_score(digit == TRUTH, digit == ANSWERS))
    assert found.pictures == (digit == TRUTH).sum()


def test_a_digit_never_shown_or_never_answered_has_no_figure() -> None:
    zero, one, *_ = measures.per_digit([0, 0], [1, 0])
    assert (zero.precision, zero.recall) == (1.0, 0.5)
    assert (one.precision, one.recall) == (0.0, None)
    assert measures.per_digit([], []) == tuple(measures.DigitScore(d, None, None, 0) for d in range(10))


def test_reliability_against_scikit_learn() -> None:
    found = measures.reliability(SCORES.tolist(), RIGHT.tolist())
    assert found is not None
    shares, means = calibration_curve(RIGHT, SCORES, n_bins=10)
    assert found.answers == 500
    assert [bin.right for bin in found.bins] == pytest.approx(shares)
    assert [bin.confidence for bin in found.bins] == pytest.approx(means)
    weights = np.histogram(SCORES, bins=10, range=(0, 1))[0] / 500
    assert found.ece == pytest.approx(float(weights @ np.abs(shares - means)))
    assert found.brier == pytest.approx(metrics.brier_score_loss(RIGHT, SCORES))


@pytest.mark.parametrize("tenths", range(10))
def test_a_confidence_on_an_edge_is_in_the_bin_that_begins_there(tenths: int) -> None:
    found = measures.reliability([tenths / 10, tenths / 10 + 0.05], [True, False])
    assert found is not None
    assert [bin.answers for bin in found.bins] == [2]


def test_reliability_of_a_boast_is_its_distance_from_the_truth() -> None:
    found = measures.reliability([1.0] * 4, [True, True, True, False])
    assert found is not None
    assert (found.ece, found.brier, len(found.bins)) == (0.25, 0.25, 1)
    assert measures.reliability([], []) is None


def test_coverage_rises_while_less_sure_answers_are_taken_in() -> None:
    points = measures.coverage_curve([0.9, 0.5, 0.9, 0.2], [True, True, False, False], n=5)
    assert points == ((0.9, 0.4, 0.5), (0.5, 0.6, pytest.approx(2 / 3)), (0.2, 0.8, 0.5))
    assert measures.coverage_curve([], [], n=5) == ()
