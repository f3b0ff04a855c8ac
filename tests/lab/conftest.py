"""Small folders of data as training and measuring find them in DIGITREC_DATA."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.datasets import download
from digitrec.lab.handwriting.writer import fonts_to_learn


@pytest.fixture
def world_folder(data_folder: Path) -> Path:
    """Create world/: scans of 0 to 5 by five writers, one doubtful, and paths of 4, 1 and 7 by three."""
    place = data_folder / "world"
    place.mkdir()
    test = mnist_test()
    small = test.images[[int(np.flatnonzero(test.labels == digit)[1]) for digit in range(6)]]
    large = np.pad(small.repeat(2, axis=1).repeat(2, axis=2), ((0, 0), (4, 4), (4, 4)))
    np.savez(
        place / "swiss_numbers.npz", x=large, y=np.arange(6, dtype=np.uint8),
        writer=np.array(["0001", "0008", "0002", "0012", "0001", "0017"]),
        bad=np.array([False, False, True, False, False, False]),
    )  # fmt: skip
    stem, corner = [[0, 0], [0, 1000]], [[400, 0], [0, 600], [700, 600]]
    bar, slant, one = [[0, 0], [600, 0]], [[600, 0], [200, 1000]], [[150, 0], [0, 1000]]
    np.savez(
        place / "pendigits.npz", pts=np.array([*corner, *stem, *one, *bar, *slant], np.int16),
        stroke_off=np.array([0, 3, 5, 7, 9, 11]), sample_off=np.array([0, 2, 3, 5]),
        y=np.array([4, 1, 7], np.uint8), writer=np.array(["tr001", "tr005", "tr002"]), bad=np.zeros(3, bool),
    )  # fmt: skip
    return place


@pytest.fixture
def some_fonts(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create fonts/: a hand and a print to learn, a hand kept `apart`."""
    place = data_folder / "fonts"
    place.mkdir()
    listed = []
    for name, kind, part, file in zip(
        ("one", "two", "apart"), ("hand", "print", "hand"), ("learned", "learned", "held back"),
        fonts_to_learn(), strict=False,
    ):  # fmt: skip
        content = Path(file).read_bytes()
        checksum = hashlib.sha256(content).hexdigest()
        listed.append({"name": name, "version": "1.0.0", "kind": kind, "part": part, "sha256": checksum})
        (place / f"{name}-latin-400-normal.woff").write_bytes(content)
    monkeypatch.setattr(download, "listed_fonts", lambda: listed)
    return place
