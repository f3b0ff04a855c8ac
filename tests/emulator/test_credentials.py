from __future__ import annotations

import json

import pytest

from digitrec.emulator import Credentials
from digitrec.errors import NotConfigured

TOML = """
[google]
api_keys = ["planted-google"]
tokens = ["planted-token"]
[aws.keys]
AKIAEXAMPLE = "planted-secret"
[azure]
keys = ["planted-azure"]
"""
VALUES = {
    "google": {"api_keys": ["planted-google"], "tokens": ["planted-token"]},
    "aws": {"keys": {"AKIAEXAMPLE": "planted-secret"}},
    "azure": {"keys": ["planted-azure"]},
}


@pytest.mark.parametrize(("name", "text"), [("keys.toml", TOML), ("keys.json", json.dumps(VALUES))])
def test_a_file_of_keys(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    credentials = Credentials.load(tmp_path / name)
    assert credentials.google_api_keys == {"planted-google"}
    assert credentials.google_tokens == {"planted-token"}
    assert credentials.aws_keys == {"AKIAEXAMPLE": "planted-secret"}
    assert credentials.azure_keys == {"planted-azure"}
    assert "planted" not in repr(credentials)


def test_a_vendor_that_the_file_leaves_out_takes_no_key(tmp_path):
    (tmp_path / "keys.toml").write_text("")
    credentials = Credentials.load(tmp_path / "keys.toml")
    assert credentials == Credentials(frozenset(), frozenset(), {}, frozenset(), frozenset(), frozenset())


@pytest.mark.parametrize(
    "text", ["planted = ", "google = 3", '[google]\napi_keys = "planted"', '[aws]\nkeys = ["planted"]']
)
def test_a_file_that_is_none_is_named_and_its_content_is_not(tmp_path, text):
    (tmp_path / "keys.toml").write_text(text)
    with pytest.raises(NotConfigured, match=r"keys\.toml") as caught:
        Credentials.load(tmp_path / "keys.toml")
    assert "planted" not in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(NotConfigured):
        Credentials.load(tmp_path / "keys.toml")
