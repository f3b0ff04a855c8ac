"""Every form of labelled data is read without opening an image; what is wrong is said with its place."""

from __future__ import annotations

import csv
import gzip
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitrec.comparison.datasets.loader import read_samples
from digitrec.errors import DataError
from digitrec.image import DigitImage

REPOSITORY_SAMPLES = Path(__file__).parents[3] / "samples"


def table(folder: Path, text: str) -> Path:
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"never opened as a picture: " + name.encode())
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    return folder


def idx(values: np.ndarray) -> bytes:
    return bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


class TestATable:
    def test_gives_paths_and_labels_in_its_own_order(self, tmp_path):
        folder = table(tmp_path, "file,label,reason\nb.png,7,\na.png,none,blank\n")
        samples = read_samples(folder)
        assert [(sample.image, sample.label) for sample in samples] == [
            (folder / "b.png", 7),
            (folder / "a.png", None),
        ]

    def test_written_by_a_spreadsheet_with_a_byte_order_mark(self, tmp_path):
        assert read_samples(table(tmp_path, "\ufefffile,label\r\na.png, 3 \r\n"))[0].label == 3

    def test_can_be_cut_short(self, tmp_path):
        folder = table(tmp_path, "file,label\na.png,1\nb.png,2\n")
        assert [sample.label for sample in read_samples(folder, limit=1)] == [1]
        assert read_samples(folder, limit=0) == []

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("file,label\na.png,1\nb.png,12\n", "labels.csv, line 3: label '12'"),
            ("file,label\na.png,seven\n", "line 2: label 'seven'"),
            ("file,label\na.png,²\n", "line 2: label '²'"),
            ("file,label\na.png,1\nc.png,1\n", "line 3: there is no file 'c.png'"),
            ("file,label\n,1\n", "line 2: there is no file ''"),
            ("name,label\na.png,1\n", "line 1: no column file"),
            ("", "line 1: no column file or label"),
        ],
    )
    def test_names_the_line_that_is_wrong(self, tmp_path, text, complaint):
        with pytest.raises(DataError) as caught:
            read_samples(table(tmp_path, text))
        assert complaint in str(caught.value)

    def test_that_is_no_text_is_said(self, tmp_path):
        (tmp_path / "labels.csv").write_bytes(b"file,label\n\xff\xfe\n")
        with pytest.raises(DataError, match=r"labels\.csv: cannot be read as a table"):
            read_samples(tmp_path)


class TestFolders:
    def test_named_by_their_digit(self, tmp_path):
        for name in ("3/x.png", "3/.hidden", "0/y.png", "none/z.png", ".cache/w.png"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(b"never opened")
        samples = read_samples(str(tmp_path))
        assert [(Path(str(sample.image)).name, sample.label) for sample in samples] == [
            ("y.png", 0),
            ("x.png", 3),
            ("z.png", None),
        ]

    def test_need_a_name(self):
        with pytest.raises(DataError, match="an empty name"):
            read_samples("")

    def test_with_another_name_are_refused(self, tmp_path):
        (tmp_path / "10").mkdir()
        with pytest.raises(DataError, match=r"10: label '10' is not a digit"):
            read_samples(tmp_path)

    def test_without_any_label_are_refused(self, tmp_path):
        with pytest.raises(DataError, match=r"neither labels\.csv nor folders"):
            read_samples(tmp_path)


class TestArrays:
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    labels = np.array([4, 9], np.uint8)

    @pytest.mark.parametrize("pack", [bytes, gzip.compress])
    def test_of_an_idx_pair(self, tmp_path, pack):
        (tmp_path / "my-images-idx3-ubyte").write_bytes(pack(idx(self.images)))
        (tmp_path / "my-labels-idx1-ubyte").write_bytes(pack(idx(self.labels)))
        samples = read_samples(tmp_path / "my-images-idx3-ubyte")
        assert [sample.label for sample in samples] == [4, 9]
        np.testing.assert_array_equal(samples[1].image, self.images[1])

    def test_of_an_npz_file(self, tmp_path):
        np.savez(tmp_path / "set.npz", x=self.images, y=self.labels)
        samples = read_samples(tmp_path / "set.npz")
        assert [sample.label for sample in samples] == [4, 9]
        np.testing.assert_array_equal(samples[0].image, self.images[0])

    @pytest.mark.parametrize(
        ("images", "labels", "complaint"),
        [
            (images, labels[:1], "do not go with"),
            (images, np.array([4, 10], np.uint8), "label 10 of image 1"),
            (images, np.array([-1, 4]), "label -1 of image 0"),
            (images[0], labels, "do not go with"),
        ],
    )
    def test_that_do_not_fit_are_refused(self, tmp_path, images, labels, complaint):
        np.savez(tmp_path / "set.npz", x=images, y=labels)
        with pytest.raises(DataError, match=complaint):
            read_samples(tmp_path / "set.npz")

    def test_missing_from_an_npz_file_are_named(self, tmp_path):
        np.savez(tmp_path / "set.npz", images=self.images)
        with pytest.raises(DataError, match=r"set\.npz: needs the arrays x/y or .*; it holds images$"):
            read_samples(tmp_path / "set.npz")

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no archive at all"])
    def test_in_a_damaged_npz_file_are_refused(self, tmp_path, content):
        (tmp_path / "set.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"set\.npz: damaged"):
            read_samples(tmp_path / "set.npz")

    def test_with_code_in_them_are_not_run(self, tmp_path):
        np.savez(tmp_path / "set.npz", x=np.array([print, 1], dtype=object), y=self.labels)
        with pytest.raises(DataError, match="plain arrays"):
            read_samples(tmp_path / "set.npz")

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            (gzip.compress(idx(images), mtime=0)[:-9], "damaged"),
            (idx(images)[:-1], "cut off"),
            (idx(labels), "not an IDX file of bytes in 3"),
            (b"\0\0", "not an IDX file"),
        ],
    )
    def test_in_a_damaged_idx_file_are_refused(self, tmp_path, content, complaint):
        (tmp_path / "my-images-idx3-ubyte").write_bytes(content)
        (tmp_path / "my-labels-idx1-ubyte").write_bytes(idx(self.labels))
        with pytest.raises(DataError, match=complaint):
            read_samples(tmp_path / "my-images-idx3-ubyte")

    def test_without_their_labels_are_refused(self, tmp_path):
        (tmp_path / "my-images-idx3-ubyte").write_bytes(idx(self.images))
        with pytest.raises(DataError, match="my-labels-idx1-ubyte: no such file"):
            read_samples(tmp_path / "my-images-idx3-ubyte")


