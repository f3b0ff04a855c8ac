"""The HTTP that the standard library's server leaves to us: bodies, and clients that speak HTTP/2.

A client that speaks HTTP/2, which gRPC does, is told what to write instead, in its own protocol: frames
and error codes are RFC 9113's, header fields RFC 7541's, the trailer names gRPC's ("gRPC over HTTP2",
Responses). Nothing is served; grpcio and a vendor's messages would be needed for it, and the SDKs insist
on TLS wherever they are only given an address.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping

HTTP2_PREFACE = b"PRI * HTTP/2.0"
"""How HTTP/2 begins where both sides are to know it beforehand (RFC 9113, 3.4)."""
_REST_OF_PREFACE = len(b"\r\nSM\r\n\r\n")
_HEADERS, _SETTINGS, _GOAWAY = 1, 4, 7
_ACK = 1  # flag of SETTINGS
_END_STREAM_AND_HEADERS = 5
_MAX_FRAME = 1 << 14  # bytes; what a client may send as long as it was told nothing else
_MAX_FRAMES = 100
_NO_ERROR, _PROTOCOL_ERROR, _FRAME_SIZE_ERROR = (
    0,
    1,
    6,
)  # grpcio 1.85 aborts its process on 13, HTTP_1_1_REQUIRED
_UNIMPLEMENTED = b"12"  # gRPC's status


def advice(spoken: str, vendor: str, endpoint: str) -> str:
    """The line that says what is wrong and what to write instead.

    Args:
        spoken: what the client speaks, such as "HTTP/2".
        vendor: whose emulator it came to.
        endpoint: its address.
    """
    if vendor != "google":
        return f"a client spoke {spoken}, and the emulator speaks plain HTTP/1.1; write {endpoint}"
    return (
        f"a client spoke {spoken}, as Google's SDK does for gRPC unless told otherwise, and the emulator "
        f'speaks REST over plain HTTP/1.1; write transport="rest", '
        f'client_options={{"api_endpoint": "{endpoint}"}}'
    )


def refuse_http2(stream: io.BufferedIOBase, out: io.BufferedIOBase, line: str) -> None:
    """Answer the first request with gRPC's "unimplemented" and the line, then say goodbye with it.

    Args:
        stream: the connection, right after `HTTP2_PREFACE`.
        out: where the answer goes.
        line: printable ASCII without a percent sign, which gRPC would have to be sent escaped.
    """
    stream.read(_REST_OF_PREFACE)
    out.write(_frame(_SETTINGS, 0, 0, b""))
    out.flush()
    asked, code = _first_request(stream, out)
    if asked:
        fields = ((b"content-type", b"application/grpc"), (b"grpc-status", _UNIMPLEMENTED))
        block = _status(b"505") + b"".join(_field(name, value) for name, value in fields)
        block += _field(b"grpc-message", line.encode("ascii"))
        out.write(_frame(_HEADERS, _END_STREAM_AND_HEADERS, asked, block))
    out.write(_frame(_GOAWAY, 0, 0, struct.pack(">II", asked, code) + line.encode("ascii")))
    out.flush()


def _first_request(stream: io.BufferedIOBase, out: io.BufferedIOBase) -> tuple[int, int]:
    """The number of the first request's stream, 0 for none, and the error code to say goodbye with."""
    for _ in range(_MAX_FRAMES):
        head = stream.read(9)
        if len(head) < 9:
            return 0, _PROTOCOL_ERROR
        length = int.from_bytes(head[:3])
        if length > _MAX_FRAME:
            return 0, _FRAME_SIZE_ERROR
        stream.read(length)
        number = int.from_bytes(head[5:]) & 0x7FFFFFFF
        if head[3] == _SETTINGS and not head[4] & _ACK:
            out.write(_frame(_SETTINGS, _ACK, 0, b""))
            out.flush()
        elif head[3] == _HEADERS and number:
            return number, _NO_ERROR
    return 0, _PROTOCOL_ERROR


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def _status(code: bytes) -> bytes:
    """The field ":status", number 8 of the static table, not to be indexed (RFC 7541, 6.2.2)."""
    return b"\x08" + _text(code)


def _field(name: bytes, value: bytes) -> bytes:
    return b"\x00" + _text(name) + _text(value)


def _text(value: bytes) -> bytes:
    """A string without Huffman coding, its length as an integer with a prefix of 7 bits (RFC 7541, 5.1)."""
    length = len(value)
    if length < 127:
        return bytes((length,)) + value
    coded, length = bytearray((127,)), length - 127
    while length >= 128:
        coded.append(length % 128 + 128)
        length //= 128
    coded.append(length)
    return bytes(coded) + value


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
    body = _Body()
    if "chunked" in headers.get("transfer-encoding", "").lower():
        while length := _chunk_length(stream):
            _take(stream, length, body)
            stream.readline(_PIECE)  # the line end after a chunk
        while stream.readline(_PIECE).strip():
            pass  # trailers
    else:
        _take(stream, _length(headers.get("content-length", "0"), 10), body)
    if body.size > MAX_BODY_BYTES:
        raise TooLarge
    return body.buffer.getvalue()


class _Body:
    """What was read: all of it is counted, what is within the limit is kept."""

    def __init__(self) -> None:
        self.buffer = io.BytesIO()
        self.size = 0

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size <= MAX_BODY_BYTES:
            self.buffer.write(piece)


def _take(stream: io.BufferedIOBase, length: int, body: _Body) -> None:
    while length > 0:
        piece = stream.read(min(length, _PIECE))
        if not piece:
            raise ValueError("the body ended too early")
        length -= len(piece)
        body.add(piece)


def _chunk_length(stream: io.BufferedIOBase) -> int:
    return _length(stream.readline(_PIECE).split(b";")[0].decode("latin-1"), 16)


def _length(text: str, base: int) -> int:
    length = int(text.strip(), base)
    if length < 0:
        raise ValueError("a length below zero")
    return length
