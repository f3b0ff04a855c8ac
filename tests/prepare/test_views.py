"""Views of proposals and what is around them."""

import numpy as np
from PIL import Image

from digitrec.prepare.proposals import Proposal, Reading
from digitrec.prepare.views import CHANNELS, SIDE, view


def proposal(box: tuple[int, int, int, int]) -> Proposal:
    """Return a proposal whose ink fills its box."""
    ink = np.ones((10, 10), np.float32)
    return Proposal("finder", Reading(ink, np.zeros((28, 28), np.uint8), np.full(10, 0.1), 1.0), box)


def test_a_view_shows_the_ink_other_marks_and_where_the_picture_ends() -> None:
    pixels = np.full((100, 100, 3), (10, 20, 30), np.uint8)
    pixels[:, 60:] = (200, 100, 50)
    one, other = proposal((0, 40, 20, 60)), proposal((30, 40, 34, 60))
    shown = view(Image.fromarray(pixels), one, [one, other])
    assert shown.shape == (SIDE, SIDE, CHANNELS)
    middle, third = SIDE // 2, round(SIDE / 3)
    assert shown[middle, middle].tolist() == [10, 20, 30, 255, 0, 255]
    assert shown[middle, 2].tolist() == [10, 20, 30, 0, 0, 0]  # left of the picture
    assert (shown[..., 5] > 0).mean() == (SIDE - third) / SIDE
    assert np.flatnonzero(shown[middle, :, 4]).min() > 2 * third
    assert not shown[..., 4][shown[..., 3] > 0].any()


def test_a_mark_outside_the_view_is_not_shown() -> None:
    one, far = proposal((0, 0, 10, 10)), proposal((80, 80, 90, 90))
    assert not view(Image.new("L", (100, 100)), one, [one, far])[..., 4].any()
