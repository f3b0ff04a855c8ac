"""The MNIST files that come with the package."""

from __future__ import annotations

import numpy as np

from digitrec.comparison.datasets import mnist as data


def test_the_test_digits_are_mnist() -> None:
    digits = data.mnist_test()
    assert digits.images.shape == (10_000, 28, 28)
    assert digits.images.dtype == digits.labels.dtype == np.uint8
    assert np.bincount(digits.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert digits.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert digits.images[0].sum() == 18_454


def test_digits_can_be_chosen() -> None:
    digits = data.mnist_test()
    assert len(digits[:7]) == 7
    assert digits[np.array([3, 1])].labels.tolist() == [0, 2]
