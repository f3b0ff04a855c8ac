"""The plan: each item survives a round trip through the state file."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitrec.bulk import inputs, job
from digitrec.bulk.archives import Member
from digitrec.errors import DataError
from digitrec.image.files import Skipped

TEXT = st.text(st.characters(exclude_categories=()))
ITEM = TEXT | st.builds(Member, TEXT, st.binary(), st.text())


@given(st.lists(ITEM, min_size=1, max_size=20))
def test_the_items_of_a_plan_come_back(items: list[inputs.Item]) -> None:
    with TemporaryDirectory() as folder, job.opened(Path(folder, "out.csv")) as run:
        run.begin(items, {}, processes=2)
        assert [item for _, images in run.undone() for item in images] == items


@pytest.mark.parametrize("end", [b"\n", b"\0"])
@given(data=st.data())
def test_any_name_survives_a_list(end: bytes, data: st.DataObject) -> None:
    excluded = {0, 10, 13} if end == b"\n" else {0}
    name = st.binary(min_size=1).filter(lambda name: not excluded & set(name))
    names = [b"./first", *data.draw(st.lists(name))]
    found = inputs.listed(b"".join(name + end for name in names))
    assert [name.encode("utf-8", "surrogateescape") for name in found] == names


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_is_read_in_its_encoding(encoding: str, end: str) -> None:
    names = ["scans/sieben.png", "手/七.png", *(f"{number}.png" for number in range(20_000))]
    mark = "\ufeff" if encoding[-3:] in ("-le", "-be") else ""
    data = (mark + end.join(names) + end).encode(encoding)
    assert inputs.listed(data) == names


def test_a_list_that_is_cut_off_in_utf_16_is_refused() -> None:
    with pytest.raises(DataError, match="UTF-16"):
        inputs.listed("a.png\n".encode("utf-16")[:-1])


@given(st.lists(TEXT, max_size=5))
def test_any_argument_is_planned_or_refused(arguments: list[str]) -> None:
    try:
        assert all(isinstance(item, str | Member) for item in inputs.expand(arguments, Skipped()))
    except inputs.DataError as error:
        assert str(error)
