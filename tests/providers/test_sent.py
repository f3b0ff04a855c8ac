"""What a server received against what the ledger booked, for every cloud through its real SDK."""

from __future__ import annotations

import base64
import html
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
import stamina
from raw_server import RawServer, answer, raw_server

from digitrec.answer import Answer
from digitrec.emulator.kit import drawn_seven
from digitrec.emulator.kit.tls import TlsServer
from digitrec.engine import Engine, Options, Reply
from digitrec.engine.config import Config
from digitrec.engine.ledger import Ledger
from digitrec.engine.ledger.queries import Call, recent
from digitrec.errors import AuthFailed, NotConfigured, TimedOut, Unavailable, Unreachable
from digitrec.prepare import prepare
from digitrec.providers.base import Provider
from digitrec.providers.registry import provider_class

from .common import CLOUDS, POLLED, Opened
from .conftest import AWS_KEY, AWS_SECRET

PRICE = 0.01
TOKEN = "planted/session+token==0123456789&<x>"
ANSWERS: dict[str, Any] = {
    "google": {"responses": [{}]},
    "aws": {"TextDetections": []},
    "aws-textract": {"Blocks": []},
    "azure": {"status": "succeeded", "analyzeResult": {"readResults": []}},
    "azure-analysis": {"readResult": {"blocks": []}},
    "azure-document": {"status": "succeeded", "analyzeResult": {"pages": []}},
    "openai": {"choices": [{"message": {"content": json.dumps({"digit": None, "reason": "blank"})}}]},
}
"""What each says of a picture without text."""


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


def ask(provider: Provider, folder: Path, **how: Any) -> Reply:
    config = Config(prices={provider.name: PRICE})
    settings = {"timeout": 10.0, "attempts": 2, **how}
    with closing(Engine(provider, Options(ledger=folder / "ledger.sqlite", config=config, **settings))) as it:
        (reply,) = it.ask([prepare(drawn_seven(), provider.wants)])
    return reply


def booked(folder: Path) -> list[Call]:
    with closing(Ledger(folder / "ledger.sqlite")) as ledger:
        return recent(ledger)


def usd(folder: Path) -> float:
    return sum(call.cost_usd or 0.0 for call in booked(folder))


def answered(cloud: str) -> list[bytes]:
    ordered = [answer(202, b"", ("Operation-Location", "http://a/abc"))] if cloud in POLLED else []
    return [*ordered, answer(200, json.dumps(ANSWERS[cloud]).encode())]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_alert_after_the_request_is_paid_for(cloud: str, opened: Opened, tmp_path: Path) -> None:
    with TlsServer("alert") as server:
        reply = ask(opened(cloud, endpoint=server.endpoint), tmp_path)
    assert type(reply.outcome) is Unavailable
    assert server.complete == 2
    assert usd(tmp_path) == reply.cost_usd == 2 * PRICE


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_connection_cut_in_the_handshake_is_free(cloud: str, opened: Opened, tmp_path: Path) -> None:
    with TlsServer("cut") as server:
        reply = ask(opened(cloud, endpoint=server.endpoint), tmp_path)
    assert type(reply.outcome) is Unreachable
    assert server.complete == 0
    assert usd(tmp_path) == reply.cost_usd == 0


