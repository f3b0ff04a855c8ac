"""Street View House Numbers as cropped digits (``train_32x32.mat``), from a MATLAB 5 file.

SVHN (Y. Netzer et al., http://ufldl.stanford.edu/housenumbers, for non-commercial use) has its pictures in
``X``, (32, 32, 3, N), and its labels in ``y``, in which 10 stands for the digit 0.

The form of the file is MathWorks' public "MAT-File Format", level 5. Of it are read: numeric arrays, plain or
packed by zlib, of either byte order; all else is passed over. SciPy's reader takes more of it and ends the
process at some damaged files, so this one is our own: every length is checked before anything is read by it,
and no more is unpacked than an array says that it has.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from digitrec.datasets.arrayfiles import Array, Bytes, checked
from digitrec.errors import DataError

LARGEST = 2**31
"""Bytes of one array at most: MATLAB 5 has none that is larger."""
WANTED = ("X", "y")
"""What SVHN calls its pictures and its labels."""

_HEADER = 128
_PORTION = 1 << 16
_NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
"""How numbers are stored, by the type of a data element."""
_INT8, _INT32, _UINT32, _MATRIX, _PACKED = 1, 5, 6, 14, 15
_STRUCT, _NUMERIC = 2, range(6, 16)
"""Classes of arrays."""
_COMPLEX = 0x0800
_SIDES, _NAME = 4 * 32, 64
"""Bytes of an array's dimensions and of its name, at most."""


class _Damaged(Exception):
    """The bytes are not what the format says."""


class _Other(Exception):
    """The file is of another kind."""


class _Source(Protocol):
    def read(self, count: int) -> bytearray:
        """The next bytes, exactly so many, or `_Damaged`."""


class _Plain:
    """The bytes of a file as they stand, of one data element."""

    def __init__(self, file: IO[bytes], left: int) -> None:
        self._file, self._left = file, left

    def read(self, count: int) -> bytearray:
        """The next bytes, or `_Damaged`."""
        if count > self._left:
            raise _Damaged("a part is longer than what holds it")
        self._left -= count
        data = bytearray(self._file.read(count))
        if len(data) < count:
            raise _Damaged("cut off")
        return data


class _Packed:
    """The bytes of one data element that zlib packed, unpacked as far as they are asked for."""

    def __init__(self, file: IO[bytes], left: int) -> None:
        self._file, self._left = file, left
        self._unpack = zlib.decompressobj()

    def read(self, count: int) -> bytearray:
        """The next bytes, or `_Damaged`."""
        data = bytearray()
        while len(data) < count:
            packed = self._portion()
            unpacked = self._unpack.decompress(packed, count - len(data))
            if not packed and not unpacked:
                raise _Damaged("packed data ends too early")
            data += unpacked
        return data

    def end(self) -> None:
        """Make sure that nothing follows, and that zlib's checksum is right; else `_Damaged`."""
        while not self._unpack.eof:
            packed = self._portion()
            if self._unpack.decompress(packed, 1) or not packed:
                raise _Damaged("packed data has no end where its array ends")

    def _portion(self) -> bytes:
        """What is to be unpacked next."""
        if self._unpack.unconsumed_tail or self._unpack.eof:
            return self._unpack.unconsumed_tail
        packed = self._file.read(min(self._left, _PORTION))
        self._left = self._left - len(packed) if packed else 0
        return packed


@dataclass(frozen=True, slots=True)
class _Head:
    """What an array says of itself."""

    name: str
    kind: int
    """Its class."""
    complex: bool
    shape: tuple[int, ...]


