"""Digits of other countries: found in their folders, whole writers held out."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitrec.errors import DataError
from digitrec.lab.datasets import pendigits, world


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
    assert np.array_equal(seven[1], [[0, 0], [0, 100]])


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
    (world_folder / pendigits.NAME).write_text('.SEGMENT DIGIT 0 ? "3"')
    with pytest.raises(DataError, match="https://archive"):
        world.turkish("learned")


def test_the_published_file_needs_its_checksum(world_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        f'.SEGMENT DIGIT 0 ? "{label}"\n.COMMENT {label} {who} 1\n.PEN_DOWN\n0 9\n0 0\n.PEN_UP'
        for label, who in ((3, 1), (5, 5))
    ]
    (world_folder / pendigits.NAME).write_text("\n".join(lines))
    monkeypatch.setattr(pendigits, "SHA256", hashlib.sha256("\n".join(lines).encode()).hexdigest())
    assert world.turkish("learned").labels.tolist() == [3]
    held_back = world.turkish("held back")
    assert (held_back.labels.tolist(), held_back.writers.tolist()) == ([5], ["tr005"])
