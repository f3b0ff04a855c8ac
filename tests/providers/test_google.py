import json
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import google.auth
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes as PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from raw_server import RawServer, answer, raw_server

from digitrec import errors
from digitrec.answer import Answer, Candidate
from digitrec.emulator import Emulator
from digitrec.engine import Engine, Options
from digitrec.providers import google as module
from digitrec.providers.google import Google, found_credentials, load_credentials, parse

from .common import Opened, Prepared, assert_error, json_answer, outcome
from .documents import stored


def test_text_detection_asks_for_confidences_too(opened: Opened, prepared: Prepared) -> None:
    google = opened("google", feature="text", language_hints="en, de")
    assert google.read(prepared(google), timeout=10).candidates[0].score == 0.875
    assert google.options == {"feature": "TEXT_DETECTION", "language_hints": ["en", "de"]}  # type: ignore[attr-defined]
    with pytest.raises(errors.NotConfigured, match="language_hints"):
        opened("google", language_hints=[1])


@pytest.mark.parametrize(("images", "more_bytes"), [(17, 0), (3, 3_000_000)])
def test_images_share_requests_of_at_most_sixteen_and_ten_megabytes(
    images: int, more_bytes: int, opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    google, before = opened("google"), emulator.calls("google")
    image = replace(prepared(google), data=prepared(google).data + bytes(more_bytes))
    emulator.set_faults("google", "slow:first=1,seconds=30")
    alone = Options(attempt_timeout=2, attempts=1, concurrency=1, ledger="none")
    with Engine(google, alone) as engine:
        assert engine.estimate([image] * images).requests == 2
        outcomes = [type(reply.outcome) for reply in engine.ask([image] * images)]
    first = min(16, images - 1)
    assert outcomes == [errors.TimedOut] * first + [Answer] * (images - first)
    assert emulator.calls("google") - before == 2


def test_a_bad_image_takes_only_its_own_place(opened: Opened, prepared: Prepared) -> None:
    google = opened("google")
    good = prepared(google)
    outcomes = google.read_many([good, replace(good, data=b"no picture"), good], timeout=10)
    assert [type(outcome) for outcome in outcomes] == [Answer, errors.Rejected, Answer]


@pytest.mark.parametrize("code", [3, 8, 13, 99])
def test_annotations_beside_an_error_are_used(code: int) -> None:
    error = {"error": {"code": code, "message": "some of it failed"}}
    seven = stored("google", "seven")
    assert parse({**seven, **error}).candidates == parse(seven).candidates
    assert parse({**stored("google", "annotations-only"), **error}).candidates == (Candidate("7"),)


@pytest.mark.parametrize(("code", "kind"), [
    (3, errors.Rejected), (7, errors.AuthFailed), (8, errors.RateLimited), (13, errors.Unavailable),
    (14, errors.Unavailable), (99, errors.Rejected),
])  # fmt: skip
def test_an_error_without_annotations_is_that_error(code: int, kind: type[errors.ProviderError]) -> None:
    with pytest.raises(kind) as caught:
        parse({"error": {"code": code, "message": "it failed"}, "fullTextAnnotation": {}})
    assert (type(caught.value), caught.value.status) == (kind, code)


def test_an_error_of_code_0_is_ignored() -> None:
    for error in ({}, {"code": 0, "message": "OK"}, {"details": [None]}):
        assert parse({"error": error}).candidates == ()
    for wrong in (None, "no", {"code": "3"}, {"code": 2**31}, {"code": 3, "message": None}):
        with pytest.raises(errors.BadAnswer, match="error"):
            parse({"error": wrong})


REFRESH, CLIENT, TOKEN = "planted-refresh-token-01", "planted-client-secret-01", "planted-access-token-01"


@pytest.fixture
def a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: RawServer) -> Iterator[Any]:
    """Open a provider with gcloud's file: tokens from one server, pictures to another."""

    def load(file: str | Path | None, endpoint: str) -> Any:  # as for an https:// endpoint
        return real(file, "https://any.example")

    real = module.load_credentials
    monkeypatch.setattr(module, "load_credentials", load)
    with raw_server() as tokens:
        monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{tokens.url}/token")
        file = tmp_path / "credentials.json"
        secrets = {"client_secret": CLIENT, "refresh_token": REFRESH}
        file.write_text(json.dumps({"type": "authorized_user", "client_id": "an-id", **secrets}))

        def ask(said: list[bytes], *pictures: bytes) -> list[Any]:
            tokens.say, server.say = said, list(pictures) or [answer(200, b'{"responses":[{}]}')]
            google = Google(credentials_file=file, endpoint=server.url)
            outcomes = [outcome(google) for _ in server.say[:2]]
            google.close()
            shown = repr(outcomes) + repr([vars(it) for it in outcomes if isinstance(it, Exception)])
            assert "planted" not in shown
            return outcomes

        yield ask


