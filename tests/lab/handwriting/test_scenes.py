"""Scenes and pictures without a digit: fixed by the seed, drawn as described, other than those measured."""

import unicodedata

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting import nondigits
from digitrec.lab.handwriting.nondigits import GLYPHS, LATIN
from digitrec.lab.handwriting.scenes import KINDS, REFUSED, SIGNED, SIGNS, scenes
from digitrec.lab.handwriting.strokes import LEARNED, PLAIN, RESEMBLING, TO_LEARN
from digitrec.lab.handwriting.writer import OWN, Writer, fonts_to_learn, in_font

WRITER = Writer(mnist_test()[:200])


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_says_what_is_wanted_and_where(kind: str) -> None:
    made = list(scenes(kind, WRITER, 3, 2026))
    assert list(scenes(kind, WRITER, 2, 2026)) == made[:2]
    for one in made:
        assert (one.kind, one.pixels.dtype, one.pixels.shape[2]) == (kind, np.uint8, 3)
        assert (one.label is None) == (kind in REFUSED)
        height, width = one.pixels.shape[:2]
        assert 0 <= one.box[0] < one.box[2] <= width and 0 <= one.box[1] < one.box[3] <= height


def test_every_sign_can_be_printed() -> None:
    """A font prints the same box for all characters that it lacks; some print nothing, which is an error."""
    for font in (OWN, *fonts_to_learn()):
        shapes = {sign: in_font(sign, font, 40) for sign in {*"".join((*SIGNS, *SIGNED))} - {*"{}"}}
        assert len({drawn.tobytes() for drawn in shapes.values()}) == len(shapes)


def test_no_shape_by_which_refusing_is_measured_is_learned_nor_a_letter_that_resembles_a_digit() -> None:
    measured = {letter for letter in PLAIN if letter not in LEARNED}
    assert set(nondigits._UNKNOWN) == {PLAIN[letter] for letter in measured}
    assert not set(nondigits._UNKNOWN) & set(TO_LEARN)
    assert not measured & set(GLYPHS)
    assert not set(LATIN) & set(RESEMBLING)
    assert {letter for letter in GLYPHS if letter.isascii() and letter.isalpha()} <= set(LEARNED)
    assert not [glyph for glyph in GLYPHS if unicodedata.category(glyph).startswith("N")]


def test_every_glyph_is_in_a_font_that_is_learned() -> None:
    regular = next(font for font in fonts_to_learn() if font.endswith("DejaVuSans.ttf"))
    missing = in_font("\uffff", regular, 60)
    assert not [glyph for glyph in GLYPHS if np.array_equal(in_font(glyph, regular, 60), missing)]
