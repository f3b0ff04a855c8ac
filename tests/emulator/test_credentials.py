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
"""
VALUES = {
    "google": {"api_keys": ["planted-google"], "tokens": ["planted-token"]},
    "aws": {"keys": {"AKIAEXAMPLE": "planted-secret"}},
}


@pytest.mark.parametrize(("name", "text"), [("keys.toml", TOML), ("keys.json", json.dumps(VALUES))])
def test_a_file_of_keys_and_a_vendor_that_it_leaves_out(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    credentials = Credentials.load(tmp_path / name)
    assert credentials == Credentials(
        frozenset({"planted-google"}), frozenset({"planted-token"}), {"AKIAEXAMPLE": "planted-secret"},
        frozenset(), frozenset(), frozenset(),
    )  # fmt: skip
    assert "planted" not in repr(credentials)


@pytest.mark.parametrize(
    "text", [None, "planted = ", "google = 3", '[google]\napi_keys = "planted"', '[aws]\nkeys = ["planted"]']
)
def test_an_invalid_file_is_named_and_its_content_is_not(tmp_path, text):
    file = tmp_path / "keys.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(NotConfigured) as caught:
        Credentials.load(file)
    assert str(file) in str(caught.value)
    assert "planted" not in str(caught.value)
