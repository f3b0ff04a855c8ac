"""Pictures in requests, and the engine behind the emulator: the shipped networks."""

from pathlib import Path

import pytest
from pictures import encoded, exif
from PIL import Image

from digitrec.emulator.kit import FakeProvider
from digitrec.emulator.reading import Picture, open_reader, read_digit
from digitrec.engine import Engine
from digitrec.errors import NotConfigured, Unavailable

from .clients import ASK, picture

SAMPLES = Path(__file__).parents[2] / "samples"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def in_a_row(*names: str, gap: int) -> bytes:
    """Return small pictures of light ink on black, enlarged, inverted and put side by side."""
    pictures = [Image.open(SAMPLES / name).convert("L").resize((140, 140)) for name in names]
    row = Image.new("L", (100 + len(names) * (140 + gap), 240), 255)
    for place, digit in enumerate(pictures):
        row.paste(digit.point(lambda value: 255 - value), (50 + place * (140 + gap), 50))
    return encoded(row, "PNG")


def read(data: bytes) -> list[str]:
    return [word.text for word in open_reader("local")(Picture.decode(data))]


def test_a_classifier_that_fails_has_not_read_nothing():
    failing = Engine(FakeProvider([Unavailable("no network today")]))
    with pytest.raises(Unavailable):
        read_digit(Picture.decode(sample("photo-pen.jpg")), failing)


def test_a_client_of_the_emulator_gets_the_digit(digitrec_emulator, monkeypatch):
    monkeypatch.setenv("DIGITREC_MODEL", "/no/such")  # the user's model, which no cloud has
    said = ASK["google"](digitrec_emulator(["google"]).endpoints["google"], sample("photo-pen.jpg"), "")
    assert (said.lines, said.model) == (["7"], "emulated-local")


def test_a_white_page_holds_no_words():
    assert read(encoded(Image.new("L", (200, 200), 255), "PNG")) == []


def test_the_box_is_around_the_digit_in_pixels_of_the_picture():
    (word,) = open_reader("local")(Picture.decode(in_a_row("mnist-28x28.png", gap=0)))
    left, top, right, bottom = word.box
    assert 50 < left < right < 190
    assert 50 < top < bottom < 190
    assert bottom - top == pytest.approx(100, abs=15)  # MNIST's digits are 20 of 28 pixels long


@pytest.mark.parametrize(("gap", "words"), [(-40, ["02"]), (100, ["0", "2"])])
def test_digits_side_by_side_are_one_word(gap, words):
    assert read(in_a_row("mnist-28x28.png", "drawing-28x28.png", gap=gap)) == words


def test_an_engine_that_does_not_exist_is_named():
    with pytest.raises(NotConfigured, match="crystal-ball"):
        open_reader("crystal-ball")


def test_a_picture_on_its_side_is_turned():
    found = Picture.decode(encoded(Image.new("L", (200, 120), 255), "JPEG", exif=exif({0x0112: 6})))
    assert (found.width, found.height) == (120, 200)
    assert found.image.pixels.shape[:2] == (200, 120)


def test_a_box_on_a_reduced_image_is_converted_to_pixels_of_the_picture():
    found = Picture.decode(picture((4000, 3000), "JPEG"))
    height, width = found.image.pixels.shape[:2]
    assert width < found.width == 4000
    assert found.image.place.box((0, 0, width, height)) == pytest.approx(found.whole)
