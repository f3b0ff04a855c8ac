"""Scenes: fixed by the seed, and each contains its named object."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
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


def test_every_sign_can_be_printed() -> None:
    """A font prints the same box for all characters that it lacks; some print nothing, which is an error."""
    for font in (OWN, *fonts_to_learn()):
        shapes = {sign: printed.write(sign, font, 40) for sign in {*"".join((*SIGNS, *SIGNED))} - {*"{}"}}
        assert len({drawn.tobytes() for drawn in shapes.values()}) == len(shapes)
