from __future__ import annotations

import json
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from raw_server import RawServer, answer, raw_server

from digitrec.answer import Answer, Candidate
from digitrec.emulator import Emulator
from digitrec.emulator.kit import drawn_seven
from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    DigitrecError,
    NotConfigured,
    ProviderError,
    RateLimited,
    Rejected,
    Unavailable,
    Unreachable,
)
from digitrec.prepare import prepare
from digitrec.providers import google_credentials
from digitrec.providers.google import Google, parse

from .common import BOX, Opened, Prepared, Stored


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    google = opened("google")
    answer = google.read(prepared(google), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875, (10, 20, 30, 60)),)
    assert answer.raw["fullTextAnnotation"]["text"].strip() == "7"


def test_text_detection_asks_for_confidences_too(opened: Opened, prepared: Prepared) -> None:
    google = opened("google", feature="text", language_hints=["en"])
    answer = google.read(prepared(google), timeout=10)
    assert answer.candidates[0].score == 0.875
    assert google.options == {"feature": "TEXT_DETECTION", "language_hints": ["en"]}  # type: ignore[attr-defined]


def test_sixteen_images_are_one_request(opened: Opened, prepared: Prepared, emulator: Emulator) -> None:
    google, before = opened("google"), emulator.calls("google")
    answers = google.read_many([prepared(google)] * 17, timeout=10)
    assert len(answers) == 17
    assert all(isinstance(answer, Answer) for answer in answers)
    assert emulator.calls("google") - before == 2


def test_a_request_stays_under_googles_ten_megabytes(
    opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    google, before = opened("google"), emulator.calls("google")
    padded = replace(prepared(google), data=prepared(google).data + bytes(3_000_000))
    google.read_many([padded] * 3, timeout=10)
    assert emulator.calls("google") - before == 2


def test_a_bad_image_takes_only_its_own_place(opened: Opened, prepared: Prepared) -> None:
    google = opened("google")
    good = prepared(google)
    first, bad, last = google.read_many([good, replace(good, data=b"no picture"), good], timeout=10)
    assert isinstance(first, Answer)
    assert isinstance(bad, Rejected)
    assert isinstance(last, Answer)


def test_a_failed_request_fails_each_of_its_images(
    opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    google = opened("google")
    emulator.set_faults("google", "503:first=1")
    outcomes = google.read_many([prepared(google)] * 17, timeout=10)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 16 + [Answer]


def test_an_unknown_feature_is_refused() -> None:
    with pytest.raises(NotConfigured, match="document or text"):
        Google(api_key="k" * 39, feature="labels")


def test_without_credentials_it_says_what_to_set() -> None:
    with pytest.raises(NotConfigured, match="GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_API_KEY"):
        Google()


def test_a_credentials_file_that_is_none_is_not_configured(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text("{}")
    for name in (file, tmp_path / "missing.json"):
        with pytest.raises(NotConfigured, match="gcloud"):
            Google.from_env({"GOOGLE_APPLICATION_CREDENTIALS": str(name), "GOOGLE_API_KEY": "x" * 39})


def test_from_env_takes_a_key_an_endpoint_and_options(
    emulator: Emulator, prepared: Prepared, secrets: Sequence[str]
) -> None:
    env = {
        "GOOGLE_API_KEY": secrets[0],
        "DIGITREC_GOOGLE_ENDPOINT": emulator.endpoints["google"] + "/",
        "DIGITREC_GOOGLE_FEATURE": "text",
        "DIGITREC_GOOGLE_LANGUAGE_HINTS": "en, de",
    }
    emulator.set_faults("google")
    google = Google.from_env(env)
    assert google.endpoint == emulator.endpoints["google"]
    assert google.options == {"feature": "TEXT_DETECTION", "language_hints": ["en", "de"]}
    assert google.read(prepared(google), timeout=10).candidates
    google.close()


def test_status_names_what_is_missing_and_what_is_found(tmp_path: Path) -> None:
    adc = tmp_path / "application_default_credentials.json"
    nothing = Google.status({"HOME": str(tmp_path)})
    assert (nothing.installed, nothing.configured, nothing.found) == (True, False, ())
    assert "GOOGLE_API_KEY" in nothing.missing[0]
    adc.write_text("{}")
    both = Google.status({"CLOUDSDK_CONFIG": str(tmp_path), "GOOGLE_API_KEY": "secret"})
    assert both.configured
    assert both.found == ("GOOGLE_API_KEY", str(adc))
    gone = Google.status({"GOOGLE_API_KEY": "secret", "GOOGLE_APPLICATION_CREDENTIALS": "/no/such/file"})
    assert not gone.configured
    assert gone.missing == ("GOOGLE_APPLICATION_CREDENTIALS names no file",)


@pytest.mark.parametrize("code", [3, 8, 13, 99])
def test_annotations_beside_an_error_are_used_for_google_guarantees_them(code: int, stored: Stored) -> None:
    error = {"error": {"code": code, "message": "some of it failed"}}
    assert parse({**stored("google", "seven"), **error}).candidates == (Candidate("7", 0.97, BOX),)
    assert parse({**stored("google", "annotations-only"), **error}).candidates == (Candidate("7"),)


@pytest.mark.parametrize("beside", [{}, {"fullTextAnnotation": {}}, {"textAnnotations": []}])
@pytest.mark.parametrize(
    ("code", "expected"),
    [(3, Rejected), (7, AuthFailed), (8, RateLimited), (13, Unavailable), (14, Unavailable), (99, Rejected)],
)
def test_an_error_without_annotations_is_that_error(
    code: int, expected: type[ProviderError], beside: dict[str, Any]
) -> None:
    with pytest.raises(expected) as caught:
        parse({"error": {"code": code, "message": "it failed"}, **beside})
    assert type(caught.value) is expected
    assert caught.value.status == code


@pytest.mark.parametrize("error", [{}, {"code": 0}, {"code": 0, "message": "OK"}, {"details": [None]}])
def test_an_error_of_code_0_is_none(error: dict[str, Any]) -> None:
    assert parse({"error": error}).candidates == ()


@pytest.mark.parametrize(
    "error", [None, [], "no", 3, {"code": "3"}, {"code": None}, {"code": True}, {"code": 3.5},
              {"code": 2**31}, {"code": 3, "message": None}, {"code": 3, "message": ["no"]}]
)  # fmt: skip
def test_an_error_of_another_form_is_a_bad_answer(error: Any, stored: Stored) -> None:
    for raw in ({"error": error}, {**stored("google", "seven"), "error": error}):
        with pytest.raises(BadAnswer, match="error"):
            parse(raw)


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
