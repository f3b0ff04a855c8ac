"""`digitrec ledger`: calls and costs after real runs of `predict` against the emulator."""

import json
import time
from pathlib import Path

import pytest
from terminal import run

from digitrec.emulator import Emulator


@pytest.fixture
def asked(here: Path, seven: Path, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Create a folder with a ledger that holds one answer of an emulated Azure, which keeps running."""
    with Emulator(["azure"], engine="local") as emulator:
        monkeypatch.setenv("VISION_ENDPOINT", emulator.endpoints["azure"])
        monkeypatch.setenv("VISION_KEY", "planted-secret")
        first = run("predict", "seven.png", "-p", "azure", "--ledger", "paid.sqlite", "-o", "json")
        assert json.loads(first.stdout)[0]["digit"] == 7
        yield emulator


def test_show_and_spend(asked: Emulator) -> None:
    (call,) = json.loads(run("ledger", "--ledger", "paid.sqlite", "show", "-o", "json").stdout)
    shown = (call["provider"], call["state"], call["text"], call["emulated"])
    assert shown == ("azure", "answered", "7", True)
    (month,) = json.loads(run("ledger", "--ledger", "paid.sqlite", "spend", "-o", "json").stdout)
    assert (month["provider"], month["calls"], month["unpriced"]) == ("azure", 1, 1)
    assert "azure" in run("ledger", "--ledger", "paid.sqlite", "show", "--limit", "9" * 20).stdout


def test_the_answers_are_exported_and_the_ledger_is_replayed(asked: Emulator) -> None:
    (line,) = run("ledger", "--ledger", "paid.sqlite", "export").stdout.splitlines()
    assert json.loads(line)["question"]["provider"] == "azure"
    again = run("predict", "seven.png", "-p", "azure", "--replay", "paid.sqlite", "-o", "json")
    assert json.loads(again.stdout)[0]["replayed"]


def test_clearing_asks_first_and_keeps_what_was_spent(asked: Emulator) -> None:
    run("ledger", "--ledger", "paid.sqlite", "clear", code=1, input="n\n")
    assert "1 answer forgotten" in run("ledger", "--ledger", "paid.sqlite", "clear", "--yes").stdout
    (month,) = json.loads(run("ledger", "--ledger", "paid.sqlite", "spend", "-o", "json").stdout)
    assert month["calls"] == 1


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone cannot be changed here")
def test_a_date_is_meant_as_it_is_shown(asked: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = json.loads(run("ledger", "--ledger", "paid.sqlite", "show", "-o", "json").stdout)[0]["asked_at"]
    # The second is rounded down, so just before the call.
    clear = ("ledger", "--ledger", "paid.sqlite", "clear", "--yes", "--before", shown[:19])
    for zone in ("UTC+12", "UTC-12"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert run(*clear).stdout == "0 answers forgotten\n"
    monkeypatch.delenv("TZ")
    time.tzset()


def test_a_damaged_ledger_says_so_and_is_repaired(asked: Emulator) -> None:
    Path("paid.sqlite").write_bytes(b"not a ledger at all" * 100)
    for part in ("paid.sqlite-wal", "paid.sqlite-shm"):
        Path(part).unlink(missing_ok=True)
    broken = run("predict", "seven.png", "-p", "azure", "--ledger", "paid.sqlite", code=8)
    assert "`digitrec ledger --ledger 'paid.sqlite' repair`" in broken.stderr
    run("ledger", "--ledger", "paid.sqlite", "repair", code=0)
    run("predict", "seven.png", "-p", "azure", "--ledger", "paid.sqlite", code=0)


def test_an_export_is_not_repaired(asked: Emulator) -> None:
    exported = Path("export.jsonl")
    exported.write_text(run("ledger", "--ledger", "paid.sqlite", "export").stdout)
    before = exported.read_bytes()
    assert "--replay" in run("ledger", "--ledger", "export.jsonl", "repair", code=8).stderr
    assert exported.read_bytes() == before
    Path("seven.csv").write_text("a table")
    assert "not a ledger" in run("ledger", "--ledger", "seven.csv", "repair", code=8).stderr


def test_looking_makes_no_ledger(here: Path) -> None:
    assert "typo/paid.sqlite" in run("ledger", "--ledger", "typo/paid.sqlite", "show", code=8).stderr
    assert run("ledger", "spend").stdout == "nothing yet\n"
    assert run("ledger", "export").stdout == ""
    assert list(here.iterdir()) == []
    assert list(Path.home().rglob("*.sqlite")) == []


def test_the_ledger_may_be_named_after_the_command(asked: Emulator) -> None:
    for command in (("show",), ("spend",), ("export",), ("clear", "--yes"), ("repair",)):
        run("ledger", *command, "--ledger", "nowhere.sqlite", code=8)
    after = run("ledger", "spend", "--ledger", "paid.sqlite")
    assert after.stdout == run("ledger", "--ledger", "paid.sqlite", "spend").stdout != ""


def test_a_dry_run_without_a_ledger_counts_what_would_be_sent(here: Path, seven: Path) -> None:
    command = ("predict", "seven.png", "seven.png", "-p", "aws", "--emulate", "--dry-run")
    assert "0 are answered already; 2 requests" in run(*command, "--no-ledger").stdout
    assert "1 is answered already; 1 request would" in run(*command, "--ledger", "paid.sqlite").stdout
