"""Digits of any kind at 28x28, recognised in any file, so that learned digits are left out of tests."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DataError
from digitrec.lab.datasets.digits import FILE, apart, keep_keys, keys_of, read_digits, read_keys

TEST = mnist_test()[:40]


def test_what_holds_no_digit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=str(tmp_path)):
        read_digits(tmp_path)
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "broken.png").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="broken"):
        read_digits(tmp_path)


def as_pngs(folder: Path) -> Path:
    for place, (image, label) in enumerate(zip(TEST.images, TEST.labels, strict=True)):
        (folder / str(label)).mkdir(exist_ok=True, parents=True)
        Image.fromarray(image).save(folder / str(label) / f"{place}.png")
    return folder


def as_npz(folder: Path) -> Path:
    np.savez(folder / "set.npz", x=TEST.images / 255, y=TEST.labels)
    return folder / "set.npz"


@pytest.mark.parametrize("write", [as_pngs, as_npz])
def test_it_is_known_again_from_files(tmp_path: Path, write) -> None:
    learned = keys_of(read_digits(write(tmp_path)).images)
    left = apart(mnist_test(), learned, "mnist-test")
    assert len(left) == 9_960
    assert np.array_equal(left.images[0], mnist_test().images[40])
    with pytest.raises(DataError, match="mnist-test: all 40 test digits"):
        apart(TEST, learned, "mnist-test")


@pytest.mark.parametrize("name", ["mnist-test", "mnist-train"])
def test_a_folder_replaces_a_set_of_its_name(here: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    as_pngs(here / name)
    Image.new("L", (90, 90)).save(here / name / "3" / "a.png")
    assert (len(read_digits(name)), len(read_digits(name, single=True))) == (len(TEST) + 1, len(TEST))
    assert str(here / name) in caplog.messages[0] and "a.png (blank)" in caplog.messages[-1]


@given(st.sets(st.integers(0, 39)), st.sets(st.integers(0, 39)))
def test_what_is_left_is_exactly_what_was_not_learned(learned: set[int], test: set[int]) -> None:
    part = TEST[np.array(sorted(test), np.int64)]
    keys = keys_of(TEST.images[np.array(sorted(learned), np.int64)])
    if test <= learned:
        with pytest.raises(DataError):
            apart(part, keys, "part")
    else:
        np.testing.assert_array_equal(apart(part, keys, "part").images, TEST.images[sorted(test - learned)])


def test_keys_are_kept_beside_the_model_and_damage_is_told(tmp_path: Path) -> None:
    model = tmp_path / "mlp.keras"
    assert read_keys(model) is None
    keep_keys(keys_of(TEST.images), model)
    assert np.isin(keys_of(TEST.images), read_keys(model)).all()
    whole = (tmp_path / "mlp-run" / FILE).read_bytes()
    (tmp_path / "mlp.h5").touch()
    keep_keys(keys_of(255 - TEST.images[:9]), model)
    assert np.isin(keys_of(TEST.images), read_keys(tmp_path / "mlp.h5")).all(), "its namesake keeps its own"
    for damage in (b"", b"nothing of the kind", b"PK\x03\x04", whole[:-9]):
        (tmp_path / "mlp-run" / FILE).write_bytes(damage)
        with pytest.raises(DataError, match=r"train .*mlp\.keras again"):
            read_keys(model)
