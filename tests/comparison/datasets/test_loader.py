"""Every form of labelled data is read without opening an image; errors name the place.

A limit keeps the mix of labels, and a larger sample contains the smaller one.
"""

import csv
import io
import os
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparison.numbered import numbered
from hypothesis import example, given
from hypothesis import strategies as st

from digitrec.comparison.datasets.loader import Sample, read_numbers, read_samples, sampled
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DataError
from digitrec.lab.datasets.digits import read_digits


def made(folder: Path, *names: str) -> Path:
    """Create a folder with different files that are not pictures."""
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(b"never opened as a picture: " + name.encode())
    return folder


def labelled(folder: Path, table: str) -> Path:
    made(folder, "a.png", "b.png")
    (folder / "labels.csv").write_text(table, encoding="utf-8")
    return folder


def test_a_table_gives_paths_and_labels_in_its_own_order(tmp_path: Path) -> None:
    folder = labelled(tmp_path, "file,label,reason\nb.png,7,\na.png,none,blank\n")
    samples = read_samples(folder)
    assert [(it.image, it.label) for it in samples] == [(folder / "b.png", 7), (folder / "a.png", None)]
    assert [sample.label for sample in read_samples(folder, limit=1)] in ([7], [None])
    (folder / "labels.csv").rename(folder / "MINE.CSV")
    assert [sample.label for sample in read_samples(folder / "MINE.CSV")] == [7, None]


def test_folders_are_labels_and_others_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made(tmp_path, "3/x.png", "3/.hidden", "3/notes.txt", "3/deeper/y.png", "0/u.png", "none/v.png")
    made(tmp_path, ".cache/w.png", "z.png")
    assert [(Path(str(it.image)).name, it.label) for it in read_samples(str(tmp_path))] == [
        ("u.png", 0), ("y.png", 3), ("x.png", 3), ("v.png", None),
    ]  # fmt: skip
    left_out = f"{tmp_path}: left out 2 (hidden, or not in a folder 0 to 9), such as .cache"
    assert caplog.messages == [f"{tmp_path}: skipped 1 .txt, 1 hidden", left_out]


@pytest.mark.parametrize(("folder", "named"), [("10", "10"), (".hidden", "labels.csv")])
def test_a_folder_without_labels_is_refused(tmp_path: Path, folder: str, named: str) -> None:
    (tmp_path / folder).mkdir()
    with pytest.raises(DataError, match=named):
        read_samples(tmp_path)


