"""What the changes do to digits, each one alone and all together."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting.augment import Augmentation, augment

NONE = Augmentation(**{limit.name: 0.0 for limit in fields(Augmentation)})
DIGITS = mnist_test().images[:300]


def changed(limits: Augmentation, seed: int = 0) -> NDArray[np.uint8]:
    return augment(DIGITS, np.random.default_rng(seed), limits)


def ink(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    return images.mean(axis=(1, 2))


def centres(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Centre of mass of each image, (N, 2) rows and columns, pixels."""
    mass = images.sum(axis=(1, 2), dtype=float)
    rows, columns = images.sum(axis=2) @ np.arange(28.0), images.sum(axis=1) @ np.arange(28.0)
    return np.stack([rows / mass, columns / mass], axis=1)


def test_the_same_seed_gives_the_same_digits() -> None:
    assert np.array_equal(changed(Augmentation(), 1), changed(Augmentation(), 1))
    assert not np.array_equal(changed(Augmentation(), 1), changed(Augmentation(), 2))


def test_gentler_limits_are_a_share_of_each_and_leave_as_many_digits_alone() -> None:
    half = Augmentation().gentler(0.5)
    for limit in fields(Augmentation):
        whole = getattr(Augmentation(), limit.name)
        assert getattr(half, limit.name) == (whole if limit.name == "clean" else whole / 2)


def test_the_originals_are_left_alone() -> None:
    before = DIGITS.copy()
    after = changed(Augmentation())
    assert np.array_equal(DIGITS, before)
    assert after.shape == before.shape and after.dtype == np.uint8


def test_clean_digits_are_not_touched() -> None:
    assert np.array_equal(changed(Augmentation(clean=1.0)), DIGITS)
    untouched = (changed(Augmentation(clean=0.5)) == DIGITS).all(axis=(1, 2)).mean()
    assert 0.35 < untouched < 0.65


def test_without_limits_digits_stay_in_place_and_recognisable() -> None:
    same = changed(NONE)
    assert np.abs(centres(same) - centres(DIGITS)).max() < 0.25
    assert np.corrcoef(same.ravel(), DIGITS.ravel())[0, 1] > 0.97


def test_strokes_become_thicker_or_thinner() -> None:
    thick = replace(NONE, thicker=2.0)
    assert (ink(changed(thick)) >= ink(changed(NONE)) - 3).all()
    assert ink(changed(thick)).mean() > 1.15 * ink(changed(NONE)).mean()
    assert ink(changed(replace(NONE, thinner=1.0))).mean() < 0.92 * ink(changed(NONE)).mean()


def test_shift_moves_within_its_limit() -> None:
    moved = centres(changed(replace(NONE, shift=2.0))) - centres(changed(NONE))
    assert np.abs(moved).max() < 2.3
    assert (np.abs(moved).max(axis=0) > 1.5).all()


def test_zoom_changes_the_size_both_ways() -> None:
    ratio = ink(changed(replace(NONE, zoom=0.3))) / ink(changed(NONE))
    assert ratio.min() < 0.75 and ratio.max() > 1.3


def test_boxed_digits_become_wider_and_stay_within_the_box() -> None:
    one = np.zeros((200, 28, 28), np.uint8)
    one[:, 4:24, 12:16] = 255
    wide = (augment(one, np.random.default_rng(0), replace(NONE, boxed=1.0)) > 127).any(axis=1).sum(axis=1)
    assert wide.min() >= 4 and wide.max() <= 22
    assert 8 < wide.mean() < 12


def test_rotation_turns_both_ways() -> None:
    one = np.zeros((200, 28, 28), np.uint8)
    one[:, 4:24, 13:15] = 255
    turned = augment(one, np.random.default_rng(0), replace(NONE, rotation=20.0))
    lean = turned[:, 4:10].sum(axis=1) @ np.arange(28) / turned[:, 4:10].sum(axis=(1, 2)) - 13.5
    assert lean.min() < -1.5 and lean.max() > 1.5


@pytest.mark.parametrize("limit", ["coarse", "blur", "hard", "lines", "noise"])
def test_a_share_of_the_digits_is_changed(limit: str) -> None:
    plain = changed(NONE).astype(int)
    some = changed(replace(NONE, **{limit: 1.0})).astype(int)
    assert np.abs(some - plain).mean() > 1


def test_lines_only_add_ink() -> None:
    blank = np.zeros((400, 28, 28), np.uint8)
    assert augment(blank, np.random.default_rng(0), NONE).max() == 0
    lined = augment(blank, np.random.default_rng(0), replace(NONE, lines=1.0))
    assert (lined.max(axis=(1, 2)) > 40).mean() > 0.8
