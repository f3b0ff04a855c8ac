"""`digitrec read`: numbers on stdout, errors on stderr, and the exit code."""

import csv
import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import terminal
from PIL import Image, ImageDraw

from digitrec.answer import Answer, Candidate
from digitrec.emulator.kit import FakeProvider
from digitrec.providers import registry

WORDS = (
    Candidate("12", 0.99, (50, 50, 90, 80)), Candidate("7.50", 0.6, (200, 50, 280, 80)),
    Candidate("total", 0.9, (50, 150, 150, 180)), Candidate("12:30", 0.9, (200, 150, 300, 180)),
)  # fmt: skip


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, here: Path) -> FakeProvider:
    """Install an engine that reads `WORDS` everywhere; create two pictures and a broken file."""
    provider = FakeProvider([Answer(WORDS)], name="rapidocr")
    opened = registry.open_provider

    def open_provider(name: str, **given: Any) -> Any:
        return provider if name == "rapidocr" else opened(name, **given)

    monkeypatch.setattr(registry, "open_provider", open_provider)
    Image.new("L", (400, 300), 250).save("form.png")
    Image.new("L", (400, 300), 240).save("other.png")
    Path("broken.png").write_bytes(b"nothing of the kind")
    return provider


run = partial(terminal.run, "read", "--provider", "rapidocr")


def test_each_number_is_a_line_in_the_order_of_the_page(fake: FakeProvider) -> None:
    lines = run("form.png", code=0).stdout.splitlines()
    assert lines[0].startswith("form.png")
    rows = [line.split()[:3] for line in lines[2:]]
    assert rows == [["0", "0", "12"], ["0", "1", "7.50"], ["1", "1", "12:30"]]


def test_csv_marks_the_answers_of_an_emulator(fake: FakeProvider) -> None:
    marks = []
    for engine in (["-p", "rapidocr"], ["-p", "google", "--emulate"]):
        row = next(csv.DictReader(io.StringIO(terminal.run("read", "form.png", *engine, "-o", "csv").stdout)))
        marks.append((row["emulated"], row["replayed"]))
    assert marks == [("False", "False"), ("True", "False")]


def test_programs_get_csv_and_json_and_a_bad_picture_costs_the_others_nothing(fake: FakeProvider) -> None:
    done = run("form.png", "broken.png", "-o", "csv", code=1)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["source"], row["text"], row["value"]) for row in rows] == [
        ("form.png", "12", "12"), ("form.png", "7.50", "7.50"), ("form.png", "12:30", ""),
        ("broken.png", "", ""),
    ]  # fmt: skip
    assert (rows[0]["left"], rows[0]["bottom"], rows[2]["reason"]) == ("50.0", "80.0", "not one number")
    assert "broken.png" in done.stderr and "ImageError" in rows[3]["error"]


def test_the_options_reach_the_reading(fake: FakeProvider) -> None:
    (sheet,) = json.loads(run("form.png", "-o", "json", "--digits", "3-4", "--at-least", "0.7").stdout)
    assert [number["reason"] for number in sheet["numbers"]] == [
        "another number of digits", "not sure", "not one number"
    ]  # fmt: skip
    (sheet,) = json.loads(run("form.png", "-o", "json", "--region", "0.25,0,0.5,1", "--rotate", "90").stdout)
    assert (sheet["turned"], sheet["size"]) == (90, [300, 400])
    assert sheet["numbers"][0]["box"][0] == pytest.approx(75 + 50)
    assert fake.images[-1].size == (150, 400)


def test_the_overlay_marks_the_numbers(fake: FakeProvider) -> None:
    run("form.png", "--save-overlay", "seen.png", code=0)
    drawn = np.asarray(Image.open("seen.png").convert("RGB"), int)
    coloured = np.abs(drawn - drawn.mean(axis=2, keepdims=True)).max(axis=2) > 40
    assert coloured[50, 60:80].all() and coloured[165, 200] and not coloured[150:180, 60:140].any()
    run("form.png", "other.png", "--save-overlay", "seen", code=0)
    assert [file.name for file in sorted(Path("seen").iterdir())] == ["001-form.png", "002-other.png"]
    run("form.png", "--save-overlay", "form.png", code=2)


