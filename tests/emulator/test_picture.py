from __future__ import annotations

import io

import pytest
from PIL import Image

from digitrec.emulator.reading import Picture

from .clients import picture


def test_a_picture_on_its_side_is_turned():
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (200, 120), 255).save(file, "JPEG", exif=exif)
    found = Picture.decode(file.getvalue())
    assert (found.width, found.height) == (120, 200)
    assert found.image.pixels.shape[:2] == (200, 120)


def test_a_box_on_a_reduced_image_is_converted_to_pixels_of_the_picture():
    found = Picture.decode(picture((4000, 3000), "JPEG"))
    height, width = found.image.pixels.shape[:2]
    assert width < 4000
    assert found.located((0, 0, width, height)) == pytest.approx((0, 0, 4000, 3000), rel=0.01)
