"""What is no digit, to be learned as such: drawn as described, and none of what refusing is measured by."""

from __future__ import annotations

import unicodedata

import numpy as np

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting import printed, senseless
from digitrec.lab.handwriting.shapes import LEARNED, PLAIN, RESEMBLING
from digitrec.lab.handwriting.writer import Writer
from digitrec.prepare.components import components

WRITER = Writer(mnist_test()[:200])


def test_no_shape_by_which_refusing_is_measured_is_learned_nor_a_letter_that_resembles_a_digit() -> None:
    measured = {letter for letter in PLAIN if letter not in LEARNED}
    assert not {PLAIN[letter] for letter in measured} & set(senseless._LETTERS)
    assert not measured & set(senseless.GLYPHS)
    assert not set(senseless.LATIN) & set(RESEMBLING)
    assert {letter for letter in senseless.GLYPHS if letter.isascii() and letter.isalpha()} <= set(LEARNED)
    assert not [glyph for glyph in senseless.GLYPHS if unicodedata.category(glyph).startswith("N")]


def test_every_glyph_is_in_a_font_that_is_learned() -> None:
    regular = next(font for font in printed.fonts_to_learn() if font.endswith("DejaVuSans.ttf"))
    missing = printed.write("\uffff", regular, 60)
    assert not [
        glyph for glyph in senseless.GLYPHS if np.array_equal(printed.write(glyph, regular, 60), missing)
    ]


def test_all_kinds_come_up_and_the_seed_decides_which() -> None:
    made = [senseless.any_kind(WRITER, np.random.default_rng(seed)) for seed in range(60)]
    again = [senseless.any_kind(WRITER, np.random.default_rng(seed)) for seed in range(60)]
    assert all(np.array_equal(one, other) for one, other in zip(made, again, strict=True))
    assert all(one.dtype == np.uint8 and one.max() > 127 and one.min() == 0 for one in made)
    assert {one.shape == (28, 28) for one in made} == {True, False}
    assert len({one.tobytes() for one in made}) == 60


def test_a_scrawl_goes_round_and_round_in_one_line() -> None:
    for seed in range(12):
        ink = senseless._scrawl(WRITER, np.random.default_rng(seed)) > 127
        parts = components(ink)
        assert parts.area.max() > 0.9 * ink.sum()
        crossed = np.abs(np.diff(ink.astype(int), axis=1)).sum(axis=1).max()
        assert crossed >= 4  # some row is crossed by the line at least twice
