"""What an analysis of Document Intelligence says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from digitrec.errors import BadAnswer, Rejected
from digitrec.providers.azure_document import parse


def done(**result: Any) -> dict[str, Any]:
    return {"status": "succeeded", "analyzeResult": result}


@pytest.mark.parametrize("pages", [[], [{}], [{"words": []}], [{"words": [], "lines": []}]])
def test_no_page_and_a_page_without_words_are_no_text(pages: Any) -> None:
    assert parse(done(pages=pages, content="")).candidates == ()


def test_a_content_without_its_words_is_not_taken_for_no_text() -> None:
    with pytest.raises(BadAnswer, match="no words"):
        parse(done(pages=[{"words": []}], content="7"))


def test_a_result_without_pages_is_not_taken_for_no_text() -> None:
    with pytest.raises(BadAnswer, match="pages"):
        parse(done(content=""))


def test_the_least_that_is_an_answer() -> None:
    answer = parse(done(pages=[{"words": [{"content": "7", "confidence": 0.5}]}]))
    assert (answer.candidates[0].text, answer.model_version) == ("7", None)


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_an_operation_that_was_ended_is_rejected_whatever_it_read(status: str) -> None:
    with pytest.raises(Rejected, match=status):
        parse({**done(pages=[]), "status": status})
