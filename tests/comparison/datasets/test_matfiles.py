"""MATLAB files: SVHN's cropped digits are read, everything else is a DataError."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from digitrec.comparison.datasets.loader import read_samples
from digitrec.errors import DataError
from digitrec.lab.datasets.digits import read_digits

HOUSES = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), np.uint8)
TEN = np.array([[10], [1], [9], [10]], np.uint8)
CRASHES = [(144, 5), (145, 255), (184, 14)]
"""Place and value of a byte at which SciPy's reader ends its process."""


def saved(folder: Path, *, packed: bool = False, **arrays: Any) -> Path:
    savemat(folder / "train_32x32.mat", arrays, do_compression=packed)
    return folder / "train_32x32.mat"


@pytest.mark.parametrize(("count", "packed"), [(4, True), (1, False)])
def test_svhn_is_read_and_its_ten_is_a_zero(tmp_path: Path, count: int, packed: bool) -> None:
    path = saved(tmp_path, packed=packed, note="text", X=HOUSES[..., :count], y=TEN[:count], z=np.eye(2))
    samples = read_samples(path)
    assert [sample.label for sample in samples] == [0, 1, 9, 0][:count]
    for number, sample in enumerate(samples):
        np.testing.assert_array_equal(sample.image, HOUSES[..., number])
    assert read_digits(path).images.shape == (count, 28, 28)


@pytest.mark.parametrize(
    "arrays",
    [
        {"a": 1},
        {"X": HOUSES},
        {"X": {"a": HOUSES}, "y": TEN},
        {"X": HOUSES, "y": [1, 2, 3]},
        {"X": HOUSES, "y": [1, 2, 3, 11]},
        {"X": HOUSES, "y": np.ones((2, 2))},
        {"X": HOUSES[0, 0], "y": TEN},
        {"X": HOUSES * 1j, "y": TEN},
        {"dataset": {"train": {"images": HOUSES}}},
    ],
)
def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path, arrays: dict[str, Any]) -> None:
    path = saved(tmp_path, **arrays)
    with pytest.raises(DataError) as caught:
        read_samples(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"MATLAB 7.3 MAT-file" + bytes(200), b"\x89HDF" + bytes(200), b"PK" + bytes(200), b""]
)
def test_another_format_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "set.mat"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"set\.mat"):
        read_samples(path)


@pytest.mark.parametrize(("place", "value"), CRASHES)
def test_a_file_at_which_scipy_crashes_is_a_data_error(tmp_path: Path, place: int, value: int) -> None:
    path = saved(tmp_path, X=np.zeros((2, 2, 3, 1), np.uint8), y=np.ones((1, 1), np.uint8))
    content = bytearray(path.read_bytes())
    content[place] = value
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"train_32x32\.mat"):
        read_samples(path)