class Proxy:
    """A proxy that answers every CONNECT with the same bytes, and hangs up."""

    def __init__(self, say: bytes) -> None:
        self._say = say
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://me:planted-pass@127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection:
                    connection.recv(65_536)
                    connection.sendall(self._say)

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(
    ("say", "kind", "named"),
    [
        (b"", Unreachable, "network"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", NotConfigured, "HTTPS_PROXY"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", NotConfigured, "NO_PROXY"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", Unreachable, "502"),
    ],
)
def test_a_proxy_that_opens_no_connection_is_named_and_free(
    cloud: str, say: bytes, kind: type[Exception], named: str, opened: Opened, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with closing(Proxy(say)) as proxy:
        provider = opened(cloud, endpoint="https://ocr.example")
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        reply = ask(provider, tmp_path)
    assert type(reply.outcome) is kind
    assert named in str(reply.outcome)
    assert "planted-pass" not in str(reply.outcome)
    assert usd(tmp_path) == reply.cost_usd == 0


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_answer_after_the_caller_gave_up_is_recorded(cloud: str, opened: Opened, tmp_path: Path) -> None:
    with raw_server() as server:
        server.say, server.wait_s = answered(cloud), 2.0
        if cloud in POLLED:
            server.say = server.say[1:]  # the order was placed; the look is slow
            provider: Any = opened(cloud, endpoint=server.url)
            provider.start = lambda image, timeout: "abc"
        else:
            provider = opened(cloud, endpoint=server.url)
        reply = ask(provider, tmp_path, timeout=0.7)
        assert type(reply.outcome) is TimedOut
        assert reply.cost_usd == PRICE
        until = time.monotonic() + 20
        while booked(tmp_path)[0].state != "answered" and time.monotonic() < until:
            time.sleep(0.1)
        assert [(call.state, call.cost_usd) for call in booked(tmp_path)] == [("answered", PRICE)]
        assert len(server.arrived) == 1
        again = ask(provider, tmp_path)
        assert isinstance(again.outcome, Answer)
        assert (again.replayed, again.cost_usd, len(server.arrived)) == (True, 0.0, 1)


@pytest.mark.parametrize("cloud", ["google", "openai", "aws"])
def test_a_late_answer_ends_the_attempt_that_followed(cloud: str, opened: Opened, tmp_path: Path) -> None:
    with raw_server() as server:
        server.say, server.wait_s = answered(cloud), 1.5
        reply = ask(opened(cloud, endpoint=server.url), tmp_path, attempt_timeout=0.8, timeout=30.0)
        assert isinstance(reply.outcome, Answer)
        assert len(server.arrived) == reply.attempts == 2
    assert reply.cost_usd == usd(tmp_path) == 2 * PRICE


@pytest.mark.parametrize("cloud", [cloud for cloud in CLOUDS if cloud not in POLLED])
def test_a_body_that_is_complete_at_the_deadline_is_returned(cloud: str, opened: Opened) -> None:
    with raw_server() as server:
        body = json.dumps(ANSWERS[cloud]).encode()
        server.say, server.drip_s = [answer(200, body)], 0.9 / len(body)
        provider = opened(cloud, endpoint=server.url)
        assert provider.read(prepare(drawn_seven(), provider.wants), timeout=0.9) is not None


def test_an_sts_that_hangs_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server() as server, closing(socket.create_server(("127.0.0.1", 0))) as sts:
        a_role(monkeypatch, tmp_path, f"https://127.0.0.1:{sts.getsockname()[1]}")
        reply = ask_role(server, tmp_path, timeout=1.0)
        assert server.arrived == []
    assert type(reply.outcome) is Unreachable
    assert usd(tmp_path) == reply.cost_usd == 0


def a_role(monkeypatch: pytest.MonkeyPatch, folder: Path, sts: str) -> None:
    """A profile whose keys come from a role, by the STS at an address."""
    (folder / "config").write_text(
        "[profile base]\n"
        f"aws_access_key_id = {AWS_KEY}\naws_secret_access_key = {AWS_SECRET}\n"
        f"aws_session_token = {TOKEN}\n"
        "[default]\nregion = us-east-1\nrole_arn = arn:aws:iam::123456789012:role/reader\n"
        f"source_profile = base\nservices = local\n[services local]\nsts =\n  endpoint_url = {sts}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))


def ask_role(server: RawServer, folder: Path, **how: Any) -> Reply:
    aws = provider_class("aws").from_env({"AWS_ENDPOINT_URL_REKOGNITION": server.url})
    return ask(aws, folder, **how)


def test_a_credential_process_that_sleeps_is_given_up_in_time_and_nothing_is_sent_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    keys = {"Version": 1, "AccessKeyId": AWS_KEY, "SecretAccessKey": AWS_SECRET}
    program.write_text(f"#!/bin/sh\nsleep 1\necho '{json.dumps(keys)}'\n")
    program.chmod(0o700)
    (tmp_path / "config").write_text(f"[default]\nregion = us-east-1\ncredential_process = {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with raw_server() as server:
        reply = ask_role(server, tmp_path, timeout=0.5)
        assert type(reply.outcome) is Unreachable
        time.sleep(1.5)
        assert server.arrived == []
    assert usd(tmp_path) == reply.cost_usd == 0


SPELLED = [
    TOKEN,
    quote(TOKEN, safe=""),
    quote(TOKEN, safe="").lower(),
    html.escape(TOKEN),
    "".join(c if c.isalnum() else f"&#{ord(c)};" for c in TOKEN),
    "".join(c if c.isalnum() else f"&#x{ord(c):02X};" for c in TOKEN),
    json.dumps(TOKEN).replace("/", "\\/"),
    base64.b64encode(f"me:{TOKEN}".encode()).decode(),
]
"""A secret as servers spell it when they show what they were sent."""


def refused(said: str) -> bytes:
    """An STS that shows what it was sent."""
    error = f"<Error><Code>Refused</Code><Message>no {escape(said)}</Message></Error>"
    return answer(403, f"<ErrorResponse>{error}</ErrorResponse>".encode())


def shows_nothing(reply: Reply) -> None:
    assert type(reply.outcome) is AuthFailed
    assert "***" in str(reply.outcome)
    assert "session" not in repr(reply.outcome)
    assert base64.b64encode(TOKEN.encode())[8:20].decode() not in repr(reply.outcome)


@pytest.mark.parametrize("said", SPELLED)
def test_the_session_token_behind_a_role_shows_nowhere(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server() as server, TlsServer("answer", refused(said)) as sts:
        a_role(monkeypatch, tmp_path, sts.endpoint)
        shows_nothing(ask_role(server, tmp_path))
        assert (sts.complete, server.arrived) == (1, [])


@pytest.mark.parametrize("said", SPELLED)
def test_a_web_identity_shows_nowhere(said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(TOKEN)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with raw_server() as server, TlsServer("answer", refused(said)) as sts:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.endpoint)
        shows_nothing(ask_role(server, tmp_path))
        assert (sts.complete, server.arrived) == (1, [])


@pytest.mark.parametrize("said", SPELLED)
def test_a_refresh_token_of_googles_shows_nowhere(said: str, tmp_path: Path) -> None:
    error = json.dumps({"error": "invalid_grant", "error_description": f"no {said}"})
    with TlsServer("answer", answer(400, error.encode())) as server:
        file = tmp_path / "user.json"
        who = {"client_id": "me", "client_secret": "planted-client-secret", "refresh_token": TOKEN}
        kind = {"type": "external_account_authorized_user", "token_url": server.endpoint}
        file.write_text(json.dumps({**kind, **who}))
        google: Any = provider_class("google")
        shows_nothing(ask(google(credentials_file=file, endpoint="https://ocr.example"), tmp_path))
        assert server.complete == 1


def test_an_sts_that_fails_for_the_moment_refuses_no_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with raw_server() as server, TlsServer("answer", answer(503, b"<html>busy</html>")) as sts:
        a_role(monkeypatch, tmp_path, sts.endpoint)
        reply = ask_role(server, tmp_path)
    assert type(reply.outcome) is Unreachable
    assert "503" in str(reply.outcome)
    assert usd(tmp_path) == 0
