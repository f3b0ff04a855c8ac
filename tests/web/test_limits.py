"""Admission: size, number, rate, keys, time; bodies that stall, trickle, swell or multiply."""

import asyncio
import base64
import io
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st
from pictures import encoded
from PIL import Image
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message

from digitrec.web import server as server_module
from digitrec.web.inference import Client
from digitrec.web.limits import GUARDED_PATHS, Buffers, address, is_misdirected
from digitrec.web.problems import Problem
from digitrec.web.settings import Settings

from .fakes import UNLIMITED, connect, everything, held_up, listening, local, png, serving, until_at_work

WHOLE = png()


def post(client: TestClient, **headers: str) -> int:
    return client.post("/predict", content=WHOLE, headers=headers).status_code


@pytest.mark.parametrize(("settings", "sent", "status", "kind"), [
    (Settings(max_body_bytes=5_000), {"content": b"x" * 5_000}, 422, "image-error"),
    (Settings(max_body_bytes=5_000), {"content": b"x" * 5_001}, 413, "too-large"),
    (Settings(max_body_bytes=5_000), {"content": (b"x" * 1000 for _ in range(1000))}, 413, "too-large"),
    (Settings(max_buffered_bytes=2_000), {"content": b"x" * 2_001}, 503, "busy"),
    (Settings(max_client_bytes=2_000), {"content": b"x" * 2_001}, 503, "busy"),
    (Settings(max_pictures=2), {"files": [("file", WHOLE)] * 3}, 413, "too-many"),
    (Settings(max_pictures=2), {"json": {"images": [base64.b64encode(WHOLE).decode()] * 3}}, 413, "too-many"),
    (Settings(), {"json": {"images": [7] * 2_000}}, 413, "too-many"),
])  # fmt: skip
def test_requests_over_a_limit_are_rejected(settings: Settings, sent: Any, status: int, kind: str) -> None:
    with serving(settings=settings) as client:
        answer = client.post("/predict", **sent)
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:digitrec:problem:{kind}")
        assert answer.headers["content-type"] == "application/problem+json"
        assert ("retry-after" in answer.headers) == (status == 503)
        assert post(client) == 200
        assert client.post("/predict%0A", **sent).status_code == 404


def test_a_scan_of_many_pixels_and_few_bytes_is_read() -> None:
    """A4 at 600 dots an inch, one bit a pixel."""
    scan = encoded(Image.open(io.BytesIO(png((4960, 7016)))).convert("1"), "PNG")
    with serving() as client:
        assert client.post("/predict", content=scan).json()["prediction"] == 7


def test_a_client_too_fast_is_told_how_long_to_wait_and_others_are_not() -> None:
    with serving(settings=Settings(rate=0.01, burst=2, proxies=1)) as client:
        one, other = ({"x-forwarded-for": address} for address in ("203.0.113.1", "203.0.113.2"))
        assert [post(client, **one) for _ in range(2)] == [200, 200]
        assert post(client, **{"x-forwarded-for": "a lie, 203.0.113.1"}) == 429
        assert client.post("/predict", content=WHOLE, headers=one).headers["retry-after"] == "100"
        assert post(client, **other) == 200
        assert client.get("/health").status_code == 200


def test_requests_need_a_key_where_there_are_keys() -> None:
    with serving(settings=Settings(api_keys=("first", "second"), rate=0.01, burst=1)) as client:
        without = client.post("/predict", content=WHOLE)
        assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer")
        assert post(client, **{"x-api-key": "wrong"}) == 401
        assert post(client, **{"x-api-key": "second"}) == 200
        assert post(client, authorization="bearer  first ") == 200
        assert post(client, authorization="Basic first") == 401
        assert client.get("/health").status_code == 200


def test_wrong_keys_slow_down_their_sender() -> None:
    with serving(settings=Settings(api_keys=("right",), wrong_keys=3, wrong_keys_per_s=0.01)) as client:
        assert [post(client) for _ in range(9)] == [401] * 9  # a request without a key is not a guess
        assert [post(client, **{"x-api-key": "right"}) for _ in range(9)] == [200] * 9
        assert [post(client, **{"x-api-key": f"{n}"}) for n in range(5)] == [401, 401, 401, 429, 429]
        answer = client.post("/predict", content=WHOLE, headers={"x-api-key": "right"})
        assert answer.status_code == 429 and 90 <= int(answer.headers["retry-after"]) <= 100
        assert client.get("/metrics", headers={"x-api-key": "wrong"}).status_code == 429


