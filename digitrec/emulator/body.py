"""The body of an HTTP request: with a length or in chunks, up to a limit."""

from __future__ import annotations

import io
from collections.abc import Mapping

MAX_BODY_BYTES = 32_000_000
"""More than any vendor takes in one request; the rest is read and thrown away."""
_PIECE = 1 << 16


class TooLarge(Exception):
    """The body is larger than `MAX_BODY_BYTES`; it has been read to its end."""


def read_body(stream: io.BufferedIOBase, headers: Mapping[str, str]) -> bytes:
    """The body that follows the headers, any chunking undone.

    Args:
        stream: the connection, right after the headers.
        headers: their names in lower case.

    Raises:
        TooLarge: it was larger than `MAX_BODY_BYTES`; the connection can go on.
        ValueError: its length or a chunk's is not a number, or it ended too early; it cannot.
    """
    kept = _Kept()
    if "chunked" in headers.get("transfer-encoding", "").lower():
        while length := _chunk_length(stream):
            _take(stream, length, kept)
            stream.readline(_PIECE)  # the line end after a chunk
        while stream.readline(_PIECE).strip():
            pass  # trailers
    else:
        _take(stream, _length(headers.get("content-length", "0"), 10), kept)
    if kept.size > MAX_BODY_BYTES:
        raise TooLarge
    return kept.buffer.getvalue()


class _Kept:
    """What was read: all is counted, what is within the limit is kept."""

    def __init__(self) -> None:
        self.buffer = io.BytesIO()
        self.size = 0

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size <= MAX_BODY_BYTES:
            self.buffer.write(piece)


def _take(stream: io.BufferedIOBase, length: int, kept: _Kept) -> None:
    while length > 0:
        piece = stream.read(min(length, _PIECE))
        if not piece:
            raise ValueError("the body ended too early")
        length -= len(piece)
        kept.add(piece)


def _chunk_length(stream: io.BufferedIOBase) -> int:
    return _length(stream.readline(_PIECE).split(b";")[0].decode("latin-1"), 16)


def _length(text: str, base: int) -> int:
    length = int(text.strip(), base)
    if length < 0:
        raise ValueError("a length below zero")
    return length
