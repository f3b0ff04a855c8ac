"""Any bytes are a JSON value or none, and any JSON value is read as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitrec.providers.document import DEEPEST, decoded


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"NaN", b'{"a":Infinity}', b"1e999", b'"\\ud83d"', b'"\xff"', b"[1,]", b"{} x", b"'a'",
     b"[" * 100_000, b'{"a":' * 100_000, b"[" * (DEEPEST + 2) + b"]" * (DEEPEST + 2)],
)  # fmt: skip
def test_what_is_no_document(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|empty"):
        decoded(body)


texts = st.text(st.characters(codec="utf-8"))
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda part: st.lists(part) | st.dictionaries(texts, part),
)


@given(json_values)
def test_any_json_value_is_a_document(value: Any) -> None:
    assert decoded(json.dumps(value).encode()) == value
    assert decoded(b"\xef\xbb\xbf" + json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary())
def test_any_bytes_are_a_document_or_none(body: bytes) -> None:
    try:
        json.dumps(decoded(body)).encode()
    except ValueError as error:
        assert str(error)
    else:
        json.loads(body.removeprefix(b"\xef\xbb\xbf"))
