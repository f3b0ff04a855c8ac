"""Digits of any kind brought to 28x28."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import drawn_seven
from digitrec.errors import DataError
from digitrec.lab.datasets.digits import read_digits


def test_mnist_comes_as_it_is() -> None:
    digits = read_digits("mnist-test")
    np.testing.assert_array_equal(digits.images, mnist_test().images)
    np.testing.assert_array_equal(digits.labels, mnist_test().labels)


def test_of_a_file_with_two_parts_the_one_that_is_asked_for_is_meant(tmp_path: Path, caplog) -> None:
    test = mnist_test()
    path = tmp_path / "mnist.npz"  # as keras.datasets.mnist has it
    np.savez(
        path,
        x_train=test.images[:3],
        y_train=test.labels[:3],
        x_test=test.images[3:5],
        y_test=test.labels[3:5],
    )
    np.testing.assert_array_equal(read_digits(path, part="train").images, test.images[:3])
    assert caplog.messages == [f"{path}: its train part is meant; the other is {path}:test"]
    np.testing.assert_array_equal(read_digits(path).images, test.images[3:5])
    np.testing.assert_array_equal(read_digits(f"{path}:test", part="train").images, test.images[3:5])


def test_a_folder_of_photos_goes_through_the_preparation(tmp_path: Path) -> None:
    for label in ("7", "none"):
        (tmp_path / label).mkdir()
        Image.fromarray(drawn_seven().pixels).save(tmp_path / label / "one.png")
    digits = read_digits(tmp_path)
    assert digits.images.shape == (1, 28, 28)
    assert digits.labels.tolist() == [7]
    assert digits.images[0].max() > 200 and digits.images[0][0].max() == 0


def test_emnist_is_turned_upright(tmp_path: Path) -> None:
    test = mnist_test()[:3]
    header = struct.pack(">4I", 0x803, 3, 28, 28)
    path = tmp_path / "emnist-digits-train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(header + test.images.transpose(0, 2, 1).tobytes()))
    labels = tmp_path / "emnist-digits-train-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(struct.pack(">2I", 0x801, 3) + test.labels.tobytes()))
    np.testing.assert_array_equal(read_digits(path).images, test.images)


def test_what_holds_no_digit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no labelled digits"):
        read_digits(tmp_path)
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "broken.png").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="broken"):
        read_digits(tmp_path)
