"""Ledgers of earlier versions, with rows that nothing can be made of any more.

old/version-1.sqlite was written by the digitrec before this one: eight calls of $0.001 in September
2026. Of the first five, said to be answered, one can be used; then one of unknown outcome, one
ordered, one cut off.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from paid_cloud import PaidCloud, answer, image, options

from digitrec.cli import main
from digitrec.engine import Engine
from digitrec.engine.ledger import Ledger, Question
from digitrec.engine.ledger.queries import UNUSABLE, entries, recent, spending
from digitrec.engine.ledger.recording import read_recording


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(Path(__file__).parent / "old" / "version-1.sqlite", tmp_path / "ledger.sqlite"))


def question(number: int) -> Question:
    return Question.about(image(number), PaidCloud(), emulated=False)


def test_it_opens_and_what_cannot_be_used_is_no_answer(old: Path) -> None:
    with closing(Ledger(old)) as ledger:
        found = ledger.find([question(number) for number in range(8)])
        assert [entry is not None for entry in found] == [True] + [False] * 7
        assert [entry.answer for entry in entries(ledger)] == [answer(0)]
        assert [call.error for call in reversed(recent(ledger))][:5] == [None] + [UNUSABLE] * 4
        assert spending(ledger)[0].calls == 8
        assert spending(ledger)[0].usd == pytest.approx(0.008)


def test_it_is_asked_again_what_it_cannot_tell(old: Path) -> None:
    cloud = PaidCloud()
    with closing(Engine(cloud, options(old.parent))) as engine:
        replies = engine.ask([image(number) for number in range(6)])
        assert [reply.outcome for reply in replies] == [answer(number) for number in range(6)]
        assert sorted(cloud.calls) == [1, 2, 3, 4, 5]
        assert all(reply.replayed for reply in engine.ask([image(number) for number in range(6)]))


def test_the_commands_show_it(old: Path, tmp_path: Path) -> None:
    def run(command: str) -> Any:
        return CliRunner().invoke(main, ["ledger", command, "--ledger", str(old)])

    shown = run("show")
    assert shown.exit_code == 0
    assert shown.stdout.count("unusable answer") == 4
    exported = run("export")
    assert exported.exit_code == 0
    assert "4 unusable answers are left out" in exported.stderr
    (tmp_path / "r.jsonl").write_text(exported.stdout)
    assert [entry.answer for entry in read_recording(tmp_path / "r.jsonl")] == [answer(0)]
    assert run("spend").exit_code == 0


def test_an_answer_that_cannot_be_used_hides_none_that_can(old: Path) -> None:
    with closing(sqlite3.connect(old)) as sqlite:
        columns = [row[1] for row in sqlite.execute("PRAGMA table_info(calls)")][1:]
        names = ", ".join(columns)
        sqlite.execute(f"INSERT INTO calls ({names}) SELECT {names} FROM calls WHERE id = 1")
        sqlite.execute("UPDATE calls SET answer = 'null' WHERE id = 9")
        sqlite.commit()
    with closing(Ledger(old)) as ledger:
        assert ledger.find([question(0)])[0] is not None
