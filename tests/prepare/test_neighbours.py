"""Ink beside a digit, drawn with plain lines and found by `find_ink`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from looks import look, staged
from PIL import Image, ImageDraw

import digitrec
from digitrec.image.pixels import Pixels
from digitrec.prepare.found import Ink

Line = Sequence[tuple[float, float]]

THREE: Line = [(100, 90), (130, 75), (150, 95), (125, 120), (155, 145), (130, 172), (98, 160)]
ONE: Line = [(122, 75), (120, 172)]
CLOSING: Line = [(172, 66), (196, 66), (196, 180), (172, 180)]


def found(*lines: Line, pen: int = 9, ink: Sequence[int] = (), paper: int = 225) -> Ink:
    """Find the ink on a page with these lines."""
    return look(drawn(*lines, pen=pen, ink=ink, paper=paper))


def drawn(*lines: Line, pen: int = 9, ink: Sequence[int] = (), paper: int = 225) -> Pixels:
    """Draw these lines on a page of 240 x 240, each with the darkness in `ink`."""
    page = Image.new("L", (240, 240), paper)
    for at, line in enumerate(lines):
        dark = ink[at] if ink else 40
        ImageDraw.Draw(page).line([(float(x), float(y)) for x, y in line], dark, pen, joint="curve")
    grain = np.random.default_rng(0).normal(0, 1.5, (240, 240))
    return np.clip(np.asarray(page) + grain, 0, 255).astype(np.uint8)


def arc(x: float, bow: float, top: float = 65, bottom: float = 182) -> Line:
    """Draw a line from top to bottom whose middle is `bow` to the right of its ends."""
    down = np.linspace(0, 1, 20)
    return [(x + bow * np.sin(np.pi * part), top + part * (bottom - top)) for part in down]


def assert_one(ink: Ink, left: float = 98, right: float = 155) -> None:
    assert ink.reason is None and len(ink.boxes) == 1
    assert ink.boxes[0][0] == pytest.approx(left, abs=9)
    assert ink.boxes[0][2] == pytest.approx(right, abs=9)


OPENING: Line = [(80, 66), (56, 66), (56, 180), (80, 180)]
PIECES: list[Line] = [[(145, 80), (110, 82), (106, 115), (135, 118)], [(104, 150), (150, 148)]]
FRAME: Line = [(86, 60), (166, 60), (166, 188), (86, 188), (86, 58)]
UPRIGHT: list[Line] = [[(x, y), (x, y + 41)] for x in (95, 145) for y in (72, 120)]
LEVEL: list[Line] = [[(101, y), (139, y)] for y in (68, 164)]
SINGLE: list[tuple[list[Line], int, int, int]] = [
    *(([THREE, arc(175, bow)], 9, 98, 155) for bow in (14, 24, 32)),
    *(([THREE, arc(175, bow), arc(78, -bow)], 9, 98, 155) for bow in (14, 24, 32)),
    *(([ONE, arc(150, bow)], 9, 118, 126) for bow in (14, 24, 32)),
    ([THREE, CLOSING], 9, 98, 155), ([THREE, OPENING, CLOSING], 9, 98, 155),
    ([*PIECES, arc(80, -24), CLOSING], 9, 100, 155),  # a 5 with a separate foot: brackets are equally high
    ([*UPRIGHT, *LEVEL], 8, 91, 149),  # a seven-segment 0
    ([THREE, FRAME], 8, 98, 155),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "pen", "left", "right"), SINGLE)
def test_brackets_bars_and_a_frame_are_not_digits(lines: list[Line], pen: int, left: int, right: int) -> None:
    assert_one(found(*lines, pen=pen), left, right)


def test_a_faint_bracket_is_not_a_digit() -> None:
    """A fine pen's bracket beside a marker's digit has a sixth of the digit's edges."""
    page = Image.new("L", (240, 240), 225)
    ImageDraw.Draw(page).line([(float(x), float(y)) for x, y in THREE], 20, 14, joint="curve")
    ImageDraw.Draw(page).line(arc(175, 24), 60, 4, joint="curve")
    assert_one(look(np.asarray(page)))


