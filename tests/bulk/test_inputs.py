"""Inputs: every entry of a list or an archive is read, or becomes an error that names it."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitrec.bulk import job
from digitrec.bulk.inputs import Item, _member, expand, listed, members
from digitrec.errors import DataError, ImageError
from digitrec.image import DigitImage
from digitrec.image.files import MAX_FILE_BYTES, Frame, Skipped, read

TEXT = st.text(st.characters(exclude_categories=()))


@given(st.lists(TEXT | st.builds(Frame, st.binary(), st.none(), TEXT, st.text()), min_size=1, max_size=20))
def test_the_items_of_a_plan_come_back(items: list[Item]) -> None:
    with tempfile.TemporaryDirectory() as folder, job.opened(Path(folder, "out.csv")) as run:
        run.begin(items, {}, processes=2)
        assert [item for task in run.undone({}) for item in task.images] == items


@pytest.mark.parametrize("end", [b"\n", b"\0"])
@given(data=st.data())
def test_any_name_survives_a_list(end: bytes, data: st.DataObject) -> None:
    excluded = {0, 10, 13} if end == b"\n" else {0}
    name = st.binary(min_size=1).filter(lambda name: not excluded & set(name))
    names = [b"./first", *data.draw(st.lists(name))]
    found = listed(b"".join(name + end for name in names))
    assert [name.encode("utf-8", "surrogateescape") for name in found] == names


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_is_read_in_its_encoding(encoding: str, end: str) -> None:
    names = ["scans/sieben.png", "手/七.png", *(f"{number}.png" for number in range(20_000))]
    mark = "\ufeff" if encoding[-3:] in ("-le", "-be") else ""
    assert listed((mark + end.join(names) + end).encode(encoding)) == names


def test_a_list_that_is_cut_off_in_utf_16_is_refused() -> None:
    with pytest.raises(DataError, match="UTF-16"):
        listed("a.png\n".encode("utf-16")[:-1])


@given(st.lists(TEXT, max_size=5))
def test_any_argument_is_planned_or_refused(arguments: list[str]) -> None:
    try:
        assert all(isinstance(item, str | Frame) for item in expand(arguments, Skipped()))
    except DataError as error:
        assert str(error)


CONTENT = {
    "a.png": b"first" * 50, "b/c.JPG": b"second", "b/\xe9 \u6f22.png": b"", "notes.txt": b"x", ".h.png": b"h",
}  # fmt: skip


def tar(form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in CONTENT.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.mkdir("b")
        for name, data in CONTENT.items():
            archive.writestr(name, data)
    return out.getvalue()


ARCHIVES = {
    "pax.tar": tar(), "gnu.tar": tar(tarfile.GNU_FORMAT), "ustar.tar": tar(tarfile.USTAR_FORMAT),
    "stored.zip": zipped(zipfile.ZIP_STORED), "deflated.ZIP": zipped(),
    "begun.zip": b"#!/bin/sh\n" + zipped(), "debian.zip": zipped().replace(b"\x14\0\0\x08", b"\x14\0\0\0"),
}  # fmt: skip


PACKED = {
    "a.tar.gz": gzip.compress(tar()), "b.TGZ": gzip.compress(tar(tarfile.GNU_FORMAT)),
    "c.tar.bz2": bz2.compress(tar()), "d.txz": lzma.compress(tar(tarfile.USTAR_FORMAT)),
}  # fmt: skip


def packed(folder: Path, name: str, data: bytes) -> list[Frame]:
    file = folder / name
    file.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    return list(members(str(file), Skipped()))


@pytest.mark.parametrize("name", ARCHIVES | PACKED)
def test_the_pictures_are_found_and_read(tmp_path: Path, name: str) -> None:
    file, skipped = tmp_path / name, Skipped()
    file.write_bytes((ARCHIVES | PACKED)[name])
    found = list(members(str(file), skipped))
    assert [member.source for member in found] == [b"first" * 50, b"second", b""]
    assert [member.name for member in found] == [f"{file}/{path}" for path in list(CONTENT)[:3]]
    assert skipped.words() == ["1 .txt", "1 hidden"]


def test_a_damaged_member_costs_no_other(tmp_path: Path) -> None:
    found = packed(tmp_path, "x.zip", zipped(zipfile.ZIP_STORED).replace(b"second", b"sekond"))
    assert read(found[0]) == (b"first" * 50, found[0].name)
    assert not _member("large", lambda: io.BytesIO(bytes(MAX_FILE_BYTES + 1))).source
    with pytest.raises(ImageError, match=r"b/c\.JPG"):
        read(found[1])


@given(st.sampled_from(sorted(ARCHIVES | PACKED)), st.data())
def test_damaged_archives_give_members_or_an_error_of_ours(name: str, data: st.DataObject) -> None:
    damaged = bytearray((ARCHIVES | PACKED)[name])
    for _ in range(data.draw(st.integers(0, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    with tempfile.TemporaryDirectory() as folder:
        file, found = Path(folder, name), list[Frame]()
        file.write_bytes(damaged[:cut] if data.draw(st.booleans()) else damaged)
        try:
            found += members(str(file), Skipped())
        except DataError as error:
            assert name in str(error)
        for member in found:
            try:
                assert read(member)[0]
            except ImageError as error:
                assert name in str(error)


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", data: bytes = b"") -> bytes:
    """One entry of a tar: its header and its data, without an end mark."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, len(data)
    return info.tobuf(tarfile.GNU_FORMAT) + data + b"\0" * (-len(data) % tarfile.BLOCKSIZE)


