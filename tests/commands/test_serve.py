"""`digitrec serve`: settings that it refuses; tests/web and tests/browser test the running server."""

import logging
import socket
from collections.abc import Iterator
from functools import partial

import pytest
import terminal
from fastapi.testclient import TestClient

from digitrec.engine import Engine
from digitrec.web.server import create_app
from digitrec.web.settings import Settings

serve = partial(terminal.run, "serve")


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Restore the logging that the command configures."""
    names = ("digitrec", "uvicorn", "uvicorn.access", "python_multipart.multipart")
    loggers = [logging.getLogger(name) for name in names]
    before = [([*one.handlers], one.level, one.propagate, one.disabled) for one in loggers]
    yield
    for one, (handlers, level, propagate, disabled) in zip(loggers, before, strict=True):
        one.handlers, one.propagate, one.disabled = handlers, propagate, disabled
        one.setLevel(level)


Started = list[tuple[list[Engine], Settings, socket.socket]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Capture engines, settings and socket instead of serving; use our own address only."""
    from digitrec.web import server

    started: Started = []
    listen = server.listen
    monkeypatch.setattr(server, "listen", lambda host, port: listen("127.0.0.1", 0))
    monkeypatch.setattr(server, "run", lambda *given: started.append(given))
    return started


WRONG = [
    ("--allow-origin", "example.org"), ("--allow-origin", "https://example.org/"),
    ("--allow-origin", "https://Example.org"), ("--allow-origin", "https://example.org:443"),
    ("--allow-origin", "http://["), ("--allow-origin", "https://"), ("--allow-origin", ""),
    ("--allow-origin", "https://a@example.org"), ("--allow-origin", "https://example.org?"),
    ("--allow-origin", "https://*.example.org"), ("--allow-host", "*.example.org"), ("--allow-host", "ü.de"),
]  # fmt: skip
"""Hosts and origins that can never match."""


@pytest.mark.parametrize(("options", "code", "words"), [
    *(([option, given], 2, given or option) for option, given in WRONG),
    (["--providers", "nobody"], 2, "'nobody'"), (["--providers", " , "], 2, "--providers"),
    (["--providers", "tesseract", "--model", "x.tflite"], 2, "--model is for the local engine"),
    (["--model", "absent.tflite"], 5, "absent.tflite"), (["--providers", "google"], 2, "--max-cost"),
    (["--port", "70000"], 2, "--port"), *((["--rate", it], 2, "--rate") for it in ("1e308", "1e-320", "0")),
])  # fmt: skip
def test_invalid_options_fail_before_the_server_listens(
    options: list[str], code: int, words: str, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "made-up")
    assert words in serve(*options, code=code).output
    assert not started


@pytest.mark.parametrize(("where", "public"), [
    (["--host", "0.0.0.0"], True), (["--host", "::"], True), (["--host", "192.0.2.7"], True),
    (["--host", "a.name.example"], True), (["--proxies", "1"], True), ([], False),
    (["--host", "127.0.0.9"], False), (["--host", "localhost"], False), (["--host", "::1"], False),
])  # fmt: skip
@pytest.mark.parametrize("allowed", [None, "key"])
def test_a_public_server_with_paid_engines_needs_permission(
    monkeypatch: pytest.MonkeyPatch, started: Started, where: list[str], public: bool, allowed: str | None
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "made-up")
    if allowed == "key":
        monkeypatch.setenv("DIGITREC_API_KEYS", "one")
    done = serve("--providers", "local,google", "--max-cost", "1", *where)
    assert bool(started) == (not public or allowed is not None), done.output
    if not started:
        assert done.exit_code == 2
        assert "google costs money" in done.output and "DIGITREC_API_KEYS" in done.output


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])
def test_the_printed_address_is_the_real_one(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    from digitrec.web import server

    found: list[str] = []
    monkeypatch.setattr(server, "run", lambda _, __, listening: found.append(listening.getsockname()[1]))
    try:
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    done = serve("--host", host, "--port", "0")
    name = {"::1": "[::1]", "0.0.0.0": "localhost"}.get(host, host)
    assert f"digitrec is at http://{name}:{found[0]} (Ctrl-C" in done.output and found[0]


def test_engines_of_a_policy_share_a_requests_time(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "made-up")
    serve("--fallback", "google,aws", "--max-cost", "1")
    assert started[0][0][1].options.timeout == pytest.approx(0.9 * Settings().seconds / 2)
    serve("--providers", "google,aws", "--consensus", "2", "--max-cost", "1")
    assert started[1][0][1].options.timeout == pytest.approx(0.9 * Settings().seconds), "asked at once"


def test_a_port_in_use_is_one_error_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = serve("--port", port, code=18)
    assert f"cannot listen on 127.0.0.1:{port} (address already in use)" in done.output
    assert "digitrec is at" not in done.output and len(done.output.splitlines()) == 1


@pytest.mark.parametrize("host", ["no such name", "a.name.invalid", "x" * 300, "192.0.2.7"])
def test_a_foreign_address_is_one_error_line(host: str) -> None:
    done = serve("--host", host, "--port", "0", code=18)
    assert "cannot listen on" in done.output
    assert len(done.output.splitlines()) == 1


@pytest.mark.parametrize(("options", "hosts"), [
    ([], ("localhost",)), (["--host", "0.0.0.0"], ()), (["--proxies", "1"], ()),
    (["--host", "0.0.0.0", "--allow-host", "Digits.example.org"], ("digits.example.org",)),
    (["--allow-host", "[2001:DB8::7]"], ("2001:db8::7",)), (["--allow-host", "*"], ()),
])  # fmt: skip
def test_a_server_for_this_machine_answers_to_its_own_names_only(
    started: Started, options: list[str], hosts: tuple[str, ...]
) -> None:
    serve(*options, code=0)
    assert started[0][1].hosts == hosts


@pytest.mark.parametrize("given", ["", " , ,", "schlüssel", "one,zw\u00f6lf", "one,\ttwo\x7f"])
def test_invalid_api_keys_are_refused(given: str, started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITREC_API_KEYS", given)
    done = serve(code=2)
    assert "DIGITREC_API_KEYS" in done.output and not started
    assert not given.strip(" ,") or given not in done.output


def test_the_log_has_nothing_of_a_malformed_form(started: Started, caplog: pytest.LogCaptureFixture) -> None:
    serve("--providers", "local")
    ((engines, settings, _),) = started
    form = {"content-type": "multipart/form-data; boundary=a"}
    with TestClient(create_app(engines, settings), "http://localhost") as client:
        assert client.post("/predict", content=b"Secret", headers=form).status_code == 400
    assert not [one for one in caplog.records if one.name.startswith("python_multipart")]
