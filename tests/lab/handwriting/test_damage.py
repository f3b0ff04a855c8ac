"""Damaged digits: every kind does something, most of the digit survives, and the seed decides it."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting import damage
from digitrec.lab.handwriting.damage import KINDS

DIGITS = mnist_test().images[:20]


def test_pictures_are_square_and_of_any_polarity() -> None:
    rng = np.random.default_rng(0)
    pictures = [damage.damage(digit, rng) for digit in DIGITS for _ in range(3)]
    assert all(picture.dtype == np.uint8 and len(set(picture.shape)) == 1 for picture in pictures)
    sides = [len(picture) for picture in pictures]
    assert min(sides) == 28 < max(sides) <= 56
    edges = np.array([np.median(picture[0]) for picture in pictures])
    assert 5 < (edges > 128).sum() < 55


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_the_digit(kind: damage.Damage) -> None:
    rng = np.random.default_rng(1)
    for digit in DIGITS:
        ink = digit.astype(np.float32) / 255
        damaged = kind(ink, rng)
        assert damaged.shape == ink.shape
        assert np.abs(damaged - ink).mean() > 0.001


def test_the_seed_decides_it() -> None:
    one, same, other = (damage.damage(DIGITS[0], np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_band_is_the_inverse_where_it_lies_and_nothing_elsewhere() -> None:
    rng = np.random.default_rng(5)
    band = KINDS[0]
    ink = DIGITS[0].astype(np.float32) / 255
    for _ in range(20):
        out = band(ink, rng)
        assert ((out == ink) | (out == 1 - ink)).all()
        assert not (out == ink).all()


def test_an_outline_is_hollow() -> None:
    """The middle of a stroke as thick as a marker's is left without ink."""
    block = np.zeros((28, 28), np.float32)
    block[6:22, 6:22] = 1
    outline = KINDS[2](block, np.random.default_rng(0))
    assert outline[14, 14] == 0
    assert outline.sum() > 50
