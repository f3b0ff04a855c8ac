"""The temperature at which confidence equals accuracy."""

import numpy as np
import pytest

from digitrec.answer import SURE
from digitrec.lab.training.confidence import SURELY_WRONG, UNCLEAR, fit_evidence, fit_modest, fit_temperature
from digitrec.models.network import evidence


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_that_labels_were_drawn_at_is_found(true: float) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 3, (20_000, 10))
    labels = (scores / true + rng.gumbel(size=scores.shape)).argmax(axis=1).astype(np.uint8)
    powers = np.exp(scores)
    probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    assert fit_temperature(probabilities, labels) == pytest.approx(true, rel=0.05)


def test_a_temperature_is_raised_until_the_sure_are_right() -> None:
    tops = np.repeat([0.999, 0.965, 0.965], [1900, 90, 10])
    chances = np.repeat((1 - tops[:, None]) / 9, 10, axis=1)
    chances[:, 0] = tops
    labels = np.repeat([0, 1], [1990, 10]).astype(np.uint8)  # the last ten are wrong

    def surely_wrong(temperature: float) -> float:
        warm = chances ** (1 / temperature)
        sure = warm[:, 0] / warm.sum(axis=1) >= SURE
        return float((labels[sure] == 1).mean())

    rounded = chances.astype(np.float32)
    likeliest, modest = fit_temperature(rounded, labels), fit_modest(rounded, labels)
    assert modest > likeliest
    assert surely_wrong(likeliest) >= surely_wrong(0.98 * modest) > SURELY_WRONG >= surely_wrong(modest)


def test_nearly_all_digits_show_the_evidence_asked_for() -> None:
    scores = np.random.default_rng(0).normal(0, 3, (5000, 10))
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    least = fit_evidence(chances.astype(np.float32))
    assert (evidence(chances.astype(np.float32)) < least).mean() == pytest.approx(UNCLEAR, abs=0.0005)
