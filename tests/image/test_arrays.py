"""Arrays of every usual type: what value is white is told from the values, or asked for."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

import digitrec
from digitrec.answer.prediction import Prediction
from digitrec.errors import ImageError
from digitrec.image import DigitImage


def shaded(top: float, kind: object) -> np.ndarray:
    """A picture with a blot of 0 on paper of ``top``, in an array of this type."""
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
    pixels = DigitImage.open(shaded(top, kind)).pixels
    assert pixels[10, 10] == 0
    assert pixels[30, 30] == min(round(255 * top / full), 255)


@pytest.mark.parametrize(
    ("top", "kind"),
    [(2, np.uint8), (15, np.uint8), (15, np.float64), (1.5, np.float32), (15.5, np.float64),
     (1023, np.uint16), (4095, np.int32), (65536, np.int64), (1e9, np.float64)],
)  # fmt: skip
def test_where_it_is_not_plain_it_is_asked_for(top: float, kind: object) -> None:
    with pytest.raises(ImageError, match=r"reach .* cannot be told.*full="):
        DigitImage.open(shaded(top, kind))
    assert DigitImage.open(shaded(top, kind), full=top).pixels[30, 30] == 255
    assert DigitImage.open(shaded(top, kind) / top).pixels[30, 30] == 255


@pytest.mark.parametrize("value", [0, 1, 7, 300, 4000, 65535, 0.5])
def test_an_array_of_one_value_is_a_blank_page_in_any_range(value: float) -> None:
    assert np.ptp(DigitImage.open(np.full((30, 30), value)).pixels) == 0


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((28, 28), np.uint8),
        np.zeros((28, 28, 1), np.float32),
        np.zeros((28, 28, 3), np.int64),
        np.zeros((28, 28, 4), np.uint8),
        np.zeros((28, 28), np.bool_),
    ],
)
def test_arrays_of_many_kinds_become_eight_bits(values: np.ndarray) -> None:
    image = DigitImage.open(values)
    assert image.pixels.dtype == np.uint8
    assert image.pixels.shape[:2] == (28, 28)


def test_array_values_keep_their_meaning() -> None:
    assert DigitImage.open(np.array([[0.0, 0.5, 1.0]])).pixels.tolist() == [[0, 128, 255]]
    assert DigitImage.open(np.array([[0.0, 100.0, 255.0]])).pixels.tolist() == [[0, 100, 255]]
    assert DigitImage.open(np.array([[False, True]])).pixels.tolist() == [[0, 255]]
    assert DigitImage.open(np.array([[0, 65535]], np.uint16)).pixels.tolist() == [[0, 255]]


def test_two_arrays_with_the_same_bytes_in_another_shape_are_two_pictures() -> None:
    values = 40 * np.arange(6, dtype=np.uint8)
    assert DigitImage.open(values.reshape(2, 3)).sha256 != DigitImage.open(values.reshape(3, 2)).sha256


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(784, np.uint8),
        np.zeros((0, 28), np.uint8),
        np.zeros((28, 28, 2), np.uint8),
        np.full((28, 28), np.nan),
        np.full((28, 28), -1.0),
        np.array([["7"]]),
    ],
)
def test_arrays_that_are_no_picture_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ImageError):
        DigitImage.open(values)


def test_scikit_learns_digits_are_read_as_they_come() -> None:
    digits = load_digits()
    plain = digitrec.predict_many(digits.images[:300] / 16)
    for as_they_come in (digits.images[:300], digits.images[:300].astype(np.uint8)):
        found = digitrec.predict_many(as_they_come)
        assert [it.digit for it in found if isinstance(it, Prediction)] == [
            it.digit for it in plain if isinstance(it, Prediction)
        ]
    right = sum(
        isinstance(it, Prediction) and it.digit == label
        for it, label in zip(plain, digits.target, strict=False)
    )
    assert right >= 0.9 * 300
