"""Writers held back, as sets to measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitrec.errors import DataError
from digitrec.lab.handwriting import strangers
from digitrec.lab.handwriting.shapes import PLAIN


def test_the_writers_held_back_are_sets_to_measure(world_folder: Path) -> None:
    assert [sample.label for sample in strangers.swiss_dev()] == [1, 3, 5]
    assert len(strangers.swiss_dev(2)) == 2
    (one,), (again,) = strangers.turkish_dev(), strangers.turkish_dev()
    assert one.label == 1
    assert np.array_equal(one.image, again.image) and np.asarray(one.image).max() == 255


def test_the_scans_of_writers_held_back_keep_their_own_size(world_folder: Path) -> None:
    cells = world_folder / "swiss_cells"
    cells.mkdir()
    (cells / "labels.csv").write_text("file,label,writer\na.png,1,0001\nb.png,7,0008\nc.png,2,0017\n")
    found = strangers.swiss_cells_dev()
    assert [(one.image, one.label) for one in found] == [(cells / "b.png", 7), (cells / "c.png", 2)]
    (cells / "labels.csv").write_text("name\nb.png\n")
    with pytest.raises(DataError, match=r"labels\.csv"):
        strangers.swiss_cells_dev()


def test_the_fonts_held_back_are_sets_to_measure(some_fonts: Path) -> None:
    digits, letters = strangers.fonts_dev(), strangers.letters_dev()
    assert sorted(sample.label or 0 for sample in digits) == sorted([*range(10), *range(10)])
    assert len(letters) == len(PLAIN) and {sample.label for sample in letters} == {None}
    again = strangers.fonts_dev(10)
    assert {sample.label for sample in again} == set(range(10))
    assert all(any(np.array_equal(one.image, other.image) for other in digits) for one in again)
    (some_fonts / "apart-latin-400-normal.woff").write_bytes(b"another")
    with pytest.raises(DataError, match="damaged"):
        strangers.letters_dev()
