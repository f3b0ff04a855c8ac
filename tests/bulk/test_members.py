"""Archives: what lies in them is read from the middle, and damage is told."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitrec.bulk.members import Member, members, unpacked
from digitrec.errors import DataError, ImageError
from digitrec.image.folders import Skipped

CONTENT = {
    "a.png": b"first" * 50,
    "b/c.JPG": b"second",
    "b/\xe9 \u6f22.png": b"",
    "notes.txt": b"x",
    ".h.png": b"h",
}


def tar(form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in CONTENT.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return out.getvalue()


def zipped(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.mkdir("b")
        for name, data in CONTENT.items():
            archive.writestr(name, data)
    return out.getvalue()


ARCHIVES = {
    "pax.tar": tar(),
    "gnu.tar": tar(tarfile.GNU_FORMAT),
    "ustar.tar": tar(tarfile.USTAR_FORMAT),
    "stored.zip": zipped(zipfile.ZIP_STORED),
    "deflated.ZIP": zipped(),
    "begun.zip": b"#!/bin/sh\n" + zipped(),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_the_pictures_are_found_and_read_in_any_order(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(ARCHIVES[name])
    skipped = Skipped()
    found = list(members(str(file), skipped))
    assert [member.path for member in found] == ["a.png", "b/c.JPG", "b/\xe9 \u6f22.png"]
    assert [member.read() for member in reversed(found)] == [b"", b"second", b"first" * 50]
    assert found[0].name == f"{file}/a.png"
    assert found[0].read(7) == b"firstfi"
    assert skipped.words() == ["1 file that is no picture (.txt)", "1 hidden file or folder"]
    assert len(list(members(str(file), Skipped(), hidden=True))) == 4


PACKED = {
    "a.tar.gz": gzip.compress(tar()), "b.TGZ": gzip.compress(tar(tarfile.GNU_FORMAT)),
    "c.tar.bz2": bz2.compress(tar()), "d.txz": lzma.compress(tar(tarfile.USTAR_FORMAT)),
}  # fmt: skip


@pytest.mark.parametrize("name", PACKED)
def test_a_tar_compressed_as_a_whole_is_read_once_and_then_in_any_order(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(PACKED[name])
    skipped = Skipped()
    with (tmp_path / "store").open("wb") as store:
        found = list(unpacked(str(file), store, skipped))
    file.unlink()
    assert [member.read() for member in reversed(found)] == [b"", b"second", b"first" * 50]
    assert [member.name for member in found] == [f"{file}/{path}" for path in list(CONTENT)[:3]]
    assert skipped.words() == ["1 file that is no picture (.txt)", "1 hidden file or folder"]


def test_of_a_picture_larger_than_any_no_more_is_kept_than_tells_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitrec.bulk.members.MAX_FILE_BYTES", 99)
    (tmp_path / "a.tgz").write_bytes(PACKED["a.tar.gz"])
    with (tmp_path / "store").open("wb") as store:
        found = list(unpacked(str(tmp_path / "a.tgz"), store, Skipped()))
        assert (found[0].stored, store.tell()) == (100, 106)


@given(st.sampled_from(sorted(PACKED)), st.data())
def test_damage_in_what_is_compressed_as_a_whole_is_told(name: str, data: st.DataObject) -> None:
    damaged = bytearray(PACKED[name])
    for _ in range(data.draw(st.integers(0, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.write_bytes(damaged[:cut] if data.draw(st.booleans()) else damaged)
        with Path(folder, "store").open("wb") as store:
            try:
                found = list(unpacked(str(file), store, Skipped()))
            except DataError as error:
                assert name in str(error)
                return
        assert all(len(member.read()) == member.stored for member in found)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_is_compressed_otherwise_is_one_row_each(tmp_path: Path, method: int) -> None:
    file = tmp_path / "odd.zip"
    file.write_bytes(zipped(method))
    first = next(members(str(file), Skipped()))
    with pytest.raises(ImageError, match=r"odd\.zip/a\.png: cannot be read \(encrypted, or"):
        first.read()


def test_an_archive_that_is_gone_or_was_changed_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(zipped(zipfile.ZIP_STORED))
    found = list(members(str(file), Skipped()))
    file.write_bytes(file.read_bytes().replace(b"second", b"sekond"))
    with pytest.raises(ImageError, match="damaged"):
        found[1].read()
    file.unlink()
    with pytest.raises(ImageError, match="no such file"):
        found[1].read()


@given(st.sampled_from(sorted(ARCHIVES)), st.data())
def test_damaged_archives_give_members_or_an_error_of_ours(name: str, data: st.DataObject) -> None:
    damaged = bytearray(ARCHIVES[name])
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, name)
        file.write_bytes(damaged if data.draw(st.booleans()) else damaged[:cut])
        found: list[Member] = []
        try:
            found += members(str(file), Skipped())
        except DataError as error:
            assert name in str(error)
        for member in found:
            try:
                assert len(member.read(1000)) <= 1000
            except ImageError as error:
                assert name in str(error)
