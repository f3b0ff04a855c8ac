"""Pictures cut out of a form: without paper around the digit, or with bars along the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import digitrec
from digitrec.answer.prediction import Prediction
from digitrec.image import DigitImage, InputSpec
from digitrec.image.pixels import Pixels
from digitrec.lab.evaluation import accuracy
from digitrec.lab.handwriting.nondigits import pages
from digitrec.lab.handwriting.paper import Floats
from digitrec.lab.handwriting.photo import ink_on_paper
from digitrec.lab.handwriting.redraw import box_of
from digitrec.lab.handwriting.strokes import draw
from digitrec.models import store
from digitrec.prepare import margins, prepare
from digitrec.prepare.ink import POLARITY_SIDE

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
    pictures = [cropped(ink, off) for ink in INKS]
    both = [255 - one if place % 2 else one for place, one in enumerate(pictures)]
    assert right(both) >= 54 + 3 * (off >= 0)


def test_also_on_photographed_paper() -> None:
    rng = np.random.default_rng(1)
    wide = [np.pad(ink, 30) for ink in INKS]
    photos = [cropped(ink, (0, 5, 15)[place % 3], ink_on_paper(ink, rng)) for place, ink in enumerate(wide)]
    assert right(photos) >= 54


@pytest.mark.parametrize(
    ("scenes", "least"),
    [(("in a box", "edge of a shadow"), 0.92), (("cropped to the digit", "bars along the edges"), 0.955)],
)
def test_of_two_readings_the_likelier_is_the_first(scenes: tuple[str, str], least: float) -> None:
    found, labels = [], []
    for one in (one for scene in accuracy.sets() if scene.name in scenes for one in scene.samples(None)):
        prepared = prepare(DigitImage.open(one.image), InputSpec("mnist"))
        if prepared.rival is not None:
            found.append(np.frombuffer(prepared.data, np.uint8).reshape(28, 28))
            labels.append(one.label)
    chances = store.load().probabilities(np.stack(found), [True] * len(found))
    assert (chances.argmax(axis=1) == labels).mean() > least


@pytest.mark.parametrize("sides", [[0], [0, 1], [0, 2], [0, 1, 2], [0, 1, 2, 3]])
def test_bars_along_the_edges_are_not_read(sides: list[int]) -> None:
    pictures = []
    for at, ink in enumerate(INKS):
        page = np.pad(ink, 20)
        for side in sides:
            np.rot90(page, side + at)[: (6, 12, 24)[at % 3]] = 255
        pictures.append(255 - page)
    assert right(pictures) >= 57


def test_the_bar_of_a_seven_is_no_bar_of_the_cell() -> None:
    page = np.full((60, 40), 255, np.float32)
    page[:6] = 0
    for y in range(6, 60):
        page[y, 38 - y // 3 - 4 : 38 - y // 3 + 2] = 0
    cell = margins.find_cell(page)
    assert cell is not None
    assert cell.box == (0, 0, 40, 60) and cell.plain and not cell.light


def test_a_thick_one_that_fills_a_narrow_cell_is_its_ink() -> None:
    """The digit is wider than half of the cell."""
    page = np.full((82, 24), 230, np.float32)
    page[3:79, 4:19] = 40
    cell = margins.find_cell(page)
    assert cell is not None and cell.plain and not cell.light
    assert digitrec.predict(page.astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)).digit == 1


def test_what_is_around_a_letter_v_is_no_ink() -> None:
    """If the paper counted as ink, most of the edges would be ink."""
    page = np.full((60, 60), 230, np.float32)
    for y in range(4, 56):
        for x in (8 + y * 22 // 60, 52 - y * 22 // 60):
            page[y, x - 2 : x + 3] = 20
    cell = margins.find_cell(page)
    assert cell is None or not cell.light


def test_what_lies_within_bars_is_a_cell() -> None:
    page = np.full((60, 60), 230, np.float32)
    page[:4], page[:, -7:] = 20, 20
    page[20:40, 28:32] = 20
    cell = margins.find_cell(page)
    assert cell is not None
    assert cell.box == (0, 4, 53, 60) and cell.plain


def test_a_picture_with_margins_is_no_cell() -> None:
    page = np.full((60, 60), 255, np.float32)
    page[10:50, 20:30] = 0
    assert margins.find_cell(page) is None


def test_few_blank_pages_show_a_plain_cell() -> None:
    found = [margins.find_cell(_small(page.pixels)) for page in pages(300, 4)]
    assert sum(cell is not None for cell in found) > 30
    assert sum(cell is not None and cell.plain for cell in found) <= 6


def _small(pixels: Pixels) -> Floats:
    picture = Image.fromarray(pixels).convert("L")
    return np.asarray(picture.reduce(-(-max(picture.size) // POLARITY_SIDE)), np.float32)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_pictures_of_any_kind(height: int, width: int, coarse: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (-(-height // coarse), -(-width // coarse)), np.uint8)
    pixels = np.where(pixels > rng.integers(256), 255, pixels * (rng.random() < 0.5)).astype(np.uint8)
    pixels = pixels.repeat(coarse, axis=0).repeat(coarse, axis=1)[:height, :width]
    cell = margins.find_cell(pixels.astype(np.float32))
    if cell is not None:
        left, top, right, bottom = cell.box
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        wide, (x, y) = margins.widened(Image.fromarray(pixels), cell, 1)
        assert np.array_equal(
            np.asarray(wide)[y + top : y + bottom, x + left : x + right], pixels[top:bottom, left:right]
        )


def test_a_digit_half_outside_stays_cut_off() -> None:
    seven = np.pad(255 - INKS[int(np.flatnonzero(LABELS == 7)[0])], ((40, 0), (40, 40)), constant_values=255)
    ready = prepare(DigitImage.open(seven[:130]), InputSpec("mnist"))
    assert ready.findings.reason == "cut off" and ready.rival is None


def test_boxes_are_of_the_picture_that_was_given() -> None:
    ink = INKS[0]
    ready = prepare(DigitImage.open(cropped(ink, 0)), InputSpec("mnist"))
    left, top, right, bottom = box_of(ink)
    (box,) = ready.findings.boxes
    assert np.abs(np.array(box) - (0, 0, right - left, bottom - top)).max() <= 4
