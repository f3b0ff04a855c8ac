"""Pictures without a digit to learn from: drawn as described, and different from those measured."""

from __future__ import annotations

import unicodedata

import numpy as np

from digitrec.lab.handwriting import nondigits, printed, senseless
from digitrec.lab.handwriting.shapes import LEARNED, PLAIN, RESEMBLING


def test_no_shape_by_which_refusing_is_measured_is_learned_nor_a_letter_that_resembles_a_digit() -> None:
    measured = {letter for letter in PLAIN if letter not in LEARNED}
    assert set(nondigits._UNKNOWN) == {PLAIN[letter] for letter in measured}
    assert not set(nondigits._UNKNOWN) & set(senseless._LETTERS)
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
