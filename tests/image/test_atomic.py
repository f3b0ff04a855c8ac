"""Files are replaced as a whole or not at all."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from digitrec.image import atomic


def test_an_error_keeps_the_old_content_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("old")
    with pytest.raises(ValueError, match="half way"), atomic.replacing(file) as unfinished:
        unfinished.write_text("half of the new")
        raise ValueError("half way")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_target_of_a_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    link = tmp_path / "link"
    link.symlink_to("target")
    atomic.write(link, "new \udcff")
    assert link.is_symlink()
    assert (tmp_path / "target").read_text() == "new \\udcff"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as threads:
        read = threads.submit(pipe.read_text)
        atomic.write(pipe, "new")
        assert read.result() == "new"
    assert pipe.is_fifo()


def test_a_missing_folder_is_reported_by_the_name_that_was_given(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder, kind in (("none", FileNotFoundError), ("file", NotADirectoryError)):
        file = tmp_path / folder / "page.html"
        with pytest.raises(kind) as error:
            atomic.write(file, "new")
        assert error.value.filename == str(file)


def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    with pytest.raises(OSError, match="No space") as error, atomic.replacing(file):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert error.value.filename == str(file)
