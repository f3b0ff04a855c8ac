"""Digits and letters from a synthetic hand: every shape can be drawn, none twice alike, all within."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from digitrec.lab.handwriting.shapes import DIGITS, PLAIN, RESEMBLING, SIGNS, Shape
from digitrec.lab.handwriting.strokes import by_hand, draw, write

DIGIT_SHAPES = [shape for shapes in DIGITS for shape in shapes]
SHAPES = [*DIGIT_SHAPES, *PLAIN.values(), *RESEMBLING.values(), *SIGNS.values()]


def holes(image: np.ndarray) -> int:
    """Count the areas of paper that ink encloses; less than four pixels are a flaw of the pen."""
    paper, _ = label(np.pad(image < 128, 1, constant_values=True))
    return int((np.bincount(paper.ravel())[2:] > 3).sum())  # without the ink and the ground around it


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.form[:20])
def test_every_shape_can_be_drawn_and_lies_within_the_image(shape):
    rng = np.random.default_rng(0)
    for width in (0.02, 0.12):
        image = write([shape], rng, 96, width)
        assert (image.shape, image.dtype) == ((96, 96), np.uint8)
        assert 0.005 < (image > 127).mean() < 0.6
        inked = np.argwhere(image > 127)
        assert np.ptp(inked, axis=0).max() > 40
        assert max(image[[0, -1]].max(), image[:, [0, -1]].max()) < 128  # no stroke runs off the edge


def test_a_hand_misses_the_points_of_a_shape_by_a_few_hundredths_of_its_height():
    off = []
    for seed in range(100):
        (path,) = by_hand(Shape("0 0, 0 50, 0 100"), np.random.default_rng(seed))
        along, away = path[-1] - path[0], path - path[0]
        off.append(np.abs(away @ (along[::-1] * (1, -1))).max() / np.hypot(*along))
    assert 1.5 < np.mean(off) < 5
    assert max(off) < 20


def test_the_digits_have_the_holes_that_digits_have():
    rng = np.random.default_rng(0)
    found = {
        digit: np.mean([holes(draw(digit, rng, 96, 0.03)) for _ in range(20)]) for digit in (0, 1, 3, 7, 8)
    }
    assert found[0] == pytest.approx(1, abs=0.35)
    assert found[8] == pytest.approx(2, abs=0.6)
    assert found[8] > found[0] + 0.5
    assert max(found[1], found[3], found[7]) < 0.4


def test_the_breadth_of_the_line_can_be_given_and_hands_differ_in_their_pens() -> None:
    thin, thick, any_pen = (
        np.array([draw(1, np.random.default_rng(i), 96, width).mean() for i in range(40)])
        for width in (0.03, 0.12, None)
    )
    assert thick.mean() == pytest.approx(4 * thin.mean(), rel=0.3)
    assert any_pen.max() > 5 * any_pen.min()


def test_ones_with_a_long_up_stroke_and_crossed_sevens_are_among_them():
    up_strokes = [shape for shape in DIGITS[1] if float(shape.other.split(",")[0].split()[1]) >= 50]
    assert len(up_strokes) >= 3
    assert sum(" / " in shape.form for shape in DIGITS[7]) >= 3
