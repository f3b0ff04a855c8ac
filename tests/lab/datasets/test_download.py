"""MNIST's training files and fonts: in a folder, or fetched from a mirror (here on 127.0.0.1)."""

import gzip
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

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


@pytest.fixture
def mirrors(tmp_path: Path) -> Iterator[str]:
    """Serve three folders: `empty/`, `damaged/` (a file cut short) and `good/`."""
    for folder in ("empty", "damaged", "good"):
        (tmp_path / folder).mkdir()
    (tmp_path / "damaged" / LABELS).write_bytes((SHIPPED / LABELS).read_bytes()[:1000])
    shutil.copy(SHIPPED / LABELS, tmp_path / "good" / LABELS)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def fetched(mirrors: str, *folders: str) -> bytes:
    """Return the labels' file from the first of the folders that has it."""
    copies = [mirrors + folder for folder in folders]
    return gzip.decompress(data.retrieved(LABELS, mnist.SHA256[LABELS], copies, "mnist").read_bytes())


def test_mirrors_are_tried_in_turn_and_the_file_is_kept(mirrors: str) -> None:
    content = fetched(mirrors, "empty/", "damaged/", "good/")
    assert np.array_equal(np.frombuffer(content, np.uint8, offset=8), mnist.mnist_test().labels)
    assert fetched(mirrors, "empty/") == content


def test_when_no_mirror_has_it_each_is_named(mirrors: str) -> None:
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz.*empty/.*damaged/.*DIGITREC_DATA"):
        data.mnist_train([mirrors + "empty/", mirrors + "damaged/"])


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
