"""MATLAB's files: SVHN's cropped digits and EMNIST are read, anything else is refused in one line."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from digitrec.datasets.digits import read_digits
from digitrec.datasets.loader import read_samples
from digitrec.datasets.mnist import mnist_test
from digitrec.errors import DataError, NotInstalled

HOUSES = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), np.uint8)
MNIST = mnist_test()[:5]


def saved(folder: Path, **arrays: Any) -> Path:
    savemat(folder / "set.mat", arrays)
    return folder / "set.mat"


def part(first: int, last: int) -> dict[str, Any]:
    """Some of MNIST's digits as EMNIST keeps them: column by column."""
    images = MNIST.images[first:last].transpose(0, 2, 1).reshape(last - first, 784)
    return {
        "images": images,
        "labels": MNIST.labels[first:last, None],
        "writers": np.zeros((last - first, 1)),
    }


@pytest.mark.parametrize("count", [4, 1])
def test_svhn_is_read_and_its_ten_is_a_zero(tmp_path: Path, count: int) -> None:
    labels = np.array([[10], [1], [9], [10]], np.uint8)[:count]
    samples = read_samples(saved(tmp_path, X=HOUSES[..., :count], y=labels))
    assert [sample.label for sample in samples] == [0, 1, 9, 0][:count]
    for number, sample in enumerate(samples):
        np.testing.assert_array_equal(sample.image, HOUSES[..., number])


def test_emnist_stands_upright_and_has_two_parts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = saved(tmp_path, dataset={"train": part(0, 3), "test": part(3, 5), "mapping": np.eye(2)})
    learned = read_digits(f"{path}:train")
    np.testing.assert_array_equal(learned.images, MNIST.images[:3])
    np.testing.assert_array_equal(learned.labels, MNIST.labels[:3])
    assert not caplog.messages
    np.testing.assert_array_equal(read_digits(path).images, MNIST.images[3:])
    assert caplog.messages == [f"{path}: its test part is meant; the other is {path}:train"]
    np.testing.assert_array_equal(read_digits(path, part="train").labels, MNIST.labels[:3])


def test_a_part_of_one_picture_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path, dataset={"train": part(0, 1), "test": part(1, 2)})
    np.testing.assert_array_equal(read_digits(f"{path}:test").images, MNIST.images[1:2])


LETTERS = {"train": part(0, 2), "test": {**part(2, 4), "labels": np.array([[3], [26]])}}


@pytest.mark.parametrize(
    ("arrays", "named", "complaint"),
    [
        ({"a": 1}, "", "neither SVHN's cropped digits (X and y) nor EMNIST's dataset"),
        ({"X": HOUSES}, "", "neither SVHN's"),
        ({"X": "text", "y": "text"}, "", "neither SVHN's"),
        ({"X": HOUSES, "y": ["1", "2", "3", "4"]}, "", "neither SVHN's"),
        ({"X": HOUSES, "y": [1, 2, 3]}, "", "do not go with"),
        ({"X": HOUSES, "y": [1, 2, 3, 11]}, "", "label 11 of image 3"),
        ({"X": HOUSES / -1.0, "y": [1, 2, 3, 4]}, "", "pixel values"),
        ({"X": HOUSES, "y": [1, 2, 3, 4]}, ":train", "needs the arrays x_train/y_train; it holds x, y"),
        ({"dataset": 5}, "", "neither SVHN's"),
        ({"dataset": {"train": part(0, 2)}}, "", "neither SVHN's"),
        ({"dataset": {"train": {"images": HOUSES}, "test": {}}}, "", "neither SVHN's"),
        ({"dataset": LETTERS}, "", "label 26 of image 1 is not a digit"),
    ],
)
def test_that_are_odd_are_refused_in_one_line(
    tmp_path: Path, arrays: dict[str, Any], named: str, complaint: str
) -> None:
    path = saved(tmp_path, **arrays)
    with pytest.raises(DataError, match=re.escape(f"{path}: ") + ".*" + re.escape(complaint)) as caught:
        read_samples(f"{path}{named}")
    assert "\n" not in str(caught.value)


def test_another_format_or_no_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "set.mat"
    with pytest.raises(DataError, match=r"set\.mat: no such file"):
        read_samples(f"{path}:train")
    for head in (b"", b"MATLAB 7.3 MAT-file", b"\x89HDF"):
        path.write_bytes(head + bytes(200))
        with pytest.raises(DataError, match="not a MATLAB 5 file"):
            read_samples(path)


def test_without_scipy_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, X=HOUSES, y=[1, 2, 3, 4])
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(NotInstalled, match="stats"):
        read_samples(path)


@pytest.mark.parametrize("compressed", [False, True])
@given(
    changes=st.lists(st.tuples(st.integers(19, 10_000), st.binary(max_size=4)), max_size=4),
    cut=st.integers(0, 3000),
)
def test_a_damaged_file_is_a_data_error_or_read(
    tmp_path_factory: pytest.TempPathFactory, compressed: bool, changes: list[tuple[int, bytes]], cut: int
) -> None:
    whole = io.BytesIO()
    savemat(whole, {"dataset": {"train": part(0, 2), "test": part(2, 4)}}, do_compression=compressed)
    data = bytearray(whole.getvalue())
    for place, new in changes:
        data[place % len(data) : place % len(data) + len(new)] = new
    path = tmp_path_factory.getbasetemp() / "damaged.mat"
    path.write_bytes(data[: max(0, len(data) - cut)] if cut % 3 else data)
    try:
        read_samples(path)
    except DataError as error:
        assert "damaged.mat" in str(error) and "\n" not in str(error)
