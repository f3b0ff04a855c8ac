"""How far each limit changes digits, alone and together."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting.augment import Augmentation, augment

USUAL = Augmentation()
NONE = Augmentation(**{limit.name: 0.0 for limit in fields(Augmentation)})
DIGITS = mnist_test().images[:300]


def changed(limits: Augmentation, seed: int = 0) -> NDArray[np.uint8]:
    return augment(DIGITS, np.random.default_rng(seed), limits)


def test_the_seed_decides_the_copies() -> None:
    before = DIGITS.copy()
    first = changed(USUAL, 1)
    assert np.array_equal(first, changed(USUAL, 1)) and not np.array_equal(first, changed(USUAL, 2))
    assert np.array_equal(DIGITS, before) and (first.shape, first.dtype) == (DIGITS.shape, np.uint8)


def test_gentler_limits_are_a_share_of_each_and_leave_as_many_digits_alone() -> None:
    for limit in fields(Augmentation):
        whole = getattr(USUAL, limit.name)
        assert getattr(USUAL.gentler(0.5), limit.name) == (whole if limit.name == "clean" else whole / 2)


def test_clean_digits_are_not_touched() -> None:
    assert np.array_equal(changed(Augmentation(clean=1.0)), DIGITS)
    assert 0.35 < (changed(Augmentation(clean=0.5)) == DIGITS).all(axis=(1, 2)).mean() < 0.65


def test_without_limits_digits_stay_recognisable_in_their_place() -> None:
    assert np.corrcoef(changed(NONE).ravel(), DIGITS.ravel())[0, 1] > 0.97


@pytest.mark.parametrize(("limit", "ink", "change"), [
    ("rotation", 1.002, 8.59), ("shear", 1.001, 8.98), ("zoom", 1.023, 10.66), ("stretch", 1.003, 4.96),
    ("boxed", 1.028, 4.54), ("shift", 1.002, 22.85), ("elastic", 0.998, 4.17), ("thinner", 0.815, 5.73),
    ("thicker", 1.353, 10.94), ("coarse", 0.994, 1.22), ("blur", 0.993, 2.02), ("hard", 1.005, 1.17),
    ("lines", 1.010, 0.74), ("noise", 1.025, 1.53),
])  # fmt: skip
def test_each_limit_changes_ink_and_levels_by_so_much(limit: str, ink: float, change: float) -> None:
    plain = changed(NONE).astype(float)
    some = changed(replace(NONE, **{limit: getattr(USUAL, limit)})).astype(float)
    assert some.mean() / plain.mean() == pytest.approx(ink, abs=0.003)
    assert np.abs(some - plain).mean() == pytest.approx(change, rel=0.01)
