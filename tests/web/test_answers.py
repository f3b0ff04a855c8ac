"""`digitrec review`: doubtful answers become a labelled folder, one at a time."""

import io
import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import digitrec
from digitrec.answer import Answer, Candidate, Outcome, SheetOutcome
from digitrec.comparison.datasets.loader import read_numbers, read_samples
from digitrec.emulator.kit import FakeProvider
from digitrec.errors import DataError
from digitrec.image import atomic, frames
from digitrec.lab.datasets.digits import in_form
from digitrec.web.answers import Answers
from digitrec.web.problems import Problem
from digitrec.web.settings import Settings

from .fakes import serving

OWNER = {"x-owner-key": "mine"}
WORDS = (
    Candidate("12", 0.99, (50, 50, 90, 80)), Candidate("7.50", 0.6, (200, 50, 280, 80)),
    Candidate("12:30", 0.3, (200, 150, 300, 180)), Candidate("8", 1.0), Candidate("9", 0.99),
)  # fmt: skip


@pytest.fixture
def page(tmp_path: Path) -> Path:
    Image.new("L", (400, 300), 250).save(tmp_path / "page.png")
    return tmp_path / "page.png"


@pytest.fixture
def sheets(page: Path) -> Path:
    """Save the answers about a page with a sure number and two doubtful ones, and about no picture."""
    images = [page, page.with_name("missing.png")]
    return written(digitrec.read_many(images, FakeProvider([Answer(WORDS)])), page.with_name("answers.jsonl"))


def written(found: list[Outcome] | list[SheetOutcome], file: Path) -> Path:
    file.write_text("".join(json.dumps(one.as_dict()) + "\n" for one in found))
    return file


def is_gone(answers: Answers, name: str) -> bool:
    """Return whether an answer can be neither shown nor labelled."""
    for ask in (answers.picture, partial(answers.decide, accept=True, label="1")):
        with pytest.raises(Problem, match="not-found"):
            ask(name)
    return True


def put(server: TestClient, name: str, label: str, accept: bool = True) -> int:
    params = {"accept": str(accept).lower(), "label": label}
    return server.put(f"/collected/{name}", params=params, headers=OWNER).status_code


def test_corrections_become_a_folder_to_benchmark(sheets: Path, tmp_path: Path) -> None:
    out = tmp_path / "labelled"
    with serving(settings=Settings(owner_key="mine", answers=Answers(sheets, out, 0.95))) as server:
        assert server.get("/collected").status_code == 401
        shown = server.get("/collected", headers=OWNER).json()["pictures"]
        assert [one["label"] for one in shown] == ["12:30", "7.50"], "the least sure first"
        picture = server.get(f"/collected/{shown[1]['name']}", headers=OWNER)
        assert picture.headers["content-type"] == "image/png"
        for label in ("seven", "", "7 eighty"):
            assert put(server, shown[1]["name"], label) == 422
        assert put(server, "other.png", "7") == 404
        assert put(server, shown[1]["name"], " 7.80 12") == 204
        assert put(server, shown[1]["name"], "7") == 404, "it was decided"
        for _ in range(2):  # also what another page has decided
            assert put(server, shown[0]["name"], "", accept=False) == 204
        assert server.get("/collected", headers=OWNER).json() == {"pictures": []}
    (sample,) = read_numbers(str(out))
    assert (sample.texts, sample.group) == (("7.80", "12"), str(tmp_path / "page.png"))
    with Image.open(str(sample.image)) as crop:
        assert crop.size == (104, 54), "the number and a margin"
    again = Answers(sheets, out, 0.95)
    assert [one.label for one in again.waiting()] == ["12:30"], "what was passed over comes again"
    again.decide(again.waiting()[0].name, accept=True, label="none")
    whole = Answers(sheets, out, 1.0)
    whole.decide(next(one.name for one in whole.waiting() if one.label == "8 9"), accept=True, label="8 10")
    assert sorted(sample.texts for sample in read_numbers(str(out))) == [(), ("7.80", "12"), ("8", "10")]
    assert Answers(sheets, out, 0.95).left == 0
    sheets.write_text(sheets.read_text(), "utf-16")  # as PowerShell writes it
    assert [one.label for one in Answers(sheets, tmp_path / "new", 0).waiting()] == ["12:30"], "has no value"


