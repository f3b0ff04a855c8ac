"""Fetched credentials: the addresses of their requests, their cost, and redaction."""

import base64
import html
import json
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from raw_server import RawServer, answer, raw_server
from tls_server import TlsServer

from digitrec.engine.config import Config
from digitrec.errors import AuthFailed, BadAnswer, NotConfigured, Unreachable
from digitrec.providers.base import Provider
from digitrec.providers.registry import provider_class

from .common import AWS_KEY, AWS_SECRET, asked, assert_error, json_answer, outcome

SECRET = "planted/session+token==0123456789&<x>"
NOWHERE = "https://127.0.0.1:9"
"""The endpoint, where no program listens."""


def open_at_nowhere(cloud: str, **options: Any) -> Provider:
    return provider_class(cloud)(**{"endpoint": NOWHERE, **options})


def google(folder: Path, patch: pytest.MonkeyPatch, url: str) -> Provider:
    """Write a refresh token to the file that `gcloud` writes."""
    patch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{url}/token")
    file = folder / "user.json"
    who = {"client_id": "an-id", "client_secret": "planted-client-secret", "refresh_token": SECRET}
    file.write_text(json.dumps({"type": "authorized_user", **who}))
    return open_at_nowhere("google", credentials_file=file)


def aws_role(folder: Path, patch: pytest.MonkeyPatch, url: str) -> Provider:
    """Create a profile whose keys come from a role, by STS."""
    (folder / "config").write_text(
        "[profile base]\n"
        f"aws_access_key_id = {AWS_KEY}\naws_secret_access_key = {AWS_SECRET}\naws_session_token = {SECRET}\n"
        "[default]\nregion = us-east-1\nrole_arn = arn:aws:iam::123456789012:role/reader\n"
        f"source_profile = base\nservices = local\n[services local]\nsts =\n  endpoint_url = {url}\n"
    )
    patch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    return open_at_nowhere("aws")


def aws_web_identity(folder: Path, patch: pytest.MonkeyPatch, url: str) -> Provider:
    """Put a token into a file, as on AWS's own machines."""
    (folder / "token").write_text(SECRET)
    patch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(folder / "token"))
    patch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader")
    patch.setenv("AWS_ENDPOINT_URL_STS", url)
    return open_at_nowhere("aws", region="us-east-1")


def azure(folder: Path, patch: pytest.MonkeyPatch, url: str) -> Provider:
    """Use the identity of a machine of Azure's App Service."""
    patch.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
    patch.setenv("IDENTITY_HEADER", SECRET)
    return open_at_nowhere("azure-analysis")


Source = Callable[[Path, pytest.MonkeyPatch, str], Provider]
SOURCES: list[Source] = [google, aws_role, aws_web_identity, azure]
EACH = pytest.mark.parametrize("source", SOURCES)


@pytest.fixture(autouse=True)
def once(no_waits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the waits of the engine and botocore between attempts."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/no/such/file")


def shown(source: Source, folder: Path, patch: pytest.MonkeyPatch, url: str) -> Any:
    """Return the error of a question; check that no part of the secret shows."""
    error = outcome(source(folder, patch, url))
    assert "session" not in repr(error) + repr(getattr(error, "raw", ""))
    assert base64.b64encode(SECRET.encode())[8:20].decode() not in repr(error)
    return error


@EACH
@pytest.mark.parametrize("status", [301, 303, 307, 308])
def test_no_secret_follows_a_redirect(
    source: Source, status: int, server: RawServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server("127.0.0.2") as stranger:
        stranger.say = [answer(200, b'{"access_token": "stranger"}')]
        server.say = [answer(status, b"", ("Location", f"{stranger.url}/token"))]
        error = shown(source, tmp_path, monkeypatch, server.url)
        assert stranger.arrived == []
    assert isinstance(error, BadAnswer)
    assert error.status == status
    assert b"planted" in server.arrived[0]


@EACH
def test_no_secret_is_sent_in_clear(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert type(shown(source, tmp_path, monkeypatch, "http://192.0.2.1")) is NotConfigured


@EACH
@pytest.mark.parametrize("said", [b"", answer(429, b"{}"), answer(503, b"<html>busy</html>")])
def test_a_source_that_fails_for_the_moment_is_unreachable_and_free(
    source: Source, said: bytes, server: RawServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.say = [said]
    provider = source(tmp_path, monkeypatch, server.url)
    priced = Config(prices={provider.name: 0.5})
    reply = asked(provider, attempts=2, ledger=tmp_path / "l.sqlite", _config=priced)
    assert type(reply.outcome) is Unreachable
    assert (reply.attempts, reply.cost_usd) == (2, 0)


@EACH
def test_a_hung_source_is_given_up(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        provider = source(tmp_path, monkeypatch, f"https://127.0.0.1:{silent.getsockname()[1]}")
        assert type(outcome(provider, timeout=0.5)) is Unreachable


SPELLED = [
    SECRET, quote(SECRET, safe=""), quote_plus(f"{SECRET} "), repr(f"{SECRET}\n"),
    quote(SECRET, safe="").lower(), html.escape(SECRET),
    "".join(c if c.isalnum() else f"&#{ord(c)};" for c in SECRET),
    "".join(c if c.isalnum() else f"&#x{ord(c):02X};" for c in SECRET),
    json.dumps(SECRET).replace("/", "\\/"), base64.b64encode(f"me:{SECRET}".encode()).decode(),
]  # fmt: skip
"""Encodings of a secret in servers' error messages."""


@pytest.mark.parametrize("source", SOURCES[:3])
@pytest.mark.parametrize("said", SPELLED)
def test_a_secret_that_a_source_shows_is_redacted_in_every_spelling(
    source: Source, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    if source is google:
        refused = json_answer(400, {"error": "invalid_grant", "error_description": f"no {said}"})
    else:
        error = f"<Error><Code>Refused</Code><Message>no {escape(said)}</Message></Error>"
        refused = answer(403, f"<ErrorResponse>{error}</ErrorResponse>".encode())
    with TlsServer("answer", refused) as server:
        error = shown(source, tmp_path, monkeypatch, server.endpoint)
        assert server.complete == 1
    assert caplog.text == ""
    assert_error(error, AuthFailed, "***")
