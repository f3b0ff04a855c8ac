"""Images and labels as arrays: read under their usual names, and refused in one line when they are odd."""

from __future__ import annotations

import io
import re
import struct
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitrec.comparison.datasets.loader import Sample, read_samples
from digitrec.errors import DataError

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 11
LABELS = np.array([4, 9])


def saved(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "set.npz", **arrays)
    return folder / "set.npz"


def labels(samples: list[Sample]) -> list[int | None]:
    return [sample.label for sample in samples]


@pytest.mark.parametrize(
    "names", [("x", "y"), ("images", "labels"), ("x_test", "y_test"), ("x_train", "y_train")]
)
def test_are_found_under_their_usual_names(tmp_path: Path, names: tuple[str, str]) -> None:
    samples = read_samples(saved(tmp_path, other=LABELS, **dict(zip(names, (IMAGES, LABELS), strict=True))))
    assert labels(samples) == [4, 9]
    np.testing.assert_array_equal(samples[1].image, IMAGES[1])


def test_of_keras_are_the_test_part_unless_the_other_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = saved(tmp_path, x_train=IMAGES, y_train=[1, 2], x_test=IMAGES, y_test=LABELS)
    assert labels(read_samples(path)) == [4, 9]
    assert caplog.messages == [f"{path}: its test part is meant; the other is {path}:train"]
    caplog.clear()
    assert labels(read_samples(f"{path}:train")) == [1, 2]
    assert labels(read_samples(f"{path}:test")) == [4, 9]
    assert not caplog.messages


@pytest.mark.parametrize(
    ("keys", "part", "complaint"),
    [
        (
            ["a", "b"],
            "",
            "needs the arrays x/y or images/labels or x_test/y_test or x_train/y_train; it holds a, b",
        ),
        ([], "", "it holds nothing"),
        (["x", "labels"], "", "it holds x, labels"),
        (["x", "y", "x_test", "y_test"], "", "holds both x/y and x_test/y_test; keep one of them"),
        (["x", "y"], ":train", "needs the arrays x_train/y_train; it holds x, y"),
        (["x", "y", "images", "labels"], "", "holds both x/y and images/labels; keep one of them"),
    ],
)
def test_under_other_names_are_refused_with_the_names_there_are(
    tmp_path: Path, keys: list[str], part: str, complaint: str
) -> None:
    path = saved(tmp_path, **dict.fromkeys(keys, IMAGES))
    with pytest.raises(DataError, match=re.escape(f"{path}: ") + ".*" + re.escape(complaint)):
        read_samples(f"{path}{part}")


@pytest.mark.parametrize(
    ("full", "kind"),
    [(1, bool), (1, np.uint8), (1, np.float64), (16, np.float64), (16, np.uint8), (255, np.uint8),
     (255, np.int64), (255, np.float32), (65535, np.uint16)],
)  # fmt: skip
def test_of_any_plain_range_are_read_alike(tmp_path: Path, full: int, kind: type) -> None:
    ink = np.zeros((2, 3, 4))
    ink[:, 1] = full
    ink[1, 2] = 0 if full == 1 else full // 2
    (one, other) = read_samples(saved(tmp_path, x=ink.astype(kind), y=LABELS))
    assert isinstance(one.image, np.ndarray) and isinstance(other.image, np.ndarray)
    assert one.image.dtype == np.uint8
    assert one.image.tolist() == [[0] * 4, [255] * 4, [0] * 4]
    assert other.image[2].tolist() == [0 if full == 1 else pytest.approx(127, abs=1)] * 4


