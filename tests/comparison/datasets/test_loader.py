"""Every form of labelled data is read without opening an image; errors name the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitrec.comparison.datasets.loader import read_samples
from digitrec.errors import DataError


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
    (folder / "labels.csv").rename(folder / "mine.csv")
    assert [sample.label for sample in read_samples(folder / "mine.csv")] == [7, None]


def test_folders_are_labels_and_others_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made(tmp_path, "3/x.png", "3/.hidden", "3/notes.txt", "3/deeper/y.png", "0/u.png", "none/v.png")
    made(tmp_path, ".cache/w.png", "z.png")
    samples = read_samples(str(tmp_path))
    assert [(Path(str(it.image)).name, it.label) for it in samples] == [
        ("u.png", 0), ("y.png", 3), ("x.png", 3), ("v.png", None),
    ]  # fmt: skip
    assert caplog.messages == [
        f"{tmp_path}: skipped 1 file that is not a picture (.txt), 1 hidden file or folder",
        f"{tmp_path}: left out 2 (hidden, or not in a folder 0 to 9), such as .cache",
    ]


@pytest.mark.parametrize(("folder", "named"), [("10", "10"), (".hidden", "labels.csv")])
def test_a_folder_without_labels_is_refused(tmp_path: Path, folder: str, named: str) -> None:
    (tmp_path / folder).mkdir()
    with pytest.raises(DataError, match=named):
        read_samples(tmp_path)


@pytest.mark.parametrize(("name", "said"), [("", "empty"), ("mnist-train", "mnist-test")])
def test_an_unknown_name_is_refused_with_those_there_are(name: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_samples(name)


def test_a_folder_hides_the_set_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(read_samples("mnist-test")) == 10_000
    labelled(made(tmp_path / "mnist-test"), "file,label\na.png,3\nb.png,4\n")
    assert [sample.label for sample in read_samples("mnist-test")] == [3, 4]
    assert str(tmp_path / "mnist-test") in caplog.messages[0]
