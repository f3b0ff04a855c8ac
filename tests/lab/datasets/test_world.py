"""Digits of other countries: found in their folders, whole writers held out."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digitrec.errors import DataError
from digitrec.lab.datasets import world


def test_whole_writers_are_held_back_and_doubtful_labels_left_out(world_folder: Path) -> None:
    assert world.swiss("learned").labels.tolist() == [0, 4]
    assert world.swiss("held back").labels.tolist() == [1, 3, 5]
    assert world.turkish("learned").labels.tolist() == [4, 7]
    assert world.turkish("held back").labels.tolist() == [1]
    assert world.swiss("held back").writers.tolist() == ["0008", "0012", "0017"]
    assert world.turkish("learned").writers.tolist() == ["tr001", "tr002"]


def test_a_clone_of_the_scans_home_serves_as_well(world_folder: Path) -> None:
    for writer, label in (("0001_CH4M", 3), ("0008_CH3F", 5), ("0003_CH1M", 9)):
        place = world_folder / "numbers" / writer / str(label)
        place.mkdir(parents=True)
        pixels = np.full((30, 20, 4), (255, 255, 255, 0), np.uint8)
        pixels[5:25, 8:12] = (20, 30, 120, 255)
        Image.fromarray(pixels).save(place / "number-1.png")
    scans = world.swiss("learned")
    assert scans.writers.tolist() == ["0001"]
    assert scans.labels.tolist() == [3] and world.swiss("held back").labels.tolist() == [5]
    (scan,) = scans.images
    assert scan.shape == (64, 64) and scan[32, 32] > 220 and scan[32, 2] == scan[1, 32] == 0
    (world_folder / "numbers" / "0001_CH4M" / "3" / "number-1.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"number-1\.png: no picture"):
        world.swiss("learned")
    shutil.rmtree(world_folder / "numbers" / "0001_CH4M")
    with pytest.raises(DataError, match="0001"):
        world.swiss("learned")


def test_strokes_stay_with_their_digit_and_are_a_hundred_high(world_folder: Path) -> None:
    four, seven = world.turkish("learned").strokes
    assert [len(stroke) for stroke in four] == [3, 2] and len(seven) == 2
    assert np.array_equal(seven[1], [[60, 0], [20, 100]])


def test_missing_data_names_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGITREC_DATA", raising=False)
    with pytest.raises(DataError, match=r"set DIGITREC_DATA.*kensanata/numbers.*--data mnist-train"):
        world.swiss("learned")
    monkeypatch.setenv("DIGITREC_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"swiss_numbers\.npz: missing.*No such file"):
        world.swiss("learned")
    with pytest.raises(DataError, match=r"pendigits\.npz: missing.*archive\.ics\.uci\.edu"):
        world.turkish("learned")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short", "lacks arrays"])
def test_a_damaged_file_is_named(world_folder: Path, content: bytes | str) -> None:
    file = world_folder / "swiss_numbers.npz"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        np.savez(file, x=np.zeros(1, bool))
    with pytest.raises(DataError, match=r"swiss_numbers\.npz"):
        world.swiss("learned")


def test_the_published_file_is_taken_where_it_lies_but_no_other_of_that_name(world_folder: Path) -> None:
    (world_folder / world.PENDIGITS).write_text('.SEGMENT DIGIT 0 ? "3"')
    with pytest.raises(DataError, match="https://archive"):
        world.turkish("learned")


def test_the_published_file_needs_its_checksum(world_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f'.SEGMENT DIGIT 0 ? "{label}"\n.COMMENT {label} {who} 1\n.PEN_DOWN\n0 9\n0 0\n.PEN_UP'
             for label, who in ((3, 1), (5, 5))]  # fmt: skip
    (world_folder / world.PENDIGITS).write_text("\n".join(lines))
    monkeypatch.setattr(world, "PENDIGITS_SHA256", hashlib.sha256("\n".join(lines).encode()).hexdigest())
    assert world.turkish("learned").labels.tolist() == [3]
    held_back = world.turkish("held back")
    assert (held_back.labels.tolist(), held_back.writers.tolist()) == ([5], ["tr005"])


POSITION = st.integers(0, 500)
STROKES = st.lists(st.lists(st.tuples(POSITION, POSITION), min_size=1, max_size=9), min_size=1, max_size=4)


def file(digits: list[tuple[int, int, list[list[tuple[int, int]]]]]) -> str:
    """Write the digits (label, writer, strokes with y upwards) in the file's form."""
    lines = [".INCLUDE dene.doc", ".LEXICON", '"0" "1"', ".HIERARCHY DIGIT"]
    for number, (label, writer, strokes) in enumerate(digits):
        lines += [f'.SEGMENT DIGIT 0-{len(strokes)} ? "{label}"', f".COMMENT  {label}  {writer} {number}"]
        for stroke in strokes:
            lines += [".PEN_DOWN", *(f" {x:4d} {y:4d} " for x, y in stroke), ".PEN_UP", ".DT 100", ""]
    return "\n".join(lines)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 44), STROKES), max_size=4))
def test_every_digit_comes_back_with_its_label_its_writer_and_its_strokes(digits) -> None:
    found = world.parsed(file(digits))
    assert found.labels.tolist() == [label for label, _, _ in digits]
    assert found.writers.tolist() == [f"tr{who:03d}" for _, who, _ in digits]
    for one, (_, _, strokes) in zip(found.strokes, digits, strict=True):
        assert [len(stroke) for stroke in one] == [len(stroke) for stroke in strokes]
        points, as_written = np.concatenate(one), np.concatenate([np.array(s) for s in strokes])
        assert points.min() == 0
        scale = 100 / max(1, np.ptp(as_written, axis=0).max())
        assert np.allclose(np.diff(points, axis=0), scale * np.diff(as_written, axis=0) * (1, -1))
