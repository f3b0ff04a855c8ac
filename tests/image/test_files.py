"""Sources of bytes: files, pipes, streams; never a network or an endless source."""

import io
import os
import socket
import subprocess
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digitrec.errors import ImageError
from digitrec.image import files, headers
from digitrec.image.files import Skipped, matches, name_of, pictures, read

pytestmark = pytest.mark.usefixtures("here")


@pytest.mark.parametrize("url", [
    "https://user:hunter2@example.org/a/7.png?X-Amz-Signature=hunter2#hunter2", "http://hunter2@example.org",
    "s3://bucket/7.png?versionId=hunter2", "gs://bucket/7.png", "file:///home/someone/7.png",
    "HTTPS://example.org/7.png", "data:image/png;base64,hunter2hunter2", "data:,hunter2",
    "data:hunter2;base64," + "A" * 5000,
])  # fmt: skip
@pytest.mark.parametrize("kind", [str, Path])
def test_a_url_is_not_read_nor_secrets_shown(url: str, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(ImageError) as caught:
        read(kind(url))
    assert str(caught.value).startswith(name_of(kind(url)))
    assert "hunter2" not in str(caught.value).removeprefix("data:hunter2")
    assert caught.value.__cause__ is None


@given(secret=st.text("abcXYZ019-_.~%/:@?#&=+", min_size=1), rest=st.text(max_size=20))
def test_whatever_stands_before_the_host_or_after_the_path_is_left_out(secret: str, rest: str) -> None:
    assert "QQ" not in name_of(f"https://QQ{secret}QQ@host/path?QQ{rest}QQ")
    assert "QQ" not in name_of(f"data:image/png;base64,QQ{rest}")


@pytest.mark.parametrize("name", ["7.png", "a:b.png", "C:/scans/7.png", "scans/what?.png", "me@home.png"])
def test_a_file_keeps_its_name(name: str) -> None:
    assert name_of(name) == name
    assert name_of("") == "<empty name>"


def test_an_existing_file_named_like_a_url_is_read() -> None:
    Path("data:7.png").write_bytes(b"7")
    assert read("data:7.png")[0] == b"7"


def test_a_pipe_with_a_name_is_read_and_known_to_be_there_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"7",))
    writer.start()
    assert read(str(pipe)) == (b"7", str(pipe))
    writer.join()
    assert files.read_once(str(pipe)) and files.read_once("-")
    assert not files.read_once(str(tmp_path / "7.png")) and not files.read_once("a" * 5000)


def test_devices_and_sockets_are_refused(tmp_path: Path) -> None:
    """A terminal would wait for input, /dev/zero would never end."""
    master, slave = os.openpty()
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(tmp_path / "socket"))
        for name in ("/dev/zero", os.ttyname(slave), str(tmp_path / "socket")):
            with pytest.raises(ImageError):
                read(name)
    finally:
        listener.close()
        os.close(master)
        os.close(slave)


def test_a_stream_is_read_to_its_end_and_a_failing_one_costs_no_other_picture() -> None:
    class Drips(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            return super().read(1)

    class Broken(io.BytesIO):
        def read(self, _: int | None = -1) -> bytes:
            raise zipfile.BadZipFile("bad CRC")

    assert read(Drips(b"digits"))[0] == b"digits"
    with pytest.raises(ImageError):
        read(Broken())
    with pytest.raises(TypeError, match="binary mode"), Path(__file__).open() as text:
        read(text)  # type: ignore[arg-type]


def test_more_bytes_than_allowed_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 10)
    stream = io.BytesIO(b"7" * 100)
    with pytest.raises(ImageError):
        read(stream)
    assert stream.tell() == 11


def fill(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"never opened")


def test_every_ending_that_pillow_knows_for_our_formats_is_a_picture() -> None:
    endings = {
        ending for ending, name in Image.registered_extensions().items()
        if name in {*headers.FORMATS, "MPO", "AVIF"}
    }  # fmt: skip
    assert endings <= files.SUFFIXES
    assert {".heic", ".heif", ".hif"} <= files.SUFFIXES


def test_the_pictures_come_in_the_order_of_their_names_folders_among_them() -> None:
    fill("d/b.png", "d/a/z.PNG", "d/a/b/c.heic", "d/a.png", "d/c.jpe")
    found = list(pictures("d", Skipped()))
    assert found == ["d/a/b/c.heic", "d/a/z.PNG", "d/a.png", "d/b.png", "d/c.jpe"]
    assert list(pictures(".", Skipped())) == found


def test_what_is_passed_over_is_counted() -> None:
    fill("d/7.png", "d/a.txt", "d/b.TXT", "d/c.pdf", "d/README", "d/.old/7.png", "d/.DS_Store", "d/e/7.avif")
    os.mkfifo("d/pipe.png")
    Path("d/loop").symlink_to(".")
    skipped = Skipped()
    assert list(pictures("d", skipped)) == ["d/7.png", "d/e/7.avif"]
    assert skipped.words() == [
        "2 .txt", "2 hidden", "1 .pdf", "1 folder link", "1 pipe or device", "1 without ending",
    ]  # fmt: skip


def test_a_link_to_a_file_is_followed_and_a_broken_one_is_named() -> None:
    fill("elsewhere/7")
    Path("d").mkdir()
    Path("d/7.png").symlink_to("../elsewhere/7")
    Path("d/broken.png").symlink_to("nowhere")
    Path("d/itself.png").symlink_to("itself.png")
    assert list(pictures("d", Skipped())) == ["d/7.png", "d/broken.png", "d/itself.png"]


def test_a_folder_that_is_closed_to_us_is_named(as_nobody: Path) -> None:
    fill("d/7.png", "d/closed/7.png")
    Path("d/closed").chmod(0)
    assert list(pictures("d", Skipped())) == ["d/7.png", "d/closed"]
    assert list(pictures("d/closed", Skipped())) == ["d/closed"]
    assert matches("**/*.png", Skipped()) == ["d/7.png", "d/closed"]


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
    assert skipped.words() == ["1 pipe or device"]


@pytest.mark.parametrize(("pattern", "expected"), [
    ("*.png", ["1.png"]), ("**/*.png", ["1.png", "d/2.png", "d/e/3.png"]), ("d/**", ["d/2.png", "d/e/3.png"]),
    ("[d]/**/e/**/*.png", ["d/e/3.png"]), ("[!2-9].*", ["1.png"]), ("*.jpg", []),
])  # fmt: skip
def test_a_pattern_gives_the_files_it_matches(pattern: str, expected: list[str]) -> None:
    """`glob.glob` never returns from two links to a folder above them."""
    fill("1.png", ".h.png", "d/2.png", "d/e/3.png", "d/.f/4.png", "digitrec-explanation/1.png")
    for name in ("a", "b"):
        Path("d/e", name).symlink_to("..", target_is_directory=True)
    skipped = Skipped()
    assert matches(pattern, skipped) == expected
    passed = ["2 folder link"] if "**" in pattern else []
    assert skipped.words() == passed + ["1 output"] * (pattern == "**/*.png")


def test_a_folder_that_a_pattern_matches_is_read() -> None:
    fill("d/2.png", "d/e/3.png")
    assert matches("[d]", Skipped()) == ["d/2.png", "d/e/3.png"]


def test_what_our_commands_drew_is_no_input_unless_it_is_named() -> None:
    fill("1.png", "digitrec-explanation/1.png")
    skipped = Skipped()
    assert (list(pictures(".", skipped)), skipped.words()) == (["1.png"], ["1 output"])
    assert list(pictures("digitrec-explanation", Skipped())) == ["digitrec-explanation/1.png"]
