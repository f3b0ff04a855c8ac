"""The ledger agrees with the server's requests: proxies, late answers, slow credentials."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paid_cloud import recorded
from raw_server import RawServer, answer, raw_server
from tls_server import TlsServer

from digitrec.answer import Answer
from digitrec.engine import Reply
from digitrec.engine.config import Config
from digitrec.errors import NotConfigured, TimedOut, Unavailable, Unreachable
from digitrec.providers import wire
from digitrec.providers.base import Provider
from digitrec.providers.registry import provider_class
from digitrec.providers.wire import transport

from .common import AWS_KEY, AWS_SECRET, CLOUDS, NOTHING, POLLED, Opened, Profile, Told, asked, replies

PRICE = 0.01
pytestmark = pytest.mark.usefixtures("no_waits")


def ask(provider: Provider, folder: Path, **how: Any) -> Reply:
    settings = {"ledger": folder / "ledger.sqlite", "timeout": 10.0, "attempts": 2, **how}
    return asked(provider, _config=Config(prices={provider.name: PRICE}), **settings)


def usd(folder: Path) -> float:
    return sum(call.cost_usd or 0.0 for call in recorded(folder))


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(("say", "kind", "named"), [
    (b"", Unreachable, "HTTPS_PROXY"),
    (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", NotConfigured, "HTTPS_PROXY"),
    (b"HTTP/1.1 403 Forbidden\r\n\r\n", NotConfigured, "NO_PROXY"),
    (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", Unreachable, "502"),
])  # fmt: skip
def test_a_proxy_that_opens_no_connection_is_named_and_free(
    cloud: str, say: bytes, kind: type[Exception], named: str, opened: Opened, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with raw_server() as proxy:
        proxy.say = [say]
        provider = opened(cloud, endpoint="https://ocr.example")
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:planted-pass@"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        reply = ask(provider, tmp_path)
    assert type(reply.outcome) is kind
    assert named in str(reply.outcome)
    assert "planted-pass" not in str(reply.outcome)
    assert usd(tmp_path) == reply.cost_usd == 0


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(("fault", "kind", "cost"), [("cut", Unreachable, 0), ("alert", Unavailable, PRICE)])
def test_tls_that_breaks_off_is_free_before_the_request_and_paid_after_it(
    cloud: str, fault: Any, kind: type[Exception], cost: float, opened: Opened, tmp_path: Path
) -> None:
    with TlsServer(fault) as server:
        reply = ask(opened(cloud, endpoint=server.endpoint), tmp_path, attempts=1)
    assert type(reply.outcome) is kind
    assert usd(tmp_path) == reply.cost_usd == cost


@pytest.mark.parametrize("cut", [(b"busy", b"bu"), (b"Retry-After: 0", b"Content-Encoding: gzip")])
def test_a_cut_off_refusal_has_its_status(cut: tuple[bytes, bytes], opened: Opened, tmp_path: Path) -> None:
    with raw_server() as server:
        good = replies("google", NOTHING["google"])
        server.say = [answer(503, b"busy", ("Retry-After", "0")).replace(*cut), *good]
        reply = ask(opened("google", endpoint=server.url), tmp_path)
    assert isinstance(reply.outcome, Answer)
    assert (reply.attempts, usd(tmp_path)) == (2, PRICE)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_answer_after_the_caller_gave_up_is_recorded(cloud: str, opened: Opened, tmp_path: Path) -> None:
    with raw_server() as server:
        server.say, server.wait_s = replies(cloud, NOTHING[cloud]), 2.0
        if cloud in POLLED:
            server.say = server.say[1:]  # the order was placed; the poll is slow
            provider: Any = opened(cloud, endpoint=server.url)
            provider.start = lambda image, timeout: "abc"
        else:
            provider = opened(cloud, endpoint=server.url)
        reply = ask(provider, tmp_path, timeout=0.7)
        assert type(reply.outcome) is TimedOut
        assert reply.cost_usd == PRICE
        until = time.monotonic() + 20
        while recorded(tmp_path)[0].state != "answered" and time.monotonic() < until:
            time.sleep(0.1)
        assert [(call.state, call.cost_usd) for call in recorded(tmp_path)] == [("answered", PRICE)]
        assert len(server.arrived) == 1
        again = ask(provider, tmp_path)
        assert isinstance(again.outcome, Answer)
        assert (again.replayed, again.cost_usd, len(server.arrived)) == (True, 0.0, 1)


@pytest.mark.parametrize("cloud", ["google", "openai", "aws"])
def test_a_late_answer_ends_the_attempt_that_followed(cloud: str, opened: Opened, tmp_path: Path) -> None:
    with raw_server() as server:
        server.say, server.wait_s = replies(cloud, NOTHING[cloud]), 1.5
        reply = ask(opened(cloud, endpoint=server.url), tmp_path, attempt_timeout=0.8, timeout=30.0)
        assert isinstance(reply.outcome, Answer)
        assert len(server.arrived) == reply.attempts == 2
    assert reply.cost_usd == usd(tmp_path) == 2 * PRICE


def test_a_body_that_is_complete_at_the_deadline_is_returned(
    server: RawServer, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stands still until the request has arrived, and then is just past the deadline."""
    clock = SimpleNamespace(monotonic=lambda: 1005.1 if server.arrived else 1000.0)
    monkeypatch.setattr(transport, "time", clock)
    monkeypatch.setattr(wire, "time", clock)
    assert isinstance(told("google", *replies("google", NOTHING["google"]), timeout=5.0), Answer)


def test_a_credential_process_that_sleeps_is_given_up_in_time_and_nothing_is_sent_later(
    tmp_path: Path, aws_profile: Profile
) -> None:
    keys = {"Version": 1, "AccessKeyId": AWS_KEY, "SecretAccessKey": AWS_SECRET}
    aws_profile(script=f"sleep 1\necho '{json.dumps(keys)}'")
    with raw_server() as server:
        aws = provider_class("aws").from_env({"AWS_ENDPOINT_URL_REKOGNITION": server.url})
        reply = ask(aws, tmp_path, timeout=0.5)
        assert type(reply.outcome) is Unreachable
        time.sleep(1.5)
        assert server.arrived == []
    assert usd(tmp_path) == reply.cost_usd == 0
