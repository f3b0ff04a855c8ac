"""Many pictures in one array, and one where several were meant."""

from __future__ import annotations

import numpy as np
import pytest

import digitrec
from digitrec.errors import ImageError
from digitrec.image.batch import several_images


def shaded(top: float, kind: object) -> np.ndarray:
    """A picture with a blot of 0 on paper of ``top``, in an array of this type."""
    values = np.full((40, 40), top, kind)  # type: ignore[call-overload]
    values[5:20, 5:20] = 0
    return values


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, np.float64])
def test_a_batch_has_one_range_for_all(kind: object) -> None:
    batch = np.stack([shaded(16, kind), shaded(3, kind), shaded(1, kind)])
    opened = [image.pixels[30, 30] for image in several_images(batch)]  # type: ignore[union-attr]
    assert opened == [255, 48, 16]


def test_a_batch_whose_range_is_not_plain_is_asked_about_at_once() -> None:
    with pytest.raises(ImageError, match="full="):
        digitrec.predict_many(np.stack([shaded(15, np.uint8)] * 2))


def test_a_bad_picture_of_a_batch_takes_only_its_own_place() -> None:
    batch = np.stack([shaded(1, np.float64)] * 3)
    batch[1, 0, 0] = np.nan
    assert [type(outcome).__name__ for outcome in digitrec.predict_many(batch)] == [
        "Prediction",
        "Failure",
        "Prediction",
    ]


@pytest.mark.parametrize("shape", [(3, 28, 28), (3, 28, 28, 1), (3, 28, 28, 3), (3, 28, 28, 4), (0, 28, 28)])
def test_batches_are_read_in_every_usual_shape(shape: tuple[int, ...]) -> None:
    assert len(digitrec.predict_many(np.full(shape, 200, np.uint8))) == shape[0]


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3), (5, 784), (784,), (2, 3, 28, 28, 3)])
def test_what_is_no_batch_says_what_it_is(shape: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match=r"one picture|no batch"):
        digitrec.predict_many(np.zeros(shape))
