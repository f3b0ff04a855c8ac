"""The pictures that must be refused: fixed by the seed, of every kind, gaps as they are said to be."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest

from digitrec.lab.handwriting import strokes
from digitrec.lab.handwriting.nondigits import (  # fmt: skip
    DIGIT_WIDTH,
    NOISES,
    PAGES,
    SCRIBBLES,
    NonDigit,
    noise,
    pages,
    pairs,
    scribbles,
    squeezed,
)
from digitrec.lab.handwriting.shapes import LEARNED, PLAIN


@pytest.fixture(scope="module")
def made_pairs() -> list[NonDigit]:
    return list(pairs(60, 5))


def drawing(pixels: np.ndarray) -> np.ndarray | None:
    """The ink of a picture drawn on a screen, black on white or the reverse; None of a photograph."""
    grey = pixels[:, :, 0]
    if grey[0].std() or grey[0, 0] not in (0, 255):
        return None
    return grey < 128 if grey[0, 0] else grey > 127


@pytest.mark.parametrize("make", [pages, pairs, scribbles, squeezed, noise])
def test_a_picture_depends_on_the_seed_and_its_place_alone(make):
    longer = list(islice(make(100, 7), 4))
    for one, same in zip(make(4, 7), longer, strict=True):
        np.testing.assert_array_equal(one.pixels, same.pixels)
        assert one == same
        assert one.pixels.dtype == np.uint8
        assert one.pixels.shape == (28, 28) if make in (squeezed, noise) else one.pixels.shape[2:] == (3,)
    other = next(make(1, 8))
    assert other.pixels.shape != longer[0].pixels.shape or (other.pixels != longer[0].pixels).any()


def test_pages_are_of_all_kinds_half_of_them_paper_and_bear_no_writing():
    made = list(pages(60, 2))
    kinds = Counter(page.kind for page in made)
    assert set(kinds) == set(PAGES)
    assert 18 < kinds["paper"] + kinds["shadow"] < 42
    even = [page.pixels.mean(axis=2) for page in made if page.kind in ("shadow", "gradient", "flat")]
    assert max(np.abs(np.diff(grey, axis=1)).max() for grey in even) < 80


def test_scribbles_are_of_each_kind_and_written():
    made = list(scribbles(60, 0))
    kinds = Counter(scribble.kind for scribble in made)
    assert set(kinds) == set(SCRIBBLES)
    assert min(kinds.values()) > 8
    inked = [ink.mean() for scribble in made if (ink := drawing(scribble.pixels)) is not None]
    assert len(inked) > 5
    assert 0.005 < min(inked) < max(inked) < 0.7


def test_no_letter_is_one_that_networks_learn(monkeypatch: pytest.MonkeyPatch):
    shown = []

    def write(shapes, rng, side):
        shown.extend(shapes)
        return np.zeros((side, side), np.uint8)

    monkeypatch.setattr(strokes, "write", write)
    assert len(list(scribbles(60, 0))) == 60
    learned = [PLAIN[letter] for letter in LEARNED]
    assert len(shown) > 20
    assert not [shape for shape in shown if shape in learned]


def test_pairs_name_their_digits_and_gap(made_pairs):
    assert all(len(pair.kind) == 2 and pair.kind.isdigit() for pair in made_pairs)
    gaps = [pair.gap for pair in made_pairs]
    assert 1 < gaps.count(0.0) < 16
    assert 0.8 < max(gaps) <= 1
    assert len(set(gaps)) > 40


def test_pairs_are_as_far_apart_as_they_say(made_pairs):
    drawings = [(pair, ink) for pair in made_pairs if (ink := drawing(pair.pixels)) is not None]
    compared = 0
    for pair, ink in drawings:
        rows = ink[ink.any(axis=1)]
        wanted = pair.gap * DIGIT_WIDTH * len(rows)
        columns = np.flatnonzero(rows.any(axis=0))
        clear = np.diff(columns).max() - 1
        assert clear <= wanted + 1.5  # slanted digits overlap in their columns and are still apart
        if clear > 2:
            compared += 1
            split = columns[np.diff(columns).argmax()] + 1
            left, right = rows[:, :split], rows[:, split:]
            both = left.any(axis=1) & right.any(axis=1)
            between = left[both][:, ::-1].argmax(axis=1) + right[both].argmax(axis=1)
            assert between.min() == pytest.approx(wanted, abs=0.12 * len(rows))
    assert compared > 5


def test_both_squeezed_digits_are_there():
    for one in squeezed(20, 3):
        assert len(one.kind) == 2 and one.kind.isdigit()
        assert min(one.pixels[:, :13].max(), one.pixels[:, 15:].max()) > 100


def test_noise_is_of_all_kinds():
    made = list(noise(60, 3))
    assert {one.kind for one in made} == set(NOISES)
    assert min(one.pixels.std() for one in made) > 15