def test_the_description_says_that_a_key_is_needed_where_one_is() -> None:
    with serving(settings=Settings(api_keys=("one",))) as client:
        described = client.get("/openapi.json").json()
    schemes = described["components"]["securitySchemes"]
    assert {scheme["type"] for scheme in schemes.values()} == {"apiKey", "http"}
    for path in GUARDED_PATHS:
        (operation,) = described["paths"][path].values()
        assert {name for one in operation["security"] for name in one} == set(schemes)
        assert {"401", "403", "421", "429"} <= set(operation["responses"])
    assert "500" in described["paths"]["/predict"]["post"]["responses"]
    with serving() as client:
        assert "securitySchemes" not in client.get("/openapi.json").json()["components"]


def test_a_request_that_takes_too_long_is_given_up() -> None:
    engine, go, _ = held_up(local())
    with serving(engine, settings=Settings(seconds=0.2)) as client:
        go.clear()
        answer = client.post("/predict", content=WHOLE)
        go.set()
        assert any(post(client) == 200 for _ in range(100))  # a busy machine may be too slow for some
        counted = re.findall(r"digitrec_readings_total{.*} (\d)", client.get("/metrics").text)
    assert sum(map(int, counted)) >= 2, "the late one too: it may have cost money"
    assert (answer.status_code, answer.json()["type"]) == (504, "urn:digitrec:problem:too-late")


HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
STALLED = HEAD + b"\r\n7"


@contextmanager
def stalled(url: str, count: int, start: bytes = STALLED) -> Iterator[list[socket.socket]]:
    """Open connections that begin a request and then stall."""
    with ExitStack() as held:
        connections = [held.enter_context(connect(url)) for _ in range(count)]
        for connection in connections:
            connection.sendall(start)
        yield connections


def test_two_hundred_silent_bodies_do_not_delay_others() -> None:
    with listening(settings=UNLIMITED) as url, stalled(url, 200), httpx.Client(base_url=url) as client:
        time.sleep(0.3)  # all have been accepted
        statuses = [client.post("/predict", content=png()).status_code for _ in range(20)]
        assert client.get("/ready").json() == {"ready": True}
    assert statuses == [200] * 20


QUICK = Settings(upload_grace_s=0.3, upload_bytes_per_s=1000)


