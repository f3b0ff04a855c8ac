"""Fitted chances come near the true ones, rise, and say where they are from."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss

from digitrec.calibration import Calibration
from digitrec.calibration.fit import fit
from digitrec.errors import DataError
from digitrec.image import ImageRef
from digitrec.prediction import Prediction

GRID = np.linspace(0.05, 0.95, 19)


def answers(n: int, truth: object, seed: int = 0) -> tuple[list[Prediction], list[int | None]]:
    """Answers whose chance of being right is a known function of their confidence."""
    rng = np.random.default_rng(seed)
    scores = rng.random(n)
    right = rng.random(n) < truth(scores)  # type: ignore[operator]
    said = [
        Prediction(ImageRef(f"{place}.png", f"{place:064x}"), "e", 7, float(score), model_version="v1")
        for place, score in enumerate(scores)
    ]
    return said, [7 if value else 1 for value in right]


def smooth(scores: np.ndarray) -> np.ndarray:
    return scores**3 / (scores**3 + (1 - scores) ** 3)


def staircase(scores: np.ndarray) -> np.ndarray:
    return np.where(scores < 0.7, 0.3, 0.95)


@pytest.mark.parametrize(("truth", "method"), [(smooth, "logistic"), (staircase, "isotonic")])
def test_the_line_comes_near_the_truth_by_the_method_that_suits(truth: object, method: str) -> None:
    (found,) = fit(*answers(4000, truth), "fakes")
    chances = np.array([found.chance(score) for score in GRID])
    assert np.abs(chances - truth(GRID)).mean() < 0.03  # type: ignore[operator]
    assert found.method == method
    assert found.brier_after < found.brier_before


def test_chances_never_fall_and_stay_off_the_ends() -> None:
    (found,) = fit(*answers(300, smooth), "fakes")
    assert (np.diff(found.chances) >= 0).all()
    assert (np.diff(found.scores) > 0).all()
    assert min(found.chances) >= 1 / 302
    assert max(found.chances) <= 301 / 302


def test_an_isotonic_line_is_scikit_learns() -> None:
    said, labels = answers(2000, staircase)
    (found,) = fit(said, labels, "fakes")
    scores = np.array([answer.confidence for answer in said])
    right = np.array([label == 7 for label in labels], float)
    expected = IsotonicRegression().fit(scores, right).predict(GRID)
    assert [found.chance(score) for score in GRID] == pytest.approx(np.clip(expected, 1 / 2002, 2001 / 2002))
    assert found.brier_before == pytest.approx(brier_score_loss(right, scores))
    insample = brier_score_loss(right, [found.chance(score) for score in scores])
    assert found.brier_after > insample, "each part is judged by a line that did not see it"


def test_a_confidence_that_tells_nothing_gives_the_share_right() -> None:
    (found,) = fit(*answers(2000, lambda scores: 0.8 - 0.3 * scores), "fakes")
    assert np.ptp([found.chance(score) for score in GRID]) < 0.1


def test_it_says_where_it_is_from() -> None:
    said, labels = answers(200, smooth)
    (found,) = fit(said, labels, "photos")
    everything = "".join(sorted(answer.image.sha256 or "" for answer in said))
    assert (found.data, found.n, found.right) == ("photos", 200, labels.count(7))
    assert found.data_sha256 == hashlib.sha256(everything.encode()).hexdigest()
    assert found.fitted.startswith("20")
    assert isinstance(found, Calibration)


def test_every_engine_model_and_preparation_has_its_own() -> None:
    said, labels = answers(400, smooth)
    mixed = [
        Prediction(answer.image, "e", 7, answer.confidence, model_version="v1" if place % 2 else "v2")
        for place, answer in enumerate(said)
    ]
    found = fit(mixed, labels, "fakes")
    assert sorted((each.key.model_version, each.n) for each in found) == [("v1", 200), ("v2", 200)]


@pytest.mark.parametrize(("n", "truth"), [(30, smooth), (200, np.ones_like)])
def test_too_few_answers_of_a_kind_are_refused(n: int, truth: object) -> None:
    with pytest.raises(DataError, match="too few"):
        fit(*answers(n, truth), "fakes")


def test_refusals_and_answers_without_confidence_leave_nothing_to_fit() -> None:
    silent = [Prediction(ImageRef("x", "0"), "e", None, None), Prediction(ImageRef("x", "0"), "e", 7, None)]
    with pytest.raises(DataError, match="not one answer with a confidence"):
        fit(silent, [7, 7], "fakes")
