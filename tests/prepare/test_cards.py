"""A light card on a dark table: its digit is found, and no other shape counts as a card."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looks import look
from PIL import Image, ImageDraw, ImageOps

import digitrec
from digitrec.image.pixels import Pixels

SAMPLES = Path(__file__).parents[2] / "samples"


def scene(turn: float) -> Pixels:
    """Draw a 4 on a card on a table."""
    page = Image.new("L", (160, 200), 220)
    ImageDraw.Draw(page).line([(60, 50), (55, 110), (110, 110)], fill=40, width=10)
    ImageDraw.Draw(page).line([(95, 60), (90, 155)], fill=40, width=10)
    cover = Image.new("L", page.size, 255)
    page, cover = (one.rotate(turn, Image.Resampling.BICUBIC, expand=True) for one in (page, cover))
    whole = Image.new("L", (320, 340), 30)
    whole.paste(page, ((320 - page.width) // 2, (340 - page.height) // 2), cover)
    return np.repeat(np.asarray(whole)[:, :, None], 3, axis=2)


@pytest.mark.parametrize("turn", [0, 12, -20])
def test_its_ink_is_found_in_the_pictures_own_pixels(turn: float) -> None:
    ink = look(scene(turn))
    assert (ink.reason, ink.polarity, len(ink.boxes)) == (None, "dark on light", 1)
    left, top, right, bottom = ink.boxes[0]
    assert 105 < left < 150 and 180 < right < 225
    assert 100 < top < 145 and 210 < bottom < 250


@pytest.mark.parametrize("place", [(120, 640), (330, 900), (560, 160)])
def test_a_small_digit_on_an_unevenly_lit_page_is_read(place: tuple[int, int]) -> None:
    ink = Image.new("L", (700, 1000))
    for line in ([6, 0, 0, 26, 30, 26], [24, 6, 18, 46]):
        ImageDraw.Draw(ink).line((np.reshape(line, (-1, 2)) + place).ravel().tolist(), fill=255, width=3)
    page = Image.composite(Image.new("L", ink.size, 70), Image.new("L", ink.size, 205), ink)
    page, ink = (ImageOps.expand(one.rotate(8, Image.Resampling.BICUBIC, True, fillcolor=fill), 50, fill)
                 for one, fill in ((page, 60), (ink, 0)))  # fmt: skip
    lit = (np.asarray(page) * np.linspace(1, 0.7, page.height)[:, None]).astype(np.uint8)
    assert digitrec.predict(lit).digit == 4
    (number,) = digitrec.read(lit).numbers
    assert number.text == "4" and number.box is not None
    assert np.abs(np.subtract(number.box, ink.getbbox() or ())).max() < 6


@pytest.mark.parametrize("width", [8, 16, 20])
def test_a_card_with_a_zero_is_one(width: int) -> None:
    """The digit's ink and the paper inside it are not part of the card's light area."""
    whole = Image.new("L", (320, 340), 25)
    pen = ImageDraw.Draw(whole)
    pen.rectangle((95, 95, 225, 245), fill=215)
    pen.ellipse((115, 110, 205, 230), outline=40, width=width)
    ink = look(np.asarray(whole))
    assert (ink.reason, ink.polarity) == (None, "dark on light")
    assert np.abs(np.subtract(ink.boxes[0], (115, 110, 206, 231))).max() <= 8


def on_black(kind: str) -> Pixels:
    picture = Image.new("L", (240, 240), 0)
    pen = ImageDraw.Draw(picture)
    if kind == "thick 0":
        pen.ellipse((70, 40, 170, 200), outline=255, width=34)
    elif kind == "thick 1":
        pen.rectangle((100, 30, 150, 210), fill=255)
    elif kind == "thick 8":
        pen.ellipse((80, 30, 160, 125), outline=255, width=34)
        pen.ellipse((70, 105, 170, 215), outline=255, width=36)
    elif kind == "thick 6":
        pen.line([(160, 30), (95, 100), (80, 160)], fill=255, width=36, joint="curve")
        pen.ellipse((62, 110, 178, 214), outline=255, width=36)
    return np.asarray(picture)


@pytest.mark.parametrize("kind", ["thick 0", "thick 1", "thick 6", "thick 8"])
def test_a_thick_digit_on_black_is_no_card(kind: str) -> None:
    ink = look(on_black(kind))
    assert (ink.reason, ink.polarity, len(ink.boxes)) == (None, "light on dark", 1)
    assert ink.within == (0, 0, 240, 240)
    assert digitrec.predict(on_black(kind)).digit == int(kind[-1])


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 260), width=st.integers(1, 260), channels=st.sampled_from([0, 3]),
    coarse=st.integers(1, 9), dark=st.integers(0, 255), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_pictures_of_any_kind(height, width, channels, coarse, dark, seed) -> None:
    """Blocks of random brightness on an even ground, some of which resemble cards or pens."""
    rng = np.random.default_rng(seed)
    blocks = np.where(rng.random((coarse, coarse)) < 0.3, rng.integers(0, 256, (coarse, coarse)), dark)
    picture = Image.fromarray(blocks.astype(np.uint8)).resize((width, height), Image.Resampling.NEAREST)
    for left, top, right, bottom in look(np.asarray(picture.convert("RGB") if channels else picture)).boxes:
        assert 0 <= left < right <= width and 0 <= top < bottom <= height


ON_PAGES = [("chalk.jpg", 0.4, 1), ("spiral-pad.jpg", 0.4, 1), ("photo-large.jpg", 0.8, 0)]


@pytest.mark.parametrize(("name", "share", "label"), ON_PAGES)
def test_a_photo_on_a_white_page_is_searched_alone(name: str, share: float, label: int) -> None:
    photo = ImageOps.exif_transpose(Image.open(SAMPLES / name)).convert("RGB")
    page = ImageOps.expand(photo, (round(share * photo.width), round(share * photo.height)), "white")
    assert digitrec.predict(np.asarray(page)).digit == label


def test_two_photos_on_a_page_are_not_one_digit() -> None:
    photo = Image.open(SAMPLES / "photo-large.jpg").convert("RGB").resize((300, 400))
    page = Image.new("RGB", (900, 700), "white")
    for left in (100, 500):
        page.paste(photo, (left, 150))
    assert digitrec.predict(np.asarray(page)).digit is None