@pytest.mark.parametrize(
    ("images", "said", "complaint"),
    [
        (np.zeros((2, 784)), LABELS, "do not go with"),
        (np.zeros((2, 3, 4, 2)), LABELS, "do not go with"),
        (np.zeros((2, 0, 4)), LABELS, "do not go with"),
        (np.float64(3), LABELS, "do not go with"),
        (IMAGES, np.eye(2, 10), "(2, 10) labels"),
        (IMAGES, np.array(["4", "9"]), "labels of type <U1 are no digits"),
        (IMAGES, np.array([4, 9 + 0j]), "are no digits"),
        (IMAGES, np.array([4.5, 9]), "label 4.5 of image 0"),
        (IMAGES, np.array([4, np.nan]), "label nan of image 1"),
        (IMAGES.astype("datetime64[s]"), LABELS, "have no pixels"),
        (IMAGES.astype(complex), LABELS, "have no pixels"),
        (IMAGES / -20.0, LABELS, "pixel values from -12.65 to -0"),
        (np.where(IMAGES, np.inf, 0), LABELS, "pixel values from 0 to inf"),
        (np.where(IMAGES, np.nan, 0), LABELS, "pixel values from nan to nan"),
        (IMAGES / 20.0, LABELS, "is 12.65 the brightest there is?"),
        (IMAGES.astype(np.int32) * 1000, LABELS, "is 253000 the brightest there is?"),
        (np.zeros(2, dtype=[("a", "u1")]), LABELS, "do not go with"),
    ],
)
def test_that_are_odd_are_refused_in_one_line(
    tmp_path: Path, images: np.ndarray, said: np.ndarray, complaint: str
) -> None:
    with pytest.raises(DataError) as caught:
        read_samples(saved(tmp_path, x=images, y=said))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_part_of_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.npz: no such file"):
        read_samples(f"{tmp_path / 'none.npz'}:train")


def test_that_are_no_arrays_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.npz", "w") as file:
        file.writestr("x", "text")
        file.writestr("y", "text")
    with pytest.raises(DataError, match="x or y is no array"):
        read_samples(tmp_path / "set.npz")
    np.save(tmp_path / "one.npy", IMAGES)
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    with pytest.raises(DataError, match=r"damaged, or not an \.npz file"):
        read_samples(tmp_path / "one.npz")


def test_the_same_picture_with_two_labels_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    images = IMAGES[[0, 1, 0, 0]]
    read_samples(saved(tmp_path, x=images, y=[1, 2, 1, 1]))
    assert not caplog.messages
    read_samples(saved(tmp_path, x=images, y=[1, 2, 1, 7]))
    assert "1 picture twice with different labels, such as no. 0 (1) and no. 3 (7)" in caplog.text


FOLDER = Path(tempfile.mkdtemp())


@given(st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=4)), min_size=1, max_size=4))
def test_a_damaged_file_is_a_data_error_or_read(changes: list[tuple[int, bytes]]) -> None:
    whole = io.BytesIO()
    np.savez(whole, x=IMAGES, y=LABELS)
    data = bytearray(whole.getvalue())
    for place, new in changes:
        data[place % len(data) : place % len(data) + len(new)] = new
    (FOLDER / "set.npz").write_bytes(data)
    try:
        read_samples(FOLDER / "set.npz")
    except DataError as error:
        assert "set.npz" in str(error)


@given(st.binary(max_size=40))
def test_any_idx_header_is_a_data_error_or_read(head: bytes) -> None:
    (FOLDER / "my-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + head)
    (FOLDER / "my-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\0")
    try:
        read_samples(FOLDER / "my-images-idx3-ubyte")
    except DataError as error:
        assert "idx" in str(error)


def test_an_idx_header_that_counts_beyond_all_bounds_is_refused() -> None:
    head = b"\0\0\x08\x03" + b"\x80\0\0\0" * 2 + b"\0\0\0\x04"  # 2 ** 64 bytes, 0 in 64 bits
    (FOLDER / "my-images-idx3-ubyte").write_bytes(head)
    with pytest.raises(DataError, match="cut off or too long"):
        read_samples(FOLDER / "my-images-idx3-ubyte")


@pytest.mark.parametrize("line", ["inf 1:0", "0 1:0", "300 1:0", "3 :"])
def test_an_odd_usps_file_is_a_data_error(tmp_path: Path, line: str) -> None:
    (tmp_path / "usps.txt").write_text(line + "\n")
    with pytest.raises(DataError, match=r"usps\.txt"):
        read_samples(tmp_path / "usps.txt")


def test_emnists_images_stand_upright(tmp_path: Path) -> None:
    image = np.arange(6, dtype=np.uint8).reshape(1, 2, 3) * 40
    (tmp_path / "emnist-images-idx3-ubyte").write_bytes(
        b"\0\0\x08\x03" + struct.pack(">3I", *image.shape) + image.tobytes()
    )
    (tmp_path / "emnist-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x01\x07")
    (sample,) = read_samples(tmp_path / "emnist-images-idx3-ubyte")
    np.testing.assert_array_equal(sample.image, image[0].T)