def read(path: Path) -> tuple[Bytes, Array]:
    """Images (N, H, W, 3), 0..255, and labels (N,), 0..9; nothing in the file is run.

    Raises:
        DataError: it is no MATLAB 5 file, damaged, or holds something else than SVHN's cropped digits.
    """
    try:
        with path.open("rb") as file:
            arrays = _arrays(file)
    except _Damaged as error:
        raise DataError(f"{path}: {error}; a damaged .mat file? Fetch it again") from error
    except zlib.error as error:
        raise DataError(f"{path}: packed data is damaged; fetch it again") from error
    except _Other as error:
        raise DataError(f"{path}: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    missing = [name for name in WANTED if name not in arrays]
    if missing:
        raise DataError(
            f"{path}: has no array of numbers called {' or '.join(missing)}; of .mat files SVHN's cropped "
            "digits are read, with X and y; give others as .npz"
        )
    images, labels = (arrays[name] for name in WANTED)
    if images.ndim == 3:  # MATLAB drops the last dimension of one picture
        images = images[..., None]
    if images.ndim != 4 or sum(side != 1 for side in labels.shape) > 1:
        raise DataError(
            f"{path}: X of {images.shape} and y of {labels.shape} are not SVHN's cropped digits, which are "
            "(height, width, 3, N) and (N, 1)"
        )
    return checked(path, images.transpose(3, 0, 1, 2), np.where(labels == 10, 0, labels).reshape(-1))


def _arrays(file: IO[bytes]) -> dict[str, Array]:
    """The arrays that are wanted, by their names."""
    order = _byte_order(file.read(_HEADER))
    size = os.fstat(file.fileno()).st_size
    arrays = {}
    for kind, start, count in _elements(file, order, size):
        file.seek(start)
        packed = _Packed(file, count) if kind == _PACKED else None
        source: _Source = packed or _Plain(file, count)
        if packed and _tag(packed, order)[0] != _MATRIX:
            raise _Damaged("packed data is no array")
        head = _head(source, order)
        if head.name == "dataset" and head.kind == _STRUCT:
            raise _Other(
                "EMNIST's .mat is not read, nor any other struct; give EMNIST's IDX pair "
                "(emnist-digits-train-images-idx3-ubyte.gz) or its .csv"
            )
        if head.name in WANTED and head.kind in _NUMERIC:
            arrays[head.name] = _numbers(source, order, head)
            if packed:
                packed.end()
    return arrays


def _byte_order(header: bytes) -> str:
    """NumPy's sign for it."""
    if len(header) == _HEADER and header.startswith(b"MATLAB 5.0"):
        order = {b"IM": "<", b"MI": ">"}.get(header[126:128])
        if order is not None:
            return order
    if header.startswith((b"MATLAB 7.3", b"\x89HDF")):
        raise _Other('MATLAB 7.3\'s files (HDF5) are not read; save it with "-v7"')
    raise _Other("not a MATLAB 5 file")


def _elements(file: IO[bytes], order: str, size: int) -> Iterator[tuple[int, int, int]]:
    """The arrays of the file: plain or packed, place and length in bytes."""
    place = _HEADER
    while place < size:
        file.seek(place)
        kind, count, small = _tag(_Plain(file, size - place), order)
        place += 8
        if kind not in (_MATRIX, _PACKED) or small:
            raise _Damaged("something else than an array stands among them")
        if count > size - place:
            raise _Damaged("an element is longer than the file")
        yield kind, place, count
        place += count + (-count % 8 if kind != _PACKED else 0)


def _tag(source: _Source, order: str) -> tuple[int, int, bytes]:
    """Type and length of a data element, and its data where that stands in the tag itself."""
    data = source.read(8)
    kind, count = (int(number) for number in np.frombuffer(data, f"{order}u4"))
    if not kind >> 16:
        return kind, count, b""
    if kind >> 16 > 4:
        raise _Damaged("a small element is longer than four bytes")
    return kind & 0xFFFF, kind >> 16, bytes(data[4 : 4 + (kind >> 16)])


def _small(source: _Source, order: str, expected: int, most: int) -> bytes:
    """The data of an element of a known type, of at most so many bytes."""
    kind, count, data = _tag(source, order)
    if kind != expected or count > most:
        raise _Damaged("an array does not begin with flags, dimensions and name")
    if data or not count:
        return data
    return bytes(source.read(count + -count % 8)[:count])


def _head(source: _Source, order: str) -> _Head:
    """What an array begins with."""
    flags = np.frombuffer(_small(source, order, _UINT32, 8), f"{order}u4")
    sides = _small(source, order, _INT32, _SIDES)
    name = _small(source, order, _INT8, _NAME).decode("latin-1")
    if len(flags) != 2 or len(sides) < 8 or len(sides) % 4:
        raise _Damaged("an array has no flags, or fewer than two dimensions")
    shape = tuple(map(int, np.frombuffer(sides, f"{order}i4")))
    return _Head(name, int(flags[0]) & 0xFF, bool(int(flags[0]) & _COMPLEX), shape)


def _numbers(source: _Source, order: str, head: _Head) -> Array:
    """The numbers of an array, as they are stored: MATLAB keeps whole doubles as bytes."""
    if len(head.shape) > 4 or min(head.shape) < 1 or head.complex:
        raise _Other(f"{head.name} of {head.shape} is no set of pictures or labels, all of them real numbers")
    kind, count, data = _tag(source, order)
    if kind not in _NUMBERS:
        raise _Damaged(f"{head.name} holds no numbers")
    stored = np.dtype(f"{order}{_NUMBERS[kind]}")
    if count != math.prod(head.shape) * stored.itemsize:
        raise _Damaged(f"{head.name} has {count} bytes for the shape {head.shape}")
    if count > LARGEST:
        raise _Damaged(f"{head.name} has {count} bytes, more than MATLAB 5 allows")
    content = data or source.read(count)
    if not data:
        source.read(-count % 8)
    numbers: Array = np.frombuffer(content, stored).reshape(head.shape, order="F")
    return numbers.astype(stored.newbyteorder("="), copy=False)
