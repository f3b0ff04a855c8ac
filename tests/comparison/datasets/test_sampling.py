"""A limit draws each label in its share; a larger one keeps what a smaller one drew."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digitrec.comparison.datasets.loader import read_samples
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.comparison.datasets.sampling import sampled
from digitrec.lab.datasets.digits import read_digits

LABELS = st.lists(st.sampled_from([None, *range(10)]), max_size=80)


@given(labels=LABELS, limit=st.integers(0, 90))
def test_each_label_has_its_share_to_within_one(labels: list[int | None], limit: int) -> None:
    places = sampled(labels, limit)
    assert places.tolist() == sorted(set(places.tolist()))
    assert len(places) == min(limit, len(labels))
    there, taken = Counter(labels), Counter(labels[place] for place in places)
    for label, count in there.items():
        assert abs(taken[label] - count * len(places) / len(labels)) < 1.5


@given(labels=LABELS, limits=st.tuples(st.integers(0, 90), st.integers(0, 90)))
def test_a_larger_limit_keeps_what_a_smaller_one_drew(
    labels: list[int | None], limits: tuple[int, int]
) -> None:
    few, many = sorted(limits)
    assert set(sampled(labels, few)) <= set(sampled(labels, many))


def test_a_folder_is_not_cut_off_after_its_first_digits(tmp_path: Path) -> None:
    for digit in range(10):
        (tmp_path / str(digit)).mkdir()
        for number in range(6):
            Image.new("L", (30, 30), 200 + number).save(tmp_path / str(digit) / f"{number}.png")
    assert Counter(sample.label for sample in read_samples(tmp_path, 20)) == dict.fromkeys(range(10), 2)


def test_mnist_too_is_drawn_in_its_shares() -> None:
    digits = read_digits("mnist-test", 100)
    assert np.bincount(digits.labels).min() >= 8
    assert not np.array_equal(digits.images, mnist_test().images[:100])
    assert np.array_equal(digits.images, read_digits("mnist-test", 100).images)
