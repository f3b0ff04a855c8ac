"""Images and labels as arrays: each format is read exactly; an error names an invalid file."""

import gzip
import io
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import zipped

from digitrec.comparison.datasets.loader import read_samples
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DataError

DIGITS = mnist_test()[:5]
COLOURED = np.stack([DIGITS.images] * 3, axis=3)
IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) * 11
LABELS = np.array([4, 9])


def idx(values: np.ndarray) -> bytes:
    return bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def npz(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def saved(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / next(iter(files))


PAIR = {"my-images-idx3-ubyte": idx(DIGITS.images), "my-labels-idx1-ubyte": idx(DIGITS.labels)}
TURNED = DIGITS.images.transpose(0, 2, 1)
FORMATS: dict[str, tuple[dict[str, bytes], np.ndarray]] = {
    "npz": ({"set.npz": npz(x=DIGITS.images, y=DIGITS.labels, other=LABELS)}, DIGITS.images),
    "npz, other names": ({"SET.NPZ": npz(images=COLOURED, labels=DIGITS.labels)}, COLOURED),
    "idx": (PAIR, DIGITS.images),
    "idx, packed": ({name: gzip.compress(data) for name, data in PAIR.items()}, DIGITS.images),
    "idx of EMNIST": (
        {"emnist-images-idx3-ubyte": idx(TURNED), "emnist-labels-idx1-ubyte": idx(DIGITS.labels)},
        DIGITS.images,
    ),
    "npz of EMNIST": ({"emnist.npz": npz(x=TURNED[..., None], y=DIGITS.labels)}, DIGITS.images[..., None]),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    files, images = FORMATS[name]
    samples = read_samples(saved(tmp_path, files))
    assert [sample.label for sample in samples] == DIGITS.labels.tolist()
    np.testing.assert_array_equal([sample.image for sample in samples], images)


@pytest.mark.parametrize(("full", "kind"), [
    (1, bool), (1, np.uint8), (1, np.float64), (16, np.float64), (16, np.uint8), (255, np.uint8),
    (255, np.int64), (255, np.float32), (65535, np.uint16),
])  # fmt: skip
def test_any_plain_range_is_read_alike(tmp_path: Path, full: int, kind: type) -> None:
    ink = np.zeros((2, 3, 4))
    ink[:, 1] = full
    ink[1, 2] = 0 if full == 1 else full // 2
    one, other = read_samples(saved(tmp_path, {"set.npz": npz(x=ink.astype(kind), y=LABELS)}))
    assert isinstance(one.image, np.ndarray) and isinstance(other.image, np.ndarray)
    assert one.image.dtype == np.uint8
    assert one.image.tolist() == [[0] * 4, [255] * 4, [0] * 4]
    assert other.image[2].tolist() == [0 if full == 1 else pytest.approx(127, abs=1)] * 4


BOTH = {"x": IMAGES, "y": LABELS}


@pytest.mark.parametrize(("name", "content", "named"), [
    ("a.npz", npz(a=IMAGES, b=LABELS), "x/y or images/labels; it holds a, b"), ("a.npz", npz(), "nothing"),
    ("a.npz", npz(**BOTH, images=IMAGES, labels=LABELS), "labels"),
    ("a.npz", npz(x=np.array([print, 1], dtype=object), y=LABELS), "npz"),
    ("a.npz", npz(**BOTH)[:-30], "npz"), ("a.npz", zipped({"x": "text", "y": "text"}), "a.npz"),
    ("a.npz", npz(x=np.zeros((2, 784)), y=LABELS), "(2, 784)"),
    ("a.npz", npz(x=np.zeros((2, 3, 4, 2)), y=LABELS), "(2, 3, 4, 2)"),
    ("a.npz", npz(x=IMAGES, y=np.eye(2, 10)), "(2, 10)"), ("a.npz", npz(x=IMAGES, y=LABELS[:1]), "(1,)"),
    ("a.npz", npz(x=IMAGES, y=np.array(["4", "9"])), "<U1"),
    ("a.npz", npz(x=IMAGES, y=np.array([4.5, 9])), "4.5"),
    ("a.npz", npz(x=IMAGES, y=np.array([4, np.nan])), "nan"),
    ("a.npz", npz(x=IMAGES, y=np.array([4, 10])), "10"),
    ("a.npz", npz(x=IMAGES.astype("datetime64[s]"), y=LABELS), "datetime64"),
    ("a.npz", npz(x=IMAGES / -20.0, y=LABELS), "a.npz"),
    ("a.npz", npz(x=np.where(IMAGES, np.inf, 0), y=LABELS), "a.npz"),
    ("a.npz", npz(x=IMAGES / 20.0, y=LABELS), "12.65"),
    ("a.npz", npz(x=IMAGES.astype(np.int32) * 1000, y=LABELS), "253000"),
    ("my-images-idx3-ubyte", gzip.compress(idx(DIGITS.images))[:-9], "idx3"),
    ("my-images-idx3-ubyte", idx(DIGITS.images)[:-1], "idx3"),
    ("my-images-idx3-ubyte", idx(DIGITS.labels), "idx3"),
    ("my-images-idx3-ubyte", b"\0\0\x08\x03" + b"\x80\0\0\0" * 2 + b"\0\0\0\x04", "idx3"),
    ("my-images-idx3-ubyte", idx(DIGITS.images), "my-labels-idx1-ubyte"),
    ("7.png", b"P5 1 1 255\n0", "7.png"),
])  # fmt: skip
def test_an_odd_file_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes, named: str) -> None:
    with pytest.raises(DataError) as caught:
        read_samples(saved(tmp_path, {name: content}))
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


FOLDER = Path(tempfile.mkdtemp())
WHOLE = {"set.npz": npz(**BOTH), "my-images-idx3-ubyte": idx(IMAGES)}
CHANGES = st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=4)), min_size=1, max_size=4)


@given(st.sampled_from(sorted(WHOLE)), st.one_of(CHANGES, st.binary(max_size=300)))
def test_damaged_bytes_are_a_data_error_or_read(name: str, changes: list[tuple[int, bytes]] | bytes) -> None:
    data = bytearray(WHOLE[name])
    if isinstance(changes, bytes):
        data = bytearray(changes)
    else:
        for place, new in changes:
            data[place % len(data) : place % len(data) + len(new)] = new
    saved(FOLDER, {"my-labels-idx1-ubyte": idx(LABELS.astype(np.uint8)), name: bytes(data)})
    try:
        read_samples(FOLDER / name)
    except DataError as error:
        assert str(FOLDER) in str(error)
