"""Digits and letters from a synthetic hand: every shape can be drawn, none twice alike, all within."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.lab.handwriting.shapes import DIGITS, PLAIN, RESEMBLING, SIGNS, Shape
from digitrec.lab.handwriting.strokes import by_hand, draw, write

DIGIT_SHAPES = [shape for shapes in DIGITS for shape in shapes]
SHAPES = [*DIGIT_SHAPES, *PLAIN.values(), *RESEMBLING.values(), *SIGNS.values()]


def holes(image: np.ndarray) -> int:
    """Areas of paper that ink encloses."""
    paper = np.pad(image < 128, 1, constant_values=True)
    found = -1  # the first is the ground around the character
    while paper.any():
        area = np.zeros_like(paper)
        area.ravel()[paper.argmax()] = True
        size = 0
        while size != area.sum():
            size = area.sum()
            for shift, axis in ((1, 0), (-1, 0), (1, 1), (-1, 1)):
                area |= np.roll(area, shift, axis) & paper
        paper &= ~area
        found += size > 3  # less is a flaw of the pen
    return int(found)


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


def test_two_drawings_of_one_shape_differ_in_more_than_place():
    rng = np.random.default_rng(0)
    shape = DIGITS[3][0]
    cut = []
    for _ in range(2):
        inked = np.argwhere(write([shape], rng, 96, 0.05) > 127)
        cut.append(np.ptp(inked, axis=0))
    assert (cut[0] != cut[1]).any()


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


def test_the_breadth_of_the_line_can_be_given():
    thin, thick = (
        np.mean([draw(1, np.random.default_rng(i), 96, width) for i in range(20)]) for width in (0.03, 0.12)
    )
    assert thick == pytest.approx(4 * thin, rel=0.3)


def test_hands_differ_in_the_pens_they_take():
    rng = np.random.default_rng(0)
    inked = [(draw(0, rng, 64) > 127).mean() for _ in range(60)]
    assert max(inked) > 5 * min(inked)


def test_ones_with_a_long_up_stroke_and_crossed_sevens_are_among_them():
    up_strokes = [shape for shape in DIGITS[1] if float(shape.other.split(",")[0].split()[1]) >= 50]
    assert len(up_strokes) >= 3
    assert sum(" / " in shape.form for shape in DIGITS[7]) >= 3