def a_token(text: str) -> bytes:
    return json_answer(200, {"access_token": text, "expires_in": 3600})


@pytest.mark.parametrize("status", [200, 400])
def test_an_echoed_token_is_redacted(status: int, a_user: Any, server: RawServer) -> None:
    echo = {"responses": [{"fullTextAnnotation": {"text": TOKEN}, "echo": [REFRESH, CLIENT, TOKEN]}]}
    (result,) = a_user([a_token(TOKEN)], json_answer(status, echo))
    assert TOKEN.encode() in server.arrived[-1]
    assert "***" in repr(result) + repr(getattr(result, "raw", ""))


NO_GRANT = {"error": "invalid_grant", "error_description": f"{REFRESH}: not in a reasonable timeframe"}


@pytest.mark.parametrize(("said", "kind", "named"), [
    (json_answer(400, NO_GRANT), errors.AuthFailed, "set the clock of this machine"),
    (answer(200, b"<html>" + REFRESH.encode()), errors.DigitrecError, ""),
    (answer(200, b"[]"), errors.DigitrecError, ""),
    (answer(200, b'{"access_token": 7}'), errors.DigitrecError, ""),
    (answer(200, b"\xff" * 99), errors.DigitrecError, ""),
    (answer(200, b"x" * 9_000_000), errors.Unreachable, ""),
])  # fmt: skip
def test_without_a_token_no_picture_is_sent(
    said: bytes, kind: type[errors.DigitrecError], named: str, a_user: Any, server: RawServer
) -> None:
    (error,) = a_user([said])
    assert isinstance(error, kind) and named in str(error)
    assert isinstance(error, errors.NotConfigured | errors.AuthFailed | errors.Unreachable)
    assert server.arrived == []


def test_a_token_that_is_refused_is_fetched_anew_once(a_user: Any, server: RawServer) -> None:
    tokens = [a_token("planted-old-token"), a_token("planted-new-token"), a_token("planted-third-token")]
    refused, answered = answer(401, b"{}"), answer(200, b'{"responses":[{}]}')
    first, second = a_user(tokens, refused, answered, refused, refused)
    assert isinstance(first, Answer) and isinstance(second, errors.AuthFailed)
    assert [b"planted-new-token" in request for request in server.arrived] == [False, True, True, False]
    assert b"prettyPrint=false" in server.arrived[0]


def test_a_refused_user_is_not_asked_about_again(a_user: Any, server: RawServer) -> None:
    (error,) = a_user([a_token("planted-token")], answer(403, b"{}"))
    assert isinstance(error, errors.AuthFailed) and len(server.arrived) == 1


def test_a_missing_file_of_a_token_is_named(tmp_path: Path) -> None:
    info = {
        "type": "external_account", "audience": "//iam.googleapis.com/x",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.example/v1/token", "credential_source": {"file": "/no/such/token"},
    }  # fmt: skip
    (tmp_path / "external.json").write_text(json.dumps(info))
    error = outcome(Google(credentials_file=tmp_path / "external.json", endpoint="https://ocr.example"))
    assert_error(error, errors.NotConfigured, "/no/such/token")


HTTPS = "https://vision.googleapis.com"
NAME = "application_default_credentials.json"


@pytest.mark.parametrize(
    ("variable", "below"), [("CLOUDSDK_CONFIG", ""), ("APPDATA", "gcloud"), ("HOME", ".config/gcloud")]
)
def test_gclouds_file_is_found_where_gcloud_puts_it(tmp_path: Path, variable: str, below: str) -> None:
    assert found_credentials({variable: str(tmp_path)}) == found_credentials({variable: "~nobody-here"}) == []
    file = tmp_path / below / NAME
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{}")
    assert found_credentials({variable: str(tmp_path)}) == [str(file)]


