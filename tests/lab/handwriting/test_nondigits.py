"""The pictures that must be refused: fixed by the seed, of every kind, gaps as they are said to be."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from digitrec.lab.handwriting import nondigits, strokes
from digitrec.lab.handwriting.nondigits import (
    DIGIT_WIDTH,
    NOISES,
    PAGES,
    SCRIBBLES,
    noise,
    pages,
    pairs,
    scribbles,
    squeezed,
)  # fmt: skip
from digitrec.lab.handwriting.shapes import LEARNED, PLAIN


@pytest.mark.parametrize(("make", "kinds", "mean", "deviation"), [
    (pages, PAGES, 119.9, 20.5), (pairs, None, 195.3, 52.8), (scribbles, SCRIBBLES, 145.3, 32.3),
    (squeezed, None, 33.0, 73.9), (noise, NOISES, 133.8, 81.7),
])  # fmt: skip
def test_pictures_are_those_that_are_measured_and_all_kinds_come_up(
    make, kinds: tuple[str, ...] | None, mean: float, deviation: float
) -> None:
    """docs/accuracy.md holds for these pictures only."""
    made = list(make(60, 2026))
    levels = np.mean([[one.pixels.mean(), one.pixels.std()] for one in made[:12]], axis=0)
    assert levels == pytest.approx([mean, deviation], rel=0.01)
    for one, same in zip(made, islice(make(100, 2026), 4), strict=False):
        np.testing.assert_array_equal(one.pixels, same.pixels)
        assert one == same
    small = make in (squeezed, noise)
    for one in made:
        assert one.pixels.dtype == np.uint8
        assert one.pixels.shape == (28, 28) if small else one.pixels.shape[2:] == (3,)
        assert kinds or (len(one.kind) == 2 and one.kind.isdigit())
    assert kinds is None or {one.kind for one in made} == set(kinds)
    assert len({one.pixels.tobytes() for one in made}) > 55


def test_scribbles_are_written_with_no_letter_that_networks_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    write = strokes.write
    monkeypatch.setattr(strokes, "write", lambda shapes, *how: shown.extend(shapes) or write(shapes, *how))
    monkeypatch.setattr(nondigits, "shown", lambda ink, rng: ink)
    inked = [(one.pixels > 127).mean() for one in scribbles(60, 0)]
    assert 0.005 < min(inked) < max(inked) < 0.7
    assert len(shown) > 20 and not {PLAIN[letter] for letter in LEARNED} & set(shown)


def test_pairs_are_as_far_apart_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nondigits, "shown", lambda ink, rng: ink)
    made = list(pairs(60, 5))
    gaps = [pair.gap for pair in made]
    assert 1 < gaps.count(0.0) < 16 and 0.8 < max(gaps) <= 1 and len(set(gaps)) > 40
    for pair in made:
        ink = pair.pixels > 127
        columns, height = np.flatnonzero(ink.any(axis=0)), np.ptp(np.flatnonzero(ink.any(axis=1))) + 1
        clear = np.diff(columns).max() - 1  # slanted digits overlap in their columns and are still apart
        assert clear <= pair.gap * DIGIT_WIDTH * height + 1.5
