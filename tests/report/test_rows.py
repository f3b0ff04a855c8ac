"""Rows of any values for programs, and aligned columns for people."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import pytest
from terminal import text_of

from digitrec.errors import NotConfigured
from digitrec.report import rows


@dataclass
class Call:
    at: datetime
    image: str
    usd: float | None


def records(form: Literal["table", "json"], *calls: Call) -> str:
    return text_of(rows.write_records, calls, form)


def test_records_are_columns_under_their_fields_names() -> None:
    hashed = Call(datetime(2026, 11, 20, 22, 30, 1, 5, tzinfo=UTC), "a1" * 32, None)
    lines = records("table", hashed).splitlines()
    assert lines[0].split() == ["at", "image", "usd"]
    assert lines[1].split() == ["2026-11-20", "22:30:01+00:00", "a1" * 6, "-"]
    assert records("table", Call(hashed.at, "a", 0.0000198)).split()[-1] == "0.0000198"


def test_without_records() -> None:
    assert records("table") == "nothing yet\n"
    assert json.loads(records("json")) == []


@pytest.mark.parametrize("error", [NotConfigured("no boxes"), OSError("full"), KeyboardInterrupt()])
def test_rows_before_an_error_are_a_whole_array(error: BaseException) -> None:
    def stopped() -> Iterator[dict[str, int]]:
        yield {"a": 1}
        raise error

    out = io.StringIO()
    with pytest.raises(type(error)):
        rows.write_rows(stopped(), "json", out)
    assert json.loads(out.getvalue()) == [{"a": 1}]
