"""A frame in broken pencil lines is neither a part of the digit nor a sign beside it."""

from __future__ import annotations

import numpy as np
import pytest
from looks import look
from PIL import Image, ImageDraw

from digitrec.image.pixels import Pixels

SIDE = 320
FOUR = [(150, 100), (110, 180), (190, 180)], [(170, 140), (170, 230)]
BOX = (108, 98, 192, 232)


def photo(*drawn: Image.Image, seed: int = 0) -> Pixels:
    """Masks of ink, "L", as ink on paper with a little grain."""
    light = 210 + np.random.default_rng(seed).normal(0, 2, (SIDE, SIDE))
    for ink in drawn:
        light *= 1 - 0.7 * np.asarray(ink, float) / 255
    return np.clip(light, 0, 255).astype(np.uint8)


def four() -> Image.Image:
    picture = Image.new("L", (SIDE, SIDE))
    for line in FOUR:
        ImageDraw.Draw(picture).line(line, fill=255, width=8, joint="curve")
    return picture


def broken(shape: str, gap: int, dark: int = 255) -> Image.Image:
    """Draw a box or a ring in dashes of different lengths."""
    picture = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(picture)
    if shape == "ring":
        draw.ellipse((55, 65, 245, 265), outline=dark, width=4)
    else:
        draw.rectangle((70, 65, 230, 265), outline=dark, width=4)
    y, x = np.mgrid[:SIDE, :SIDE]
    along = 100 * (np.arctan2(y - 165, x - 150) + np.pi)  # px, about, from the left end of the middle
    for start in np.cumsum(np.random.default_rng(1).integers(15, 60, 20)):
        picture.paste(0, (0, 0), Image.fromarray((along >= start) & (along < start + gap)))
    return picture


def one_side(*side: int) -> Image.Image:
    """Draw a pale box with one dark side."""
    frame = broken("box", 3, dark=90)
    ImageDraw.Draw(frame).line(side, fill=255, width=4)
    return frame


FRAMES = [broken("box", 3), broken("box", 8), broken("ring", 3), broken("ring", 8),
          one_side(230, 120, 230, 190), one_side(70, 110, 70, 200)]  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES)
def test_a_broken_frame_is_left_out(frame: Image.Image) -> None:
    ink = look(photo(four(), frame))
    assert ink.reason is None
    (box,) = ink.boxes
    assert np.abs(np.subtract(box, BOX)).max() <= 8


def test_a_line_that_is_no_frame_is_still_a_sign() -> None:
    line = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(line).line([(225, 130), (225, 200)], fill=255, width=5)
    assert look(photo(four(), line)).reason == "a sign beside the digit"


def test_what_is_written_into_a_zero_does_not_make_it_a_frame() -> None:
    zero = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(zero)
    draw.ellipse((90, 70, 230, 260), outline=255, width=12)
    for speck in ((150, 120), (160, 200), (40, 40)):  # frames are considered from three parts on
        draw.ellipse((*speck, speck[0] + 9, speck[1] + 9), fill=255)
    (box,) = look(photo(zero)).boxes
    assert np.abs(np.subtract(box, (90, 70, 230, 260))).max() <= 8
