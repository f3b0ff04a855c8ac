"""What Image Analysis may leave out, and what not."""

from __future__ import annotations

from typing import Any

import pytest

from digitrec.errors import BadAnswer
from digitrec.providers.azure_analysis import parse


@pytest.mark.parametrize("blocks", [[], [{"lines": []}], [{"lines": [{"words": []}]}]])
def test_no_block_no_line_and_a_line_of_nothing_are_no_text(blocks: Any) -> None:
    assert parse({"readResult": {"blocks": blocks}}).candidates == ()


def test_a_line_without_its_words_is_not_taken_for_no_text() -> None:
    with pytest.raises(BadAnswer, match="without words"):
        parse({"readResult": {"blocks": [{"lines": [{"text": "7", "words": []}]}]}})
