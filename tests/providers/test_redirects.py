"""A service that sends us elsewhere gets no key, token or picture carried there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from raw_server import RawServer, answer, raw_server

from digitrec.emulator.kit import drawn_seven
from digitrec.errors import BadAnswer, DigitrecError, NotConfigured
from digitrec.prepare import prepare
from digitrec.providers.aws import Aws
from digitrec.providers.google import Google

from .common import CLOUDS, Opened, Prepared

STATUSES = (300, 301, 302, 303, 304, 305, 307, 308)


@pytest.fixture
def here() -> Iterator[RawServer]:
    with raw_server() as server:
        yield server


@pytest.fixture(params=["127.0.0.1", "127.0.0.2"], ids=["another port", "another host"])
def stranger(request: pytest.FixtureRequest) -> Iterator[RawServer]:
    """Says what could be taken for an answer."""
    with raw_server(request.param) as server:
        server.say = [
            answer(
                200,
                b'{"responses":[{}],"TextDetections":[],"Blocks":[],"choices":[],"access_token":"stranger"}',
            )
        ]
        yield server


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_nothing_is_sent_to_where_a_redirect_points(
    cloud: str, status: int, here: RawServer, stranger: RawServer, opened: Opened, prepared: Prepared
) -> None:
    here.say = [answer(status, b"", ("Location", f"{stranger.url}/elsewhere"))]
    provider = opened(cloud, endpoint=here.url)
    with pytest.raises(BadAnswer, match=str(status)) as caught:
        provider.read(prepared(provider), timeout=5)
    assert caught.value.status == status
    assert stranger.arrived == []
    assert len(here.arrived) == 1


def test_a_redirect_within_the_same_origin_is_not_followed_either(
    here: RawServer, opened: Opened, prepared: Prepared
) -> None:
    here.say = [answer(307, b"", ("Location", "/elsewhere"))]
    for cloud in CLOUDS:
        provider = opened(cloud, endpoint=here.url)
        with pytest.raises(BadAnswer, match="307"):
            provider.read(prepared(provider), timeout=5)
    assert len(here.arrived) == len(CLOUDS)


def test_a_poll_is_not_redirected(
    here: RawServer, stranger: RawServer, opened: Opened, prepared: Prepared
) -> None:
    elsewhere = f"{stranger.url}/vision/v3.2/read/analyzeResults/abc"
    here.say = [
        answer(202, b"", ("Operation-Location", elsewhere)),
        answer(302, b"", ("Location", elsewhere)),
    ]
    azure = opened("azure", endpoint=here.url)
    with pytest.raises(BadAnswer, match="302"):
        azure.read(prepared(azure), timeout=5)
    assert stranger.arrived == []
    assert [request.split()[0] for request in here.arrived] == [b"POST", b"GET"]


def a_user(folder: Path, monkeypatch: pytest.MonkeyPatch, token_url: str) -> Google:
    """A provider with the file that `gcloud` writes."""
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", token_url)
    file = folder / "credentials.json"
    secrets = {"client_secret": "planted-client-secret", "refresh_token": "planted-refresh"}
    file.write_text(json.dumps({"type": "authorized_user", "client_id": "an-id", **secrets}))
    return Google(credentials_file=file, endpoint="https://127.0.0.1:9")


@pytest.mark.parametrize("status", [302, 307, 308])
def test_googles_refresh_token_is_not_carried_to_where_a_redirect_points(
    status: int, here: RawServer, stranger: RawServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.say = [answer(status, b"", ("Location", f"{stranger.url}/token"))]
    google = a_user(tmp_path, monkeypatch, f"{here.url}/token")
    with pytest.raises(BadAnswer, match=str(status)):
        google.read(prepare(drawn_seven(), google.wants), timeout=5)
    google.close()
    assert len(here.arrived) == 1
    assert b"planted-refresh" in here.arrived[0]
    assert stranger.arrived == []


def test_googles_refresh_token_is_not_sent_in_the_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    google = a_user(tmp_path, monkeypatch, "http://192.0.2.1/token")
    with pytest.raises(NotConfigured):
        google.read(prepare(drawn_seven(), google.wants), timeout=5)
    google.close()


@pytest.mark.parametrize("status", [301, 303, 307, 308])
def test_awss_web_identity_token_is_not_carried_to_where_a_redirect_points(
    status: int, here: RawServer, stranger: RawServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = a_role(tmp_path, monkeypatch, here.url)
    here.say = [answer(status, b"", ("Location", stranger.url))]
    with pytest.raises(DigitrecError):
        aws.read(prepare(drawn_seven(), aws.wants), timeout=5)
    aws.close()
    assert b"planted-web-identity" in here.arrived[0]
    assert stranger.arrived == []


def test_awss_web_identity_token_is_not_sent_in_the_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = a_role(tmp_path, monkeypatch, "http://192.0.2.1")
    with pytest.raises(NotConfigured):
        aws.read(prepare(drawn_seven(), aws.wants), timeout=5)
    aws.close()


def a_role(folder: Path, monkeypatch: pytest.MonkeyPatch, sts: str) -> Aws:
    """A provider whose keys a service gives for a token, as on AWS's own machines."""
    token = folder / "token"
    token.write_text("planted-web-identity")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return Aws(region="us-east-1", endpoint="https://127.0.0.1:9")
