"""MNIST's training files and fonts: in a folder, or fetched from a mirror (here on 127.0.0.1)."""

import shutil
from pathlib import Path

import pytest
from raw_server import RawServer, answer

from digitrec.comparison.datasets import mnist
from digitrec.errors import DataError
from digitrec.lab.datasets import download as data

SHIPPED = Path(mnist.__file__).parent / "data"
LABELS = "t10k-labels-idx1-ubyte.gz"


@pytest.mark.parametrize("damaged", [False, True])
def test_a_missing_or_damaged_file_is_named(data_folder: Path, damaged: bool) -> None:
    images = data_folder / "mnist" / "train-images-idx3-ubyte.gz"
    images.parent.mkdir()
    if damaged:
        shutil.copy(SHIPPED / "t10k-images-idx3-ubyte.gz", images)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz.*unset DIGITREC_DATA"):
        data.mnist_train()


def test_mirrors_are_tried_in_turn_and_the_file_is_kept(server: RawServer) -> None:
    whole = (SHIPPED / LABELS).read_bytes()
    server.say = [answer(404), answer(200, whole[:1000]), answer(200, whole), answer(404)]
    mirrors = [f"{server.url}/{folder}/" for folder in ("empty", "damaged", "good")]
    for copies in (mirrors, mirrors[:1]):
        file = data.retrieved(LABELS, mnist.SHA256[LABELS], copies, "mnist")
        assert file.read_bytes() == whole
    assert len(server.arrived) == 3, "the second time it was there"


def test_when_no_mirror_has_it_each_is_named(server: RawServer) -> None:
    server.say = [answer(404), answer(200, b"cut off")]
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz.*empty/.*damaged/.*DIGITREC_DATA"):
        data.mnist_train([f"{server.url}/empty/", f"{server.url}/damaged/"])


def test_the_files_of_a_part_are_found(some_fonts: Path) -> None:
    one, two, apart = (str(some_fonts / f"{name}-latin-400-normal.woff") for name in ("one", "two", "apart"))
    assert data.font_files("learned") == (one, two)
    assert data.font_files("held back") == (apart,)


def test_a_font_that_is_missing_or_another_one_is_named_with_its_home(some_fonts: Path) -> None:
    one, two = (some_fonts / f"{name}-latin-400-normal.woff" for name in ("one", "two"))
    two.write_bytes(one.read_bytes())
    with pytest.raises(DataError, match=r"two-latin-400-normal\.woff: damaged"):
        data.font_files("learned")
    one.unlink()
    with pytest.raises(DataError, match=r"one-latin-400-normal\.woff: .*@fontsource/one 1\.0\.0"):
        data.font_files("learned")


def test_without_a_folder_fonts_are_fetched(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(data, "retrieved", lambda *what: asked.append(what) or data_folder / what[0])
    assert data.existing("fonts") is None
    files = data.font_files("held back")
    assert files == tuple(str(data_folder / what[0]) for what in asked) and len(files) == 28
    (name, sha256, (copy,), folder), *_ = asked
    first = next(font for font in data.listed_fonts() if font["part"] == "held back")
    assert (name, sha256) == (f"{first['name']}-latin-400-normal.woff", first["sha256"])
    assert folder == "fonts"
    assert copy == f"https://cdn.jsdelivr.net/npm/@fontsource/{first['name']}@{first['version']}/files/"
