"""Arrays of every usual type, and pictures of every mode and shape, become pixels."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import assert_refused, encoded, exif
from PIL import Image
from sklearn.datasets import load_digits

import digitrec
from digitrec.answer import Prediction
from digitrec.emulator.kit import drawn_seven
from digitrec.errors import ImageError
from digitrec.image import DigitImage, pixels, several_images


def noise(mode: str, size: tuple[int, int], seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    height, width = size[::-1]
    if mode == "F":
        return Image.fromarray(rng.random((height, width), np.float32))
    if mode in ("I;16", "I"):
        kind = np.uint16 if mode == "I;16" else np.int32
        return Image.fromarray(rng.integers(0, 65536, (height, width)).astype(kind))
    colours = Image.fromarray(rng.integers(0, 256, (height, width, 4), np.uint8))
    return colours.convert(mode if mode != "La" else "LA").convert(mode)


def numbers(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture).astype(np.int16)


@given(
    st.sampled_from(["1", "L", "P", "La", "LA", "RGB", "RGBA", "CMYK", "F", "I", "I;16"]),
    st.tuples(st.integers(1, 90), st.integers(1, 90)), st.integers(1, 100), st.integers(0, 99),
)  # fmt: skip
@settings(max_examples=80, deadline=None, database=None)
def test_pieces_give_what_the_whole_gives(mode: str, size: tuple[int, int], by: int, seed: int) -> None:
    picture = noise(mode, size, seed)
    with pytest.MonkeyPatch.context() as small:
        small.setattr(pixels, "PIECE", 500)
        small.setattr(pixels, "ROWS", 16)
        found = pixels.shrunk(picture, by)
    small_enough = pixels.shrunk(picture, by)  # a single piece
    assert found.size == small_enough.size == (-(-size[0] // by), -(-size[1] // by))
    assert found.mode == small_enough.mode
    assert np.abs(numbers(found) - numbers(small_enough)).max() == 0


class Drawn(NamedTuple):
    """A picture's size, which can be resized."""

    width: int
    height: int

    def resize(self, size: tuple[int, int], _: object) -> "Drawn":
        return Drawn(*size)


@given(st.tuples(st.integers(1, 10_000), st.integers(1, 10_000)))
def test_what_is_left_is_enough_and_not_too_much(size: tuple[int, int]) -> None:
    by = pixels.factor(size)
    first = Drawn(*(-(-side // by) for side in size))
    left = pixels.fitted(first, 750)  # type: ignore[arg-type]
    assert by == 1 or min(first) >= 750 or max(first) > 2000
    assert left.width * left.height <= pixels.MOST_PIXELS and min(left) < 1500
    assert left == first or left.width * left.height > 0.99 * pixels.MOST_PIXELS or min(left) < 100


def assert_is_the_blot(found: np.ndarray) -> None:
    assert found.shape[:2] == (800, 1067)
    grey = found if found.ndim == 2 else found[:, :, 0]
    assert (grey[200, 400] < 5, grey[100, 400] > 250, grey[200, 200] > 250) == (True,) * 3


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "BMP", "PPM", "GIF", "Pillow"])
def test_a_huge_picture_is_read_smaller_in_every_format_as_a_jpeg_is(form: str) -> None:
    picture = Image.new("L", (3200, 2400), 255)
    picture.paste(0, (800, 400, 1600, 800))
    assert_is_the_blot(DigitImage.open(picture if form == "Pillow" else encoded(picture, form)).pixels)


def test_a_huge_pictures_orientation_is_applied_and_its_transparency_put_on_white() -> None:
    picture = Image.new("RGBA", (3200, 2400), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 400, 400))
    # Its EXIF data say: show it rotated by 90 degrees clockwise.
    found = DigitImage.open(encoded(picture, "PNG", exif=exif({0x0112: 6}))).pixels
    assert found.shape == (1067, 800, 3)
    assert found[50, 750].tolist() == [0, 0, 0] and found[900, 50].tolist() == [255, 255, 255]


