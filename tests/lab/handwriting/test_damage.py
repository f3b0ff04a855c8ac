"""Damaged digits: every kind has its strength, and the seed decides it."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting import damage

DIGITS = mnist_test().images[:40]


def test_pictures_are_square_of_any_polarity_and_decided_by_the_seed() -> None:
    one, same = (
        [damage.damage(digit, rng) for digit in DIGITS]
        for rng in (np.random.default_rng(0), np.random.default_rng(0))
    )
    assert all(np.array_equal(first, second) for first, second in zip(one, same, strict=True))
    assert all(picture.dtype == np.uint8 and len(set(picture.shape)) == 1 for picture in one)
    sides = [len(picture) for picture in one]
    assert min(sides) == 28 < max(sides) <= 56
    assert 3 < sum(np.median(picture[0]) > 128 for picture in one) < 37


@pytest.mark.parametrize(("kind", "ink", "change"), list(zip(damage.KINDS, (
    0.488, 0.331, 0.109, 0.148, 0.152, 0.145), (0.470, 0.270, 0.141, 0.031, 0.120, 0.067), strict=True)
))  # fmt: skip
def test_every_kind_changes_digits_as_much_as_it_should(
    kind: damage.Damage, ink: float, change: float
) -> None:
    rng = np.random.default_rng(1)
    digits = [digit.astype(np.float32) / 255 for digit in DIGITS]
    seen = [kind(digit, rng) for digit in digits]
    assert np.mean(seen) == pytest.approx(ink, abs=0.002)
    assert np.mean(np.abs(np.array(seen) - digits)) == pytest.approx(change, abs=0.002)