def test_several_numbers_of_a_field_are_several_labels(page: Path, tmp_path: Path) -> None:
    (sheet,) = digitrec.read_many([page], FakeProvider([Answer(WORDS[1:2])]))
    (number,) = sheet.numbers
    several = replace(number, text="12 407", value=None, reason="more than one number")
    empty = replace(number, text="", value=None, box=(20, 50, 100, 80), reason="no number")
    off = replace(empty, box=None)
    file = written([replace(sheet, numbers=(several, empty, off))], tmp_path / "answers.jsonl")
    answers = Answers(file, tmp_path / "out", 0.95)
    for one in answers.waiting():
        assert Image.open(io.BytesIO(answers.picture(one.name))).size == (80, 30), "without its neighbours"
        answers.decide(one.name, accept=True, label=None)
    assert sorted(sample.texts for sample in read_numbers(str(tmp_path / "out"))) == [(), ("12", "407")]


def test_each_region_of_a_picture_is_reviewed_alone(page: Path, tmp_path: Path) -> None:
    engine, regions = FakeProvider([Answer((Candidate("8", 0.3),))] * 2), [(0, 0, 90, 60), (0.5, 0, 1, 1)]
    found = [sheet for part in regions for sheet in digitrec.read_many([page], engine, region=part)]
    answers = Answers(written(found, tmp_path / "answers.jsonl"), tmp_path / "out", 0.95)
    pictures = [Image.open(io.BytesIO(answers.picture(one.name))) for one in answers.waiting()]
    assert [picture.size for picture in pictures] == [(90, 60), (200, 300)]


def test_digits_become_a_folder_to_train_on(page: Path, tmp_path: Path) -> None:
    found = digitrec.predict_many([page, page], FakeProvider(["7", Answer((Candidate("3", 0.2),))]))
    found[0] = replace(found[0], confidence=0.3, asked=(replace(found[0], calibrated=0.97),))
    answers = Answers(written(found, tmp_path / "digits.jsonl"), tmp_path / "out", 0.95)
    (one,) = answers.waiting()
    with pytest.raises(Problem, match="12"):
        answers.decide(one.name, accept=True, label="12")
    answers.decide(one.name, accept=True, label=None)
    assert [sample.label for sample in read_samples(tmp_path / "out")] == [int(one.label)] == [3]


def test_a_digits_copy_counts_as_the_photo_when_it_was_learned(tmp_path: Path) -> None:
    photo, answers = tmp_path / "photo.jpg", tmp_path / "digits.jsonl"
    Image.open(Path(__file__).parents[2] / "samples/photo-pen.jpg").resize((2100, 2800)).save(photo)
    written(digitrec.predict_many([photo], FakeProvider([Answer((Candidate("3", 0.2),))])), answers)
    review = Answers(answers, tmp_path / "out", 0.95)
    review.decide(review.waiting()[0].name, accept=True, label=None)
    (copy,) = (tmp_path / "out").rglob("*.png")
    assert np.array_equal(in_form(copy), in_form(photo))


def test_a_picture_that_was_changed_is_not_labelled(sheets: Path, page: Path, tmp_path: Path) -> None:
    answers = Answers(sheets, tmp_path / "out", 0.95)
    Image.new("L", (400, 300), 10).save(page)
    name = answers.waiting()[0].name
    assert is_gone(answers, name)
    answers.decide(name, accept=False, label=None)
    assert answers.left == 1 and not (tmp_path / "out" / "labels.csv").exists()


def test_a_page_that_was_removed_from_its_file_is_not_labelled(page: Path, tmp_path: Path) -> None:
    scan, blank = tmp_path / "scan.tif", Image.new("L", (60, 60), 250)
    blank.save(scan, save_all=True, append_images=[blank])
    found = digitrec.predict_many(frames(scan), FakeProvider(["7"]))
    answers = Answers(written(found[1:], tmp_path / "digits.jsonl"), tmp_path / "out", 1.0)
    (one,) = answers.waiting()
    assert answers.picture(one.name)
    blank.save(scan)
    assert is_gone(answers, one.name)