class TestNames:
    def test_mnist_test_is_the_official_set(self):
        samples = read_samples("mnist-test")
        assert len(samples) == 10_000
        assert [sample.label for sample in samples[:5]] == [7, 2, 1, 0, 4]
        assert np.shape(samples[0].image) == (28, 28)

    def test_an_unknown_one_is_told_what_there_is(self):
        with pytest.raises(
            DataError, match="no such file or folder; sets known by name: mnist-test, samples"
        ):
            read_samples("mnist-train")

    def test_a_file_of_another_kind_is_refused(self, tmp_path):
        Image.new("L", (9, 9)).save(tmp_path / "7.png")
        with pytest.raises(DataError, match=r"7\.png: not a folder, an \.npz file or"):
            read_samples(tmp_path / "7.png")


class TestOurOwnPictures:
    def test_can_all_be_opened(self):
        for sample in read_samples("samples"):
            assert DigitImage.open(sample.image).pixels.size

    def test_show_every_digit_several_times_and_little_else(self):
        count = Counter(sample.label for sample in read_samples("samples"))
        assert sum(count.values()) >= 36
        assert all(count[digit] >= 4 for digit in range(10))
        assert 3 <= count[None] <= 4

    def test_are_all_in_the_table_with_a_reason_for_each_refusal(self):
        with (REPOSITORY_SAMPLES / "labels.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        pictures = {entry.name for entry in REPOSITORY_SAMPLES.iterdir() if entry.is_file()}
        pictures -= {"labels.csv", "SOURCES.md", "make_samples.py", "pictures.py"}
        assert pictures == {row["file"] for row in rows}
        assert all(bool(row["reason"]) == (row["label"] == "none") for row in rows)

    def test_stay_small(self):
        sizes = [Path(str(sample.image)).stat().st_size for sample in read_samples("samples")]
        assert max(sizes) <= 200_000
        assert sum(sizes) <= 3_000_000


class TestWhatIsLeftOut:
    def test_of_folders_is_counted_and_named(self, tmp_path, caplog):
        for name in ("3/x.png", "3/.hidden", "3/notes.txt", "3/deeper/y.png", ".cache/w.png", "z.png"):
            (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name).write_bytes(b"never opened")
        assert [sample.label for sample in read_samples(tmp_path)] == [3, 3]
        assert caplog.messages == [
            f"{tmp_path}: skipped 1 file that is no picture (.txt), 1 hidden file or folder",
            f"{tmp_path}: left out 2 (hidden, or not in a folder 0 to 9): .cache, z.png",
        ]


class TestTheNameSamples:
    def test_is_a_folder_of_that_name_where_there_is_one(self, tmp_path, caplog, monkeypatch):
        (tmp_path / "samples").mkdir()
        table(tmp_path / "samples", "file,label\na.png,1\nb.png,2\n")
        monkeypatch.chdir(tmp_path)
        assert [sample.label for sample in read_samples("samples")] == [1, 2]
        assert caplog.messages == [
            f"samples: the folder {tmp_path / 'samples'} is meant, not the set of that name"
        ]

    def test_of_a_plain_install_is_the_folder_beside_it_or_an_error_that_says_so(self, tmp_path, monkeypatch):
        monkeypatch.setattr(
            "digitrec.comparison.datasets.loader.resources.files", lambda _: tmp_path / "site" / "digitrec"
        )
        monkeypatch.chdir(tmp_path)
        with pytest.raises(DataError, match="there is no folder of that name here, and the set of that name"):
            read_samples("samples")
        monkeypatch.chdir(REPOSITORY_SAMPLES.parent)
        assert len(read_samples("samples")) > 36


class TestTheSetOfTheClone:
    def test_is_found_from_anywhere_in_a_clone_when_the_package_is_elsewhere(
        self, tmp_path, monkeypatch, caplog
    ):
        for name in ("clone/digitrec/cli.py", "clone/samples/labels.csv", "clone/samples/a.png"):
            (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name).write_text("file,label\na.png,7\n" if name.endswith("csv") else "")
        installed = tmp_path / "site-packages" / "digitrec"
        monkeypatch.setattr("digitrec.comparison.datasets.loader.resources.files", lambda name: installed)
        (tmp_path / "clone" / "docs").mkdir()
        monkeypatch.chdir(tmp_path / "clone" / "docs")
        assert [sample.label for sample in read_samples("samples")] == [7]
        assert caplog.messages[0].endswith(f"so the set {tmp_path / 'clone' / 'samples'} is meant")
        caplog.clear()
        monkeypatch.chdir(tmp_path / "clone")
        assert [sample.label for sample in read_samples("samples")] == [7]
        assert not caplog.messages  # the folder here is that very set
        monkeypatch.chdir(tmp_path)
        with pytest.raises(DataError, match="go into the clone"):
            read_samples("samples")
