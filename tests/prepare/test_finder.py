"""Finding every digit on a picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from programs import python

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.prepare.finder import find, look_at, marks_in

DIGITS = mnist_test()[:40]


def page(width: int, height: int, side: int, places: list[tuple[int, int]]) -> Image.Image:
    """White paper with a digit, its MNIST frame `side` pixels long, at each of these places."""
    sheet = Image.new("L", (width, height), 245)
    for digit, place in zip(DIGITS.images, places, strict=False):
        sheet.paste(30, place, Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC))
    return sheet


@pytest.mark.parametrize("side", [40, 100])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_digit_of_a_sheet_is_found_with_its_box(side: int, mode: str) -> None:
    places = [(x, y) for y in range(100, 1500, 350) for x in range(100, 1100, 250)]
    found = find(page(1240, 1754, side, places).convert(mode))
    assert len(found) == len(places)
    for x, y in places:
        (own,) = [one for one in found if x <= (one.box[0] + one.box[2]) / 2 < x + side and y <= one.box[1]
                  and one.box[3] <= y + side]  # fmt: skip
        assert 0.5 * side < max(own.box[2] - own.box[0], own.box[3] - own.box[1]) < side
        assert own.chance > 0.5 and own.missing < 0.2
        assert own.mask.max() > 0.9 and own.mask.min() == 0


def test_a_digit_where_two_tiles_of_a_large_page_meet_is_one_mark() -> None:
    places = [(x, y) for y in range(10, 830, 60) for x in range(10, 1230, 60)]
    sheet = Image.new("L", (1280, 880), 245)
    seven = Image.fromarray(DIGITS.images[0]).resize((48, 48), Image.Resampling.BICUBIC)
    for place in places:
        sheet.paste(30, place, seven)
    found = [one.box for one in marks_in(look_at(sheet, (0, 0, *sheet.size), max(sheet.size)))]
    assert len(found) == len(places)
    for x, y in places:
        ((left, top, right, bottom),) = [it for it in found if x <= it[0] < x + 60 and y <= it[1] < y + 60]
        assert (right - left, bottom - top) == pytest.approx((27, 35), abs=2)


@pytest.mark.parametrize("size", [(28, 28), (300, 200), (3000, 2000)])
def test_bare_paper_has_no_digit(size: tuple[int, int]) -> None:
    assert find(Image.new("RGB", size, "white")) == []


def missing(pictures: list[Image.Image]) -> float:
    return float(np.mean([max(one.missing for one in find(picture, 0)) for picture in pictures]))


def test_ink_beyond_the_edge_is_missing() -> None:
    whole = [Image.fromarray(255 - digit) for digit in DIGITS.images[:12]]
    halves, thirds = ([one.crop((0, 0, 28, rows)) for one in whole] for rows in (14, 10))
    assert missing(thirds) > 2 * missing(halves) > 10 * missing(whole)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 900), st.integers(0, 2**31))
def test_any_picture_has_boxes_inside_it(width: int, height: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    for one in find(Image.fromarray(noise), 0):
        left, top, right, bottom = one.box
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        assert np.isfinite(one.mask).all()


def test_a_digit_in_the_form_of_mnist_does_not_load_it() -> None:
    code = ("import sys, digitrec; from digitrec.comparison.datasets.mnist import mnist_test;"
            "digitrec.predict(mnist_test().images[0]);"
            "sys.exit('digitrec.prepare.finder' in sys.modules)")  # fmt: skip
    python("-c", code)
