"""``digitrec serve --collect``: visitors' labels become a labelled folder."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from PIL import Image

from digitrec.comparison.datasets.loader import read_samples
from digitrec.web import collected as collecting
from digitrec.web.settings import Settings

from .fakes import png, serving

SEVEN = png()
often = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@contextmanager
def collecting_in(folder: Path) -> Iterator[TestClient]:
    """Return a client of a server that keeps the visitors' labels in this folder."""
    with serving(settings=Settings(collect=folder)) as client:
        yield client


def label(client: TestClient, digit: object, picture: bytes = SEVEN) -> int:
    return client.post("/label", params={"digit": str(digit)}, content=picture).status_code


def labels_in(folder: Path) -> list[int | None]:
    return [sample.label for sample in read_samples(folder)]


def test_nothing_is_kept_unless_the_operator_says_so() -> None:
    with serving() as client:
        assert client.get("/providers").json()["collects"] is False
        for path in ("/label?digit=7", "/collected", "/review"):
            assert client.post(path, content=SEVEN).status_code == 404


def test_labelled_pictures_are_a_labelled_folder_with_each_picture_once(tmp_path: Path) -> None:
    with collecting_in(tmp_path) as client:
        assert client.get("/providers").json()["collects"] is True
        assert client.post("/label?digit=3", content=SEVEN).json() == {"label": "3"}
        assert [label(client, digit, png((90, 60))) for digit in (3, 7, "none")] == [200] * 3
    assert labels_in(tmp_path) == [3, None]


@pytest.mark.parametrize("digit", ["", "10", "seven", "../7", "-1", "None"])
@pytest.mark.parametrize("picture", [SEVEN, b"no picture"])
def test_other_labels_and_other_files_are_refused(tmp_path: Path, digit: str, picture: bytes) -> None:
    with collecting_in(tmp_path) as client:
        assert label(client, digit, picture) == 422
        assert label(client, 7, b"no picture") == 422
        assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_only_pixels_and_the_label_are_kept(tmp_path: Path) -> None:
    data, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "a camera of mine"
    Image.open(io.BytesIO(png((1400, 700)))).save(data, "JPEG", exif=exif)
    with collecting_in(tmp_path) as client:
        client.post("/label?digit=7", content=data.getvalue(), headers={"user-agent": "my browser"})
    (file,) = (file for file in tmp_path.rglob("*") if file.is_file())
    assert b"a camera of mine" not in file.read_bytes()
    with Image.open(file) as kept:
        assert kept.size == (512, 256)


def test_when_it_is_full_no_more_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MAX_PICTURES", 2)
    with collecting_in(tmp_path) as client:
        statuses = [label(client, 7, png((60 + n, 60))) for n in range(3)]
    with collecting_in(tmp_path) as client:  # earlier pictures count
        statuses.append(label(client, 7, png((80, 60))))
    assert statuses == [200, 200, 507, 507]
