import base64
import json

from hypothesis import given
from hypothesis import strategies as st

from digitrec.providers.masking import Secrets

KEY = "planted+key/0123 äß"


@given(before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_a_secret_is_taken_out_in_the_midst_of_something_in_base64(before: bytes, after: bytes) -> None:
    key = "planted-key-0123456789"
    assert "***" in Secrets(key).masked(base64.b64encode(before + key.encode() + after).decode())


def test_all_texts_of_a_document_are_looked_through_names_too() -> None:
    raw = {"a": [1, None, {KEY: f"x{KEY}"}], "b": (KEY, 0.5, True)}
    assert Secrets(KEY).masked(raw) == {"a": [1, None, {"***": "x***"}], "b": ["***", 0.5, True]}


def test_of_a_private_key_each_line_is_secret() -> None:
    begin, end = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
    pem = f"{begin}\nMIIEvQIBADANBgkqhkiG\n9w0BAQEFAASCBKcwggSj\n{end}\n"
    secrets = Secrets(pem)
    assert "9w0BAQ" not in secrets.masked("cannot read 9w0BAQEFAASCBKcwggSj")
    assert "MIIEvQ" not in secrets.masked(json.dumps(pem))
    assert secrets.masked("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"


def test_what_is_too_short_to_be_a_secret_is_left() -> None:
    assert Secrets("k", None, "").masked("kick") == "kick"


def test_a_secret_is_learned_later() -> None:
    secrets = Secrets("planted-first")
    secrets.learn("planted-second", None)
    assert secrets.masked("planted-first and planted-second") == "*** and ***"


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Secrets("planted-key", "planted-key-and-more").masked("planted-key-and-more") == "***"


def test_secrets_do_not_show_themselves() -> None:
    assert "planted" not in repr(Secrets("planted-key"))


def test_a_signature_is_redacted_without_being_known() -> None:
    shown = f"planted-key and Credential=x, Signature={'0a' * 32}"
    assert Secrets("planted-key").masked(shown) == "*** and Credential=x, Signature=***"
