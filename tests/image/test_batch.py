"""Many pictures in one array, and one where several were meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow
import pytest
from PIL import Image

import digitrec
from digitrec.emulator.kit import drawn_seven
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


class Tensor:
    """What PyTorch, TensorFlow and JAX give: an object that NumPy can read."""

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


@pytest.mark.parametrize(
    "batch",
    [
        np.array,
        lambda names: np.array([Path(name) for name in names]),
        lambda names: np.array([Path(name).read_bytes() for name in names], object),
        pyarrow.array,
        lambda names: pyarrow.chunked_array([names[:1], names[1:]]),
        lambda names: pyarrow.array([Path(name).read_bytes() for name in names]),
        lambda names: pyarrow.FixedShapeTensorArray.from_numpy_ndarray(np.stack([drawn_seven().pixels] * 2)),
        pandas.Series,
    ],
)
def test_arrays_hold_paths_and_encoded_pictures_too(
    batch: Callable[[list[str]], Any], tmp_path: Path
) -> None:
    names = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    for name in names:
        Image.fromarray(drawn_seven().pixels).save(name)
    assert [it.digit for it in digitrec.predict_many(batch(names))] == [7, 7]  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 3), (5, 784), (784,), (2, 3, 28, 28, 3)])
def test_what_is_no_batch_says_what_it_is(shape: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match=r"one picture|no batch"):
        digitrec.predict_many(np.zeros(shape))
