from __future__ import annotations

import io

import pytest
from PIL import Image

from digitrec.emulator.picture import Picture, Word, as_line, lines

from .clients import picture


def test_a_picture_on_its_side_is_turned():
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (200, 120), 255).save(file, "JPEG", exif=exif)
    found = Picture.decode(file.getvalue())
    assert (found.width, found.height) == (120, 200)
    assert found.image.pixels.shape[:2] == (200, 120)


def test_words_level_with_each_other_are_one_line():
    boxes = [(0, 0, 10, 10), (20, 4, 30, 12), (0, 20, 10, 30)]
    words = [Word(str(number), 1.0, box) for number, box in enumerate(boxes)]
    assert [[word.text for word in row] for row in lines(words)] == [["0", "1"], ["2"]]
    assert as_line(words[:2]).box == (0, 0, 30, 12)
    assert lines([]) == []


def test_a_box_on_a_reduced_image_is_converted_to_pixels_of_the_picture():
    found = Picture.decode(picture((4000, 3000), "JPEG"))
    height, width = found.image.pixels.shape[:2]
    assert width < 4000
    assert found.located((0, 0, width, height)) == pytest.approx((0, 0, 4000, 3000), rel=0.01)
