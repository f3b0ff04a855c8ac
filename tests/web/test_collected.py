"""``digitrec serve --collect``: what visitors label is kept as labelled folders, and the owner decides."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from digitrec.comparison.datasets.loader import read_samples
from digitrec.errors import DataError
from digitrec.web import collecting
from digitrec.web.collecting import LABELS, Collection
from digitrec.web.settings import Settings

from .fakes import local, paid, png, serving

OWNER = {"x-owner-key": "mine"}


@contextmanager
def collecting_in(folder: Path) -> Iterator[TestClient]:
    """A client of a server that keeps in this folder what visitors label."""
    with serving(local(), paid(), settings=Settings(collect=folder, owner_key="mine")) as client:
        yield client


def labels_in(folder: Path) -> list[int | None]:
    return [sample.label for sample in read_samples(folder)]


def test_nothing_is_kept_unless_the_operator_says_so() -> None:
    with serving() as client:
        assert client.get("/providers").json()["collects"] is False
        for path in ("/label?digit=7", "/collected", "/review"):
            assert client.post(path, content=png()).status_code == 404


def test_what_is_labelled_is_a_labelled_folder(tmp_path: Path) -> None:
    with collecting_in(tmp_path) as client:
        assert client.get("/providers").json()["collects"] is True
        assert client.post("/label?digit=3", content=png()).json() == {"label": "3"}
        assert client.post("/label?digit=none", content=png((90, 60))).status_code == 200
    assert labels_in(tmp_path / "new") == [3, None]


def test_a_blank_sheet_is_kept_as_no_digit_only(tmp_path: Path) -> None:
    blank = png(blank=True)
    with collecting_in(tmp_path) as client:
        answer = client.post("/label?digit=3", content=blank)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:digitrec:problem:blank-picture")
        assert client.post("/label?digit=none", content=blank).status_code == 200
    assert labels_in(tmp_path / "new") == [None]


def test_nothing_is_kept_but_pixels_label_and_readings(tmp_path: Path) -> None:
    data, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "a camera of mine"
    Image.open(io.BytesIO(png((1400, 700)))).save(data, "JPEG", exif=exif)
    with collecting_in(tmp_path) as client:
        client.post("/label?digit=7", content=data.getvalue(), headers={"user-agent": "my browser"})
    (file,) = (file for file in tmp_path.rglob("*") if file.is_file())
    assert b"a camera of mine" not in file.read_bytes()
    assert Image.open(io.BytesIO(file.read_bytes())).size == (512, 256)
    assert collecting.NAME.fullmatch(file.name) and file.name.endswith("_local-7.png")


def test_an_engine_that_costs_money_is_not_asked_about_it(tmp_path: Path) -> None:
    cloud = paid()
    with serving(local(), cloud, settings=Settings(collect=tmp_path)) as client:
        client.post("/label?digit=3", content=png())
    assert cloud.provider.calls == 0  # type: ignore[attr-defined]


def test_a_second_label_takes_the_place_of_the_first(tmp_path: Path) -> None:
    with collecting_in(tmp_path) as client:
        for digit in ("3", "7", "7"):
            client.post(f"/label?digit={digit}", content=png())
    assert labels_in(tmp_path / "new") == [7]


@pytest.mark.parametrize("digit", ["", "10", "seven", "../7", "-1", "None"])
def test_another_label_is_refused(tmp_path: Path, digit: str) -> None:
    with collecting_in(tmp_path) as client:
        assert client.post("/label", params={"digit": digit}, content=png()).status_code == 422
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    with collecting_in(tmp_path) as client:
        assert client.post("/label?digit=7", content=b"no picture").status_code == 422
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_labelling_wants_a_key_where_questions_do(tmp_path: Path) -> None:
    with serving(settings=Settings(collect=tmp_path, api_keys=("one",))) as client:
        assert client.post("/label?digit=7", content=png()).status_code == 401


def test_when_it_is_full_no_more_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "MAX_PICTURES", 2)
    with collecting_in(tmp_path) as client:
        answers = [client.post("/label?digit=7", content=png((60 + n, 60))).status_code for n in range(3)]
    with collecting_in(tmp_path) as client:  # what was kept before counts
        answers.append(client.post("/label?digit=7", content=png((80, 60))).status_code)
        name = client.get("/collected", headers=OWNER).json()["pictures"][0]["name"]
        client.put(f"/collected/{name}?accept=false", headers=OWNER)
        answers.append(client.post("/label?digit=7", content=png((80, 60))).status_code)
    assert answers == [200, 200, 507, 507, 200]


def test_the_owner_sees_first_where_engines_dissent(tmp_path: Path) -> None:
    with collecting_in(tmp_path) as client:
        for digit, width in (("7", 60), ("3", 70), ("7", 80)):
            client.post(f"/label?digit={digit}", content=png((width, 60)))
        found = client.get("/collected", headers=OWNER).json()["pictures"]
        assert (found[0]["label"], found[0]["said"]) == ("3", {"local": "7"})
        shown = client.get(f"/collected/{found[0]['name']}", headers=OWNER)
    assert Image.open(io.BytesIO(shown.content)).size == (70, 60)


def test_the_owner_accepts_or_throws_away(tmp_path: Path) -> None:
    with collecting_in(tmp_path) as client:
        for digit, width in (("7", 60), ("3", 70)):
            client.post(f"/label?digit={digit}", content=png((width, 60)))
        wrong, right = (one["name"] for one in client.get("/collected", headers=OWNER).json()["pictures"])
        decided = [
            client.put(f"/collected/{name}?accept={accept}", headers=OWNER).status_code
            for name, accept in ((wrong, "false"), (right, "true"), (right, "true"))
        ]
        assert decided == [204, 204, 404]
        client.post("/label?digit=1", content=png((60, 60)))  # what was accepted stays
        assert client.get("/collected", headers=OWNER).json() == {"pictures": []}
    assert labels_in(tmp_path / "accepted") == [7]


@pytest.mark.parametrize("key", [{}, {"x-owner-key": "guess"}, {"x-owner-key": ""}, {"x-api-key": "mine"}])
@pytest.mark.parametrize("configured", ["mine", None])
def test_nobody_else_sees_or_decides(tmp_path: Path, key: dict[str, str], configured: str | None) -> None:
    with serving(settings=Settings(collect=tmp_path, owner_key=configured)) as client:
        client.post("/label?digit=7", content=png())
        name = next(tmp_path.rglob("*.png")).name
        one = f"/collected/{name}"
        asked = [("GET", "/collected"), ("GET", one), ("PUT", f"{one}?accept=false")]
        for method, path in asked:
            assert client.request(method, path, headers=key).status_code == 401
    assert labels_in(tmp_path / "new") == [7]


def test_whoever_guesses_the_owners_key_is_slowed_down_and_not_told_which_is_right(tmp_path: Path) -> None:
    careful = Settings(collect=tmp_path, owner_key="mine", wrong_keys=3, wrong_keys_per_s=0.01)
    with serving(settings=careful) as client:
        assert [client.get("/collected").status_code for _ in range(5)] == [401] * 5  # none was guessed
        assert [client.get("/collected", headers=OWNER).status_code for _ in range(5)] == [200] * 5
        guesses = [client.get("/collected", headers={"x-owner-key": f"{n}"}).status_code for n in range(5)]
        assert guesses == [401, 401, 401, 429, 429]
        told = client.get("/collected", headers=OWNER)
        assert told.status_code == 429 and 90 <= int(told.headers["retry-after"]) <= 100


@given(name=st.text() | st.sampled_from(["..", "../secret.png", "..%2fsecret.png", "\0", "*", "**/*.png"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_reaches_another_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    kept = Collection(tmp_path)
    assert kept.picture(name) is None
    assert kept.decide(name, accept=True) is kept.decide(name, accept=False) is False
    assert (tmp_path / "secret.png").exists()


@given(
    picture=st.integers(0, 3), label=st.sampled_from(LABELS),
    said=st.dictionaries(st.from_regex("[a-z]+(-[a-z]+)?", fullmatch=True), st.sampled_from(LABELS)),
)  # fmt: skip
@example(0, "7", {f"engine-{chr(97 + number)}": "7" for number in range(26)})
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_kept_is_told_as_it_was(
    tmp_path: Path, picture: int, label: str, said: dict[str, str]
) -> None:
    kept = Collection(tmp_path)
    assert kept.add(Image.new("L", (20, 20 + picture), 255), label, said)
    (found,) = (one for one in kept.waiting() if kept.picture(one.name) == _png(20 + picture))
    assert found.label == label and found.said.items() <= said.items()
    if sum(len(engine) + len(word) + 2 for engine, word in said.items()) <= 200:
        assert found.said == said


def _png(height: int) -> bytes:
    data = io.BytesIO()
    Image.new("L", (20, height), 255).save(data, "PNG")
    return data.getvalue()


def test_a_folder_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="cannot be written to"):
        Collection(tmp_path / "file")
