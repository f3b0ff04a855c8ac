"""Google's way to a token, and its own words about a refusal."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from raw_server import RawServer, answer, raw_server

from digitrec.answer import Answer
from digitrec.errors import AuthFailed, DigitrecError, NotConfigured, ProviderError, Unreachable
from digitrec.prepare import prepare
from digitrec.providers import google_credentials
from digitrec.providers.google import Google
from digitrec.testing import drawn_seven

REFRESH, CLIENT, TOKEN = "planted-refresh-token-01", "planted-client-secret-01", "planted-access-token-01"


@pytest.fixture
def a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens a provider with gcloud's file: tokens from one server, pictures to another."""

    def load(file: str | Path | None, endpoint: str) -> Any:  # as for an https:// endpoint
        return real(file, "https://any.example")

    real = google_credentials.load
    monkeypatch.setattr(google_credentials, "load", load)

    def opened(tokens: RawServer, vision: str) -> Google:
        url = f"{tokens.url}/token"
        monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", url)
        file = tmp_path / "credentials.json"
        secrets = {"client_secret": CLIENT, "refresh_token": REFRESH}
        file.write_text(json.dumps({"type": "authorized_user", "client_id": "an-id", **secrets}))
        return Google(credentials_file=file, endpoint=vision)

    return opened


def read(google: Google) -> Answer | DigitrecError:
    try:
        return google.read(prepare(drawn_seven(), google.wants), timeout=5)
    except DigitrecError as error:
        return error
    finally:
        google.close()


def shown(outcome: Answer | DigitrecError) -> str:
    if isinstance(outcome, Answer):
        return repr(outcome)
    return "".join(traceback.format_exception(outcome)) + repr(vars(outcome)) + repr(outcome.__context__)


def a_token(text: str) -> bytes:
    return answer(200, json.dumps({"access_token": text, "expires_in": 3600}).encode())


def test_a_token_that_comes_back_shows_nowhere(a_user: Any) -> None:
    echo = {"responses": [{"fullTextAnnotation": {"text": TOKEN}, "echo": [REFRESH, CLIENT, TOKEN]}]}
    with raw_server() as tokens, raw_server() as vision:
        tokens.say = [a_token(TOKEN)]
        for said in (answer(200, json.dumps(echo).encode()), answer(400, json.dumps(echo).encode())):
            vision.say = [said]
            outcome = read(a_user(tokens, vision.url))
            assert TOKEN.encode() in vision.arrived[-1]
            assert "planted" not in shown(outcome)
            assert "***" in shown(outcome)


def no_grant(words: str) -> bytes:
    return answer(400, json.dumps({"error": "invalid_grant", "error_description": words}).encode())


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (no_grant(REFRESH), AuthFailed),
        (answer(200, b"<html>" + REFRESH.encode()), DigitrecError),
        (answer(200, b"[]"), DigitrecError),
        (answer(200, b'{"access_token": 7}'), DigitrecError),
        (answer(200, b"\xff" * 99), DigitrecError),
        (answer(200, b"x" * 9_000_000), DigitrecError),
        (b"", Unreachable),
    ],
)
def test_where_no_token_comes_nothing_is_sent_and_no_secret_told(
    said: bytes, kind: type[DigitrecError], a_user: Any
) -> None:
    with raw_server() as tokens, raw_server() as vision:
        tokens.say = [said]
        outcome = read(a_user(tokens, vision.url))
        assert isinstance(outcome, kind)
        assert isinstance(outcome, NotConfigured | AuthFailed | Unreachable)
        assert vision.arrived == []
    assert "planted" not in shown(outcome)
    assert "\n" not in str(outcome)


def test_a_token_that_is_refused_is_fetched_anew_by_the_next_call(a_user: Any) -> None:
    with raw_server() as tokens, raw_server() as vision:
        tokens.say = [a_token("planted-old-token"), a_token("planted-new-token")]
        vision.say = [answer(401, b"{}"), answer(200, b'{"responses":[{}]}')]
        google = a_user(tokens, vision.url)
        image = prepare(drawn_seven(), google.wants)
        with pytest.raises(AuthFailed):
            google.read(image, timeout=5)
        assert isinstance(google.read(image, timeout=5), Answer)
        google.close()
        assert [b"planted-new-token" in request for request in vision.arrived] == [False, True]


def test_a_wrong_clock_is_to_be_set(a_user: Any) -> None:
    words = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
    with raw_server() as tokens:
        tokens.say = [no_grant(words)]
        assert "set the clock of this machine" in str(read(a_user(tokens, "https://127.0.0.1:9")))


def test_a_private_key_shows_nowhere(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "client_email": "a@b.example",
        "token_uri": "https://127.0.0.1:9/token",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account | {"private_key": key.decode(), "private_key_id": "planted-key-id"}))
    google = Google(credentials_file=file, endpoint="https://127.0.0.1:9")
    masked = google._wire.secrets.masked
    everywhere = masked(key.decode()) + masked(json.dumps(key.decode()))
    assert not [line for line in key.decode().splitlines()[1:-1] if line in everywhere]
    assert isinstance(read(google), Unreachable)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ([{"error": {"message": "in a list"}}], "in a list"),
        ({"error": {"message": None, "details": None}}, ""),
        ({"error": {"message": "m", "details": [None, {"@type": 7}]}}, "m"),
        ({"error": "Service Unavailable"}, "Service Unavailable"),
        ([], ""),
    ],
)
def test_any_words_of_a_refusal(raw: Any, said: str) -> None:
    with raw_server() as vision:
        vision.say = [answer(400, json.dumps(raw).encode())]
        outcome = read(Google(api_key="k" * 39, endpoint=vision.url))
    assert isinstance(outcome, ProviderError)
    assert said in str(outcome)