@pytest.mark.parametrize(("settings", "pause"), [
    (QUICK, 0.02), (QUICK, 100.0), (Settings(seconds=0.3), 100.0)],
    ids=["a trickle", "silence", "until the deadline",
])  # fmt: skip
def test_a_body_slower_than_it_may_be_is_given_up(settings: Settings, pause: float) -> None:
    with listening(settings=settings) as url, connect(url) as connection:
        connection.sendall(STALLED)
        connection.settimeout(pause if pause < 1 else 30)
        received = b""
        while not received:
            try:
                received = connection.recv(65536)
            except TimeoutError:
                connection.sendall(b"7")  # 50 bytes a second, where 1000 are wanted
        head, _, body = (received + everything(connection)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ") and b"connection: close" in head.lower()
    assert json.loads(body)["type"] == "urn:digitrec:problem:too-slow"


def test_a_body_that_is_slow_but_fast_enough_is_read() -> None:
    picture = png() + bytes(4500)

    def slowly() -> Iterator[bytes]:
        for start in range(0, len(picture), 200):
            time.sleep(0.05)  # 4000 bytes a second, for longer than the grace
            yield picture[start : start + 200]

    with listening(settings=Settings(upload_grace_s=1.0, upload_bytes_per_s=1000)) as url:
        assert httpx.post(f"{url}/predict", content=slowly()).json()["prediction"] == 7


def test_what_one_client_has_sent_leaves_room_for_the_others() -> None:
    settings = Settings(max_client_bytes=10_000, max_buffered_bytes=40_000, proxies=1, upload_grace_s=60)
    start = HEAD.replace(b"1000", b"9000") + b"X-Forwarded-For: 203.0.113.1\r\n\r\n" + bytes(4500)
    with listening(settings=settings) as url, stalled(url, 12, start), httpx.Client(base_url=url) as client:
        until_at_work(url, 2)  # of the twelve, the others are rejected
        sender = "x-forwarded-for"
        other, same = (client.post("/predict", content=png() + bytes(2000), headers={sender: address})
                       for address in ("203.0.113.2", "203.0.113.1"))  # fmt: skip
    assert (other.status_code, same.status_code) == (200, 503)


def test_over_the_limit_the_most_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MAX_CONNECTIONS", 10)
    with listening() as url, httpx.Client(base_url=url) as client:
        assert client.get("/health").status_code == 200
        with stalled(url, 9, b"GET"):
            for _ in range(30):
                assert client.get("/health").status_code == 200  # not idle
                with connect(url) as one_more:
                    one_more.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    assert everything(one_more).startswith(b"HTTP/1.1 200 ")


pieces = st.lists(st.integers(0, 40), max_size=6)
uploads = st.lists(st.tuples(st.sampled_from("abc"), pieces, st.booleans()), max_size=12)


@given(uploads)
@trying(max_examples=150, deadline=None, database=None)
def test_no_limit_is_passed_and_nothing_stays_in_memory(sent: list[tuple[str, list[int], bool]]) -> None:
    """Concurrent uploads, some aborted: each gives the whole body or a problem."""
    buffers = Buffers(Settings(max_body_bytes=100, max_client_bytes=120, max_buffered_bytes=250))

    async def upload(name: str, sizes: list[int], leaves: bool) -> None:
        left = [bytes([ord(name)]) * size for size in sizes]
        expected = b"".join(left)

        async def receive() -> Message:
            await asyncio.sleep(0)
            if not left:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left) or leaves}

        try:
            deadline = asyncio.get_running_loop().time() + 30
            async with buffers.body(Client(name), receive, deadline) as whole:
                assert (await whole())["body"] == expected and len(expected) <= 100
                await asyncio.sleep(0)
        except (Problem, ClientDisconnect):
            pass
        assert buffers.held <= 250 + 40  # a piece counts when it has arrived

    async def run() -> None:
        await asyncio.gather(*(upload(*one) for one in sent))

    asyncio.run(run())
    assert buffers.held == 0


@pytest.mark.parametrize(("peer", "forwarded", "proxies", "client"), [
    ("198.51.100.7", [], 0, "198.51.100.7"), ("198.51.100.7", ["203.0.113.1"], 0, "198.51.100.7"),
    ("10.0.0.1", ["made-up, 203.0.113.1"], 1, "203.0.113.1"),
    ("10.0.0.1", ["203.0.113.1, 10.0.0.9"], 2, "203.0.113.1"),
    ("10.0.0.1", ["203.0.113.1", "10.0.0.9"], 2, "203.0.113.1"), ("10.0.0.1", [], 1, "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.1:49152"], 1, "203.0.113.1"),
    ("10.0.0.1", ["[2001:db8:1:2::9]:49152"], 1, "2001:db8:1:2::"),
    ("10.0.0.1", ["2001:db8:1:2::9"], 1, "2001:db8:1:2::"), ("10.0.0.1", ["["], 1, "10.0.0.1"),
    ("2001:db8:1:2:3:4:5:6", [], 0, "2001:db8:1:2::"), ("::ffff:198.51.100.7", [], 0, "198.51.100.7"),
    ("a name", [], 0, "a name"),
])  # fmt: skip
def test_a_trusted_proxy_names_the_client(peer: str, forwarded: list[str], proxies: int, client: str) -> None:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    assert address({"client": (peer, 49152), "headers": headers}, proxies) == client


@pytest.mark.parametrize(("host", "misdirected"), [
    (b"localhost:5000", False), (b"LOCALHOST", False), (b"127.0.0.1:80", False), (b"[::1]:5000", False),
    (b"127.9.9.9", False), (b"", False), (b"digits.example.org:443", False),
    (b"evil.example", True), (b"digits.example.org.evil.example", True), (b"10.0.0.1", True),
    (b"localhost.evil.example", True), (b"[", False), (b"[2001:db8::1]", True), (b"\xff", True),
])  # fmt: skip
def test_only_names_of_this_machine_and_those_allowed_are_ours(host: bytes, misdirected: bool) -> None:
    assert is_misdirected(Headers(raw=[(b"host", host)]), ("digits.example.org",)) == misdirected