@pytest.mark.parametrize("kind", [np.int32, np.uint16, np.float32])
def test_a_mask_of_zeros_and_ones_is_black_and_white(kind: type) -> None:
    assert DigitImage.open(Image.fromarray(np.eye(40, dtype=kind))).pixels.max() == 255


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0])
def test_a_number_that_is_no_pixel_is_found_wherever_it_is(wrong: float) -> None:
    values = np.ones((1600, 1700), np.float32)
    values[1599, 1699] = wrong
    assert_refused(encoded(Image.fromarray(values), "TIFF"), r"^<bytes>: pixel values")


def test_a_picture_stays_the_same_if_its_array_is_refilled() -> None:
    page = np.full((30, 40), 255, np.uint8)
    image = DigitImage.open(page)
    page[:] = 0
    assert image.pixels.min() == 255


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.float64, np.bool_])
@pytest.mark.parametrize("layers", [(), (3,), (4,)])
def test_a_huge_array_is_read_smaller_as_a_file_is(kind: type, layers: tuple[int, ...]) -> None:
    top = {np.uint8: 255, np.uint16: 65535}.get(kind, 1)
    values = np.full((2400, 3200, *layers), top, kind)
    values[400:800, 800:1600, ...] = 0
    if layers == (4,):
        values[:, :, 3] = top
    assert_is_the_blot(DigitImage.open(values).pixels)


def shaded(top: float, kind: object) -> np.ndarray:
    """Return a picture with a blot of 0 on paper of ``top``, in an array of this type."""
    values = np.full((40, 40), top, kind)  # type: ignore[call-overload]
    values[5:20, 5:20] = 0
    return values


PLAIN = [
    (1, bool, 1), (1, np.uint8, 1), (1, np.int64, 1), (1, np.float32, 1), (0.4, np.float64, 1),
    (1.0005, np.float64, 1), (16, np.uint8, 16), (16, np.float64, 16), (60, np.uint8, 255),
    (17, np.uint8, 255), (255, np.uint8, 255), (255, np.int32, 255), (255.0, np.float64, 255),
    (255, np.uint16, 255), (65535, np.uint16, 65535), (5000, np.int64, 65535),
]  # fmt: skip


@pytest.mark.parametrize(("top", "kind", "full"), PLAIN)
def test_the_range_of_an_array_is_told_where_it_is_plain(top: float, kind: object, full: float) -> None:
    found = DigitImage.open(shaded(top, kind)).pixels
    assert found[10, 10] == 0
    assert found[30, 30] == min(round(255 * top / full), 255)


@pytest.mark.parametrize(("top", "kind"), [
    (2, np.uint8), (15, np.uint8), (15, np.float64), (1.5, np.float32), (15.5, np.float64),
    (1023, np.uint16), (4095, np.int32), (65536, np.int64), (1e9, np.float64),
])  # fmt: skip
def test_where_it_is_not_plain_it_is_asked_for(top: float, kind: object) -> None:
    assert_refused(shaded(top, kind), "full=")
    assert DigitImage.open(shaded(top, kind), full=top).pixels[30, 30] == 255
    assert DigitImage.open(shaded(top, kind) / top).pixels[30, 30] == 255


@pytest.mark.parametrize("value", [0, 1, 7, 300, 4000, 65535, 0.5])
def test_an_array_of_one_value_is_a_blank_page_in_any_range(value: float) -> None:
    assert np.ptp(DigitImage.open(np.full((30, 30), value)).pixels) == 0


def test_two_arrays_with_the_same_bytes_in_another_shape_are_two_pictures() -> None:
    values = 40 * np.arange(6, dtype=np.uint8)
    assert DigitImage.open(values.reshape(2, 3)).sha256 != DigitImage.open(values.reshape(3, 2)).sha256


@pytest.mark.parametrize("values", [
    np.zeros(784, np.uint8), np.zeros((0, 28), np.uint8), np.zeros((28, 28, 2), np.uint8),
    np.full((28, 28), np.nan), np.full((28, 28), -1.0), np.array([["7"]]), np.ma.masked_equal(np.eye(28), 1),
])  # fmt: skip
def test_arrays_that_are_no_picture_are_refused(values: np.ndarray) -> None:
    assert_refused(values)


