"""Sources of bytes: files, pipes, streams; never a network or an endless source."""

from __future__ import annotations

import io
import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitrec.errors import ImageError
from digitrec.image import files
from digitrec.image.files import name_of, read

URLS = [
    "https://user:hunter2@example.org/a/7.png?X-Amz-Signature=hunter2#hunter2",
    "http://hunter2@example.org",
    "s3://bucket/7.png?versionId=hunter2",
    "gs://bucket/7.png",
    "file:///home/someone/7.png",
    "HTTPS://example.org/7.png",
    "data:image/png;base64,hunter2hunter2",
    "data:,hunter2",
    "data:hunter2;base64," + "A" * 5000,
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_url_is_not_fetched_nor_its_secrets_shown(
    url: str, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_an_existing_file_named_like_a_url_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
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


def test_more_bytes_than_allowed_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 10)
    stream = io.BytesIO(b"7" * 100)
    with pytest.raises(ImageError):
        read(stream)
    assert stream.tell() == 11
