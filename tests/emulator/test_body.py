from __future__ import annotations

import io

import pytest

from digitrec.emulator.body import MAX_BODY_BYTES, TooLarge, read_body

CHUNKED = {"transfer-encoding": "chunked"}


def body(data: bytes, headers: dict[str, str]) -> tuple[bytes, bytes]:
    stream = io.BytesIO(data)
    return read_body(stream, headers), stream.read()


def test_a_body_of_a_length_leaves_what_follows():
    assert body(b"abcdeNEXT", {"content-length": "5"}) == (b"abcde", b"NEXT")


def test_no_length_is_no_body():
    assert body(b"NEXT", {}) == (b"", b"NEXT")


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n"], ids=["plain", "trailers"])
def test_chunks_are_joined(end):
    data = b"5\r\nabcde\r\nA;name=value\r\n0123456789\r\n" + end
    assert body(data + b"NEXT", CHUNKED) == (b"abcde0123456789", b"NEXT")


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b"abc", {"content-length": "5"}),
        (b"", {"content-length": "-1"}),
        (b"", {"content-length": "many"}),
        (b"5\r\nab", CHUNKED),
        (b"xyz\r\n", CHUNKED),
        (b"", CHUNKED),
    ],
)
def test_a_broken_body(data, headers):
    with pytest.raises(ValueError):
        body(data, headers)


@pytest.mark.parametrize("over", [0, 1])
def test_a_body_over_the_limit_is_read_to_its_end(over):
    size = MAX_BODY_BYTES + over
    stream = io.BytesIO(bytes(size) + b"NEXT")
    if over:
        with pytest.raises(TooLarge):
            read_body(stream, {"content-length": str(size)})
    else:
        assert len(read_body(stream, {"content-length": str(size)})) == size
    assert stream.read() == b"NEXT"
