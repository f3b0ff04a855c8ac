"""MATLAB's files: SVHN's cropped digits read as SciPy reads them, all else refused in one line."""

from __future__ import annotations

import io
import re
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from digitrec.datasets import matfiles
from digitrec.datasets.digits import read_digits
from digitrec.datasets.loader import read_samples
from digitrec.errors import DataError

HOUSES = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), np.uint8)
TEN = np.array([[10], [1], [9], [10]], np.uint8)


def saved(folder: Path, *, packed: bool = False, **arrays: Any) -> Path:
    savemat(folder / "train_32x32.mat", arrays, do_compression=packed)
    return folder / "train_32x32.mat"


def element(order: str, kind: int, data: bytes) -> bytes:
    return struct.pack(f"{order}II", kind, len(data)) + data + bytes(-len(data) % 8)


def array(
    order: str, name: str, shape: tuple[int, ...], stored: int, data: bytes, flags: int = 6, count: int = -1
) -> bytes:
    """An array as MATLAB writes it; `count` is what it says that it has of data, -1: the truth."""
    numbers = struct.pack(f"{order}II", stored, len(data) if count < 0 else count) + data
    inside = (
        element(order, 6, struct.pack(f"{order}II", flags, 0))
        + element(order, 5, struct.pack(f"{order}{len(shape)}i", *shape))
        + element(order, 1, name.encode("latin-1"))
        + numbers
        + bytes(-len(data) % 8)
    )
    return element(order, 14, inside)


def file_of(order: str, *elements: bytes) -> bytes:
    head = b"MATLAB 5.0 MAT-file, written by a test".ljust(124)
    return head + struct.pack(f"{order}HH", 0x0100, 0x4D49) + b"".join(elements)


def packed(order: str, array: bytes) -> bytes:
    content = zlib.compress(array)
    return struct.pack(f"{order}II", 15, len(content)) + content


def read_or_refused(data: bytes, folder: Path) -> None:
    path = folder / "damaged.mat"
    path.write_bytes(data)
    try:
        read_samples(path)
    except DataError as error:
        assert "damaged.mat" in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("count", [4, 1])
def test_svhn_is_read_and_its_ten_is_a_zero(tmp_path: Path, count: int, packed: bool) -> None:
    path = saved(tmp_path, packed=packed, note="text", X=HOUSES[..., :count], y=TEN[:count], z=np.eye(2))
    samples = read_samples(path)
    assert [sample.label for sample in samples] == [0, 1, 9, 0][:count]
    for number, sample in enumerate(samples):
        np.testing.assert_array_equal(sample.image, HOUSES[..., number])
    assert read_digits(path).images.shape == (count, 28, 28)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("wrap", [None, packed])
@pytest.mark.parametrize("stored", [(2, "u1"), (9, "f8"), (3, "i2")])
def test_every_order_of_bytes_and_type_is_read_as_scipy_reads_it(
    tmp_path: Path, order: str, wrap: Any, stored: tuple[int, str]
) -> None:
    kind, letters = stored
    pixels = HOUSES.astype(f"{order}{letters}").tobytes(order="F")
    small = struct.pack(f"{order}I4s", 4 << 16 | 2, TEN.tobytes())  # labels in the tag itself
    labels = array(order, "y", (4, 1), 2, TEN.tobytes())[:-16] + small
    labels = element(order, 14, labels[8:])
    both = [array(order, "X", HOUSES.shape, kind, pixels), labels]
    data = file_of(order, *(both if wrap is None else [wrap(order, one) for one in both]))
    theirs = loadmat(io.BytesIO(data))
    np.testing.assert_array_equal(theirs["X"], HOUSES)
    np.testing.assert_array_equal(theirs["y"], TEN)
    (tmp_path / "set.mat").write_bytes(data)
    images, read = matfiles.read(tmp_path / "set.mat")
    np.testing.assert_array_equal(images, HOUSES.transpose(3, 0, 1, 2))
    assert images.dtype == np.uint8 and read.tolist() == [0, 1, 9, 0]


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"a": 1}, "no array of numbers called X or y"),
        ({"X": HOUSES}, "no array of numbers called y"),
        ({"X": "text", "y": "text"}, "no array of numbers called X or y"),
        ({"X": {"a": HOUSES}, "y": TEN}, "no array of numbers called X"),
        ({"X": HOUSES, "y": [1, 2, 3]}, "do not go with"),
        ({"X": HOUSES, "y": [1, 2, 3, 11]}, "label 11 of image 3"),
        ({"X": HOUSES, "y": np.ones((2, 2))}, "are not SVHN's"),
        ({"X": HOUSES[0, 0], "y": TEN}, "are not SVHN's"),
        ({"X": HOUSES / -1.0, "y": [1, 2, 3, 4]}, "pixel values"),
        ({"X": HOUSES * 1j, "y": TEN}, "real numbers"),
        ({"X": HOUSES[..., :0], "y": TEN}, "is no set of pictures"),
        ({"X": HOUSES[None], "y": TEN}, "is no set of pictures"),
        ({"dataset": {"train": {"images": HOUSES}}}, "EMNIST's .mat is not read, nor any other struct; give"),
    ],
)
def test_what_is_not_svhn_is_refused_in_one_line(
    tmp_path: Path, arrays: dict[str, Any], complaint: str
) -> None:
    path = saved(tmp_path, **arrays)
    with pytest.raises(DataError, match=re.escape(f"{path}: ") + ".*" + re.escape(complaint)) as caught:
        read_samples(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("head", "says"),
    [(b"", "not a MATLAB 5 file"), (b"MATLAB 7.3 MAT-file", "HDF5"), (b"\x89HDF", "HDF5"), (b"PK", "not a")],
)
def test_another_format_is_told(tmp_path: Path, head: bytes, says: str) -> None:
    (tmp_path / "set.mat").write_bytes(head + bytes(200))
    with pytest.raises(DataError, match=says):
        read_samples(tmp_path / "set.mat")
    with pytest.raises(DataError, match="no such file"):
        read_samples(tmp_path / "none.mat")
    (tmp_path / "folder.mat").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        matfiles.read(tmp_path / "folder.mat")


