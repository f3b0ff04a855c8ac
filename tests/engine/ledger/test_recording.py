"""Recordings: each answer at once, nothing is bought that cannot be recorded, and old ones still open."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from paid_cloud import PaidCloud, answer, image, options

from digitrec.cli import main
from digitrec.engine import Engine
from digitrec.engine.ledger import Entry, Ledger, read_recording
from digitrec.engine.ledger.queries import entries
from digitrec.engine.replay import Replay
from digitrec.errors import LedgerError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "r.sqlite"
    with closing(Engine(PaidCloud(), options(tmp_path, record=path, concurrency=1))) as engine:
        engine.ask([image(1), image(2)])
    return path


@pytest.fixture
def lines(path: Path) -> Path:
    """Write the same as digitrec 0.2.0 recorded it."""
    old = path.with_name("r.jsonl")
    old.write_text("".join(f"{entry.line()}\n" for entry in read_recording(path)), "utf-8")
    return old


def answers(path: Path) -> list[object]:
    return [entry.answer for entry in read_recording(path)]


def test_reading_leaves_a_recording_as_it_is(path: Path, lines: Path) -> None:
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert answers(path) == answers(lines) == [answer(1), answer(2)]
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


@pytest.mark.parametrize("cut", [0, 1, 2, 30, 200])
def test_an_old_recording_is_added_to(lines: Path, tmp_path: Path, cut: int) -> None:
    data = lines.read_bytes()
    lines.write_bytes(data[: len(data) - cut])
    with closing(Engine(PaidCloud(), options(tmp_path, record=lines, ledger="none"))) as engine:
        engine.ask([image(3)])
    assert answers(lines) == [answer(number) for number in ((1, 3) if cut > 1 else (1, 2, 3))]
    assert Replay(lines, "paid").ask([image(3)])[0].outcome == answer(3)


def test_what_is_not_recorded_yet_is_written_before_anything_more_is_bought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, keep, full = tmp_path / "r.sqlite", Ledger.keep, True

    def sometimes(ledger: Ledger, some: Sequence[Entry]) -> None:
        if full:
            raise LedgerError("the disk is full")
        keep(ledger, some)

    monkeypatch.setattr(Ledger, "keep", sometimes)
    cloud = PaidCloud()
    engine = Engine(cloud, options(tmp_path, record=path, concurrency=1))
    first, *others = engine.ask([image(1), image(2), image(3)])
    assert first.outcome == answer(1)
    assert all(isinstance(reply.outcome, LedgerError) and reply.cost_usd == 0 for reply in others)
    full = False
    engine.ask([image(2)])
    full = True
    engine.ask([image(4)])
    with pytest.raises(LedgerError, match=r"r\.sqlite"):
        engine.close()
    assert cloud.calls == [1, 2, 4]
    assert answers(path) == [answer(1), answer(2)]


def test_a_torn_last_line_is_skipped_and_reported_wherever_it_was_torn(
    lines: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = lines.read_bytes()
    for end in range(whole.index(b"\n") + 2, len(whole) - 1):
        lines.write_bytes(whole[:end])
        caplog.clear()
        assert answers(lines) == [answer(1)]
        assert len(caplog.records) == 1


def test_a_damaged_answer_is_reported_and_not_replayed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(sqlite3.connect(path)) as sqlite, sqlite:
        sqlite.execute("UPDATE calls SET answer = replace(answer, '1', '2') WHERE id = 1")
    assert answers(path) == [answer(2)]
    assert "no. 1" in caplog.text


def test_a_bad_line_that_is_not_the_last_is_an_error(lines: Path) -> None:
    first, second = lines.read_bytes().splitlines(keepends=True)
    lines.write_bytes(first[:-20] + b"\n" + second)
    with pytest.raises(LedgerError, match="line 1"):
        read_recording(lines)


@pytest.mark.parametrize("text", ["my letter to the editor", "a\nb", '{"a": 1}'])
def test_a_file_that_is_not_a_recording_is_not_touched(tmp_path: Path, text: str) -> None:
    path, cloud = tmp_path / "letter.txt", PaidCloud()
    path.write_text(text)
    with pytest.raises(LedgerError), closing(Engine(cloud, options(tmp_path, record=path))) as engine:
        engine.ask([image(3)])
    assert (cloud.calls, path.read_text()) == ([], text)


def test_an_answer_that_comes_late_is_not_recorded(tmp_path: Path) -> None:
    path, before = tmp_path / "r.sqlite", threading.enumerate()
    with closing(Engine(PaidCloud(script={7: [0.8]}), options(tmp_path, record=path, timeout=0.1))) as engine:
        engine.ask([image(7)])
        for thread in threading.enumerate():
            if thread.name == "digitrec" and thread not in before:
                thread.join()
    assert read_recording(path) == []
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        assert len(list(entries(ledger))) == 1


def test_the_export_is_a_recording(path: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(main, ["ledger", "--ledger", str(tmp_path / "ledger.sqlite"), "export"])
    (tmp_path / "export.jsonl").write_text(run.stdout, "utf-8")
    assert answers(tmp_path / "export.jsonl") == answers(path)