@pytest.mark.parametrize("data", [b"planted-secret", b"\xff\xfeplanted-secret", b'["planted-secret"]', b""])
def test_an_invalid_credentials_file_is_named_and_not_quoted(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "key.p12"
    file.write_bytes(data)
    with pytest.raises(errors.NotConfigured, match=r"key\.p12") as caught:
        load_credentials(file, HTTPS)
    assert "planted-secret" not in "".join(traceback.format_exception(caught.value))


def test_a_plain_http_address_gets_no_token(tmp_path: Path) -> None:
    assert load_credentials(tmp_path / "missing.json", "http://127.0.0.1:1") is not None


def pem(key: PrivateKey) -> str:
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(kind, form, serialization.NoEncryption()).decode()


USER = {"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
ACCOUNT = {"type": "service_account", "client_email": "a@b.example", "token_uri": "https://x.example/token",
           "private_key": pem(rsa.generate_private_key(65537, 2048)), "private_key_id": "one"}  # fmt: skip
EXTERNAL = {"type": "external_account", "audience": "//iam.googleapis.com/pool",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": {"file": "token"}}  # fmt: skip
AWS = {"environment_id": "aws1", "regional_cred_verification_url": "https://sts.{region}.amazonaws.com"}
FILES: list[dict[str, Any]] = [
    USER, ACCOUNT,
    {"type": "impersonated_service_account", "source_credentials": USER,
     "service_account_impersonation_url": "https://x.example/serviceAccounts/a@b.example:generateAccessToken"},
    {"type": "external_account_authorized_user", "audience": "//iam.googleapis.com/pool",
     "refresh_token": "c", "token_url": "https://x.example/token", "client_id": "a", "client_secret": "b"},
    EXTERNAL, EXTERNAL | {"subject_token_type": module.FROM_AWS, "credential_source": AWS},
    EXTERNAL | {"credential_source": {"executable": {"command": "/bin/token"}}},
]  # fmt: skip
"""One file of each type."""


@pytest.mark.parametrize("content", FILES, ids=lambda content: content["type"])
def test_a_file_of_each_type_gives_what_googles_own_loader_gives(
    tmp_path: Path, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / NAME
    file.write_text(json.dumps(content))
    monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "who-pays")
    monkeypatch.setattr("google.auth.external_account.Credentials.get_project_id", lambda *_, **__: None)
    with warnings.catch_warnings(category=DeprecationWarning, action="ignore"):
        scopes = None if content["type"] == "authorized_user" else [module.SCOPE]
        theirs, _ = google.auth.load_credentials_from_file(str(file), scopes=scopes)
    with monkeypatch.context() as without:
        without.delattr(warnings, "catch_warnings")  # it would change the warnings of other threads
        ours = load_credentials(file, HTTPS)
    assert type(ours) is type(theirs)
    for name in ("scopes", "quota_project_id"):
        assert getattr(ours, name, None) == getattr(theirs, name, None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just("planted-secret"),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from([*ACCOUNT, *AWS]), part),
)


damaged = st.sampled_from(FILES).flatmap(
    lambda whole: st.dictionaries(st.sampled_from(list(whole)), json_values, min_size=1).map(whole.__or__)
)


@given(damaged)
def test_any_credentials_file_is_used_or_one_error_without_secrets(content: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, NAME)
        file.write_text(json.dumps(content))
        try:
            load_credentials(file, HTTPS)
        except errors.NotConfigured as error:
            told = "".join(traceback.format_exception(error)) + repr(error.__context__)
            assert NAME in str(error)
            assert "planted-secret" not in told


def test_secrets_are_found_at_any_depth_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / NAME
    inner = {"type": "authorized_user", "client_id": "an-id", "refresh_token": "planted-refresh"}
    whole = {"source_credentials": inner, "private_key": "planted-key", "list": [{"token": "planted-token"}]}
    file.write_text(json.dumps(whole | {"client_secret": "planted-secret"}))
    found = set(module.secrets_of(file))
    assert found == {"planted-refresh", "planted-key", "planted-secret", "planted-token"}
    assert list(module.secrets_of(tmp_path / "none")) == []


def test_the_file_of_gcloud_is_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    (tmp_path / NAME).write_text('{"refresh_token": "planted-refresh"}')
    assert list(module.secrets_of(None)) == ["planted-refresh"]


def test_words_without_a_space_between_them_are_one() -> None:
    def word(text: str, kind: str | None = None, **confidence: float) -> dict[str, Any]:
        after = {} if kind is None else {"property": {"detectedBreak": {"type": kind}}}
        return {"symbols": [{"text": text, **confidence, **after}], "confidence": 0.5}

    words = word("1", confidence=0.9), word(":", confidence=0.8), word("3", "SPACE"), word("7", "LINE_BREAK")
    page = {"blocks": [{"paragraphs": [{"words": words}]}]}
    found = module.parse({"fullTextAnnotation": {"text": "1:3 7", "pages": [page]}}).candidates
    assert [(one.text, one.score) for one in found] == [("1:3", 0.5), ("7", 0.5)], "a zero is left out"
