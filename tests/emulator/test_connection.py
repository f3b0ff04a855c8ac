"""Connections that are slow, broken, hung up on, or given any bytes at all."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitrec.emulator import VENDORS, Emulator

from .clients import HEADERS, READ, SEVEN, TIMEOUT, picture, reads

NAME = "azure-analysis"


@pytest.fixture
def emulator(digitrec_emulator) -> Emulator:
    return digitrec_emulator([NAME], engine=reads(SEVEN))


def address(emulator: Emulator, vendor: str = NAME) -> tuple[str, int]:
    return "127.0.0.1", int(emulator.endpoints[vendor].rpartition(":")[2])


def posted(data: bytes = picture()) -> bytes:
    """A whole request, byte by byte."""
    head = f"POST {READ} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    return head.encode() + b"\r\n" + data


def until(happened: Callable[[], bool]) -> bool:
    """Whether it happens within the time every test has."""
    end = time.monotonic() + TIMEOUT
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def threads() -> list[threading.Thread]:
    """Those that serve a connection."""
    return [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]


@pytest.fixture
def nobody_left() -> Iterator[None]:
    """No connection has a thread when the test is over, and none died of an error."""
    before = set(threads())
    yield
    assert until(lambda: not set(threads()) - before)


def everything(client: socket.socket) -> bytes:
    data = b""
    while piece := client.recv(65536):
        data += piece
    return data


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect(emulator, status):
    emulator.set_faults(NAME, f"redirect:status={status},to=http://127.0.0.2:9/a,b?c=d")
    url = emulator.endpoints[NAME] + READ
    answer = requests.post(url, picture(), headers=HEADERS, timeout=TIMEOUT, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (status, "http://127.0.0.2:9/a,b?c=d")
    assert emulator.billed(NAME) == 0


def test_a_drip_is_the_whole_answer_byte_by_byte(emulator):
    emulator.set_faults(NAME, "drip:seconds=0")
    with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
        client.sendall(posted().replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        head, _, body = everything(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body)["readResult"]["blocks"]
    assert emulator.billed(NAME) == 1


@pytest.mark.parametrize(
    ("fault", "billed"),
    [
        ("", 1), ("slow:seconds=0", 1), ("hang", 1), ("reset", 1), ("cut-off", 1), ("drip:seconds=0", 1),
        ("empty", 1), ("no-field", 1), ("html", 0), ("429", 0), ("quota", 0), ("500", 0), ("redirect", 0),
    ],
)  # fmt: skip
def test_billed_is_what_the_vendor_did_whatever_became_of_it(emulator, fault, billed):
    emulator.set_faults(NAME, *filter(None, [fault]))
    url = emulator.endpoints[NAME] + READ
    try:
        requests.post(url, picture(), headers=HEADERS, timeout=0.5, allow_redirects=False)
    except requests.RequestException:
        pass
    assert until(lambda: emulator.billed(NAME) == billed)
    assert emulator.calls(NAME) == 1
    counted = requests.get(emulator.endpoints[NAME] + "/_emulator/calls", timeout=TIMEOUT).json()
    assert counted == {"calls": 1, "polls": 0, "billed": billed}


@pytest.mark.parametrize("fault", ["hang", "slow:seconds=0.1", "drip:seconds=0.01"])
@pytest.mark.usefixtures("nobody_left")
def test_a_client_that_hangs_up_leaves_no_thread(emulator, fault, capfd):
    emulator.set_faults(NAME, fault)
    for _ in range(3):
        with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
            client.sendall(posted())
            assert until(lambda: emulator.billed(NAME) > 0)
    assert until(lambda: not threads())
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("cut", [1, 20, 200, -10])
@pytest.mark.usefixtures("nobody_left")
def test_a_client_that_hangs_up_in_its_request_leaves_no_thread(emulator, cut, capfd):
    with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
        client.sendall(posted()[:cut])
    assert until(lambda: not threads())
    assert "Traceback" not in capfd.readouterr().err


def test_requests_in_one_packet_are_answered_one_after_the_other(emulator):
    refused = f"POST {READ} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc".encode()  # no key
    unknown = b"PATCH /nowhere HTTP/1.1\r\nHost: x\r\nOcp-Apim-Subscription-Key: k\r\n\r\n"
    last = b"GET /_emulator HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
        client.sendall(refused + posted() + unknown + last)
        data = everything(client)
    statuses = [int(part[:3]) for part in data.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [401, 200, 404, 200]


def test_nothing_is_read_as_a_request_after_a_body_that_is_none(emulator):
    with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n" + posted() * 20)
        data = everything(client)
    assert data.startswith(b"HTTP/1.1 400")
    assert data.count(b"HTTP/1.1") == 1
    assert emulator.calls(NAME) == 0


def test_the_answer_to_a_head_has_no_body(emulator):
    connection = HTTPConnection(*address(emulator), timeout=TIMEOUT)
    for _ in range(2):
        connection.request("HEAD", "/_emulator")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
    connection.close()


@pytest.mark.parametrize("line", [b"\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTP\r\n\r\n",
                                  b"GET /" + b"a" * 70_000, b"BREW / HTTP/1.1\r\n\r\n"])  # fmt: skip
def test_a_line_that_is_no_request_is_answered_or_dropped_without_a_traceback(emulator, line, capfd):
    with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
        client.sendall(line)
        client.shutdown(socket.SHUT_WR)
        data = everything(client)
    assert data == b"" or b"Error code: " in data
    assert b"X-Digitrec-Emulator" in data or not data.startswith(b"HTTP/")
    assert "Traceback" not in capfd.readouterr().err


PIECES = [
    b"GET ", b"POST ", b"PRI * ", READ.encode(), b"/v1/images:annotate", b"/vision/v3.2/read/analyze",
    b"/_emulator", b" HTTP/1.1\r\n", b" HTTP/2.0\r\n", b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Host: \xff\r\n x\r\n", b"\r\n",
    b"\r\n\r\n", b"5", b"-1", b"0\r\n\r\n", b"Ocp-Apim-Subscription-Key: k\r\n", b"\x16\x03\x01", b"SM\r\n",
    b"Content-Type: application/octet-stream\r\n", b"X-Amz-Target: RekognitionService.DetectText\r\n",
    b'{"requests":', b"[", b'["429"]', b'"\\ud83d"', b"{", b"}", b"Connection: keep-alive\r\n",
    b"Authorization: AWS4-HMAC-SHA256 Credential=", picture(),
]  # fmt: skip


@pytest.fixture(scope="module")
def everybody() -> Iterator[Emulator]:
    with Emulator(engine=reads(SEVEN)) as running:
        yield running


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    vendor=st.sampled_from(list(VENDORS)),
    data=st.lists(st.sampled_from(PIECES) | st.binary(max_size=30), max_size=20).map(b"".join),
    politely=st.booleans(),
)
def test_any_bytes_are_survived(everybody, capfd, vendor, data, politely):
    with socket.create_connection(address(everybody, vendor), timeout=TIMEOUT) as client:
        client.sendall(data)
        if politely:
            client.shutdown(socket.SHUT_WR)
            try:
                everything(client)
            except ConnectionResetError:
                pass
    assert until(lambda: not threads())
    everybody.set_faults(vendor)
    control = everybody.endpoints[vendor] + "/_emulator"
    assert requests.get(control, timeout=TIMEOUT).json()["vendor"] == vendor
    assert "Traceback" not in capfd.readouterr().err
