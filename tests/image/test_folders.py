"""Files of a folder or a pattern: each is listed or counted, and the walk always ends."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from digitrec.image import folders, formats
from digitrec.image.folders import Skipped, matches, pictures


def fill(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"never opened")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_ending_that_pillow_knows_for_our_formats_is_a_picture() -> None:
    endings = {
        ending for ending, name in Image.registered_extensions().items()
        if name in {*formats.FORMATS, "MPO", "AVIF"}
    }  # fmt: skip
    assert endings <= folders.SUFFIXES
    assert {".heic", ".heif", ".hif"} <= folders.SUFFIXES


def test_the_pictures_come_in_the_order_of_their_names_folders_among_them() -> None:
    fill("d/b.png", "d/a/z.PNG", "d/a/b/c.heic", "d/a.png", "d/c.jpe")
    found = list(pictures("d", Skipped()))
    assert found == ["d/a/b/c.heic", "d/a/z.PNG", "d/a.png", "d/b.png", "d/c.jpe"]
    assert list(pictures(".", Skipped())) == found


def test_what_is_passed_over_is_counted() -> None:
    fill(
        "d/7.png", "d/a.txt", "d/b.TXT", "d/c.pdf", "d/README", "d/.hidden/7.png", "d/.DS_Store", "d/e/7.avif"
    )
    os.mkfifo("d/pipe.png")
    Path("d/loop").symlink_to(".")
    skipped = Skipped()
    assert list(pictures("d", skipped)) == ["d/7.png", "d/e/7.avif"]
    assert skipped.words() == [
        "4 files that are not pictures (.txt, no ending, .pdf)",
        "2 hidden files or folders",
        "1 link to a folder",
        "1 pipe, socket or device",
    ]


def test_a_link_to_a_file_is_followed_and_a_broken_one_is_named() -> None:
    fill("elsewhere/7")
    Path("d").mkdir()
    Path("d/7.png").symlink_to("../elsewhere/7")
    Path("d/broken.png").symlink_to("nowhere")
    Path("d/itself.png").symlink_to("itself.png")
    assert list(pictures("d", Skipped())) == ["d/7.png", "d/broken.png", "d/itself.png"]


@pytest.fixture
def as_nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder as a user without root's permissions."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        monkeypatch.chdir(folder)
        was = os.geteuid()
        if was == 0:
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            os.seteuid(was)


def test_a_folder_that_is_closed_to_us_is_named(as_nobody: Path) -> None:
    fill("d/7.png", "d/closed/7.png")
    Path("d/closed").chmod(0)
    assert list(pictures("d", Skipped())) == ["d/7.png", "d/closed"]
    assert list(pictures("d/closed", Skipped())) == ["d/closed"]


def test_a_tree_deeper_than_python_recurses_is_walked() -> None:
    start = Path.cwd()
    for _ in range(1100):
        Path("d").mkdir()
        os.chdir("d")
    fill("7.png")
    os.chdir(start)
    try:
        assert list(pictures(".", Skipped())) == ["d/" * 1100 + "7.png"]
    finally:
        subprocess.run(["rm", "-r", "d"], check=True)  # shutil.rmtree recurses


def test_a_pipe_is_not_what_a_pattern_means() -> None:
    fill("7.png")
    os.mkfifo("8.png")
    skipped = Skipped()
    assert matches("*.png", skipped) == ["7.png"]
    assert skipped.words() == ["1 pipe, socket or device"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.png", ["1.png"]),
        ("**/*.png", ["1.png", "d/2.png", "d/e/3.png"]),
        ("d/**", ["d/2.png", "d/e/3.png"]),
        ("[!2-9].*", ["1.png"]),
        ("*.jpg", []),
    ],
)
def test_a_pattern_gives_the_files_it_matches(pattern: str, expected: list[str]) -> None:
    fill("1.png", ".h.png", "d/2.png", "d/e/3.png", "d/.f/4.png")
    assert matches(pattern, Skipped()) == expected
