"""digitrec compare: several engines on the same picture."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digitrec.cli import main


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["compare", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_one_row_for_each_picture_and_one_column_for_each_engine(seven: Path) -> None:
    told = run(seven, "-p", "local,google,aws", "--emulate", "--no-ledger").stdout
    header, row, apart = told.splitlines()
    assert re.split(r"\s{2,}", header.strip()) == ["image", "local", "google", "aws", "together"]
    assert row.count("free; emulated") == 2
    assert row.endswith("one answer only (emulated: not counted)")
    assert all(word in apart for word in ("opening", "loading", "local", "google", "aws"))


def test_emulated_clouds_outvote_nobody_and_say_so_among_themselves(seven: Path) -> None:
    clouds = "google,aws,aws-textract,azure,azure-analysis,azure-document,openai"
    arguments = ("--emulate", "--no-ledger", "-o", "json")
    (beside,) = json.loads(run(seven, "-p", f"rapidocr,{clouds}", *arguments).stdout)
    assert (beside["agree"], beside["emulated"]) == (None, False)
    assert beside["consensus"] == beside["outcomes"]["rapidocr"]["digit"]
    (alone,) = json.loads(run(seven, "-p", clouds, *arguments).stdout)
    assert (alone["agree"], alone["consensus"], alone["emulated"]) == (True, 7, True)


def test_json_has_what_everyone_said(seven: Path) -> None:
    (found,) = json.loads(run(seven, "-p", "local,azure", "--emulate", "--no-ledger", "-o", "json").stdout)
    assert (found["consensus"], found["agree"]) == (7, None)
    assert found["outcomes"]["azure"]["emulated"]


def test_without_names_those_are_asked_that_are_free_and_the_others_are_told(seven: Path) -> None:
    result = run(seven, "-o", "json")
    (found,) = json.loads(result.stdout)
    assert "local" in found["outcomes"]
    assert "google" not in found["outcomes"]
    (line,) = result.stderr.splitlines()
    assert line.startswith("digitrec: not asked: aws, ")
    assert "google" in line


def test_a_paid_engine_that_is_ready_is_left_out_with_its_price(
    seven: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    assert "not asked: google costs $1.50 per 1,000, so only by name; aws, " in run(seven).stderr


def test_emulate_alone_adds_the_clouds(seven: Path) -> None:
    (found,) = json.loads(run(seven, "--emulate", "--no-ledger", "-o", "json").stdout)
    assert {
        "local",
        "google",
        "aws",
        "aws-textract",
        "azure",
        "azure-analysis",
        "azure-document",
        "openai",
    } <= set(found["outcomes"])


def test_an_engine_that_cannot_be_asked_costs_the_others_nothing(seven: Path) -> None:
    result = run(seven, "-p", "azure,local", "-o", "json")
    (found,) = json.loads(result.stdout)
    assert list(found["outcomes"]) == ["azure", "local"]
    assert found["outcomes"]["azure"]["error"]["type"] == "NotConfigured"
    assert found["outcomes"]["local"]["digit"] == 7
    assert "azure: " in result.stderr
    assert "set VISION_ENDPOINT" in result.stderr


@pytest.mark.parametrize(
    ("engine", "settings"),
    [
        ("aws", {"AWS_PROFILE": "nobody", "AWS_REGION": "us-east-1"}),  # found only when it is opened
        ("google", {"GOOGLE_APPLICATION_CREDENTIALS": __file__}),
        ("azure", {"VISION_ENDPOINT": "https://", "VISION_KEY": "k"}),
    ],
)
def test_a_wrong_setting_of_one_engine_costs_the_others_nothing(
    seven: Path, monkeypatch: pytest.MonkeyPatch, engine: str, settings: dict[str, str]
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    (found,) = json.loads(run(seven, "-p", f"{engine},local", "-o", "json").stdout)
    assert found["outcomes"][engine]["error"]["type"] == "NotConfigured"
    assert found["outcomes"]["local"]["digit"] == 7


def test_an_engine_that_was_not_recorded_costs_the_others_nothing(seven: Path, tmp_path: Path) -> None:
    recording = tmp_path / "google.jsonl"
    run(seven, "-p", "google", "--emulate", "--record", recording)
    (found,) = json.loads(run(seven, "-p", "google,aws", "--replay", recording, "-o", "json").stdout)
    assert found["outcomes"]["google"]["digit"] == 7
    assert found["outcomes"]["aws"]["error"]["type"] == "LedgerError"


def test_a_budget_leaves_out_only_who_has_no_known_price(seven: Path) -> None:
    arguments = ["-p", "azure,aws", "--emulate", "--max-cost", "1", "-o", "json"]
    (found,) = json.loads(run(seven, *arguments).stdout)
    assert "price of azure is not known" in found["outcomes"]["azure"]["error"]["message"]
    assert found["outcomes"]["aws"]["digit"] == 7


def test_an_emulator_needs_none_of_the_users_settings(seven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file")
    (found,) = json.loads(run(seven, "-p", "aws,google", "--emulate", "-o", "json").stdout)
    assert found["consensus"] == 7


def test_a_picture_that_nobody_answers_is_told_once_and_exits_with_1(seven: Path, tmp_path: Path) -> None:
    result = run(seven, tmp_path / "none.png", "-p", "local,rapidocr", "-o", "jsonl", code=1)
    assert len(result.stdout.splitlines()) == 2
    assert result.stderr.count("none.png") == 1


def test_an_engine_that_fails_for_every_picture_is_told_of_once(seven: Path) -> None:
    lines = run(seven, seven, seven, "-p", "local,azure", "-o", "jsonl").stderr.splitlines()
    assert [line.rpartition("azure: ")[0] for line in lines] == ["digitrec: ", "digitrec: 2 more: "]


def test_an_unknown_name_is_wrong_usage(seven: Path) -> None:
    assert "no provider is called 'nix'" in run(seven, "-p", "local,nix", code=2).stderr


def test_several_preparations_are_for_the_benchmark(seven: Path) -> None:
    assert "digitrec benchmark" in run(seven, "--prepare", "plain,enlarged", code=2).stderr
    assert "'huge' is not one of" in run(seven, "--prepare", "huge", code=2).stderr


def test_standard_input_is_read_once_for_everyone(seven: Path) -> None:
    arguments = ["compare", "-", "-p", "local,aws", "--emulate", "--no-ledger", "-o", "json"]
    result = CliRunner().invoke(main, arguments, input=seven.read_bytes())
    (found,) = json.loads(result.stdout)
    assert (found["source"], found["consensus"]) == ("<stdin>", 7)


def test_an_empty_standard_input_costs_the_others_nothing(seven: Path) -> None:
    arguments = ["compare", "-", str(seven), "-p", "local", "-o", "json"]
    result = CliRunner().invoke(main, arguments, input=b"")
    failed, found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert failed["outcomes"]["local"]["error"]["type"] == "ImageError"
    assert found["consensus"] == 7


def test_the_page_holds_the_picture(seven: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    run(seven, "-p", "local", "--html", page)
    assert 'src="data:image/png;base64,' in page.read_text(encoding="utf-8")


def test_a_dry_run_asks_nobody(seven: Path) -> None:
    result = run(seven, "-p", "local,google", "--emulate", "--no-ledger", "--dry-run")
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["local", "google"]
    assert "$0.0015" in result.stdout
