"""The USPS files in both of their forms."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.loader import read_samples
from digitrec.errors import DataError

PIXELS = np.where(np.arange(256) % 3 == 0, 1.0, -1.0)


def test_libsvms_form_leaves_out_what_it_likes_and_counts_from_one(tmp_path: Path) -> None:
    path = tmp_path / "usps.bz2"
    words = " ".join(f"{place + 1}:{value:.3f}" for place, value in enumerate(PIXELS) if value > 0)
    path.write_bytes(bz2.compress(f"8 {words}\n10 1:0\n".encode()))
    seven, nine = read_samples(path)
    assert (seven.label, nine.label) == (7, 9)
    assert isinstance(seven.image, np.ndarray) and isinstance(nine.image, np.ndarray)
    np.testing.assert_array_equal(seven.image.ravel(), np.where(PIXELS > 0, 255, 0))
    assert (nine.image[0, 0], nine.image[0, 1]) == (128, 0)


def test_the_books_form_has_every_value(tmp_path: Path) -> None:
    path = tmp_path / "zip.train.gz"
    path.write_bytes(gzip.compress(f"4.0000 {' '.join(map(str, PIXELS))}\n".encode()))
    (four,) = read_samples(path)
    assert four.label == 4
    assert isinstance(four.image, np.ndarray)
    np.testing.assert_array_equal(four.image.ravel(), np.where(PIXELS > 0, 255, 0))


@pytest.mark.parametrize(
    "content", [b"no bz2", bz2.compress(b"1 2 3\n"), bz2.compress(b"7 300:1\n"), bz2.compress(b"")]
)
def test_what_is_neither_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "usps.bz2"
    path.write_bytes(content)
    with pytest.raises(DataError, match="USPS"):
        read_samples(path)
