"""``digitrec serve --collect``: visitors' labels become labelled folders; the owner reviews them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from digitrec.comparison.datasets.loader import read_samples
from digitrec.web import collected as collecting
from digitrec.web.collected import LABELS, Collection
from digitrec.web.settings import Settings

from .fakes import png, serving

OWNER = {"x-owner-key": "mine"}
SEVEN, BLANK = png(), png(blank=True)
often = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@contextmanager
def collecting_in(folder: Path) -> Iterator[TestClient]:
    """Return a client of a server that keeps the visitors' labels in this folder."""
    with serving(settings=Settings(collect=folder, owner_key="mine")) as client:
        yield client


def label(client: TestClient, digit: object, picture: bytes = SEVEN) -> int:
    return client.post("/label", params={"digit": str(digit)}, content=picture).status_code


def waiting(client: TestClient) -> list[str]:
    found = client.get("/collected", headers=OWNER).json()["pictures"]
    return [one["name"] for one in found]


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
    assert labels_in(tmp_path / "new") == [3, None]


@pytest.mark.parametrize("digit", ["", "10", "seven", "../7", "-1", "None"])
@pytest.mark.parametrize("picture", [SEVEN, b"no picture"])
def test_other_labels_and_other_files_are_refused(tmp_path: Path, digit: str, picture: bytes) -> None:
    with collecting_in(tmp_path) as client:
        assert label(client, digit, picture) == 422
        assert label(client, 7, b"no picture") == 422
        assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
        assert label(client, "none", BLANK) == 200
    assert labels_in(tmp_path / "new") == [None]


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
    assert collecting.NAME.fullmatch(file.name)


def test_when_it_is_full_no_more_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MAX_PICTURES", 2)
    with collecting_in(tmp_path) as client:
        statuses = [label(client, 7, png((60 + n, 60))) for n in range(3)]
    with collecting_in(tmp_path) as client:  # earlier pictures count
        statuses.append(label(client, 7, png((80, 60))))
        client.put(f"/collected/{waiting(client)[0]}?accept=false", headers=OWNER)
        statuses.append(label(client, 7, png((80, 60))))
    assert statuses == [200, 200, 507, 507, 200]


def test_the_owner_sees_accepts_or_deletes(tmp_path: Path) -> None:
    with collecting_in(tmp_path) as client:
        for digit, width in ((7, 60), (3, 70), (7, 80)):
            label(client, digit, png((width, 60)))
        first = client.get("/collected", headers=OWNER).json()["pictures"][0]
        assert first["label"] == "3"
        shown = client.get(f"/collected/{first['name']}", headers=OWNER)
        assert Image.open(io.BytesIO(shown.content)).size == (70, 60)
        wrong, *right = waiting(client)
        decisions = [(wrong, "false"), *((name, "true") for name in right), (wrong, "true")]
        decided = [
            client.put(f"/collected/{name}?accept={accept}", headers=OWNER) for name, accept in decisions
        ]
        assert [answer.status_code for answer in decided] == [204, 204, 204, 404]
        label(client, 1, png((60, 60)))  # accepted pictures stay
        assert waiting(client) == []
    assert labels_in(tmp_path / "accepted") == [7, 7]


@pytest.mark.parametrize("key", [{}, {"x-owner-key": "guess"}, {"x-owner-key": ""}, {"x-api-key": "mine"}])
@pytest.mark.parametrize("configured", ["mine", None])
def test_only_the_owner_sees_and_decides(tmp_path: Path, key: dict[str, str], configured: str | None) -> None:
    with serving(settings=Settings(collect=tmp_path, owner_key=configured)) as client:
        label(client, 7)
        one = f"/collected/{next(tmp_path.rglob('*.png')).name}"
        for method, path in [("GET", "/collected"), ("GET", one), ("PUT", f"{one}?accept=false")]:
            assert client.request(method, path, headers=key).status_code == 401
    assert labels_in(tmp_path / "new") == [7]


def test_guesses_of_the_owners_key_are_slowed_down(tmp_path: Path) -> None:
    careful = Settings(collect=tmp_path, owner_key="mine", wrong_keys=3, wrong_keys_per_s=0.01)
    with serving(settings=careful) as client:
        for headers, status in (({}, 401), (OWNER, 200)):  # neither no key nor the right key is a guess
            assert {client.get("/collected", headers=headers).status_code for _ in range(5)} == {status}
        guesses = [client.get("/collected", headers={"x-owner-key": f"{n}"}).status_code for n in range(5)]
        assert guesses == [401, 401, 401, 429, 429]
        answer = client.get("/collected", headers=OWNER)
        assert answer.status_code == 429 and 90 <= int(answer.headers["retry-after"]) <= 100


@given(name=st.text() | st.sampled_from(["..", "../secret.png", "..%2fsecret.png", "\0", "*", "**/*.png"]))
@often
def test_no_name_reaches_another_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.png").write_bytes(SEVEN)
    kept = Collection(tmp_path)
    assert kept.picture(name) is None
    assert kept.decide(name, accept=True) is kept.decide(name, accept=False) is False
    assert (tmp_path / "secret.png").exists()


@given(picture=st.integers(0, 3), label=st.sampled_from(LABELS))
@often
def test_collected_pictures_keep_their_labels(tmp_path: Path, picture: int, label: str) -> None:
    kept = Collection(tmp_path)
    size = (20, 20 + picture)
    assert kept.add(Image.new("L", size, 255), label)
    shown = {one.name: Image.open(io.BytesIO(kept.picture(one.name) or b"")) for one in kept.waiting()}
    (found,) = (one for one in kept.waiting() if shown[one.name].size == size)
    assert found.label == label