@pytest.mark.parametrize("others", [[arc(175, 24)], [arc(175, 24), arc(78, -24)]])
def test_ink_that_is_left_out_is_named_and_lowers_the_confidence(others: list[Line]) -> None:
    alone, beside = (digitrec.predict(drawn(THREE, *more)) for more in ([], others))
    assert (alone.left_out, beside.digit, len(beside.left_out)) == ((), 3, len(others))
    for line, box in zip(sorted(others), sorted(beside.left_out), strict=True):
        across = [x for x, _ in line]
        assert box[0] == pytest.approx(min(across), abs=9) and box[2] == pytest.approx(max(across), abs=9)
    assert alone.confidence is not None and beside.confidence is not None
    assert beside.confidence < alone.confidence


LEFT_THREE: Line = [(x - 30, y) for x, y in THREE]
PAIRS: list[tuple[Line, Line, int]] = [
    (LEFT_THREE, [(165, 70), (193, 70), (175, 185)], 15),  # a 7 of two straight lines
    (LEFT_THREE, [(165, 70), (213, 70), (182, 185)], 15),
    *((THREE, arc(182, bow, 75, 172), 9) for bow in (0, 3, -16)),  # a 1: straight, nearly, bent the other way
    (arc(90, -20), arc(150, 20), 9),  # two brackets alone
    ([(95, 70), (95, 170)], [(150, 70), (150, 170)], 9),
]


@pytest.mark.parametrize("pair", PAIRS)
def test_two_digits_are_not_a_bracket(pair: tuple[Line, Line, int]) -> None:
    first, second, pen = pair
    assert found(first, second, pen=pen).reason == "more than one digit"


@pytest.mark.parametrize("gap", [3, 5])
def test_bars_that_only_meet_others_belong_to_them(gap: int) -> None:
    """In a seven-segment 4 the lower bar is far from the left bar, and equally high."""
    left: Line = [(95, 70), (95, 116 - gap)]
    upper, lower = [(150, 70), (150, 116 - gap)], [(150, 124 + gap), (150, 172)]
    ink = found(left, [(101, 120), (144, 120)], upper, lower, pen=8)
    assert_one(ink, 91, 154)
    assert ink.boxes[0][3] == pytest.approx(174, abs=8)


def test_a_sign_beside_a_digit_is_said() -> None:
    minus: Line = [(55, 122), (85, 122)]
    assert found(THREE, minus).reason == "a sign beside the digit"
    assert found(THREE, minus, [(55, 140), (85, 140)]).reason == "a sign beside the digit"
    assert found(THREE, [(60, 122), (64, 122)], pen=4).reason is None  # a speck


def test_a_line_under_it_is_not_the_digits() -> None:
    ink = found(THREE, [(85, 196), (170, 194)])
    assert_one(ink)
    assert ink.boxes[0][3] == pytest.approx(176, abs=8)
    bar = found(
        [(105, 90), (100, 125), (135, 122), (150, 150), (125, 172), (98, 165)], [(105, 76), (150, 76)]
    )
    assert bar.reason is None and bar.boxes[0][1] == pytest.approx(72, abs=8)  # a 5's bar stays


@pytest.mark.parametrize(("dark", "foot"), [(40, 60), (140, 60), (40, 75)])
def test_a_pen_that_comes_in_from_outside_is_not_the_digit(dark: int, foot: float) -> None:
    """Remove it also if the digit is too pale to be found at first, or close to it."""
    pen: Line = [(foot, 260), (foot - 30, -20)]
    assert_one(found(THREE, pen, pen=12, ink=(dark, 10)))


LYING: Line = [(30, 218), (205, 226)]


@pytest.mark.parametrize("dark", [150, 190])
@pytest.mark.parametrize("lying", [LYING, [(212, 40), (200, 215)]])
def test_beside_a_pen_that_lies_on_the_paper_the_digit_is_read(lying: Line, dark: int) -> None:
    assert digitrec.predict(drawn(THREE, lying, pen=12, ink=(dark, 10))).digit == 3


BOX: Line = [(70, 60), (175, 60), (175, 190), (70, 190), (70, 58)]


@pytest.mark.parametrize("beside", [[(150, 140), (170, 140)], arc(150, 30), BOX])
def test_a_one_is_no_pen(beside: Line) -> None:
    """A dash beside the digit, a bracket longer than the digit, a box around it."""
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
