"""Three layers: stored answers, the contract against a server that speaks the protocol, and faults."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from digitrec_acme import Acme, parse

from digitrec.answer import Candidate
from digitrec.emulator.kit import ProviderContract, drawn_seven
from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    NotConfigured,
    ProviderError,
    RateLimited,
    Rejected,
    Unavailable,
    Unreachable,
)
from digitrec.prepare import prepare

KEY = "planted-acme-key"


class Server(BaseHTTPRequestHandler):
    """Answers 7 to every PNG sent with the key, or with ``fault``."""

    fault: tuple[int, bytes] | None = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = {"model": "acme-2", "words": [{"text": "7", "percent": 93.5}]}
        status, said = self.fault or (200, json.dumps(answer).encode())
        if self.headers["X-Acme-Key"] != KEY:
            status, said = 401, b"wrong key"
        elif not body.startswith(b"\x89PNG"):
            status, said = 400, b"no PNG"
        self.send_response(status)
        self.send_header("Retry-After", "3")
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module", autouse=True)
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        TestContract.url = f"http://127.0.0.1:{server.server_port}"
        yield TestContract.url
        server.shutdown()


class TestContract(ProviderContract):
    secrets = (KEY,)
    url = ""

    def provider(self) -> Acme:
        return Acme(endpoint=self.url, key=KEY)

    def provider_at(self, endpoint: str) -> Acme:
        return Acme(endpoint=endpoint, key=KEY)


def test_parse() -> None:
    raw = {"model": "acme-2", "words": [{"text": "7", "percent": 50}]}
    assert parse(raw).candidates == (Candidate("7", 0.5),)
    assert parse({"words": []}).candidates == ()


@pytest.mark.parametrize("raw", [None, [], "words", 7, {}, {"words": None}, {"words": [7]}])
def test_parse_refuses_what_is_no_answer(raw: object) -> None:
    with pytest.raises(BadAnswer):
        parse(raw)


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        (None, 50),
        (7, 50),
        ("", 50),
        ("\ud83d", 50),
        ("7", None),
        ("7", "50"),
        ("7", -1),
        ("7", 101),
        ("7", 10**400),
    ],
)
def test_parse_refuses_a_word_that_is_none(text: object, percent: object) -> None:
    with pytest.raises(BadAnswer):
        parse({"words": [{"text": "7", "percent": 50}, {"text": text, "percent": percent}]})


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ((400, b"bad picture"), Rejected),
        ((401, b"wrong key"), AuthFailed),
        ((429, b"slow down"), RateLimited),
        ((503, b"busy"), Unavailable),
        ((200, b"<html>"), BadAnswer),
        ((200, b"[]"), BadAnswer),
    ],
)
def test_a_fault_is_the_right_error(
    url: str, fault: tuple[int, bytes], expected: type[ProviderError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Server, "fault", fault)
    with pytest.raises(expected) as caught:
        Acme(endpoint=url, key=KEY).read(prepare(drawn_seven(), Acme.wants), timeout=5)
    assert caught.value.retry_after == (3 if expected in (RateLimited, Unavailable) else None)


def test_nobody_there_is_unreachable_which_costs_nothing() -> None:
    with pytest.raises(Unreachable):
        Acme(endpoint="http://127.0.0.1:1", key=KEY).read(prepare(drawn_seven(), Acme.wants), timeout=5)


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({}, "ACME_KEY"),
        ({"ACME_KEY": "two\nlines"}, "ACME_KEY"),
        ({"ACME_KEY": KEY, "ACME_ENDPOINT": KEY}, "ACME_ENDPOINT"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(env: dict[str, str], named: str) -> None:
    with pytest.raises(NotConfigured, match=named) as caught:
        Acme.from_env(env)
    assert KEY not in str(caught.value)
