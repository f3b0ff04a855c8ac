"""A limit keeps the mix of labels; a larger sample contains the smaller one."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.comparison.datasets.sampling import sampled
from digitrec.lab.datasets.digits import read_digits

LABELS = st.lists(st.sampled_from([None, *range(10)]), max_size=80)


@given(labels=LABELS, limits=st.tuples(st.integers(0, 90), st.integers(0, 90)))
def test_samples_are_stratified_and_nested(labels: list[int | None], limits: tuple[int, int]) -> None:
    few, many = (sampled(labels, limit) for limit in sorted(limits))
    assert set(few) <= set(many)
    assert many.tolist() == sorted(set(many.tolist()))
    assert len(many) == min(max(limits), len(labels))
    there, taken = Counter(labels), Counter(labels[place] for place in many)
    for label, count in there.items():
        assert abs(taken[label] - count * len(many) / len(labels)) < 1.5


def test_mnist_is_the_official_set_and_drawn_in_its_shares() -> None:
    whole = mnist_test()
    assert whole.images.shape == (10_000, 28, 28)
    assert np.bincount(whole.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert whole.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert whole[np.array([3, 1])].labels.tolist() == [0, 2]
    digits = read_digits("mnist-test", 100)
    assert np.bincount(digits.labels).min() >= 8
    assert not np.array_equal(digits.images, whole.images[:100])
    assert np.array_equal(digits.images, read_digits("mnist-test", 100).images)