def test_an_overlay_without_boxes_is_named(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = FakeProvider([Answer((Candidate("12", 0.9),))], name="rapidocr")
    monkeypatch.setattr(registry, "open_provider", lambda name, **_: bare)
    assert "seen.png" in run("form.png", "--save-overlay", "seen.png", code=0).stderr


@pytest.mark.parametrize("wrong", [
    ["--digits", "0"], ["--digits", "6-3"], ["--digits", "four"], ["--digits", "3-"], ["--region", "1,2,3"],
    ["--region", "0,0,0,1"], ["--region", "0.5,0,0.6,1"], ["--region", "0,nan,1,1"], ["--digits", "9" * 20],
    ["--region", "0,0,inf,1"], ["--rotate", "45"], ["--prepare", "enlarged"], ["--at-least", "2"],
    ["--save-overlay", "seen.xbm"], ["--model", "x.tflite"],
])  # fmt: skip
def test_wrong_usage_is_an_error_before_anything_is_read(wrong: list[str], fake: FakeProvider) -> None:
    assert wrong[-1].partition(",")[0] in run("form.png", *wrong, code=2).stderr
    assert fake.calls == 0


def test_several_engines_are_not_asked_at_once(fake: FakeProvider) -> None:
    terminal.run("read", "form.png", "--provider", "rapidocr,tesseract", code=2)


def test_standard_input_is_read_once_for_all_engines(fake: FakeProvider) -> None:
    policy = ("-p", "rapidocr", "--fallback", "local", "--below", "1")
    content = Path("form.png").read_bytes()
    (sheet,) = json.loads(terminal.run("read", "-", "-o", "json", *policy, code=0, input=content).stdout)
    assert [(said["provider"], "error" in said) for said in sheet["asked"]] == [
        ("rapidocr", False), ("local", False)
    ]  # fmt: skip


def test_an_engine_that_failed_is_named(fake: FakeProvider) -> None:
    paid = ["--fallback", "google", "--below", "1", "--max-cost", "0.0001", "--no-ledger"]
    done = terminal.run("read", "form.png", "-p", "rapidocr", "--emulate", *paid, code=0)
    assert "google: BudgetExceeded" in done.stdout


def test_each_field_has_a_number(fake: FakeProvider) -> None:
    fields = {"price": [0.45, 0.1, 0.3, 0.2], "empty": [0.1, 0.8, 0.2, 0.1]}
    Path("fields.json").write_text(json.dumps({"fields": fields}))
    done = run("form.png", "--fields", "fields.json", "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["field"], row["text"], row["reason"]) for row in rows] == [
        ("price", "7.50", ""), ("empty", "", "no number")
    ]  # fmt: skip
    assert "form.png" in done.stderr  # the page has no frame and no lines
    lines = run("form.png", "--fields", "fields.json").stdout.splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["price", "empty"]
    fields["twin"] = [0.5, 0.15, 0.3, 0.2]
    Path("fields.json").write_text(json.dumps({"fields": fields}))
    assert "twin" in run("form.png", "--fields", "fields.json", code=6).stderr


def test_the_estimate_of_a_form_is_of_its_aligned_page(here: Path) -> None:
    page = Image.new("L", (600, 400), 250)
    ImageDraw.Draw(page).rectangle((60, 40, 540, 360), outline=40, width=4)
    page.rotate(6, fillcolor=250).save("turned.png")
    Path("fields.json").write_text('{"fields": {"all": [0, 0, 1, 1]}}')
    google = ("turned.png", "-p", "google", "--emulate", "--ledger", "calls.sqlite")
    fields = (*google, "--fields", "fields.json")
    run(*google)
    assert "0 are answered already" in run(*fields, "--dry-run").stdout
    run(*fields)
    assert "1 is answered already" in run(*fields, "--dry-run").stdout


def test_predict_suggests_to_read_a_picture_with_several_digits(fake: FakeProvider) -> None:
    done = terminal.run("predict", "form.png", "other.png", "-p", "rapidocr", code=0)
    assert done.stderr.count("digitrec read") == 1


def test_a_dry_run_asks_nobody(fake: FakeProvider) -> None:
    done = run("form.png", "other.png", "--dry-run", "-o", "json")
    assert json.loads(done.stdout)[0]["images"] == 2 and fake.calls == 0
