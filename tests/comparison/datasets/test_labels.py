"""Tables of labels: any table gives the right labels or a DataError that names the line."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digitrec.comparison.datasets.loader import Sample, read_samples
from digitrec.errors import DataError

NAMES = ["a.png", "b b.png", "ü,;'.png", 'q"uote.png']


@pytest.fixture(scope="module")
def folder() -> Path:
    return made(Path(tempfile.mkdtemp()))


def made(folder: Path) -> Path:
    for name in NAMES:
        (folder / name).write_bytes(name.encode())
    return folder


def read(folder: Path, table: str | bytes) -> list[tuple[str, int | None]]:
    (folder / "labels.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    return [called(sample) for sample in read_samples(folder)]


def called(sample: Sample) -> tuple[str, int | None]:
    assert isinstance(sample.image, Path)
    return sample.image.name, sample.label


EXPECTED = [("a.png", 7), ("b b.png", None)]


@pytest.mark.parametrize(
    "table",
    [
        "file,label\na.png,7\nb b.png,none\n",
        "File,Label\na.png,7\nb b.png,None\n",
        "file\tlabel\na.png\t7\nb b.png\tnone",
        "image|class\na.png|7\nb b.png|none\n",
        "\ufeffFile Name;Digit\r\na.png;7\r\nb b.png;none\r\n",
        '"label","file"\r"7","a.png"\r"none","b b.png"\r',
        "\n\nfile,label,why\na.png, 7 ,,\n,,\n  b b.png ,none\n\n",
        "label,digit,file\n7,1,a.png\nnone,1,b b.png\n",
        "file,label\na.png,7\nb b.png,none\n".encode("utf-16"),
    ],
)
def test_is_read_as_spreadsheets_and_scripts_write_it(folder: Path, table: str | bytes) -> None:
    assert read(folder, table) == EXPECTED


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("file,label\na.png,7\nb b.png,\n", "line 3: 'b b.png' has no label"),
        ("file;label\n\na.png;10\n", "line 3: label '10'"),
        ("file,label\na.png,٣\n", "line 2: label '٣'"),
        ("file,label\na.png,1,2\n", "line 2: 3 cells under 2 heads"),
        ("file\na.png\n", "line 1: no column label; the first line has 'file'"),
        ("a.png,7\n", "line 1: no column file; the first line has 'a.png', '7'"),
        ("file,label,LABEL\na.png,1,2\n", "line 1: two columns are called 'label'"),
        ('file,label\n"a.png,7\n', "cannot be read as a table"),
        ('file,label\n"b\nb.png",7\n"c\nc.png",1\n', "line 2: there is no file 'b\\nb.png'"),
        (f"file,label\n{'x' * 5000},7\n", "line 2: there is no file 'xxx"),
        ("file,label\na\0.png,7\n", "line 2: there is no file"),
        (b"\xff\xfef", "cannot be read as a table"),
        ("", "no column file"),
        ("file,label\na.png,7\nb b.png,2\n./a.png,none\n", "line 4: 'a.png' is none here and 7 in "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(folder: Path, table: str | bytes, complaint: str) -> None:
    with pytest.raises(DataError, match=re.escape(complaint)):
        read(folder, table)


def test_repeated_and_unlisted_files_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made(tmp_path)
    (tmp_path / "notes.txt").write_text("no picture")
    assert read(tmp_path, "file,label\na.png,7\nb b.png,none\na.png,7\n") == EXPECTED
    repeated, unlisted = caplog.messages
    assert "1 line" in repeated
    assert "left out 2 " in unlisted and 'q"uote.png' in unlisted
    caplog.clear()
    read(tmp_path, "file,label\n" + "".join(f'"{name.replace(chr(34), chr(34) * 2)}",7\n' for name in NAMES))
    assert not caplog.messages


cells = st.one_of(
    st.sampled_from([*NAMES, "c.png", "", " ", ".", "..", "/", "labels.csv", "~", "a.png/", "x" * 300]),
    st.sampled_from([*"0123456789", "none", "None", " 7 ", "10", "-1", "7.0", "²", "nan"]),
    st.text(max_size=6),
)
heads = st.one_of(
    st.sampled_from(["file", "label", "File", "DIGIT", "filename", "reason", ""]), st.text(max_size=3)
)
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
        said = read(folder, (mark + out.getvalue()).encode("utf-8", "surrogatepass"))
    except DataError as error:
        assert re.search(r"labels\.csv(, line \d+)?: ", str(error)), error
        plain = head == ["file", "label"] and all(len(row) == 2 for row in rows)
        fine = [row for row in rows if len(row) == 2 and row[0] in NAMES and right(row[1])]
        labels = {(name, label.strip().casefold()) for name, label in fine}
        consistent = len(labels) == len({name for name, _ in labels})
        assert not (plain and fine == rows and consistent), f"refused though right: {error}"
        return
    if head == ["file", "label"]:
        wanted = dict.fromkeys((row[0].strip(), row[1].strip().casefold().removesuffix(".0")) for row in rows
                               if any(cell.strip() for cell in row))  # fmt: skip
        assert [(name, "none" if label is None else str(label)) for name, label in said] == list(wanted)


@given(st.binary(max_size=60))
@example(b"file,label\na.png,7\n\x00")
@example("file,label\na.png,7".encode("utf-16")[:-1])
def test_any_bytes_at_all_never_break_it(folder: Path, data: bytes) -> None:
    try:
        read(folder, data)
    except DataError as error:
        assert "labels.csv" in str(error)
