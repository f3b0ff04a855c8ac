"""Grouping marks into numbers, and cutting strips out."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageDraw

import digitrec
from digitrec.lab.handwriting.nondigits import pairs
from digitrec.lab.handwriting.writer import OWN, in_font
from digitrec.prepare import finder
from digitrec.prepare.filters import Floats
from digitrec.providers.local.lines import LARGEST, Line, beside, lines, single, strip

RAMP = Image.fromarray(np.tile(np.arange(100, dtype=np.uint8), (50, 1)))


def written(*numbers: tuple[str, int, int]) -> Image.Image:
    """Return a page with numbers, 40 px high, at places (x, y)."""
    page = Image.new("L", (800, 500), 245)
    for text, x, y in numbers:
        page.paste(30, (x, y), Image.fromarray(in_font(text, OWN, 40)))
    return page


def test_digits_beside_each_other_are_one_number() -> None:
    found = lines(written(("1234", 60, 60), ("58", 400, 60), ("907", 60, 300)))
    places = [(round(one.box[0], -1), round(one.box[1], -1)) for one in found]
    assert places == [(60, 60), (400, 60), (60, 300)]
    assert not any(one.cut_out for one in found)


def test_a_comma_below_the_base_line_belongs_to_its_number() -> None:
    assert beside(np.array([[0.0, 0, 20, 30], [24, 26, 28, 36]]), 0.75).all()


def test_digits_far_apart_are_one_number_in_a_cut_out_only() -> None:
    page = written(("12", 60, 60), ("34", 165, 60))
    assert len(lines(page)) == 2
    assert [one.cut_out for one in lines(page.crop((40, 50, 260, 110)))] == [True]


def test_cells_stay_apart_where_a_digit_touches_the_rule_between_them() -> None:
    page = written(("36", 150, 140), ("50", 238, 140), ("72", 150, 240), ("14", 250, 240))
    pen = ImageDraw.Draw(page)
    for at in (110, 233, 350):
        pen.line((at, 100, at, 300), 120, 4)
    for at in (100, 200, 300):
        pen.line((110, at, 350, at), 120, 4)
    lefts = sorted(round(one.box[0], -1) for one in lines(page) if one.box[2] - one.box[0] > 30)
    assert lefts == pytest.approx([150, 150, 240, 250], abs=10)


@pytest.mark.parametrize("step", [26, 34, 90])
def test_squared_paper_divides_no_number(step: int) -> None:
    page = written(("36507", 150, 140), ("81", 470, 300))
    pen = ImageDraw.Draw(page)
    for at in range(5, 800, step):
        pen.line((at, 0, at, 500), 150, 2)
        pen.line((0, at, 800, at), 150, 2)
    assert [round(one.box[0], -1) for one in lines(page) if one.chance > 0.5] == [150, 470]


@pytest.mark.parametrize("gap", [5, 14])
def test_each_box_of_a_row_is_a_line_on_a_page_and_a_cell_in_a_cut_out(gap: int) -> None:
    lefts = [100 + at * (60 + gap) for at in range(6)]
    page = written(*((digit, left + 16, 112) for digit, left in zip("2035", lefts, strict=False)))
    for left in lefts:
        ImageDraw.Draw(page).rectangle((left, 100, left + 60, 164), outline=90, width=2)
    found = sorted(one.box[0] for one in lines(page))
    assert found == pytest.approx([left + 16 for left in lefts[:4]], abs=4)
    (line,) = lines(page.crop((80, 90, 560, 180)))
    assert [len(cell.marks) for cell in line.cells] == [1, 1, 1, 1]
    assert [cell.box[0] for cell in line.cells] == sorted(cell.box[0] for cell in line.cells)


@pytest.mark.parametrize("box", [(10, 10, 50, 30), (-20, -5, 60, 45), (70, 30, 140, 80)])
def test_a_strip_has_its_size_wherever_the_box_is(box: tuple[int, int, int, int]) -> None:
    assert strip(RAMP, box, (64, 32)).shape == (32, 64)


def test_a_strip_continues_the_edge_of_the_picture() -> None:
    found = strip(RAMP, (-50, 0, 50, 50), (100, 50))
    assert (found[:, :50] == 0).all()
    assert found[25, 50:].tolist() == list(range(50))


def test_thousands_of_digits_on_a_page_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Image.new("L", (1280, 1280), 245)
    for place in range(2500):
        digit = Image.fromarray(in_font(str(place % 10), OWN, 12))
        page.paste(30, (20 + place % 50 * 25, 20 + place // 50 * 25), digit)
    tracemalloc.start()
    found = lines(page)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) > 1000
    assert peak < 200_000_000, "arrays of all pairs take 50 MB each"
    monkeypatch.setattr("digitrec.providers.local.rulings.MOST_LETTERS", 10)
    noise = np.random.default_rng(0).integers(0, 256, (200, 200), np.uint8)  # has 200 letters
    assert sum(line.marks.count(None) for line in lines(Image.fromarray(noise))) <= 10


def test_a_line_is_split_at_its_widest_gap() -> None:
    (line,) = lines(written(("203", 60, 60), ("45", 164, 60)))
    left, right = (one.box for one in line.split(0.3))
    assert left == pytest.approx((60, 60, 147, 100), abs=6)
    assert right == pytest.approx((164, 60, 224, 100), abs=6)


def test_a_line_without_a_space_is_not_split() -> None:
    (line,) = lines(written(("2304", 60, 60)))
    assert line.split(0.3) == []
    (single,) = lines(written(("7", 60, 60)))
    assert [part.box for part in single.apart(0.3)] == [single.box]


def test_a_single_digit_on_a_large_picture_keeps_its_place() -> None:
    page, ink = Image.new("L", (1500, 2000), 245), Image.fromarray(in_font("5", OWN, 400))
    page.paste(30, (900, 1200), ink)
    box = 900.0, 1200.0, 900.0 + ink.width, 1200.0 + ink.height
    found = single([Line(box, False, np.array([box]), [None])], page)
    assert found is not None and found.reading is not None
    assert found.reading.digit == 5
    assert found.box == pytest.approx(box, abs=20)


def test_digits_that_fill_a_large_picture_are_found() -> None:
    drawn = list(pairs(10, 5))
    large = [Image.fromarray(pair.pixels).resize((601, 555), Image.Resampling.BILINEAR) for pair in drawn]
    texts = [[number.text for number in digitrec.read(picture).numbers] for picture in large]
    assert sum(found == [pair.kind] for found, pair in zip(texts, drawn, strict=True)) >= 9, texts


def test_a_row_of_boxes_is_not_stretched(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes, whole = [], finder._kinds_and_maps

    def noted(pixels: np.ndarray) -> tuple[Floats, Floats]:
        shapes.append(pixels.shape[:2])
        return whole(pixels)

    monkeypatch.setattr(finder, "_kinds_and_maps", noted)
    for width, height in ((480, 80), (960, 40), (900, 160)):
        lines(Image.new("L", (width, height), 255))
        first_height, first_width = shapes[0]
        assert first_width / first_height == pytest.approx(width / height, rel=0.1)
        shapes.clear()


@pytest.mark.parametrize("size", [(1_000_000, 1), (160_000, 100)])
def test_long_pictures_fit_the_largest_input(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    areas = []

    def bare(pixels: np.ndarray) -> tuple[Floats, Floats]:
        height, width = pixels.shape[:2]
        areas.append(height * width)
        paper = np.array([1, 0, 0], np.float32)
        return np.broadcast_to(paper, (height, width, 3)), np.zeros((height // 2, width // 2, 5), np.float32)

    monkeypatch.setattr(finder, "_kinds_and_maps", bare)
    assert lines(Image.new("L", size, 255)) == []
    assert LARGEST / 2 < max(areas) < 1.01 * LARGEST
