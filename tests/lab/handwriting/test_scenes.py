"""Scenes: fixed by the seed, and each contains its named object."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.lab.handwriting import printed
from digitrec.lab.handwriting.printed import OWN, fonts_to_learn
from digitrec.lab.handwriting.scenes import KINDS, REFUSED, SIGNED, SIGNS, scenes
from digitrec.lab.handwriting.writer import Writer

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


def test_a_writer_gives_digits_with_their_labels_as_high_as_wanted_in_its_own_fonts() -> None:
    for label in (0, 4, 8):
        writer = Writer(Digits(mnist_test().images[:200], np.full(200, label, np.uint8)))
        rng = np.random.default_rng(1)
        given = [writer.digit(rng, 60)[0] for _ in range(40)]
        assert 22 < given.count(label) < 40  # three in four, the rest is printed, of any digit
    rng, writer = np.random.default_rng(2), Writer(mnist_test()[:200], (OWN, *fonts_to_learn()), varied=0.5)
    heights = [len(writer.digit(rng, 100)[1]) for _ in range(60)]
    assert 85 < min(heights) <= max(heights) < 115
    assert OWN not in fonts_to_learn() and len(fonts_to_learn()) > 10


def test_every_sign_can_be_printed() -> None:
    """A font prints the same box for all characters that it lacks; some print nothing, which is an error."""
    for font in (OWN, *fonts_to_learn()):
        shapes = {sign: printed.write(sign, font, 40) for sign in {*"".join((*SIGNS, *SIGNED))} - {*"{}"}}
        assert len({drawn.tobytes() for drawn in shapes.values()}) == len(shapes)
