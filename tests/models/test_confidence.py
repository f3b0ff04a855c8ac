"""The temperature at which a network is as sure as it is right."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.models.confidence import fit_temperature


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_that_labels_were_drawn_at_is_found(true: float) -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 3, (20_000, 10))
    labels = (scores / true + rng.gumbel(size=scores.shape)).argmax(axis=1).astype(np.uint8)
    powers = np.exp(scores)
    probabilities = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    assert fit_temperature(probabilities, labels) == pytest.approx(true, rel=0.05)


def test_answers_that_are_certain_and_all_right_still_give_a_number() -> None:
    labels = np.arange(10, dtype=np.uint8)
    assert 0.1 <= fit_temperature(np.eye(10, dtype=np.float32), labels) <= 10
