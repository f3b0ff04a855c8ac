"""An error of Google's own inside an answer with status 200."""

from __future__ import annotations

from typing import Any

import pytest

from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    ProviderError,
    RateLimited,
    Rejected,
    Unavailable,
)
from digitrec.providers.answer import Candidate
from digitrec.providers.google import parse

from .common import BOX, Stored


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
    with pytest.raises(expected, match="it failed") as caught:
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


@pytest.mark.parametrize(
    "raw",
    [
        {"fullTextAnnotation": {"text": "7"}},
        {"fullTextAnnotation": {"text": "7", "pages": [{"blocks": [{"paragraphs": [{}]}]}]}},
        {"textAnnotations": [{"description": "7"}]},
    ],
)
def test_a_text_without_its_words_is_not_taken_for_no_text(raw: Any) -> None:
    with pytest.raises(BadAnswer, match="a text without words"):
        parse(raw)


@pytest.mark.parametrize("raw", [{}, {"fullTextAnnotation": {}}, {"fullTextAnnotation": {"pages": [{}]}}])
def test_google_leaves_out_what_is_empty(raw: Any) -> None:
    assert parse(raw).candidates == ()
