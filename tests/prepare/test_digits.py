"""Which ink the rules take for a digit, and what they refuse."""

from collections.abc import Sequence

import numpy as np
import pytest
from looks import Line, arc, look, staged
from PIL import Image, ImageDraw

import digitrec
from digitrec.image.pixels import Pixels
from digitrec.prepare.digits import cut_off
from digitrec.prepare.found import Ink

THREE: Line = [(100, 90), (130, 75), (150, 95), (125, 120), (155, 145), (130, 172), (98, 160)]
ONE: Line = [(122, 75), (120, 172)]


def found(*lines: Line, pen: int = 9, ink: Sequence[int] = ()) -> Ink:
    """Find the ink on a page with these lines."""
    return look(drawn(*lines, pen=pen, ink=ink))


def drawn(*lines: Line, pen: int = 9, ink: Sequence[int] = ()) -> Pixels:
    """Draw these lines on a page of 240 x 240, each with the darkness in `ink`."""
    page = Image.new("L", (240, 240), 225)
    for at, line in enumerate(lines):
        dark = ink[at] if ink else 40
        ImageDraw.Draw(page).line([(float(x), float(y)) for x, y in line], dark, pen, joint="curve")
    grain = np.random.default_rng(0).normal(0, 1.5, (240, 240))
    return np.clip(np.asarray(page) + grain, 0, 255).astype(np.uint8)


def assert_one(ink: Ink, left: float = 98, right: float = 155) -> None:
    assert ink.reason is None and len(ink.boxes) == 1
    assert ink.boxes[0][0] == pytest.approx(left, abs=9)
    assert ink.boxes[0][2] == pytest.approx(right, abs=9)


LEFT_THREE: Line = [(x - 30, y) for x, y in THREE]
PAIRS: list[tuple[Line, Line, int]] = [
    (LEFT_THREE, [(165, 70), (193, 70), (175, 185)], 15),  # a 7 of two straight lines
    (LEFT_THREE, [(165, 70), (213, 70), (182, 185)], 15),
    *((THREE, arc(182, bow, 75, 172), 9) for bow in (0, 3, -16)),  # a 1: straight, nearly, bent the other way
    (arc(90, -20, 65, 182), arc(150, 20, 65, 182), 9),  # two brackets alone
    ([(95, 70), (95, 170)], [(150, 70), (150, 170)], 9),
]


@pytest.mark.parametrize("pair", PAIRS)
def test_two_digits_are_refused(pair: tuple[Line, Line, int]) -> None:
    first, second, pen = pair
    assert found(first, second, pen=pen).reason == "more than one digit"


def test_a_line_under_it_is_not_the_digits() -> None:
    ink = found(THREE, [(85, 196), (170, 194)])
    assert_one(ink)
    assert ink.boxes[0][3] == pytest.approx(176, abs=8)
    five: Line = [(105, 90), (100, 125), (135, 122), (150, 150), (125, 172), (98, 165)]
    bar = found(five, [(105, 76), (150, 76)])
    assert bar.reason is None and bar.boxes[0][1] == pytest.approx(72, abs=8)  # a 5's bar stays


PENS: list[tuple[Line, int]] = [
    *(([(foot, 260), (foot - 30, -20)], dark) for dark, foot in ((40, 60), (140, 60), (40, 75))),
    *((lying, dark) for lying in ([(30, 218), (205, 226)], [(212, 40), (200, 215)]) for dark in (150, 190)),
]
"""Pens that come in from outside or lie on the paper, and the digit's darkness; some are close to it."""


@pytest.mark.parametrize(("pen", "dark"), PENS)
def test_beside_a_pen_also_a_pale_digit_is_read(pen: Line, dark: int) -> None:
    assert digitrec.predict(drawn(THREE, pen, pen=12, ink=(dark, 10))).digit == 3


BOX: Line = [(70, 60), (175, 60), (175, 190), (70, 190), (70, 58)]


@pytest.mark.parametrize("beside", [arc(150, 30, 65, 182), BOX])
def test_a_one_is_no_pen(beside: Line) -> None:
    """A bracket longer than the digit, a box around it."""
    assert digitrec.predict(drawn(ONE, beside, ink=(40, 150))).digit == 1


def test_of_a_one_and_a_dash_the_one_is_the_digit() -> None:
    assert_one(found(ONE, [(150, 140), (170, 140)], ink=(40, 150)), 118, 126)


def test_a_pen_from_edge_to_edge_is_no_one() -> None:
    assert_one(found(THREE, [(20, 8), (20, 232)], pen=6))


def test_a_digit_that_runs_out_of_the_picture_is_cut_off() -> None:
    assert found([(x, y - 120) for x, y in THREE]).reason == "cut off"
    assert found([(x - 115, y) for x, y in THREE]).reason == "cut off"


@pytest.mark.parametrize("place", [43, 73, 82])
def test_a_grainy_pencil_is_no_texture_from_near(place: int) -> None:
    assert look(staged("plain paper", place).pixels).reason is None


PAGE = np.zeros((60, 80), bool)


def inked(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    page = PAGE.copy()
    page[top:bottom, left:right] = True
    return page


@pytest.mark.parametrize("turns", range(4))
def test_a_digit_is_cut_off_on_any_side_and_in_any_corner(turns: int) -> None:
    assert cut_off(np.rot90(inked(0, 20, 30, 45), turns))
    assert cut_off(np.rot90(inked(0, 20, 0, 15), turns))
    assert not cut_off(np.rot90(inked(1, 20, 30, 45), turns))


def test_what_was_cropped_close_to_its_ink_is_whole() -> None:
    assert not cut_off(inked(0, 60, 30, 45))
    assert not cut_off(inked(0, 60, 0, 80))
    assert not cut_off(inked(0, 60, 0, 45))  # a square crop of a narrow digit
    assert not cut_off(PAGE)
