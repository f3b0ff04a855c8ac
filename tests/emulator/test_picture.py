from __future__ import annotations

import io

import pytest
from PIL import Image

from digitrec.emulator.picture import Picture, Word, bounding_box, lines
from digitrec.errors import ImageError

from .clients import picture


def words(*boxes: tuple[float, float, float, float]) -> list[Word]:
    return [Word(str(number), 1.0, box) for number, box in enumerate(boxes)]


def texts(rows: list[list[Word]]) -> list[list[str]]:
    return [[word.text for word in row] for row in rows]


class TestPicture:
    @pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
    def test_its_format_and_size(self, form):
        found = Picture.decode(picture((200, 120), form))
        assert (found.format, found.width, found.height) == (form, 200, 120)
        assert found.image.pixels.shape[:2] == (120, 200)

    def test_one_that_lies_on_its_side_is_stood_up(self):
        file = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("L", (200, 120), 255).save(file, "JPEG", exif=exif)
        found = Picture.decode(file.getvalue())
        assert (found.width, found.height) == (120, 200)
        assert found.image.pixels.shape[:2] == (200, 120)

    @pytest.mark.parametrize("form", ["AVIF", "PDF"])
    def test_formats_that_no_vendor_takes(self, form):
        file = io.BytesIO()
        Image.new("RGB", (200, 120)).save(file, form)
        with pytest.raises(ImageError):
            Picture.decode(file.getvalue())

    @pytest.mark.parametrize("data", [b"", b"no picture", picture()[:100]])
    def test_no_picture(self, data):
        with pytest.raises(ImageError):
            Picture.decode(data)


class TestLines:
    def test_words_level_with_each_other_are_one_line(self):
        assert texts(lines(words((0, 0, 10, 10), (20, 4, 30, 12), (0, 20, 10, 30)))) == [["0", "1"], ["2"]]

    def test_no_words_are_no_lines(self):
        assert lines([]) == []

    def test_the_bounding_box_holds_all_of_them(self):
        assert bounding_box(words((5, 0, 10, 10), (20, 4, 30, 12))) == (5, 0, 30, 12)


def test_a_box_found_on_a_reduced_image_is_told_in_pixels_of_the_picture():
    found = Picture.decode(picture((4000, 3000), "JPEG"))
    height, width = found.image.pixels.shape[:2]
    assert width < 4000
    assert found.located((0, 0, width, height)) == pytest.approx((0, 0, 4000, 3000), rel=0.01)
