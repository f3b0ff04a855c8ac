"""Bodies of any form, and clients that speak something else than HTTP/1.1, with the real gRPC among them."""

from __future__ import annotations

import io
import socket
import ssl
import struct

import grpc
import pytest
import requests
from google.api_core import exceptions
from google.cloud.vision import ImageAnnotatorClient
from google.cloud.vision_v1.services.image_annotator.transports import ImageAnnotatorGrpcTransport

from digitrec.emulator import Emulator
from digitrec.emulator.http import MAX_BODY_BYTES, TooLarge, read_body

from .clients import TIMEOUT, reads

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
WHAT_TO_WRITE = 'write transport="rest", client_options='


@pytest.fixture
def emulator(digitrec_emulator) -> Emulator:
    return digitrec_emulator(["google"], engine=reads())


def address(emulator: Emulator) -> tuple[str, int]:
    return "127.0.0.1", int(emulator.endpoints["google"].rpartition(":")[2])


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_googles_grpc_is_told_what_to_write(emulator, caplog):
    for _ in range(2):
        with grpc.insecure_channel(emulator.endpoints["google"].removeprefix("http://")) as channel:
            client = ImageAnnotatorClient(transport=ImageAnnotatorGrpcTransport(channel=channel))
            with pytest.raises(exceptions.MethodNotImplemented) as caught:
                client.batch_annotate_images(requests=[], timeout=TIMEOUT)
        assert WHAT_TO_WRITE in caught.value.message
        assert emulator.endpoints["google"] in caught.value.message
    (line,) = warnings(caplog)
    assert line.startswith("google: a client spoke HTTP/2")
    assert WHAT_TO_WRITE in line
    assert "\n" not in line
    assert emulator.calls("google") == 0


def frames(client: socket.socket) -> list[tuple[int, int, int, bytes]]:
    """Type, flags, stream and payload of every frame until the server hangs up."""
    data = b""
    while piece := client.recv(4096):
        data += piece
    found = []
    while data:
        length, number = int.from_bytes(data[:3]), int.from_bytes(data[5:9])
        found.append((data[3], data[4], number, data[9 : 9 + length]))
        data = data[9 + length :]
    return found


def test_a_goodbye_in_its_own_form(emulator):
    with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
        client.sendall(PREFACE + struct.pack(">IBI", 4, 0, 0) + b"garbage")
        client.shutdown(socket.SHUT_WR)
        settings, *_, goodbye = frames(client)
    assert settings == (4, 0, 0, b"")
    assert goodbye[0] == 7
    assert struct.unpack(">II", goodbye[3][:8]) == (0, 1)
    assert WHAT_TO_WRITE.encode() in goodbye[3][8:]


@pytest.mark.parametrize("rest", [b"", b"\xff" * 100, bytes(9 * 200), b"\0\0\1\4\0\0\0\0\0", bytes(5)])
def test_a_goodbye_whatever_follows(emulator, rest):
    with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
        client.sendall(PREFACE + rest)
        client.shutdown(socket.SHUT_WR)
        assert frames(client)[-1][0] == 7
    assert requests.get(emulator.endpoints["google"] + "/_emulator", timeout=TIMEOUT).status_code == 200


def test_tls_is_told_once_and_never_waits(emulator, caplog):
    context = ssl.create_default_context()
    for _ in range(2):
        with (
            socket.create_connection(address(emulator), timeout=TIMEOUT) as client,
            pytest.raises(ssl.SSLError),
        ):
            context.wrap_socket(client, server_hostname="localhost")
    (line,) = warnings(caplog)
    assert line.startswith("google: a client spoke TLS (https), as Google's SDK does for gRPC")
    assert WHAT_TO_WRITE in line


def test_other_vendors_are_told_without_google(digitrec_emulator, caplog):
    endpoint = digitrec_emulator(["aws"], engine=reads()).endpoints["aws"]
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(endpoint.replace("http:", "https:"), timeout=TIMEOUT)
    (line,) = warnings(caplog)
    assert (
        line == f"aws: a client spoke TLS (https), and the emulator speaks plain HTTP/1.1; write {endpoint}"
    )


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
