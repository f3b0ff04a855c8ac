"""A small digit written large is the same digit."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting.pen import Pen
from digitrec.lab.handwriting.redraw import centreline, enlarge, rewrite

DIGITS = mnist_test().images[:20]
RING = np.zeros((28, 28), np.uint8)
RING[6:22, 6:22] = 255
RING[10:18, 10:18] = 0


def small(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((28, 28), Image.Resampling.BOX), float)


def likeness(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


@pytest.mark.parametrize("side", [56, 112, 400])
def test_an_enlarged_digit_is_sharp_and_comes_back_when_reduced(side):
    for digit in DIGITS:
        large = enlarge(digit, side)
        assert (large.shape, large.dtype) == ((side, side), np.uint8)
        assert likeness(small(large), digit) > 0.85
    assert ((large > 25) & (large < 230)).mean() < 25 / side


def test_a_faint_stroke_is_enlarged_as_well_as_a_strong_one():
    faint = DIGITS[0] // 3
    assert (enlarge(faint, 112) > 127).sum() > 0.6 * (enlarge(DIGITS[0], 112) > 127).sum()


def test_the_middle_line_of_a_ring_is_a_ring_in_its_middle():
    points = centreline(RING) * 28
    away = np.abs(points - 14).max(axis=1)
    assert away == pytest.approx(6, abs=1)
    angles = np.sort(np.arctan2(*(points - 14).T))
    assert np.diff(angles).max() < 0.2  # closed all round


@pytest.mark.parametrize("width", [0.02, 0.1])
def test_a_rewritten_digit_has_the_new_pens_breadth_and_the_old_shape(width):
    rng = np.random.default_rng(0)
    for digit in DIGITS[:8]:
        new = rewrite(digit, Pen(width, pressure=0), 200, rng)
        length = len(np.unique((centreline(digit) * 200).round(), axis=0))
        assert (new > 127).sum() < 2.5 * width * 200 * length
        inside = np.asarray(Image.fromarray(digit).resize((200, 200), Image.Resampling.BICUBIC)) > 60
        line = rewrite(digit, Pen(0.005, pressure=0), 200, rng) > 127
        assert inside[line].mean() > 0.9
