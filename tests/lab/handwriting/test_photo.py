"""Ink on paper before a camera: the ink is where it was put, the light falls as it was told to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from digitrec.lab.handwriting.photo import INKS, Look, ink_on_paper, random_look

STILL = Look(slope=0, vignette=0, blur=0, noise=0, quality=0, exposure=1)
"""A look in which nothing disturbs."""
BLANK = np.zeros((120, 160), np.uint8)
SQUARE = BLANK.copy()
SQUARE[40:80, 60:100] = 255


def photo(look: Look, ink: np.ndarray = SQUARE, seed: int = 0) -> np.ndarray:
    return ink_on_paper(ink, np.random.default_rng(seed), look)


def test_ink_shows_where_it_was_put_in_its_own_colour():
    seen = photo(replace(STILL, ink=INKS["blue"], strength=1.0))
    assert (seen.shape, seen.dtype) == ((120, 160, 3), np.uint8)
    assert seen[40:80, 60:100].mean(axis=(0, 1)) == pytest.approx(255 * np.array(INKS["blue"]), abs=2)
    assert seen[:30].min() > 210


def test_any_look_keeps_the_writing_visible():
    for seed in range(40):
        seen = ink_on_paper(SQUARE, np.random.default_rng(seed)).mean(axis=2)
        around = np.concatenate([seen[45:75, 40:55], seen[45:75, 105:120]], axis=1)
        assert seen[45:75, 65:95].mean() < around.mean() - 10


def test_a_pencil_leaves_gaps():
    even, grainy = (photo(replace(STILL, grain=grain))[40:80, 60:100].std() for grain in (0.0, 0.5))
    assert grainy > 3 * even


def test_a_shadow_darkens_one_part_and_leaves_another():
    lit, shaded = (photo(replace(STILL, shadow=shadow), BLANK).astype(float) for shadow in (0.0, 0.5))
    left = shaded / lit
    assert left.min() == pytest.approx(0.5, abs=0.03)
    assert left.max() == pytest.approx(1, abs=0.03)


def test_a_slope_goes_from_side_to_side_and_a_vignette_to_the_corners():
    sloping = photo(replace(STILL, slope=0.5), BLANK).mean(axis=2)
    assert sloping.min() < 0.75 * sloping.max()
    dark = photo(replace(STILL, vignette=0.5), BLANK).mean(axis=2)
    assert max(dark[0, 0], dark[0, -1], dark[-1, 0], dark[-1, -1]) < 0.85 * dark[60, 80]


def test_exposure_and_warmth_set_brightness_and_colour():
    dark = photo(replace(STILL, exposure=0.4), BLANK)
    assert dark.mean() == pytest.approx(0.4 * photo(STILL, BLANK).mean(), rel=0.03)
    red, _, blue = photo(replace(STILL, exposure=0.8, warmth=0.2), BLANK).mean(axis=(0, 1))
    assert red > 1.3 * blue


def test_blur_noise_and_compression_each_do_their_part():
    assert (photo(replace(STILL, blur=3))[60, 55:65, 0].astype(int) != photo(STILL)[60, 55:65, 0]).all()
    assert photo(replace(STILL, noise=0.05), BLANK).std() > 2 * photo(STILL, BLANK).std()
    blocks = photo(replace(STILL, quality=5))
    assert (blocks != photo(STILL)).any()


def test_looks_vary_and_the_seed_fixes_them():
    looks = [random_look(np.random.default_rng(seed)) for seed in range(200)]
    assert looks[0] == random_look(np.random.default_rng(0))
    assert {look.ruling for look in looks} == {"plain", "squares", "lines", "dots"}
    assert {look.ink for look in looks} == set(INKS.values())
    assert 0.2 < np.mean([look.shadow > 0 for look in looks]) < 0.5
    np.testing.assert_array_equal(photo(looks[0]), photo(looks[0]))
