from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest

from digitrec.errors import NotConfigured
from digitrec.providers import google_credentials

NAME = "application_default_credentials.json"


@pytest.mark.parametrize(
    ("variable", "below"),
    [("CLOUDSDK_CONFIG", ""), ("APPDATA", "gcloud"), ("HOME", ".config/gcloud")],
)
def test_gclouds_file_is_found_where_gcloud_puts_it(tmp_path: Path, variable: str, below: str) -> None:
    assert google_credentials.found({variable: str(tmp_path)}) == []
    file = tmp_path / below / NAME
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("{}")
    assert google_credentials.found({variable: str(tmp_path)}) == [str(file)]


def test_variables_are_named_and_not_shown(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "GOOGLE_API_KEY": "secret", "GOOGLE_APPLICATION_CREDENTIALS": __file__}
    assert google_credentials.found(env) == ["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_API_KEY"]


def test_a_variable_that_names_no_file_is_told(tmp_path: Path) -> None:
    assert google_credentials.wrong({}) == []
    assert google_credentials.wrong({"GOOGLE_APPLICATION_CREDENTIALS": __file__}) == []
    env = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "gone.json"), "GOOGLE_API_KEY": "x" * 39}
    assert google_credentials.wrong(env) == ["GOOGLE_APPLICATION_CREDENTIALS names no file"]


@pytest.mark.parametrize(
    "content", [b"planted-secret", b"\xff\xfeplanted-secret", b'["planted-secret"]', b""]
)
def test_a_file_that_is_no_credentials_file_is_told_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key.p12"
    file.write_bytes(content)
    with pytest.raises(NotConfigured, match=r"key\.p12") as caught:
        google_credentials.load(file, "https://vision.googleapis.com")
    assert "planted-secret" not in "".join(traceback.format_exception(caught.value))


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="is a directory"):
        google_credentials.load(tmp_path, "https://vision.googleapis.com")


def test_a_plain_http_address_gets_no_token(tmp_path: Path) -> None:
    missing = tmp_path / "missing.json"
    assert google_credentials.load(missing, "http://127.0.0.1:1") is not None


def test_an_authorized_users_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / NAME
    file.write_text(
        '{"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}'
    )
    credentials = google_credentials.load(file, "https://vision.googleapis.com")
    assert credentials.refresh_token == "c"
    assert google_credentials.load(None, "https://vision.googleapis.com") is None


def test_what_may_show_nowhere_is_found_wherever_it_stands(tmp_path: Path) -> None:
    file = tmp_path / NAME
    inner = {"type": "authorized_user", "client_id": "an-id", "refresh_token": "planted-refresh"}
    whole = {"source_credentials": inner, "private_key": "planted-key", "list": [{"token": "planted-token"}]}
    file.write_text(json.dumps(whole | {"client_secret": "planted-secret"}))
    found = set(google_credentials.secrets(file, None))
    assert found == {"planted-refresh", "planted-key", "planted-secret", "planted-token"}
    assert list(google_credentials.secrets(tmp_path / "none", None)) == []


def test_the_file_of_gcloud_is_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    (tmp_path / NAME).write_text('{"refresh_token": "planted-refresh"}')
    assert list(google_credentials.secrets(None, None)) == ["planted-refresh"]