END = b"\0" * 2 * tarfile.BLOCKSIZE
BROKEN = {
    "soft.png": (tarfile.SYMTYPE, "/etc/passwd"), "hard.png": (tarfile.LNKTYPE, "good.png"),
    "pipe.png": (tarfile.FIFOTYPE, ""), "odd.png": (b"M", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_entries_that_cannot_be_read_are_named(tmp_path: Path, name: str) -> None:
    data = b"".join(entry(path, kind, target) for path, (kind, target) in BROKEN.items())
    found = packed(tmp_path, name, entry("good.png", data=b"good") + data + END)
    assert [Path(member.name).name for member in found] == ["good.png", *BROKEN]
    for member in found[1:]:
        with pytest.raises(ImageError, match=member.name):
            read(member)


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
@pytest.mark.parametrize("cut", range(512, 2048, 512))
def test_a_tar_that_was_cut_off_or_has_one_behind_it_is_an_error(tmp_path: Path, name: str, cut: int) -> None:
    whole = entry("1.png", data=b"one") + entry("2.png", data=b"two")
    for data in (whole[:cut], whole + END + whole):
        with pytest.raises(DataError, match=name):
            packed(tmp_path, name, data)


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
@pytest.mark.parametrize("place", [148, 1024, 1024 + 148])
def test_a_damaged_header_does_not_end_the_archive_in_silence(tmp_path: Path, name: str, place: int) -> None:
    damaged = bytearray(entry("1.png", data=b"one") + entry("2.png", data=b"two") + END)
    damaged[place] ^= 0xFF
    with pytest.raises(DataError, match=name):
        packed(tmp_path, name, bytes(damaged))


@pytest.mark.parametrize("place", range(28, 34))
def test_a_damaged_directory_does_not_hide_members_of_a_zip(tmp_path: Path, place: int) -> None:
    """The lengths of the name, the extra field and the comment say where the next entry begins."""
    data = bytearray(zipped())
    data[data.index(b"PK\1\2") + place] ^= 0x10
    with contextlib.suppress(DataError):
        assert len(packed(tmp_path, "a.zip", bytes(data))) == 3


@pytest.mark.parametrize("name", ["a.tar", "a.zip", "a.tgz"])
def test_a_pipe_with_the_name_of_an_archive_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match=name):
        list(members(str(tmp_path / name), Skipped()))
    os.mkfifo(tmp_path / "7.png")
    (picture,) = expand([str(tmp_path / "7.png")], Skipped())
    with pytest.raises(ImageError, match="a pipe"):
        DigitImage.open(picture)  # type: ignore[arg-type]
