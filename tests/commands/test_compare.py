"""digitrec compare: several engines on the same picture."""

import csv
import io
import json
from functools import partial
from pathlib import Path

import pytest
import terminal

from digitrec.commands.engines import EMULATED
from digitrec.models.store import SHIPPED

SHEET = Path(__file__).parents[2] / "samples" / "sheet.jpg"

run = partial(terminal.run, "compare", code=0)


def test_one_line_for_each_picture_and_engine(seven: Path) -> None:
    together, *lines = run(seven, "-p", "local,google,aws", "--emulate", "--no-ledger").stdout.splitlines()
    assert together.endswith("one answer only (emulated: not counted)")
    assert [line.split()[0] for line in lines] == ["local", "google", "aws"]
    assert [line.endswith("free; emulated") for line in lines] == [False, True, True]


def test_without_names_free_and_ready_engines_are_asked(seven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "k")
    monkeypatch.setenv("DIGITREC_GOOGLE_ENDPOINT", "http://127.0.0.1:1")
    (found,) = json.loads(run(seven, "--emulate", "--no-ledger", "-o", "json").stdout)
    assert {"local", *EMULATED} <= {name for name, said in found["outcomes"].items() if "error" not in said}
    monkeypatch.setenv("DIGITREC_MODEL", "/no/such")  # --model replaces it
    result = run(seven, "-o", "json", "--model", SHIPPED)
    (found,) = json.loads(result.stdout)
    assert "local" in found["outcomes"] and "google" not in found["outcomes"]
    assert "google costs $1.50 per 1,000" in result.stderr


@pytest.mark.parametrize("arguments", [
    ("-p", "local,nix"), ("-p", "local,local"), ("-p", "local", "--all"),
    ("--prepare", "plain,enlarged"), ("--prepare", "huge"),
])  # fmt: skip
def test_wrong_usage(seven: Path, arguments: tuple[str, ...]) -> None:
    assert run(seven, *arguments, code=2).stdout == ""


@pytest.mark.parametrize(("engine", "settings"), [
    ("aws", {"AWS_PROFILE": "nobody", "AWS_REGION": "us-east-1"}),  # found only when it is opened
    ("google", {"GOOGLE_APPLICATION_CREDENTIALS": __file__}),
    ("azure", {"VISION_ENDPOINT": "https://", "VISION_KEY": "k"}), ("azure", {}),
])  # fmt: skip
def test_a_wrong_setting_of_one_engine_does_not_affect_the_others(
    seven: Path, monkeypatch: pytest.MonkeyPatch, engine: str, settings: dict[str, str]
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    (found,) = json.loads(run(seven, "-p", f"{engine},local", "-o", "json").stdout)
    assert found["outcomes"][engine]["error"]["type"] == "NotConfigured"
    assert found["outcomes"]["local"]["digit"] == 7


def test_an_engine_without_a_recording_does_not_affect_the_others(seven: Path, tmp_path: Path) -> None:
    recording = tmp_path / "google.jsonl"
    run(seven, "-p", "google", "--emulate", "--record", recording)
    (found,) = json.loads(run(seven, "-p", "google,aws", "--replay", recording, "-o", "json").stdout)
    assert found["outcomes"]["google"]["digit"] == 7
    assert found["outcomes"]["aws"]["error"]["type"] == "LedgerError"


def test_a_budget_leaves_out_only_engines_without_a_known_price(seven: Path) -> None:
    arguments = ["-p", "azure,aws", "--emulate", "--max-cost", "1", "-o", "json"]
    (found,) = json.loads(run(seven, *arguments).stdout)
    assert "price of azure" in found["outcomes"]["azure"]["error"]["message"]
    assert found["outcomes"]["aws"]["digit"] == 7


def test_a_picture_without_any_answer_is_one_message_and_exit_code_1(seven: Path, tmp_path: Path) -> None:
    result = run(seven, tmp_path / "none.png", "-p", "local,rapidocr", "-o", "jsonl", code=1)
    assert len(result.stdout.splitlines()) == 2
    assert result.stderr.count("none.png") == 1


def test_an_engine_that_fails_for_every_picture_is_one_message(seven: Path) -> None:
    lines = run(seven, seven, seven, "-p", "local,azure", "-o", "jsonl").stderr.splitlines()
    assert [line.rpartition("azure: ")[0] for line in lines] == ["digitrec: ", "digitrec: 2 more: "]


@pytest.mark.parametrize(("how", "answer"), [((), 7), (("--numbers",), "7")])
def test_standard_input_is_read_once_for_all(seven: Path, how: tuple[str, ...], answer: int | str) -> None:
    arguments = ["-p", "azure,local,aws", "--emulate", "--no-ledger", "-o", "json", *how]
    (found,) = json.loads(run("-", *arguments, input=seven.read_bytes()).stdout)
    assert (found["source"], found["consensus"]) == ("<stdin>", answer)


def test_the_numbers_of_a_page_are_compared_one_by_one() -> None:
    arguments = (SHEET, "--numbers", "-p", "local,google", "--emulate", "--no-ledger")
    found = json.loads(run(*arguments, "-o", "json").stdout)
    assert len(found) >= 6
    assert [one["number"] for one in found] == list(range(len(found)))
    assert all(set(one["outcomes"]) == {"local", "google"} for one in found)
    head, *rows = run(*arguments, "-o", "csv").stdout.splitlines()
    assert "local.text" in head and len(rows) == len(found)
    blank = SHEET.with_name("blank-page.jpg")
    (nothing, *numbers) = csv.DictReader(io.StringIO(run(blank, SHEET, *arguments[1:], "-o", "csv").stdout))
    assert nothing["local.reason"] == "no number"
    assert [row["number"] for row in numbers] == [str(one["number"]) for one in found]
    assert all(row["local.text"] or row["google.text"] for row in numbers)
    run(SHEET, "--digits", "4", "-p", "local", code=2)


def test_the_table_shows_time_and_cost_only_with_a_sheets_first_number() -> None:
    lines = run(SHEET, "--numbers", "-p", "local,azure", "--no-ledger").stdout.splitlines()
    read, failed = ([line for line in lines if line.startswith(f"  {name}")] for name in ("local", "azure"))
    assert len(read) == len(failed) > 1
    assert "free" in read[0] and not any("free" in line for line in read[1:])
    assert " ms" in failed[0] and not any(" ms" in line for line in failed[1:])
