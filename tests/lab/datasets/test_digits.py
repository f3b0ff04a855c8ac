"""Digits of any kind brought to 28x28."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DataError
from digitrec.lab.datasets.digits import read_digits


def test_of_a_file_with_two_parts_the_one_that_is_asked_for_is_meant(tmp_path: Path, caplog) -> None:
    test = mnist_test()
    path = tmp_path / "mnist.npz"  # as keras.datasets.mnist has it
    first, second = test[:3], test[3:5]
    np.savez(path, x_train=first.images, y_train=first.labels, x_test=second.images, y_test=second.labels)
    np.testing.assert_array_equal(read_digits(path, part="train").images, test.images[:3])
    assert caplog.messages == [f"{path}: using its train part; the other is {path}:test"]
    np.testing.assert_array_equal(read_digits(path).images, test.images[3:5])
    np.testing.assert_array_equal(read_digits(f"{path}:test", part="train").images, test.images[3:5])


def test_what_holds_no_digit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=str(tmp_path)):
        read_digits(tmp_path)
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "broken.png").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="broken"):
        read_digits(tmp_path)
