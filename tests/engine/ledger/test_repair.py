"""A damaged ledger: what can be read is saved, what is lost stays counted."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from clock import Clock
from paid_cloud import PaidCloud, image

from digitrec.answer import Answer
from digitrec.cli import main
from digitrec.engine.ledger import Budget, Claim, Ledger, Question
from digitrec.engine.ledger.queries import entries, recent, spending
from digitrec.engine.ledger.repair import Repair, repair
from digitrec.engine.ledger.seal import LOST

from .claims import fill

CALLS = 120


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return fill(tmp_path / "ledger.sqlite", [1000] * CALLS)


def overwrite(path: Path) -> None:
    """Spoil some pages in the middle."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 20_000)


def spent(path: Path) -> tuple[int, float]:
    with closing(Ledger(path)) as ledger:
        months = spending(ledger)
    return sum(month.calls for month in months), sum(month.usd for month in months)


def forget(path: Path, number: int) -> None:
    """Take one call out, and spoil a page that holds no call, so that the ledger is found damaged."""
    with closing(sqlite3.connect(path, isolation_level=None)) as sqlite:
        sqlite.execute("DELETE FROM calls WHERE id = ?", (number,))
        sqlite.execute("CREATE TABLE other (x)")
        (page,) = sqlite.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'other'").fetchone()
        (size,) = sqlite.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


@pytest.mark.parametrize(
    ("emulators", "counted_as_emulated"), [((), False), ((1, 2, 3, 4), True), ((1, 2), False)]
)
def test_a_lost_call_counts_as_dear_and_as_late_as_it_can_have_been(
    tmp_path: Path, emulators: tuple[int, ...], counted_as_emulated: bool
) -> None:
    path, clock = tmp_path / "ledger.sqlite", Clock()
    with closing(Ledger(path, clock=clock)) as ledger:
        for number in (1, 2, 3, 4):
            clock.now = 1000.0 * number
            asked = Question.about(image(number), PaidCloud(), emulated=number in emulators)
            (claim,) = ledger.claim([asked], price=0.1 * number, budget=Budget(), lease_s=60.0)
            assert isinstance(claim, Claim)
            ledger.answered(claim, Answer(raw={"number": number}))
    forget(path, 2)
    aside = tmp_path / "ledger.sqlite.damaged-1"
    assert repair(path) == Repair(saved=3, lost=1, assumed=0, lost_usd=0.4, damaged=aside)
    with closing(Ledger(path)) as ledger:
        fourth, third, lost, first = recent(ledger)
        assert [entry.answer.raw["number"] for entry in entries(ledger)] == [1, 3, 4]
    assert [call.asked_at.timestamp() for call in (first, lost, third, fourth)] == [1000, 3000, 3000, 4000]
    assert (lost.state, lost.provider, lost.cost_usd, lost.text) == ("lost", LOST, 0.4, None)
    assert lost.emulated is counted_as_emulated
    forget(path, 3)
    again = repair(path)
    assert (again.saved, again.lost, again.damaged) == (3, 1, tmp_path / "ledger.sqlite.damaged-2")
    assert aside.is_file(), "what was put aside before is kept"


def test_what_is_lost_is_lost_once(path: Path) -> None:
    overwrite(path)
    first = repair(path)
    assert first.lost > 0
    again = repair(path)
    assert (again.damaged, again.lost, again.saved) == (None, 0, first.saved + first.lost)
    overwrite(path)
    repair(path)
    assert CALLS <= spent(path)[0] <= CALLS + 1


def test_a_ledger_of_which_nothing_can_be_read_says_that_its_cost_is_unknown(path: Path) -> None:
    path.write_bytes(b"these are not the bytes of a database" * 100)
    done = repair(path)
    assert (done.saved, done.lost, done.lost_usd) == (0, 1, None)
    with closing(Ledger(path)) as ledger:
        (month,) = spending(ledger)
    assert (month.provider, month.unpriced) == (LOST, 1)


def test_a_healthy_ledger_is_left_alone(path: Path) -> None:
    before = path.read_bytes()
    done = repair(path)
    assert done == Repair(saved=CALLS, lost=0, assumed=0, lost_usd=0.0, damaged=None)
    assert path.read_bytes() == before
    told = CliRunner().invoke(main, ["ledger", "repair", "--ledger", str(path)]).stdout
    assert told == f"nothing is wrong with {path}: {CALLS} calls; it was left as it is\n"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_command_says_what_was_saved_and_what_may_be_missing(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3)
    told = CliRunner().invoke(main, ["ledger", "--ledger", str(path), "repair"]).stdout
    assert re.search(r"\d+ calls saved, at least \d+ lost", told)
    assert re.search(r"\$0\.\d+", told)
    assert LOST in CliRunner().invoke(main, ["ledger", "spend", "--ledger", str(path)]).stdout
