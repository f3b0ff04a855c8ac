"""Digits and letters from a synthetic hand: every shape can be drawn and lies within the image."""

import numpy as np
import pytest

from digitrec.lab.handwriting.strokes import DIGITS, PLAIN, RESEMBLING, SIGNS, write

DIGIT_SHAPES = [shape for shapes in DIGITS for shape in shapes]
SHAPES = [*DIGIT_SHAPES, *PLAIN.values(), *RESEMBLING.values(), *SIGNS.values()]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.form[:20])
def test_every_shape_can_be_drawn_and_lies_within_the_image(shape):
    for width in (0.02, 0.12):
        image = write([shape], np.random.default_rng(0), 96, width)
        assert (image.shape, image.dtype) == ((96, 96), np.uint8)
        assert 0.005 < (image > 127).mean() < 0.6
        assert np.ptp(np.argwhere(image > 127), axis=0).max() > 40
        assert max(image[[0, -1]].max(), image[:, [0, -1]].max()) < 128  # no stroke runs off the edge
