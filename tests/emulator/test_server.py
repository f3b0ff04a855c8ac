"""The emulator's HTTP server: slow, broken and closed connections, and any bytes."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, RemoteDisconnected

import pytest
import requests

from digitrec.emulator import Counts, Emulator
from digitrec.errors import Unavailable

from .clients import HEADERS, READ, SEVEN, TIMEOUT, picture, reads

NAME = "azure-analysis"


@pytest.fixture
def emulator(digitrec_emulator) -> Emulator:
    return digitrec_emulator([NAME], engine=reads(SEVEN))


def address(emulator: Emulator, vendor: str = NAME) -> tuple[str, int]:
    return "127.0.0.1", int(emulator.endpoints[vendor].rpartition(":")[2])


@pytest.fixture
def connection(emulator) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(*address(emulator), timeout=TIMEOUT)
    yield connection
    connection.close()


def post(emulator: Emulator, **options: object) -> requests.Response:
    url = emulator.endpoints[NAME] + READ
    return requests.post(url, picture(), **{"headers": HEADERS, "timeout": TIMEOUT, **options})


def posted(*more: str) -> bytes:
    """Return a whole request as bytes."""
    fields = [f"{name}: {value}" for name, value in HEADERS.items()]
    head = [f"POST {READ} HTTP/1.1", "Host: x", f"Content-Length: {len(picture())}", *fields, *more, "", ""]
    return "\r\n".join(head).encode() + picture()


def until(happened: Callable[[], bool]) -> bool:
    """Return whether the condition holds within the time limit of all tests."""
    end = time.monotonic() + TIMEOUT
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def threads() -> list[threading.Thread]:
    """Return the threads that serve a connection."""
    return [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]


def exchanged(emulator: Emulator, data: bytes) -> bytes:
    """Send bytes, and return all that comes back."""
    with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
        client.sendall(data)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_one_connection_serves_many_requests(emulator, connection):
    connection.connect()
    used = connection.sock
    for _ in range(3):
        connection.request("POST", READ, picture(), HEADERS)
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.headers["X-Digitrec-Emulator"] == "1"
        assert json.loads(answer.read())["modelVersion"] == "emulated-function"
    connection.request("HEAD", "/_emulator")
    assert connection.getresponse().read() == b""
    assert connection.sock is used
    assert emulator.calls(NAME) == 3


@pytest.mark.parametrize("length", [
    "Content-Length: x", "Content-Length: -1", "Content-Length: 99999999999", "Transfer-Encoding: chunked",
])  # fmt: skip
def test_nothing_is_read_as_a_request_after_an_invalid_body(emulator, length):
    data = exchanged(emulator, f"POST / HTTP/1.1\r\n{length}\r\n\r\n".encode() + posted() * 20)
    assert data.startswith(b"HTTP/1.1 400")
    assert data.count(b"HTTP/1.1") == 1
    assert emulator.calls(NAME) == 0


def test_a_drip_is_the_whole_answer_byte_by_byte(emulator):
    emulator.set_faults(NAME, "drip:seconds=0")
    head, _, body = exchanged(emulator, posted("Connection: close")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body)["readResult"]["blocks"]


def test_a_reset_connection(emulator, connection):
    emulator.set_faults(NAME, "reset")
    connection.request("POST", READ, picture(), HEADERS)
    with pytest.raises(ConnectionResetError) as caught:
        connection.getresponse()
    assert not isinstance(caught.value, RemoteDisconnected)  # an empty read would be a normal close


def test_the_page_of_a_network_in_between_shows_the_request(emulator):
    emulator.set_faults(NAME, "html")
    page = post(emulator, headers={"X-Own": "<planted>"})
    assert page.status_code == 200
    assert "X-Own: &lt;planted&gt;" in page.text


@pytest.mark.parametrize(("fault", "billed"), [
    ("", 1), ("slow:seconds=0", 1), ("hang", 1), ("reset", 1), ("cut-off", 1), ("drip:seconds=0", 1),
    ("unusable", 1), ("html", 0), ("429", 0), ("quota", 0), ("500", 0), ("redirect", 0),
])  # fmt: skip
def test_billed_is_what_the_vendor_did_whatever_became_of_it(emulator, fault, billed):
    emulator.set_faults(NAME, *filter(None, [fault]))
    try:
        post(emulator, timeout=0.5, allow_redirects=False)
    except requests.RequestException:
        pass
    assert until(lambda: emulator.counts(NAME).billed == billed)
    assert emulator.counts(NAME) == Counts(calls=1, polls=0, billed=billed)


def test_the_control_endpoint_says_what_it_is(emulator):
    about = requests.get(emulator.endpoints[NAME] + "/_emulator", timeout=TIMEOUT)
    assert about.headers["apim-request-id"]
    assert about.json() == {"emulator": "digitrec", "vendor": NAME, "engine": "function"}


@pytest.mark.parametrize("kind", ["hang", "slow:seconds=1000"])
def test_stopping_does_not_wait_for_what_hangs(kind):
    emulator = Emulator([NAME], engine=reads(SEVEN), faults=[kind])
    with emulator:
        clients = [socket.create_connection(address(emulator), timeout=TIMEOUT) for _ in range(3)]
        for client in clients[:2]:
            client.sendall(posted())
        assert until(lambda: emulator.calls(NAME) == 2)
    assert clients[2].recv(1) == b""  # it sent nothing, and sees the end; the others wait for an answer
    for client in clients:
        client.close()
    assert until(lambda: not threads())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(emulator), timeout=TIMEOUT)


@pytest.mark.parametrize(("error", "status", "logged"), [
    (Unavailable("no engine today"), 503, "Unavailable: no engine today"),
    (ValueError("not to be decoded: b'\\x89PNG'"), 500, f"ValueError at {__file__}:"),
])  # fmt: skip
def test_a_failing_engine_is_the_vendors_error_and_one_line(digitrec_emulator, caplog, error, status, logged):
    def fails(_):
        raise error

    emulator = digitrec_emulator([NAME], engine=fails)
    assert post(emulator).status_code == status
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert line.startswith(f"{NAME}: the engine failed: {logged}")
    assert "PNG" not in caplog.text
    assert emulator.counts(NAME).billed == 0


def test_a_key_in_an_address_is_not_logged(digitrec_emulator, caplog):
    caplog.set_level("DEBUG")
    endpoint = digitrec_emulator(["google"], engine=reads()).endpoints["google"]
    requests.post(f"{endpoint}/v1/images:annotate?key=planted", json={}, timeout=TIMEOUT)
    logged = [record.getMessage() for record in caplog.records if record.name == "digitrec.emulator"]
    assert logged == ["google POST /v1/images:annotate"]


def test_tls_is_refused_at_once(emulator, caplog):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(emulator.endpoints[NAME].replace("http:", "https:"), timeout=TIMEOUT)
    assert emulator.endpoints[NAME] in caplog.text


@pytest.mark.parametrize("fault", ["hang", "slow:seconds=0.1", "drip:seconds=0.01"])
def test_a_client_that_hangs_up_leaves_no_thread(emulator, fault, capfd):
    emulator.set_faults(NAME, fault)
    with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
        client.sendall(posted())
        assert until(lambda: emulator.counts(NAME).billed > 0)
    for cut in (1, 20, 200, -10):
        with socket.create_connection(address(emulator), timeout=TIMEOUT) as client:
            client.sendall(posted()[:cut])
    assert until(lambda: not threads())
    assert "Traceback" not in capfd.readouterr().err
