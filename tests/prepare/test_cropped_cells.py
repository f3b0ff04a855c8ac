"""Pictures cut out of a form: without paper around the digit, or with bars along the edges."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

import digitrec
from digitrec.answer import Prediction
from digitrec.image import DigitImage, InputSpec
from digitrec.image.pixels import Pixels
from digitrec.lab.handwriting.photo import ink_on_paper
from digitrec.lab.handwriting.strokes import draw
from digitrec.lab.handwriting.writer import box_of, enlarge
from digitrec.prepare import prepare
from digitrec.prepare.filters import grow

RNG = np.random.default_rng(3)
LABELS = RNG.permutation(np.arange(60) % 10).astype(np.uint8)
INKS = np.stack([draw(int(label), RNG, 200) for label in LABELS])


def cropped(ink: Pixels, off: int, shown: Pixels | None = None) -> Pixels:
    """Crop a picture to the ink, dark on white, with ``off`` pixels around its box."""
    left, top, right, bottom = box_of(ink)
    whole = 255 - ink if shown is None else shown
    return whole[max(0, top - off) : bottom + off, max(0, left - off) : right + off]


def right(pictures: list[Pixels]) -> int:
    """Return the number of pictures that are read as `LABELS` says."""
    pairs = zip(digitrec.predict_many(pictures), LABELS, strict=True)
    return sum(isinstance(one, Prediction) and one.digit == label for one, label in pairs)


@pytest.mark.parametrize("off", [-3, 0, 4])
def test_a_digit_that_was_cropped_closely_is_read_as_with_paper_around(off: int) -> None:
    both = [255 - one if place % 2 else one for place, one in enumerate([cropped(ink, off) for ink in INKS])]
    assert right(both) >= 54 + 3 * (off >= 0)


def test_also_on_photographed_paper() -> None:
    rng = np.random.default_rng(1)
    wide = [np.pad(ink, 30) for ink in INKS]
    photos = [cropped(ink, (0, 5, 15)[place % 3], ink_on_paper(ink, rng)) for place, ink in enumerate(wide)]
    assert right(photos) >= 54


@pytest.mark.parametrize("sides", [[0], [0, 1], [0, 2], [0, 1, 2], [0, 1, 2, 3]])
def test_bars_along_the_edges_are_not_read(sides: list[int]) -> None:
    pictures = []
    for at, ink in enumerate(INKS):
        page = np.pad(ink, 20)
        for side in sides:
            np.rot90(page, side + at)[: (6, 12, 24)[at % 3]] = 255
        pictures.append(255 - page)
    assert right(pictures) >= 57


def test_a_pale_digit_between_dark_lines_is_read() -> None:
    pictures = []
    for at, ink in enumerate(INKS):
        page = np.full((240, 240, 3), 180, np.uint8)
        page[70:170, 70:170][enlarge(grow(ink, 4), 100) > 60] = 200, 90, 90  # red
        for side in range(2 + at % 3):
            np.rot90(page, side)[:, 20:44] = 40
        small = Image.fromarray(page).filter(ImageFilter.GaussianBlur(5)).resize((60, 60))
        pictures.append(np.asarray(small))
    assert right(pictures) >= 48


def test_a_cell_with_nothing_but_its_lines_is_no_digit() -> None:
    pictures = []
    for at, rng in enumerate(np.random.default_rng(5).spawn(60)):
        cell = np.zeros((200, 200), np.uint8)
        for side in range(2 + at % 3):
            np.rot90(cell, side + at)[:, rng.integers(25) :][:, : rng.integers(2, 15)] = 255
        pictures.append(ink_on_paper(cell, rng))
    answers = [one.digit for one in digitrec.predict_many(pictures) if isinstance(one, Prediction)]
    assert answers.count(None) >= 53


def test_a_thick_one_that_fills_a_narrow_cell_is_read() -> None:
    page = np.full((82, 24), 230, np.uint8)
    page[3:79, 4:19] = 40
    assert digitrec.predict(page.repeat(2, axis=0).repeat(2, axis=1)).digit == 1


def test_boxes_are_of_the_picture_that_was_given() -> None:
    ink = INKS[0]
    left, top, right, bottom = box_of(ink)
    (box,) = prepare(DigitImage.open(cropped(ink, 0)), InputSpec("mnist")).findings.boxes
    assert np.abs(np.array(box) - (0, 0, right - left, bottom - top)).max() <= 4
