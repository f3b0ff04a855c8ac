"""The server on a real socket: slow, long or invalid heads, slow bodies, and a clean shutdown."""

import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from itertools import count

import httpx
import pytest

from digitrec.web import server as server_module
from digitrec.web.settings import Settings

from .fakes import connect, everything, held_up, listening, local, png, until_at_work

BEGIN = b"POST /predict HTTP/1.1\r\nHost: x\r\n"
"""Of the heads below."""
WHOLE = BEGIN + b"Content-Length: 5\r\n\r\nwhole"


def answer(connection: socket.socket) -> tuple[int, str | None, bytes]:
    """Read the next response to its end: status, Retry-After and body."""
    found = HTTPResponse(connection)
    found.begin()
    return found.status, found.headers["retry-after"], found.read()


@pytest.mark.parametrize("head", [
    BEGIN + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    BEGIN + b"transfer-encoding : chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n",
    BEGIN + b"Content-Length: 4,4\r\n\r\n1234", BEGIN + b"Content-Length: 4\r\n , 4\r\n\r\n1234",
    BEGIN + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\n1234",
    BEGIN + b"Content-Length: 4\r\nX: y\n\r\n1234",
    b"POST /predict HTTP/1.1\nHost: x\nContent-Length: 4\n\n1234",
    b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\nHost: x\n\n",
    b"\x16\x03\x01 this is not HTTP\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 20_000,
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
])  # fmt: skip
def test_invalid_heads_are_answered_and_closed(head: bytes) -> None:
    with listening() as url, connect(url) as connection:
        connection.sendall(head)
        assert everything(connection).rpartition(b"HTTP/1.1 ")[2].startswith(b"400 ")


@pytest.mark.parametrize("path", [b"/health", b"/predict", b"/docs/swagger-ui-bundle.js"])
@pytest.mark.parametrize("pause", [0, 0.3])
@pytest.mark.parametrize("body", [b"no length\r\n", b"1\r\na\r\n" * 1100, b"fff\r\n" + b"a" * 4095])
def test_a_bad_body_is_the_clients_error(
    path: bytes, pause: float, body: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "MAX_RECEIVED_BYTES", 4000)
    with listening() as url, connect(url) as connection:
        connection.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        time.sleep(pause)
        connection.sendall(body)
        assert everything(connection).startswith(b"HTTP/1.1 4")
        assert httpx.get(f"{url}/health").status_code == 200
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


@pytest.mark.parametrize(("target", "status"), [
    (b"http://x/health", b"200"), (b"HTTPS://x:1?a=/b", b"200"), (b"http://other/docs", b"421"),
])  # fmt: skip
def test_the_host_in_a_target_replaces_the_header(target: bytes, status: bytes) -> None:
    with listening(settings=Settings(hosts=("x",))) as url, connect(url) as connection:
        connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 " + status)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="IPv6 and IPv4 do not share a socket here")
def test_the_address_of_all_ipv6_networks_means_ipv4_too() -> None:
    with server_module.listen("::", 0) as made:
        socket.create_connection(("127.0.0.1", made.getsockname()[1])).close()


def test_a_head_in_pieces_and_requests_at_once_are_read() -> None:
    whole = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n7,\n"
    with listening() as url, connect(url) as connection:
        for place in range(len(whole)):
            connection.sendall(whole[place : place + 1])
        assert connection.recv(65536).startswith(b"HTTP/1.1 422 ")
        connection.sendall(whole + whole.replace(b"\r\nContent", b"\r\nConnection: close\r\nContent"))
        assert everything(connection).count(b"HTTP/1.1 422 ") == 2


def test_a_head_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "IDLE_S", 0.5)
    with listening() as url, connect(url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        connection.settimeout(0.02)
        with pytest.raises(ConnectionError):
            for number in count():  # single bytes do not extend its time
                connection.sendall(f"X-{number}: 1\r\n".encode())
                try:
                    if not connection.recv(1):
                        raise ConnectionError
                except TimeoutError:
                    pass


def test_an_answer_that_nobody_receives_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "SENDING_S", 0.5)
    with listening(settings=Settings(seconds=0.5)) as url, connect(url) as connection:
        connection.sendall(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        assert connection.recv(1)  # 20 answers are more than the system's buffers hold
        end = time.monotonic() + 30
        while "in_flight 2.0" in httpx.get(f"{url}/metrics").text:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_what_was_accepted_is_answered_before_the_end() -> None:
    engine, go, entered = held_up(local())
    with ThreadPoolExecutor(1) as pool:
        with listening(engine) as url:
            assert entered.acquire(timeout=20)  # the warm-up
            go.clear()
            answer = pool.submit(httpx.post, f"{url}/predict", content=png(), timeout=30)
            assert entered.acquire(timeout=20)
            threading.Timer(0.5, go.set).start()  # the server gets its stop signal while this request waits
        assert answer.result().json()["prediction"] == 7


def test_a_full_server_rejects_before_it_reads_and_answers_what_it_accepted() -> None:
    engine, go, entered = held_up(local())
    settings = Settings(max_requests=1)
    with listening(engine, settings=settings) as url, ThreadPoolExecutor(1) as pool, connect(url) as late:
        assert entered.acquire(timeout=20)  # the warm-up
        go.clear()
        late.sendall(WHOLE[:-1])
        until_at_work(url, 1)
        accepted = pool.submit(httpx.post, f"{url}/predict", content=png(), timeout=30)
        assert entered.acquire(timeout=20)
        assert httpx.get(f"{url}/ready").status_code == 503
        with connect(url) as connection:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
            status, retry_after, body = answer(connection)
        late.sendall(WHOLE[-1:])  # it began while there was room
        assert answer(late)[0] == 503
        with connect(url) as connection:
            for _ in range(2):  # a complete request keeps its connection
                connection.sendall(WHOLE)
                assert answer(connection)[0] == 503
            go.set()
            assert accepted.result().json()["prediction"] == 7
            connection.sendall(WHOLE)
            assert answer(connection)[0] == 422
        assert httpx.get(f"{url}/ready").json() == {"ready": True}
        assert "digitrec_http_turned_away_total 4.0" in httpx.get(f"{url}/metrics").text
    assert (status, retry_after) == (503, "1")
    assert json.loads(body)["type"] == "urn:digitrec:problem:busy"


def test_a_client_told_to_come_back_keeps_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "IDLE_S", 1.0)
    patient = Settings(max_requests=0, rate=1e6, burst=1_000_000)
    with listening(settings=patient) as url, connect(url) as connection:
        begin = time.monotonic()
        while time.monotonic() - begin < 1.5:  # each request restarts the clock
            connection.sendall(WHOLE)
            assert answer(connection)[0] == 503