@pytest.mark.parametrize(("name", "said"), [("", "empty"), ("mnist-train", "mnist-test")])
def test_an_unknown_name_is_refused_with_those_there_are(name: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_samples(name)


def test_a_folder_hides_the_set_of_its_name(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert len(read_samples("mnist-test")) == 10_000
    labelled(made(here / "mnist-test"), "file,label\na.png,3\nb.png,4\n")
    assert [sample.label for sample in read_samples("mnist-test")] == [3, 4]
    assert str(here / "mnist-test") in caplog.messages[0]


def test_a_known_set_is_read_in_a_folder_that_may_not(as_nobody: Path) -> None:
    Path("closed").mkdir()
    os.chdir("closed")
    (as_nobody / "closed").chmod(0)
    assert len(read_samples("mnist-test", 5)) == 5


NAMES = ["a.png", "b b.png", "ü,;'.png", 'q"uote.png']


@pytest.fixture(scope="module")
def folder() -> Path:
    return with_files(Path(tempfile.mkdtemp()))


def with_files(folder: Path) -> Path:
    for name in NAMES:
        (folder / name).write_bytes(name.encode())
    return folder


def table_of(folder: Path, table: str | bytes) -> list[tuple[str, int | None]]:
    (folder / "labels.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    return [called(sample) for sample in read_samples(folder)]


def called(sample: Sample) -> tuple[str, int | None]:
    assert isinstance(sample.image, Path)
    return sample.image.name, sample.label


EXPECTED = [("a.png", 7), ("b b.png", None)]


@pytest.mark.parametrize("table", [
    "file,label\na.png,7\nb b.png,none\n", "File,Label\na.png,7\nb b.png,None\n",
    "file\tlabel\na.png\t7\nb b.png\tnone", "image|class\na.png|7\nb b.png|none\n",
    "\ufeffFile Name;Digit\r\na.png;7\r\nb b.png;none\r\n", '"label","file"\r"7","a.png"\r"none","b b.png"\r',
    "\n\nfile,label,why\na.png, 7 ,,\n,,\n  b b.png ,none\n\n",
    "label,digit,file\n7,1,a.png\nnone,1,b b.png\n", "file,label\na.png,7\nb b.png,none\n".encode("utf-16"),
])  # fmt: skip
def test_is_read_as_spreadsheets_and_scripts_write_it(folder: Path, table: str | bytes) -> None:
    assert table_of(folder, table) == EXPECTED


def test_a_name_may_be_spelled_in_another_form_of_unicode(tmp_path: Path) -> None:
    (tmp_path / "mo\u0308hre.png").touch()  # as a Mac spells it
    assert table_of(tmp_path, "file,label\nm\u00f6hre.png,7\n") == [("mo\u0308hre.png", 7)]


@pytest.mark.parametrize(("table", "complaint"), [
    ("file,label\na.png,7\nb b.png,\n", "line 3: 'b b.png' has no label"),
    ("file;label\n\na.png;10\n", "line 3: label '10'"), ("file,label\na.png,٣\n", "line 2: label '٣'"),
    ("file,label\na.png,1,2\n", "line 2: 3 cells, but 2 columns"),
    ("file\na.png\n", "line 1: no column label or digit or class or target; the first line has 'file'"),
    ("a.png,7\n", "no column file or filename or file_name or image or path; the first line has 'a.png'"),
    ("file,label,LABEL\na.png,1,2\n", "line 1: two columns are called 'label'"),
    ('file,label\n"a.png,7\n', "cannot be read as a table"),
    ('file,label\n"b\nb.png",7\n"c\nc.png",1\n', "line 2: there is no file 'b\\nb.png'"),
    (f"file,label\n{'x' * 5000},7\n", "line 2: there is no file 'xxx"),
    ("file,label\na\0.png,7\n", "line 2: there is no file"), (b"\xff\xfef", "not UTF-8"),
    ("", "file or filename or file_name or image or path; the first line has no text"),
    ("file,label\na.png,7\nb b.png,2\n./a.png,none\n", "line 4: 'a.png' is none here and 7 in "),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(folder: Path, table: str | bytes, complaint: str) -> None:
    with pytest.raises(DataError, match=re.escape(complaint)):
        table_of(folder, table)


def test_repeated_and_unlisted_files_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with_files(tmp_path)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "z.jpg").write_text("a picture of another kind")
    (below := tmp_path / "3").mkdir()
    (below / "z.png").touch()
    assert table_of(tmp_path, "file,label\na.png,7\nb b.png,none\n./a.png,7.0\n") == EXPECTED
    unlisted, repeated = caplog.messages
    assert "1 line" in repeated
    assert "left out 4 " in unlisted and 'q"uote.png' in unlisted
    caplog.clear()
    (tmp_path / "z.jpg").unlink()
    (below / "z.png").unlink()
    rows = (f'"{name.replace(chr(34), chr(34) * 2)}",7\n' for name in NAMES)
    table_of(tmp_path, "file,label\n" + "".join(rows))
    assert not caplog.messages


cells = st.one_of(
    st.sampled_from([*NAMES, "c.png", "", " ", ".", "..", "/", "labels.csv", "~", "a.png/", "x" * 300]),
    st.sampled_from([*"0123456789", "none", "None", " 7 ", "10", "-1", "7.0", "²", "nan"]),
    st.text(max_size=6),
)
heads = st.sampled_from(["file", "label", "File", "DIGIT", "filename", "reason", ""]) | st.text(max_size=3)
GOOD = re.compile(r"\s*([0-9]|none)\s*", re.IGNORECASE)


def right(text: str) -> bool:
    return bool(text.isascii() and GOOD.fullmatch(text))


@given(
    head=st.one_of(st.just(["file", "label"]), st.lists(heads, min_size=1, max_size=4)),
    rows=st.lists(st.lists(cells, max_size=4), max_size=4),
    delimiter=st.sampled_from(",;\t|"), end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.sampled_from(["", "\ufeff"]), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)  # fmt: skip
@example(["file", "label"], [["a.png", "7"], ["b b.png", "none"]], ";", "\r\n", "\ufeff", csv.QUOTE_ALL)
def test_any_table_gives_the_right_labels_or_names_the_line(
    folder: Path, head: list[str], rows: list[list[str]], delimiter: str, end: str, mark: str, quoting: int
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([head, *rows])
    try:
        said = table_of(folder, (mark + out.getvalue()).encode("utf-8", "surrogatepass"))
    except DataError as error:
        assert re.search(r"labels\.csv(, line \d+)?: ", str(error)), error
        plain = head == ["file", "label"] and all(len(row) == 2 for row in rows)
        fine = [row for row in rows if len(row) == 2 and row[0] in NAMES and right(row[1])]
        labels = {(name, label.strip().casefold()) for name, label in fine}
        consistent = len(labels) == len({name for name, _ in labels})
        assert not (plain and fine == rows and consistent), f"refused though right: {error}"
        return
    if head == ["file", "label"]:
        wanted = dict.fromkeys(
            (str(Path(row[0].strip())), row[1].strip().casefold().removesuffix(".0")) for row in rows
            if any(cell.strip() for cell in row)
        )  # fmt: skip
        assert [(name, "none" if label is None else str(label)) for name, label in said] == list(wanted)


@given(st.binary(max_size=60))
@example(b"file,label\na.png,7\n\x00")
@example("file,label\na.png,7".encode("utf-16")[:-1])
def test_any_bytes_at_all_never_break_it(folder: Path, data: bytes) -> None:
    try:
        table_of(folder, data)
    except DataError as error:
        assert "labels.csv" in str(error)


@pytest.mark.parametrize(("table", "named"), [
    ("file,label\n0.png,7\n", "line 1: no column text"), ("file,text\n0.png,seven\n", "line 2: text 'seven'"),
    ("file,text\n0.png,4 2\n", "line 2: text '4 2'"),
    ("file,text\n0.png,7\n0.png,none\n", "line 3: text 'none'"),
    ("file,text,group\n0.png,7,a\n0.png,8,b\n", "line 3: '0.png' has two groups, 'a' and 'b'"),
    ("file,text,row,column\n0.png,7,1,b\n", "line 2: row and column"),
    ("file,text,row,column\n0.png,7,1,\n", "line 2: row and column"),
    ("file,text,row,column\n0.png,7,2,1\n0.png,8,02,1\n", "line 3: row 2, column 1 already holds 7"),
    pytest.param(f"file,text,row,column\n0.png,7,{'9' * 5000},1\n", "line 2: row and column", id="too long"),
    (None, "labels.csv: no such file"),
])  # fmt: skip
def test_a_bad_table_is_refused_with_its_line(tmp_path: Path, table: str | None, named: str) -> None:
    source = numbered(tmp_path, table or "", ["0.png"])
    if table is None:
        (tmp_path / "labels.csv").unlink()
    with pytest.raises(DataError, match=re.escape(named)):
        read_numbers(source)


def test_texts_may_have_spaces_and_a_limit_is_of_pictures(cut: str) -> None:
    table = "Path;Text\n0.png;1 234,5\n0.png;\u2212 8\n1.png;NONE\n1.png;none\n"
    Path(cut, "labels.csv").write_text(table, "utf-8")
    first, second = read_numbers(cut)
    assert (first.texts, second.texts, second.truth) == (("1234,5", "-8"), (), None)
    assert len(read_numbers(cut, 1)) == 1


@pytest.mark.parametrize(("column", "read"), [("text", read_numbers), ("label", read_samples)])
def test_a_picture_without_a_group_is_a_group_of_its_own(cut: str, column: str, read: Any) -> None:
    Path(cut, "labels.csv").write_text(f"file,{column},group\n0.png,1,book\n1.png,2,\n2.png,3,book\n")
    assert [Path(sample.group).name for sample in read(cut)] == ["book", "1.png", "book"]


LABELS = st.lists(st.sampled_from([None, *range(10)]), max_size=80)


@given(labels=LABELS, limits=st.tuples(st.integers(0, 90), st.integers(0, 90)))
def test_samples_are_stratified_and_nested(labels: list[int | None], limits: tuple[int, int]) -> None:
    few, many = (sampled(labels, limit) for limit in sorted(limits))
    assert set(few) <= set(many)
    assert many.tolist() == sorted(set(many.tolist()))
    assert len(many) == min(max(limits), len(labels))
    there, taken = Counter(labels), Counter(labels[place] for place in many)
    for label, count in there.items():
        assert abs(taken[label] - count * len(many) / len(labels)) < 1.5


def test_mnist_is_the_official_set_and_drawn_in_its_shares() -> None:
    whole = mnist_test()
    assert whole.images.shape == (10_000, 28, 28)
    assert np.bincount(whole.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert whole.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert whole[np.array([3, 1])].labels.tolist() == [0, 2]
    names = [sample.name for sample in read_samples("mnist-test", 3)]
    assert names == [f"mnist-test[{place}]" for place in sampled(whole.labels, 3)]
    digits = read_digits("mnist-test", 100)
    assert np.bincount(digits.labels).min() >= 8
    assert not np.array_equal(digits.images, whole.images[:100])
    assert np.array_equal(digits.images, read_digits("mnist-test", 100).images)
