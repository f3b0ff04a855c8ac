"""Paper and other surfaces: light given back, with the print that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.lab.handwriting.paper import RULINGS, TEXTURES, clouds, paper, texture


def page(**how) -> np.ndarray:
    return paper(np.random.default_rng(0), 200, 150, **how)


@pytest.mark.parametrize("ruling", RULINGS)
def test_a_page_has_its_size_and_gives_back_part_of_the_light(ruling):
    made = page(ruling=ruling)
    assert (made.shape, made.dtype) == ((200, 150, 3), np.float32)
    assert 0 <= made.min() < made.max() <= 1
    np.testing.assert_array_equal(made, page(ruling=ruling))


def test_bare_paper_is_even_and_of_its_colour():
    made = page(tint=(0.9, 0.8, 0.3))
    assert made.mean(axis=(0, 1)) == pytest.approx((0.9, 0.8, 0.3), abs=0.02)
    assert made.std(axis=(0, 1)).max() < 0.03


def test_lines_run_across_squares_both_ways_and_dots_are_apart():
    darker = {
        ruling: page(ruling=ruling, period=0.2, print_strength=0.8).mean(axis=2) < 0.8 for ruling in RULINGS
    }
    assert not darker["plain"].any()
    share = {ruling: mask.mean() for ruling, mask in darker.items()}
    assert 0 < share["dots"] < share["lines"] < share["squares"] < 0.25
    assert darker["lines"].mean(axis=1).max() > 3 * darker["lines"].mean(axis=0).max()
    assert darker["squares"].mean(axis=0).max() > 0.3


def test_lines_lie_a_period_apart():
    tone = page(ruling="lines", period=0.2, print_strength=0.8).mean(axis=2)[:, 75]
    starts = np.flatnonzero(np.diff((tone < 0.85).astype(int)) == 1)
    assert np.diff(starts) == pytest.approx(30, abs=1)


def test_creases_shade_the_page():
    assert page(crumple=0.3).std() > 2 * page().std()


@pytest.mark.parametrize("kind", TEXTURES)
def test_a_surface_is_not_even(kind):
    made = texture(np.random.default_rng(0), 120, 90, kind)
    assert (made.shape, made.dtype) == ((120, 90, 3), np.float32)
    assert 0 <= made.min() < made.max() <= 1
    assert made.std(axis=(0, 1)).max() > 0.02


def test_clouds_have_as_many_hills_as_asked_for():
    few, many = (clouds(np.random.default_rng(0), 100, 100, (cells, cells)) for cells in (3, 30))
    assert few.shape == (100, 100)
    crossings = [np.abs(np.diff(np.sign(noise), axis=1)).sum() for noise in (few, many)]
    assert crossings[1] > 5 * crossings[0]
