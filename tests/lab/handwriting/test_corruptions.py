"""Each corruption does what the paper says, at its strength, and always the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting.corruptions import KINDS, corrupt

GREY = np.full((40, 28, 28), 128, np.uint8)
BLANK = np.zeros((40, 28, 28), np.uint8)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return mnist_test().images[:64]


def bar(rows: slice, columns: slice, n: int = 40) -> np.ndarray:
    images = np.zeros((n, 28, 28), np.uint8)
    images[:, rows, columns] = 255
    return images


def lean(images: np.ndarray) -> np.ndarray:
    """Columns to the right per row down, of a bar near the middle of each image."""
    rows = np.arange(10, 18)
    ink = images[:, rows].astype(float)
    middles = (ink * np.arange(28)).sum(axis=2) / ink.sum(axis=2)
    return np.polyfit(rows, middles.T, 1)[0]


def test_there_are_the_fifteen_of_the_paper():
    assert len(KINDS) == len(set(KINDS)) == 15
    with pytest.raises(KeyError):
        corrupt(BLANK, "snow", 0)


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKind:
    def test_keeps_the_form_and_changes_the_content_of_a_copy(self, kind, digits):
        before = digits.copy()
        damaged = corrupt(digits, kind, 1)
        assert damaged.shape == digits.shape
        assert damaged.dtype == np.uint8
        assert (damaged != digits).any(axis=(1, 2)).all()
        np.testing.assert_array_equal(digits, before)

    def test_depends_on_the_seed_alone(self, kind, digits):
        once = corrupt(digits, kind, 1)
        np.testing.assert_array_equal(once, corrupt(digits, kind, 1))
        fixed = {"scale", "brightness", "stripe", "canny edges"}
        assert (once != corrupt(digits, kind, 2)).any() == (kind not in fixed)


class TestNoise:
    def test_of_photons_is_three_at_full_light_and_none_in_the_dark(self):
        assert not corrupt(BLANK, "shot noise", 0).any()
        levels = corrupt(GREY, "shot noise", 0)
        assert set(np.unique(levels)) == {0, 85, 170, 255}
        assert levels.mean() == pytest.approx(120, abs=3)  # more than three photons show as three

    def test_of_impulses_hits_17_percent_half_white_half_black(self):
        hit = corrupt(GREY, "impulse noise", 0)
        assert (hit == 0).mean() == pytest.approx(0.085, abs=0.007)
        assert (hit == 255).mean() == pytest.approx(0.085, abs=0.007)
        assert ((hit == 0) | (hit == 255) | (hit == 128)).all()


class TestBlur:
    def test_of_glass_spreads_ink_and_tears_edges(self):
        straight = bar(slice(4, 24), slice(12, 16))
        blurred = corrupt(straight, "glass blur", 0)
        assert blurred.mean() == pytest.approx(straight.mean(), rel=0.05)
        assert blurred.max() < 255
        assert np.ptp(blurred[:, 8:20, 11].astype(int), axis=1).min() > 15  # along the edge it is uneven

    def test_of_motion_trails_to_one_side_without_losing_ink(self):
        point = bar(slice(14, 15), slice(12, 13))
        trail = corrupt(point, "motion blur", 0).astype(float)
        assert trail.sum(axis=(1, 2)) == pytest.approx(255, rel=0.05)
        columns = (trail.sum(axis=1) * np.arange(28)).sum(axis=1) / trail.sum(axis=(1, 2))
        assert ((np.abs(columns - 12) > 1) & (np.abs(columns - 12) < 2.3)).all()
        assert (np.sign(columns - 12) == np.sign(columns[0] - 12)).all()
        rows = (trail.sum(axis=2) * np.arange(28)).sum(axis=1) / trail.sum(axis=(1, 2))
        assert (np.abs(rows - 14) <= np.abs(columns - 12) + 0.1).all()  # never steeper than 45 degrees
        assert np.ptp(rows) > 1.5


class TestGeometry:
    def test_shear_leans_a_bar_by_sin_of_0_4_either_way(self):
        leaning = lean(corrupt(bar(slice(4, 24), slice(13, 15)), "shear", 0))
        assert np.abs(leaning) == pytest.approx(np.sin(0.4), abs=0.03)
        assert 8 < (leaning > 0).sum() < 32

    def test_rotation_turns_a_bar_by_0_4_either_way(self):
        leaning = lean(corrupt(bar(slice(2, 26), slice(13, 15)), "rotate", 0))
        assert np.abs(np.arctan(leaning)) == pytest.approx(0.4, abs=0.03)
        assert 8 < (leaning > 0).sum() < 32

    def test_scale_leaves_70_percent_of_each_side_about_the_centre(self):
        small = corrupt(bar(slice(4, 24), slice(4, 24), n=1), "scale", 0)[0] > 127
        assert small.sum() == 14 * 14
        assert small[7:21, 7:21].all()

    def test_translation_moves_three_pixels_along_both_axes(self):
        moved = corrupt(bar(slice(14, 15), slice(14, 15)), "translate", 0)
        assert {tuple(np.argwhere(image)[0]) for image in moved} == {(11, 11), (11, 17), (17, 11), (17, 17)}
        assert ((moved == 255).sum(axis=(1, 2)) == 1).all()


class TestLight:
    def test_brightness_adds_half_the_range(self):
        assert (corrupt(BLANK, "brightness", 0) == 128).all()
        assert (corrupt(GREY, "brightness", 0) == 255).all()

    def test_stripe_inverts_all_but_the_middle_half(self, digits):
        striped = corrupt(digits, "stripe", 0)
        np.testing.assert_array_equal(striped[:, :, 7:21], digits[:, :, 7:21])
        np.testing.assert_array_equal(striped[:, :, :7], 255 - digits[:, :, :7])
        np.testing.assert_array_equal(striped[:, :, 21:], 255 - digits[:, :, 21:])

    def test_fog_leaves_a_quarter_of_the_contrast(self):
        ink = bar(slice(0, 28), slice(0, 14))
        foggy = corrupt(ink, "fog", 0).astype(float)
        assert foggy.max() <= 255
        assert (foggy[:, :, 13] - foggy[:, :, 14]).mean() == pytest.approx(255 / 4, abs=12)
        assert np.ptp(foggy[:, :, 14:], axis=(1, 2)).min() > 60  # it is uneven

    def test_fog_is_not_seen_where_nothing_is_bright(self):
        assert not corrupt(BLANK, "fog", 0).any()


class TestMarks:
    def test_spatter_is_dark_grey_on_ink_and_on_the_ground(self):
        for ground in (BLANK, np.full_like(BLANK, 255)):
            spots = corrupt(ground, "spatter", 0) != ground
            assert 0.02 < spots.mean() < 0.3
        assert corrupt(BLANK, "spatter", 0).max() <= 63

    def test_a_dotted_line_runs_from_edge_to_edge_with_every_other_pair_of_columns_left_out(self):
        inked = corrupt(BLANK, "dotted line", 0).max(axis=1)
        drawn = np.arange(28) % 4 >= 2
        assert (inked[:, drawn] > 128).all()
        assert not inked[:, ~drawn].any()

    def test_a_zigzag_swings_two_pixels_each_way_with_a_period_of_eight(self):
        line = corrupt(BLANK, "zigzag", 0)
        whole = line[(line[:, [0, -1]].max(axis=(1, 2)) == 0)]  # those that do not leave the image
        assert len(whole) > 10
        assert not whole[:, :, [0, 1, 26, 27]].any()
        assert (whole[:, :, 2:26].max(axis=1) > 128).all()
        heights = whole.argmax(axis=1)[:, 2:26]
        assert (np.abs(np.diff(heights, axis=1)) <= 2).all()
        assert (np.ptp(heights[:, :8], axis=1) >= 3).all()


class TestCannyEdges:
    def test_draw_the_outline_of_a_square_one_pixel_wide(self):
        edges = corrupt(bar(slice(8, 20), slice(8, 20), n=1), "canny edges", 0)[0]
        assert set(np.unique(edges)) == {0, 255}
        assert not edges[10:18, 10:18].any()
        assert not edges[:6].any()
        assert (np.count_nonzero(edges[11:17], axis=1) == 2).all()
        assert (np.count_nonzero(edges[:, 11:17], axis=0) == 2).all()

    def test_begin_above_the_upper_threshold_and_go_on_above_the_lower(self):
        square = bar(slice(8, 20), slice(8, 20), n=1)
        faint, strong = (np.minimum(square, level) for level in (12, 25))  # steepness about 0.13 and 0.27
        assert not corrupt(faint, "canny edges", 0).any()
        assert corrupt(strong, "canny edges", 0).any()
        fading = np.zeros_like(square)
        fading[:, 8:20, 4:24] = np.linspace(60, 12, 20)
        assert (corrupt(fading, "canny edges", 0)[0, 5:11, 21] == 255).any()  # joined to its strong part
