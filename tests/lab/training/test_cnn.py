"""The network as built."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.lab.training import cnn


def test_size_and_shapes_are_as_documented() -> None:
    network = cnn.build()
    assert network.count_params() == 554_594
    answers = np.asarray(network(np.zeros((3, 28, 28, 1), np.float32)))
    assert answers.shape == (3, 10)
    assert np.allclose(answers.sum(axis=1), 1)


def test_the_seed_decides_the_first_weights() -> None:
    first, same, other = (cnn.build((4, 8), seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_networks_joined_answer_with_their_mean_score() -> None:
    images = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
    first, second = (cnn.build((4, 8), seed=seed) for seed in (1, 2))
    product = np.sqrt(np.asarray(first(images)) * np.asarray(second(images)))
    joined = cnn.together([first, second])
    assert np.asarray(joined(images)) == pytest.approx(product / product.sum(axis=1, keepdims=True), abs=1e-6)
    assert joined.count_params() == 2 * first.count_params()
    assert cnn.together([first]) is first
    assert "2 networks" in cnn.describe((4, 8), 2) and "networks" not in cnn.describe((4, 8))
