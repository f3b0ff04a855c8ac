"""digitrec benchmark: from a folder of labelled pictures to statistics and a report."""

import json
import sys
from functools import partial
from pathlib import Path

import programs
import pytest
import terminal
from PIL import Image

from digitrec.emulator.kit import drawn_seven


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(4):
        Image.fromarray(drawn_seven().pixels[number:, :]).save(folder / f"{number}.png")
    (folder / "labels.csv").write_text("file,label\n0.png,7\n1.png,7\n2.png,7\n3.png,1\n")
    return folder


run = partial(terminal.run, "benchmark", code=0)


def test_engines_are_scored_and_compared(data: Path) -> None:
    found = json.loads(run(data, "-p", "local,google", "--emulate", "--no-ledger", "-o", "json").stdout)
    cards = {card["engine"]: card for card in found["engines"]}
    assert (cards["local"]["correct"], cards["local"]["wrong"]) == (3, 1)
    assert cards["google"]["emulated"]
    assert cards["google"]["cost_per_1000"] == pytest.approx(1.5)
    assert cards["google"]["cost_usd"] == 0
    assert [(pair["first"], pair["second"]) for pair in found["pairs"]] == [("local", "google")]
    assert any("Emulated: google." in sentence for sentence in found["conclusion"])


def test_every_preparation_is_a_column_but_the_cnn_has_its_own(data: Path) -> None:
    arguments = ("-p", "local,aws", "--prepare", "plain,repeated", "--emulate", "--no-ledger", "-o", "json")
    found = json.loads(run(data, *arguments).stdout)
    cards = {card["engine"]: card["preparations"] for card in found["engines"]}
    assert cards == {"local": ["mnist"], "aws/plain": ["plain"], "aws/repeated": ["repeated"]}


def test_the_report_is_written_as_a_page(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert run(data, "--html", page).stdout.startswith("engine  right ")
    assert "Misread pictures" in page.read_text(encoding="utf-8")
    page.unlink()
    programs.ran("sh", "-c", f'"{sys.executable}" -m digitrec benchmark "{data}" --html "{page}" | true')
    assert page.exists(), "also if nobody reads the table"


def test_an_engine_that_answers_nothing_fails_the_run(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    monkeypatch.setenv("DIGITREC_GOOGLE_ENDPOINT", "http://127.0.0.1:1")
    options = ("--no-ledger", "--timeout", "0.5")
    assert "google: 4 of 4 pictures failed" in run(data, "-p", "google", *options, code=17).stderr
    calibrated = terminal.run("calibrate", data, "-p", "google", *options, code=17)
    assert "google: 4 of 4 pictures failed" in calibrated.stderr
    assert "local" not in run(data, "-p", "google,local", *options, code=1).stderr


def test_an_option_that_reaches_the_target_is_recommended() -> None:
    arguments = ("mnist-test", "--limit", 200, "--target", 0.8)
    assert "local reaches 80%: " in run(*arguments).stdout
    short = run("mnist-test", "--limit", 20, "--target", 0.8).stdout
    assert "local, chosen from 1 option, is not shown to reach 80%: 100.0%" in short
    assert "As accurate on 32 pictures, it would be shown to." in short
    found = json.loads(run(*arguments, "-o", "json").stdout)["recommendation"]
    assert (found["chosen"]["name"], found["chosen"]["right"]["n"], found["tried"]) == ("local", 100, 1)
    assert json.loads(run("samples", "--limit", 1, "-o", "json").stdout)["recommendation"] is None


def test_a_target_needs_enough_pictures_and_a_budget_needs_a_target() -> None:
    run("mnist-test", "--limit", 5, "--target", 0.9, code=6)
    run("mnist-test", "--limit", 20, "--budget", 1, code=2)


def test_an_unwritable_page_fails_before_any_engine_is_asked(data: Path, tmp_path: Path) -> None:
    result = run(data, "--html", tmp_path / "none" / "report.html", code=2)
    assert "report.html" in result.stderr
    assert result.stdout == ""


def test_a_dry_run_prints_the_cost_and_keeps_the_last_report(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text("the last report")
    said = run(data, "-p", "local,aws", "--dry-run", "--html", page).stdout.splitlines()
    assert page.read_text() == "the last report"
    assert said[0].startswith("local: 4 of 4 images")
    assert "4 requests would cost $0.0040" in said[1]


def test_numbers_are_measured_also_by_a_policy(data: Path) -> None:
    (data / "labels.csv").write_text("file,text\n0.png,7\n1.png,none\n")
    arguments = ("-p", "google", "--emulate", "--no-ledger", "--numbers")
    found = json.loads(run(data, *arguments, "-o", "json").stdout)
    assert (found["engines"][0]["n"], found["numbers"][0]["engine"]) == (2, "google")
    (card,) = json.loads(run(data, *arguments, "--digits", "2-3", "-o", "json").stdout)["engines"]
    assert card["correct"] == 1, "a number with one digit has no value"
    voted = json.loads(run(data, *arguments, "--fallback", "aws", "-o", "json").stdout)["numbers"]
    assert len({one["engine"] for one in voted} - {"google", "aws"}) == 1
    run(data, "--digits", "2", code=2)
    (data / "labels.csv").write_text("file,text\n0.png,seven\n")
    assert "line 2" in run(data, *arguments, code=6).stderr


def test_a_policy_has_one_preparation() -> None:
    how = ["-p", "google,aws", "--emulate", "--prepare", "plain,enlarged", "--consensus", "2"]
    assert "--prepare" in run("mnist-test", *how, code=2).stderr
