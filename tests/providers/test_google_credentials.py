from __future__ import annotations

import json
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

import google.auth
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes as PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from digitrec.errors import NotConfigured
from digitrec.providers.google import FROM_AWS, SCOPE, found_credentials, load_credentials, secrets_of

HTTPS = "https://vision.googleapis.com"
NAME = "application_default_credentials.json"


@pytest.mark.parametrize(
    ("variable", "below"),
    [("CLOUDSDK_CONFIG", ""), ("APPDATA", "gcloud"), ("HOME", ".config/gcloud")],
)
def test_gclouds_file_is_found_where_gcloud_puts_it(tmp_path: Path, variable: str, below: str) -> None:
    assert found_credentials({variable: str(tmp_path)}) == []
    file = tmp_path / below / NAME
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{}")
    assert found_credentials({variable: str(tmp_path)}) == [str(file)]


@pytest.mark.parametrize(
    "content", [b"planted-secret", b"\xff\xfeplanted-secret", b'["planted-secret"]', b""]
)
def test_a_file_that_is_no_credentials_file_is_told_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.p12"
    file.write_bytes(content)
    with pytest.raises(NotConfigured, match=r"key\.p12") as caught:
        load_credentials(file, HTTPS)
    assert "planted-secret" not in "".join(traceback.format_exception(caught.value))


def test_a_plain_http_address_gets_no_token(tmp_path: Path) -> None:
    missing = tmp_path / "missing.json"
    assert load_credentials(missing, "http://127.0.0.1:1") is not None


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
    USER,
    ACCOUNT,
    {"type": "impersonated_service_account", "source_credentials": USER,
     "service_account_impersonation_url": "https://x.example/serviceAccounts/a@b.example:generateAccessToken"},
    {"type": "external_account_authorized_user", "audience": "//iam.googleapis.com/pool",
     "refresh_token": "c", "token_url": "https://x.example/token", "client_id": "a", "client_secret": "b"},
    EXTERNAL,
    EXTERNAL | {"subject_token_type": FROM_AWS, "credential_source": AWS},
    EXTERNAL | {"credential_source": {"executable": {"command": "/bin/token"}}},
    {"type": "gdch_service_account", "format_version": "1", "project": "p", "name": "n",
     "private_key_id": "one", "private_key": pem(ec.generate_private_key(ec.SECP256R1())), "token_uri": "https://x.example/token",
     "ca_cert_path": "/cert.pem"},
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
        theirs, _ = google.auth.load_credentials_from_file(str(file), scopes=[SCOPE])
    with monkeypatch.context() as without:
        without.delattr(warnings, "catch_warnings")  # it changes what other threads are warned of
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
def test_whatever_stands_in_the_file_it_is_used_or_told_and_not_quoted(content: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, NAME)
        file.write_text(json.dumps(content))
        try:
            load_credentials(file, HTTPS)
        except NotConfigured as error:
            told = "".join(traceback.format_exception(error)) + repr(error.__context__)
            assert NAME in str(error)
            assert "planted-secret" not in told


def test_what_may_show_nowhere_is_found_wherever_it_stands(tmp_path: Path) -> None:
    file = tmp_path / NAME
    inner = {"type": "authorized_user", "client_id": "an-id", "refresh_token": "planted-refresh"}
    whole = {"source_credentials": inner, "private_key": "planted-key", "list": [{"token": "planted-token"}]}
    file.write_text(json.dumps(whole | {"client_secret": "planted-secret"}))
    found = set(secrets_of(file, None))
    assert found == {"planted-refresh", "planted-key", "planted-secret", "planted-token"}
    assert list(secrets_of(tmp_path / "none", None)) == []


def test_the_file_of_gcloud_is_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    (tmp_path / NAME).write_text('{"refresh_token": "planted-refresh"}')
    assert list(secrets_of(None, None)) == ["planted-refresh"]