@pytest.mark.parametrize("line", ["nothing", "[]", "{}", '{"numbers": 3}', '{"image": {"source": "x"}}'])
def test_another_file_is_an_error_that_names_the_line(sheets: Path, tmp_path: Path, line: str) -> None:
    sheets.write_text(sheets.read_text() + line + "\n")
    with pytest.raises(DataError, match="line 3"):
        Answers(sheets, tmp_path / "out", 0.95)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_labels_is_an_error(sheets: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"file,label\n\xff")
    with pytest.raises(DataError, match=r"labels\.csv"):
        Answers(sheets, tmp_path, 0.95)


@pytest.mark.parametrize("saved", [
    b"file,text,group\r\nold.png,7,\r\n", "\ufefffile,text,group\nold.png,7,".encode(),
    "file,text,group\nold.png,7,café".encode("cp1252"),
])  # fmt: skip
def test_labels_that_an_editor_saved_again_are_continued(sheets: Path, tmp_path: Path, saved: bytes) -> None:
    (tmp_path / "labels.csv").write_bytes(saved)
    answers, other = (Answers(sheets, tmp_path, 0.95) for _ in range(2))
    for one, label in zip(other.waiting(), ("12", "142 750"), strict=True):
        answers.decide(one.name, accept=True, label=label)
        with pytest.raises(Problem, match="another review"):
            other.decide(one.name, accept=True, label="14")
        answers, other = other, answers
    content = (tmp_path / "labels.csv").read_bytes()
    assert content.startswith(saved)
    assert [line.split(b",")[1] for line in content.splitlines()] == [b"text", b"7", b"12", b"142", b"750"]


@pytest.mark.parametrize("before", ["file,text,group\n", None])
def test_a_label_that_another_review_writes_meanwhile_is_kept(
    sheets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    if before is not None:
        (tmp_path / "labels.csv").write_text(before)
    ours, other = (Answers(sheets, tmp_path, 0.95) for _ in range(2))
    first, second = ours.waiting()

    def write(file: Path, content: bytes) -> None:
        monkeypatch.undo()
        other.decide(second.name, accept=True, label="13")
        file.write_bytes(content)

    monkeypatch.setattr(atomic, "write", write)
    ours.decide(first.name, accept=True, label="12")
    assert sorted(sample.texts for sample in read_numbers(str(tmp_path))) == [("12",), ("13",)]


def test_a_table_or_folder_that_cannot_be_continued_is_told(sheets: Path, tmp_path: Path) -> None:
    answers = Answers(sheets, tmp_path / "out", 0.95)
    name = answers.waiting()[0].name
    with serving(settings=Settings(owner_key="mine", answers=answers)) as server:
        (tmp_path / "out" / "labels.csv").write_text("file;text;group\n")
        assert put(server, name, "12") == 409
        shutil.rmtree(tmp_path / "out")
        assert put(server, name, "12") == 409
    assert answers.left == 2


@pytest.mark.parametrize("key", [{}, {"x-owner-key": "guess"}, {"x-owner-key": ""}, {"x-api-key": "mine"}])
@pytest.mark.parametrize("configured", ["mine", ""])
def test_only_the_key_decides(sheets: Path, tmp_path: Path, key: dict[str, str], configured: str) -> None:
    answers = Answers(sheets, tmp_path / "out", 0.95)
    one = f"/collected/{answers.waiting()[0].name}"
    with serving(settings=Settings(owner_key=configured, answers=answers)) as server:
        for method, path in [("GET", "/collected"), ("GET", one), ("PUT", f"{one}?accept=false")]:
            assert server.request(method, path, headers=key).status_code == 401
    assert answers.left == 2


@given(name=st.text() | st.sampled_from(["..", "../page.png", "..%2fpage.png", "\0", "*", "**/*.png"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_name_reaches_another_file(sheets: Path, tmp_path: Path, name: str) -> None:
    assert is_gone(Answers(sheets, tmp_path / "out", 0.95), name)