def test_scikit_learns_digits_are_read_as_they_come() -> None:
    def read(images: np.ndarray) -> np.ndarray:  # -1: failed, nan: refused
        found = digitrec.predict_many(images)
        return np.array([it.digit if isinstance(it, Prediction) else -1 for it in found], float)

    digits = load_digits()
    plain = read(digits.images / 16)
    for as_they_come in (digits.images[:60], digits.images[:60].astype(np.uint8)):
        np.testing.assert_array_equal(read(as_they_come), plain[:60])
    right, refused = plain == digits.target, np.isnan(plain)
    assert right[:60].mean() >= 0.9
    page = (Path(__file__).parents[2] / "docs" / "library.md").read_text("utf-8")
    stated = re.search(r"reads (.+) % of scikit-learn.+ and (.+) % wrongly; it refuses (.+) %", page)
    shares = [part.mean() * 100 for part in (right, ~(right | refused), refused)]
    assert stated and [*map(float, stated.groups())] == pytest.approx(shares, abs=0.1)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.float64])
def test_a_batch_has_one_range_for_all(kind: object) -> None:
    batch = np.stack([shaded(16, kind), shaded(3, kind), shaded(1, kind)])
    assert [DigitImage.open(image).pixels[30, 30] for image in several_images(batch)] == [255, 48, 16]


def test_a_batch_whose_range_is_not_plain_is_asked_about_at_once() -> None:
    with pytest.raises(ImageError):
        digitrec.predict_many(np.stack([shaded(15, np.uint8)] * 2))


def test_a_bad_picture_of_a_batch_takes_only_its_own_place() -> None:
    batch = np.stack([shaded(1, np.float64)] * 3)
    batch[1, 0, 0] = np.nan
    found = [type(outcome).__name__ for outcome in digitrec.predict_many(batch)]
    assert found == ["Prediction", "Failure", "Prediction"]


@pytest.mark.parametrize("shape", [(3, 28, 28), (3, 28, 28, 1), (3, 28, 28, 3), (3, 28, 28, 4), (0, 28, 28)])
def test_batches_are_read_in_every_usual_shape(shape: tuple[int, ...]) -> None:
    assert len(digitrec.predict_many(np.full(shape, 200, np.uint8))) == shape[0]


@pytest.mark.parametrize("opacity", [1.0, 255.0])
def test_an_opacity_may_have_a_range_of_its_own(opacity: float) -> None:
    seven = np.repeat(drawn_seven().pixels[:, :, None], 4, axis=2).astype(float)
    seven[..., 3] = opacity
    assert digitrec.predict(seven).digit == 7


class Tensor:
    """An object that NumPy can read, like the tensors of PyTorch, TensorFlow and JAX."""

    def __init__(self, values: object) -> None:
        self._values = values

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return self._values  # type: ignore[return-value]


def test_tensors_are_read_as_arrays() -> None:
    seven = drawn_seven().pixels
    assert digitrec.predict(Tensor(seven)).digit == 7
    assert digitrec.predict(Tensor(seven)).image.source == "<array>"
    assert [it.digit for it in digitrec.predict_many(Tensor(np.stack([seven] * 2)))] == [7, 7]  # type: ignore[arg-type,union-attr]
    with pytest.raises(TypeError):
        digitrec.predict(Tensor(np.stack([seven] * 2)))
    with pytest.raises(ImageError):
        digitrec.predict(Tensor("none"))


@pytest.mark.parametrize("batch", [
    np.array, lambda names: np.array([Path(name) for name in names]),
    lambda names: np.array([Path(name).read_bytes() for name in names], object), pyarrow.array,
    lambda names: pyarrow.chunked_array([names[:1], names[1:]]),
    lambda names: pyarrow.array([Path(name).read_bytes() for name in names]), pandas.Series,
])  # fmt: skip
def test_arrays_of_paths_and_encoded_pictures(batch: Callable[[list[str]], Any], tmp_path: Path) -> None:
    names = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    for name in names:
        Image.fromarray(drawn_seven().pixels).save(name)
    assert [it.digit for it in digitrec.predict_many(batch(names))] == [7, 7]  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3), (5, 784), (784,), (2, 3, 28, 28, 3)])
def test_other_shapes_are_no_batch(shape: tuple[int, ...]) -> None:
    with pytest.raises(TypeError):
        digitrec.predict_many(np.zeros(shape))
