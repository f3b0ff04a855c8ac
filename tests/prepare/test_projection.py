"""Coloured pictures are projected to the colour in which ink and paper differ most."""

import numpy as np
import pytest
from looks import look
from PIL import Image

import digitrec
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.image import Polarity
from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.writer import enlarge
from digitrec.prepare.projection import find_projection

WHITE = (255, 255, 255)


def coloured(ink: tuple[int, ...], paper: tuple[int, ...], light: tuple[float, ...] = (1, 1, 1)) -> Pixels:
    """Draw a digit in one colour on another, in light that falls off to these shares at the right."""
    drawn = np.pad(enlarge(mnist_test().images[0], 200), 60)[:, :, None] / 255
    lit = 1 - np.linspace(0, 1, drawn.shape[1])[None, :, None] * (1 - np.array(light))
    return np.asarray((np.array(ink) * drawn + np.array(paper) * (1 - drawn)) * lit).astype(np.uint8)


@pytest.mark.parametrize(("ink", "paper", "most"), [
    ((255, 255, 60), WHITE, 2), ((250, 80, 255), (250, 240, 255), 1), ((40, 200, 180), (240, 210, 190), 0),
])  # fmt: skip
def test_the_channel_of_most_contrast_wins(ink: tuple[int, ...], paper: tuple[int, ...], most: int) -> None:
    found = look(coloured(ink, paper))
    weights = found.projection.weights
    assert weights.shape == (3,) and weights.sum() == pytest.approx(1) and weights.min() >= 0
    assert weights.argmax() == most and weights[most] > 0.8
    assert found.reason is None and found.level > 0.5


def test_ink_as_bright_as_its_paper_in_grey_is_read() -> None:
    pixels = coloured((128, 255, 0), (255, 0, 255))
    assert digitrec.predict(pixels).digit == 7
    (number,) = digitrec.read(np.hstack([pixels[:, 60:-60]] * 2)).numbers
    assert number.text == "77"


@pytest.mark.parametrize("polarity", ["dark on light", "light on dark"])
def test_a_picture_without_colours_is_one_channel_as_it_is(polarity: Polarity) -> None:
    grey = coloured((20, 20, 20), WHITE)
    for picture in [Image.fromarray(grey), Image.fromarray(grey[:, :, 0])]:
        projection = find_projection(picture, polarity, 80)
        expected = grey[:, :, 0] if polarity == "dark on light" else 255 - grey[:, :, 0]
        assert projection.weights.tolist() == [1]
        np.testing.assert_array_equal(projection.view(picture), expected)


def test_one_channel_shows_paper_and_ink_alike_wherever_a_coloured_light_falls() -> None:
    even = look(coloured((60, 60, 160), (240, 230, 220)))
    falling = look(coloured((60, 60, 160), (240, 230, 220), light=(0.7, 0.6, 0.5)))
    assert falling.reason is None
    assert falling.level == pytest.approx(even.level, abs=0.05)
    assert np.mean(falling.mask != even.mask) < 0.01


def test_light_ink_is_turned_to_dark() -> None:
    found = look(coloured((250, 240, 90), (30, 60, 50)))
    assert found.polarity == "light on dark" and found.reason is None
    view = found.projection.view(Image.fromarray(coloured((250, 240, 90), (30, 60, 50))))
    assert view.min() < 100 and view.max() > 180
