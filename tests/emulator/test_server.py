"""The HTTP under every vendor, spoken to byte by byte."""

from __future__ import annotations

import json
import socket
import threading
from http.client import HTTPConnection, RemoteDisconnected

import pytest
import requests

from digitrec.emulator import Emulator, Word
from digitrec.emulator.faults import UNUSABLE
from digitrec.errors import BadAnswer, TimedOut, Unavailable

from . import clients
from .clients import HEADERS, READ, SEVEN, TIMEOUT, fails, picture, reads


@pytest.fixture
def emulator(digitrec_emulator) -> Emulator:
    return digitrec_emulator(["azure-analysis"], engine=reads(SEVEN))


def address(emulator: Emulator) -> tuple[str, int]:
    return "127.0.0.1", int(emulator.endpoints["azure-analysis"].rpartition(":")[2])


@pytest.fixture
def connection(emulator):
    connection = HTTPConnection(*address(emulator), timeout=TIMEOUT)
    yield connection
    connection.close()


def test_one_connection_serves_many_requests(emulator, connection):
    connection.connect()
    used = connection.sock
    for _ in range(3):
        connection.request("POST", READ, picture(), HEADERS)
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.headers["X-Digitrec-Emulator"] == "1"
        assert json.loads(answer.read())["modelVersion"] == "emulated-function"
    assert connection.sock is used
    assert emulator.calls("azure-analysis") == 3


def test_a_chunked_body(connection):
    for _ in range(2):
        connection.request("POST", READ, iter([picture()[:50], picture()[50:]]), HEADERS, encode_chunked=True)
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()


def test_a_client_that_waits_to_be_told_to_continue(emulator):
    data = picture()
    head = f"POST {READ} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\nExpect: 100-continue\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items()) + "Connection: close\r\n\r\n"
    with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
        client.sendall(head.encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 100")
        client.sendall(data)
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_body_over_every_limit(connection):
    for _ in range(2):
        connection.request("POST", READ, bytes(33_000_000), HEADERS)
        answer = connection.getresponse()
        assert answer.status == 413
        assert json.loads(answer.read())["error"]["code"] == "RequestEntityTooLarge"


def test_a_body_that_is_no_body(emulator):
    with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400")


def test_requests_are_answered_side_by_side(digitrec_emulator):
    together = threading.Barrier(4, timeout=TIMEOUT)

    def read(picture) -> list[Word]:
        together.wait()
        return [SEVEN]

    url = digitrec_emulator(["azure-analysis"], engine=read).endpoints["azure-analysis"] + READ
    found: list[int] = []

    def ask() -> None:
        found.append(requests.post(url, picture(), headers=HEADERS, timeout=TIMEOUT).status_code)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 4


def test_a_reset_connection(emulator, connection):
    emulator.set_faults("azure-analysis", "reset")
    connection.request("POST", READ, picture(), HEADERS)
    with pytest.raises(ConnectionResetError) as caught:
        connection.getresponse()
    assert not isinstance(caught.value, RemoteDisconnected)  # that would be a mere goodbye


@pytest.mark.parametrize("kind", ["hang", "slow:seconds=1000"])
def test_stopping_does_not_wait_for_what_hangs(kind):
    emulator = Emulator(["azure-analysis"], engine=reads(SEVEN), faults=[kind])
    with emulator:
        clients = [socket.create_connection(address(emulator), timeout=TIMEOUT) for _ in range(3)]
        for client in clients[:2]:
            client.sendall(f"GET {READ} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        while emulator.calls("azure-analysis") < 2:
            pass
    for client in clients:  # two that wait for an answer, and one that never asked
        client.close()
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(TIMEOUT)
            assert not thread.is_alive()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(emulator), timeout=TIMEOUT)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (Unavailable("no engine today"), 503, "Unavailable: no engine today"),
        (TimedOut("no answer in 60 s"), 503, "TimedOut: no answer in 60 s"),
        (BadAnswer("no words"), 500, "BadAnswer: no words"),
        (ValueError("not to be decoded: b'\\x89PNG'"), 500, f"ValueError at {clients.__file__}:"),
        (OSError("the engine's pipe broke"), 500, f"OSError at {clients.__file__}:"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_engine_that_fails_is_the_vendors_trouble_and_logged_in_a_line(
    digitrec_emulator, caplog, error, status, said
):
    emulator = digitrec_emulator(["azure-analysis"], engine=fails(error))
    url = emulator.endpoints["azure-analysis"] + READ
    with requests.Session() as session:
        for _ in range(2):  # the connection outlives it
            answer = session.post(url, picture(), headers=HEADERS, timeout=TIMEOUT)
            assert answer.status_code == status
    (line, _) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert line.startswith(f"azure-analysis: the engine failed: {said}")
    assert "PNG" not in caplog.text
    assert "\n" not in line
    assert emulator.counts("azure-analysis").billed == 0


def test_a_key_in_an_address_is_not_logged(digitrec_emulator, caplog):
    caplog.set_level("DEBUG")
    endpoint = digitrec_emulator(["google"], engine=reads()).endpoints["google"]
    requests.post(f"{endpoint}/v1/images:annotate?key=planted", json={}, timeout=TIMEOUT)
    logged = [record.getMessage() for record in caplog.records if record.name == "digitrec.emulator"]
    assert logged == ["google POST /v1/images:annotate"]


def test_tls_is_refused_at_once(emulator, caplog):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(emulator.endpoints["azure-analysis"].replace("http:", "https:"), timeout=TIMEOUT)
    assert emulator.endpoints["azure-analysis"] in caplog.text


def test_the_control_endpoint_says_what_it_is_and_what_it_counted(emulator):
    endpoint = emulator.endpoints["azure-analysis"]
    about = requests.get(endpoint + "/_emulator", timeout=TIMEOUT).json()
    assert about == {"emulator": "digitrec", "vendor": "azure-analysis", "engine": "function"}
    emulator.set_faults("azure-analysis", "500:first=1")
    for _ in range(3):
        requests.post(endpoint + READ, picture(), headers=HEADERS, timeout=TIMEOUT)
    counts = requests.get(endpoint + "/_emulator/calls", timeout=TIMEOUT).json()
    assert counts == {"calls": 3, "polls": 0, "billed": 2}
    assert requests.get(endpoint + "/_emulator/other", timeout=TIMEOUT).status_code == 404


def test_the_page_of_a_network_in_between_shows_what_was_sent(emulator):
    emulator.set_faults("azure-analysis", "html")
    url = emulator.endpoints["azure-analysis"] + READ
    page = requests.post(url, headers={"X-Own": "<planted>"}, timeout=TIMEOUT)
    assert page.status_code == 200
    assert "X-Own: &lt;planted&gt;" in page.text


def test_unusable_documents_come_one_after_the_other(emulator):
    emulator.set_faults("azure-analysis", "unusable")
    url = emulator.endpoints["azure-analysis"] + READ
    bodies = [requests.post(url, picture(), headers=HEADERS, timeout=TIMEOUT).content for _ in UNUSABLE]
    assert bodies == list(UNUSABLE)
    assert emulator.billed("azure-analysis") == len(UNUSABLE)