def test_a_wrong_checksum_is_found(tmp_path: Path) -> None:
    """A bit that turned in what zlib packed need not make it unreadable: the checksum at its end tells."""
    pixels = array("<", "X", HOUSES.shape, 2, HOUSES.tobytes(order="F"))
    whole = file_of("<", packed("<", array("<", "y", (4, 1), 2, TEN.tobytes())), packed("<", pixels))
    path = tmp_path / "set.mat"
    path.write_bytes(whole)
    assert len(read_samples(path)) == 4
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(DataError, match="packed data is damaged"):
        read_samples(path)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("wrap", [lambda order, array: array, packed])
def test_no_more_is_unpacked_than_an_array_says_and_no_more_kept_than_is_there(
    tmp_path: Path, order: str, wrap: Any
) -> None:
    """A gigabyte that is promised and is not there; one that is there and was not promised."""
    shape, promised = (1024, 1024, 3, 300), 1024 * 1024 * 900
    promise = wrap(order, array(order, "X", shape, 2, bytes(8), count=promised))
    hidden = wrap(order, array(order, "X", (2, 2, 3, 1), 2, bytes(12)) + bytes(5_000_000))
    unwanted = wrap(order, array(order, "Q", (5000, 1000), 2, bytes(5_000_000)))
    for number, data in enumerate([promise, hidden, unwanted]):
        (tmp_path / f"{number}.mat").write_bytes(file_of(order, data))
    tracemalloc.start()
    try:
        for number, says in enumerate(["too early|longer", "has no end|stands among", "no array"]):
            with pytest.raises(DataError, match=says):
                matfiles.read(tmp_path / f"{number}.mat")
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


def test_more_than_matlab_5_can_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matfiles, "LARGEST", HOUSES.nbytes - 1)
    with pytest.raises(DataError, match="more than MATLAB 5 allows"):
        read_samples(saved(tmp_path, X=HOUSES, y=TEN))


SMALL = HOUSES[::8, ::8]
WHOLE = {
    False: file_of(
        ">", array(">", "X", SMALL.shape, 2, SMALL.tobytes()), array(">", "y", (4, 1), 2, TEN.tobytes())
    ),
    True: file_of("<", *(packed("<", one) for one in (
        array("<", "X", SMALL.shape, 2, SMALL.tobytes()), array("<", "y", (4, 1), 2, TEN.tobytes()),
    ))),
}  # fmt: skip


@pytest.mark.parametrize("compressed", [False, True])
@given(
    changes=st.lists(st.tuples(st.integers(0, 500), st.binary(max_size=9)), max_size=4),
    cut=st.integers(0, 600),
)
def test_a_damaged_file_is_a_data_error_or_read(
    tmp_path_factory: pytest.TempPathFactory, compressed: bool, changes: list[tuple[int, bytes]], cut: int
) -> None:
    data = bytearray(WHOLE[compressed])
    for place, new in changes:
        at = 124 + place % (len(data) - 124)
        data[at : at + len(new)] = new
    read_or_refused(
        bytes(data[: max(0, len(data) - cut)] if cut % 3 else data), tmp_path_factory.getbasetemp()
    )


SIDES = st.one_of(st.integers(-1, 5), st.integers(-(2**31), 2**31 - 1))
ARRAYS = st.builds(
    array, st.sampled_from("<>"), st.sampled_from(["X", "y", "dataset", "", "X" * 70]),
    st.lists(SIDES, max_size=6).map(tuple), st.integers(0, 20), st.binary(max_size=64),
    st.one_of(st.integers(0, 20), st.integers(0, 2**32 - 1)), st.integers(-1, 2**32 - 1),
)  # fmt: skip


@given(
    order=st.sampled_from("<>"),
    elements=st.lists(st.one_of(ARRAYS, ARRAYS.map(lambda one: packed("<", one)), st.binary()), max_size=4),
)
@example(order="<", elements=[array("<", "X", (0, 2**31 - 1, 2**31 - 1, 2**31 - 1), 2, b"")])
@example(order="<", elements=[array("<", "X", (-1, -1, 3), 2, b"abc")])
@example(order="<", elements=[array("<", "X", (1, 1, 3), 9, b"\xff" * 24)])
def test_whatever_its_parts_say_of_themselves_it_is_a_data_error_or_read(
    tmp_path_factory: pytest.TempPathFactory, order: str, elements: list[bytes]
) -> None:
    labels = array(order, "y", (1, 1), 2, b"\x01")
    read_or_refused(file_of(order, *elements, labels), tmp_path_factory.getbasetemp())
