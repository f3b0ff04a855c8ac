"""A pen leaves a line of its breadth, wherever its path leads."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.lab.handwriting.pen import Pen, ink, resample

ACROSS = np.array([[0.2, 0.5], [0.8, 0.5]])


def draw(pen: Pen, path: np.ndarray = ACROSS, seed: int = 0) -> np.ndarray:
    return ink([path], pen, 100, np.random.default_rng(seed))


def breadths(image: np.ndarray) -> np.ndarray:
    """Ink in each column of the middle of the line, pixels."""
    return image[:, 30:70].sum(axis=0) / 255


@pytest.mark.parametrize("width", [0.02, 0.08, 0.2])
def test_a_line_has_the_breadth_of_its_pen(width):
    image = draw(Pen(width, pressure=0))
    assert (image.shape, image.dtype) == ((100, 100), np.uint8)
    assert breadths(image) == pytest.approx(100 * width, abs=0.7)


def test_a_line_ends_where_its_path_ends():
    inked = np.flatnonzero(draw(Pen(0.08, pressure=0)).any(axis=0))
    assert (inked[0], inked[-1]) == pytest.approx((16, 84), abs=1)


def test_pressure_makes_the_breadth_vary():
    assert np.ptp(breadths(draw(Pen(0.1, pressure=0)))) < 1
    assert np.ptp(breadths(draw(Pen(0.1, pressure=0.5)))) > 2


def test_a_flat_nib_is_thin_along_its_angle_and_broad_across():
    along, across = (breadths(draw(Pen(0.2, 0, flat=0.3, angle=angle))).mean() for angle in (0, np.pi / 2))
    assert along == pytest.approx(6, abs=1)
    assert across == pytest.approx(20, abs=1.5)


def test_strokes_are_not_joined():
    parts = [np.array([[0.1, 0.5], [0.3, 0.5]]), np.array([[0.7, 0.5], [0.9, 0.5]])]
    image = ink(parts, Pen(0.05), 100, np.random.default_rng(0))
    assert not image[:, 40:60].any()


def test_the_same_hand_draws_the_same():
    pen = Pen(0.1, 0.4)
    np.testing.assert_array_equal(draw(pen), draw(pen))
    assert (draw(pen) != draw(pen, seed=1)).any()


def test_resampling_keeps_the_line_and_leaves_no_gap():
    corner = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]])
    points = resample(corner, 0.3)
    assert np.hypot(*np.diff(points, axis=0).T).max() <= 0.3 + 1e-9
    assert ((points[:, 1] == 0) | (points[:, 0] == 1)).all()
    np.testing.assert_array_equal(points[[0, -1]], corner[[0, -1]])
