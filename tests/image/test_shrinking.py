"""Shrinking a large picture in pieces equals shrinking it at once, in every mode and shape."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digitrec.errors import ImageError
from digitrec.image import DigitImage, shrinking


def noise(mode: str, size: tuple[int, int], seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    height, width = size[::-1]
    if mode == "F":
        return Image.fromarray(rng.random((height, width), np.float32))
    if mode in ("I;16", "I"):
        kind = np.uint16 if mode == "I;16" else np.int32
        return Image.fromarray(rng.integers(0, 65536, (height, width)).astype(kind))
    return Image.fromarray(rng.integers(0, 256, (height, width, 4), np.uint8)).convert(mode)


def numbers(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture).astype(np.int16)


@given(
    st.sampled_from(["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "F", "I", "I;16"]),
    st.tuples(st.integers(1, 90), st.integers(1, 90)), st.integers(1, 100), st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=80, deadline=None, database=None)
def test_pieces_give_what_the_whole_gives(mode: str, size: tuple[int, int], by: int, seed: int) -> None:
    picture = noise(mode, size, seed)
    with pytest.MonkeyPatch.context() as small:
        small.setattr(shrinking, "PIECE", 500)
        small.setattr(shrinking, "ROWS", 16)
        found = shrinking.shrunk(picture, by)
    small_enough = shrinking.shrunk(picture, by)  # a single piece
    assert found.size == small_enough.size == (-(-size[0] // by), -(-size[1] // by))
    assert found.mode == small_enough.mode
    assert np.abs(numbers(found) - numbers(small_enough)).max() == 0


@given(st.tuples(st.integers(1, 10_000), st.integers(1, 10_000)))
def test_what_is_left_is_enough_and_not_too_much(size: tuple[int, int]) -> None:
    by = shrinking.factor(size)
    left = [-(-side // by) for side in size]
    thin = size[0] * size[1] / by**2 < shrinking.MOST_PIXELS
    assert by == 1 or min(left) >= 750 or (thin and max(left) > 1000)
    assert left[0] * left[1] <= shrinking.MOST_PIXELS + sum(left) and (min(left) < 1500)


def assert_is_the_blot(pixels: np.ndarray) -> None:
    assert pixels.shape[:2] == (800, 1067)
    grey = pixels if pixels.ndim == 2 else pixels[:, :, 0]
    assert (grey[200, 400] < 5, grey[100, 400] > 250, grey[200, 200] > 250) == (True,) * 3


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "BMP", "PPM", "GIF", "Pillow"])
def test_a_huge_picture_is_read_smaller_in_every_format_as_a_jpeg_is(form: str) -> None:
    picture = Image.new("L", (3200, 2400), 255)
    picture.paste(0, (800, 400, 1600, 800))
    data = io.BytesIO()
    picture.save(data, "PNG" if form == "Pillow" else form)
    assert_is_the_blot(DigitImage.open(picture if form == "Pillow" else data.getvalue()).pixels)


def test_a_huge_pictures_orientation_is_applied_and_its_transparency_put_on_white() -> None:
    picture = Image.new("RGBA", (3200, 2400), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 400, 400))
    exif = Image.Exif()
    exif[0x0112] = 6  # shown rotated by 90 degrees clockwise
    data = io.BytesIO()
    picture.save(data, "PNG", exif=exif)
    pixels = DigitImage.open(data.getvalue()).pixels
    assert pixels.shape == (1067, 800, 3)
    assert pixels[50, 750].tolist() == [0, 0, 0] and pixels[900, 50].tolist() == [255, 255, 255]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0])
def test_a_number_that_is_no_pixel_is_found_wherever_it_is(wrong: float) -> None:
    values = np.ones((1600, 1700), np.float32)
    values[1599, 1699] = wrong
    data = io.BytesIO()
    Image.fromarray(values).save(data, "TIFF")
    with pytest.raises(ImageError):
        DigitImage.open(data.getvalue())


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.float64, np.bool_])
@pytest.mark.parametrize("layers", [(), (3,), (4,)])
def test_a_huge_array_is_read_smaller_as_a_file_is(kind: type, layers: tuple[int, ...]) -> None:
    top = {np.uint8: 255, np.uint16: 65535}.get(kind, 1)
    values = np.full((2400, 3200, *layers), top, kind)
    values[400:800, 800:1600, ...] = 0
    if layers == (4,):
        values[:, :, 3] = top
    assert_is_the_blot(DigitImage.open(values).pixels)
