"""A digit is recognised in any file, so that learned digits are left out of tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DataError
from digitrec.lab.datasets import overlap
from digitrec.lab.datasets.digits import read_digits

TEST = mnist_test()[:40]


def as_pngs(folder: Path) -> Path:
    for place, (image, label) in enumerate(zip(TEST.images, TEST.labels, strict=True)):
        (folder / str(label)).mkdir(exist_ok=True, parents=True)
        Image.fromarray(image).save(folder / str(label) / f"{place}.png")
    return folder


def as_npz(folder: Path) -> Path:
    np.savez(folder / "set.npz", x_train=TEST.images / 255, y_train=TEST.labels)
    return folder / "set.npz"


@pytest.mark.parametrize("write", [as_pngs, as_npz])
def test_it_is_known_again_from_files(tmp_path: Path, write) -> None:
    learned = overlap.keys(read_digits(write(tmp_path)))
    left = overlap.apart(mnist_test(), learned, "mnist-test")
    assert len(left) == 9_960
    assert np.array_equal(left.images[0], mnist_test().images[40])
    with pytest.raises(DataError, match="mnist-test: all 40 test digits"):
        overlap.apart(TEST, learned, "mnist-test")


@given(st.sets(st.integers(0, 39)), st.sets(st.integers(0, 39)))
def test_what_is_left_is_exactly_what_was_not_learned(learned: set[int], test: set[int]) -> None:
    part = TEST[np.array(sorted(test), np.int64)]
    keys = overlap.keys(TEST[np.array(sorted(learned), np.int64)])
    if test <= learned:
        with pytest.raises(DataError):
            overlap.apart(part, keys, "part")
    else:
        left = overlap.apart(part, keys, "part")
        np.testing.assert_array_equal(left.images, TEST.images[sorted(test - learned)])


def test_keys_are_kept_beside_the_model_and_damage_is_told(tmp_path: Path) -> None:
    model = tmp_path / "mlp.keras"
    assert overlap.read(model) is None
    overlap.write(overlap.keys(TEST), overlap.beside(model))
    assert np.isin(overlap.keys(TEST), overlap.read(model)).all()
    for damage in (b"", b"nothing of the kind", (tmp_path / "mlp-run" / overlap.FILE).read_bytes()[:-9]):
        (tmp_path / "mlp-run" / overlap.FILE).write_bytes(damage)
        with pytest.raises(DataError, match=r"train .*mlp\.keras again"):
            overlap.read(model)
