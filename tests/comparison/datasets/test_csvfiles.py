"""Pictures as rows of a .csv file, as Kaggle, OpenML and others have them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digitrec.comparison.datasets import csvfiles
from digitrec.comparison.datasets.loader import read_samples
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DataError

DIGITS = mnist_test()[:5]
PIXELS = [f"pixel{place}" for place in range(784)]
ROWS = np.column_stack([DIGITS.labels, DIGITS.images.reshape(5, -1)])


def lines(rows: np.ndarray, head: list[str] | None) -> str:
    text = "\n".join(",".join(map(str, row)) for row in rows.tolist())
    return text if head is None else f"{','.join(head)}\n{text}\n"


FORMS = {
    "Kaggle's": ("train.csv", lines(ROWS, ["label", *PIXELS])),
    "OpenML's, the label last": ("mnist_784.csv", lines(np.roll(ROWS, -1, axis=1), [*PIXELS, "class"])),
    "without heads": ("mnist_train.csv", lines(ROWS, None)),
    "from a spreadsheet": ("my.csv", "\ufeff" + lines(ROWS, ['"Label"', *PIXELS]).replace("\n", "\r\n")),
    "EMNIST's, on its side": (
        "emnist-digits-test.csv",
        lines(np.column_stack([DIGITS.labels, DIGITS.images.transpose(0, 2, 1).reshape(5, -1)]), None),
    ),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_it_is_read(tmp_path: Path, form: str, packed: bool) -> None:
    name, text = FORMS[form]
    content = text.encode()
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)
    samples = read_samples(path)
    assert [sample.label for sample in samples] == DIGITS.labels.tolist()
    np.testing.assert_array_equal([sample.image for sample in samples], DIGITS.images)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (lines(ROWS[:, 1:], PIXELS), "784 columns are no label and square picture"),
        (lines(ROWS, ["what", *PIXELS]), "one column is the label"),
        (lines(ROWS, ["label", *PIXELS]) + "1,2,3\n", "not a table of numbers"),
        (lines(ROWS, ["label", *PIXELS]).replace("\n7", "\nseven", 1), "not a table of numbers"),
        (lines(ROWS + 10, ["label", *PIXELS]), "label 17 of image 0"),
        (lines(ROWS[:0], ["label", *PIXELS]) + "\n \n", "holds no picture"),
        (lines(ROWS[:, :-1], ["label", *PIXELS]), "784 columns under 785 heads"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "train.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        read_samples(tmp_path / "train.csv")


def test_a_table_of_files_is_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"never opened")
    (tmp_path / "mine.csv").write_text("file,label\na.png,3\n", encoding="utf-8")
    assert [sample.label for sample in read_samples(tmp_path / "mine.csv")] == [3]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(
    st.binary(max_size=300), st.text(max_size=300).map(str.encode),
    st.lists(st.text("0123456789.,-e\"nan", max_size=4), min_size=50, max_size=70).map(
        lambda cells: "\n".join([",".join(cells)] * 2).encode()
    ),
))  # fmt: skip
def test_whatever_is_in_it_only_a_data_error_comes_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "any.csv").write_bytes(content)
    try:
        found = csvfiles.read(tmp_path / "any.csv")
    except DataError:
        return
    assert found is None or (found[0].dtype == np.uint8 and found[0].shape[0] == len(found[1]) > 0)
