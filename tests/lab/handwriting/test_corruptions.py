"""Each corruption has its strength, and is always the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting.corruptions import KINDS, corrupt

DIGITS = mnist_test().images[:64]
FIGURES = (
    ("shot noise", 24.06, 67.22, 10.31, 14.038),
    ("impulse noise", 45.29, 92.30, 20.91, 13.790),
    ("glass blur", 29.20, 54.56, 18.54, 14.545),
    ("motion blur", 29.19, 54.23, 24.33, 12.109),
    ("shear", 31.69, 70.97, 27.41, 14.044),
    ("scale", 14.30, 50.25, 26.97, 13.875),
    ("rotate", 29.25, 68.83, 27.19, 13.967),
    ("brightness", 145.89, 42.47, 116.64, 13.566),
    ("translate", 29.06, 73.56, 45.16, 14.508),
    ("stripe", 152.12, 120.35, 126.12, 13.491),
    ("fog", 102.64, 38.33, 91.19, 13.541),
    ("spatter", 33.04, 69.75, 8.04, 13.959),
    ("dotted line", 35.89, 79.50, 6.64, 14.139),
    ("zigzag", 40.15, 82.74, 10.90, 13.822),
    ("canny edges", 27.25, 78.78, 39.68, 14.043),
)
"""Mean and deviation of the levels, mean change, and column of the centre of mass, with seed 1."""


def test_there_are_the_fifteen_of_the_paper_in_the_order_that_is_part_of_their_seed() -> None:
    assert tuple(kind for kind, *_ in FIGURES) == KINDS
    with pytest.raises(KeyError):
        corrupt(DIGITS, "snow", 0)


@pytest.mark.parametrize(("kind", "mean", "deviation", "change", "middle"), FIGURES)
def test_strength_and_seed(kind: str, mean: float, deviation: float, change: float, middle: float) -> None:
    before = DIGITS.copy()
    seen = corrupt(DIGITS, kind, 1)
    assert (seen.shape, seen.dtype) == (DIGITS.shape, np.uint8) and np.array_equal(DIGITS, before)
    ink = seen.astype(float)
    found = [ink.mean(), ink.std(), np.abs(ink - DIGITS).mean(), (ink * np.arange(28)).sum() / ink.sum()]
    assert found == pytest.approx([mean, deviation, change, middle], rel=0.002)
    assert np.array_equal(seen, corrupt(DIGITS, kind, 1))
    fixed = kind in ("scale", "brightness", "stripe", "canny edges")
    assert np.array_equal(seen, corrupt(DIGITS, kind, 2)) == fixed


def test_an_outline_begins_above_the_upper_threshold_and_goes_on_above_the_lower() -> None:
    square = np.zeros((1, 28, 28), np.uint8)
    square[:, 8:20, 8:20] = 255
    faint, strong = (np.minimum(square, level) for level in (12, 25))  # steepness about 0.13 and 0.27
    assert not corrupt(faint, "canny edges", 0).any() and corrupt(strong, "canny edges", 0).any()
    fading = np.zeros_like(square)
    fading[:, 8:20, 4:24] = np.linspace(60, 12, 20)
    assert (corrupt(fading, "canny edges", 0)[0, 5:11, 21] == 255).any()  # joined to its strong part
