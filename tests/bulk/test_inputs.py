"""The plan: any item comes back out of its line as it went in."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from digitrec.bulk import inputs
from digitrec.bulk.members import Member
from digitrec.bulk.remote import Remote
from digitrec.image.folders import Skipped

TEXT = st.text(st.characters(exclude_categories=()))
NUMBER = st.integers(0, 2**48)
ITEM = (
    TEXT
    | st.builds(Remote, TEXT)
    | st.builds(Member, TEXT, TEXT, NUMBER, NUMBER, st.integers(-1, 99), NUMBER, TEXT)
)


@given(ITEM)
def test_an_item_is_one_line_and_comes_back(item: inputs.Item) -> None:
    line = inputs.to_line(item)
    assert len((line + "\n").splitlines()) == 1
    assert line.isascii()
    assert inputs.from_line(line) == item


@given(st.lists(st.binary(min_size=1).filter(lambda name: not {10, 13} & set(name))))
def test_any_name_survives_a_list(names: list[bytes]) -> None:
    found = inputs.listed(io.BytesIO(b"\n".join(names)))
    assert [name.encode("utf-8", "surrogateescape") for name in found] == names


@given(st.lists(TEXT, max_size=5))
def test_any_argument_is_planned_or_refused(arguments: list[str]) -> None:
    try:
        assert all(inputs.to_line(item) for item in inputs.expand(arguments, Skipped()))
    except inputs.DataError as error:
        assert str(error)
