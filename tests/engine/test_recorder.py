"""The recording that is made while asking: each answer at once, and nothing is bought that it cannot hold."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from paid_cloud import PaidCloud, answer, image, options
from PIL import Image

from digitrec.cli import main
from digitrec.emulator import Emulator
from digitrec.engine import Engine
from digitrec.engine.replay import Replay
from digitrec.errors import LedgerError
from digitrec.ledger import Ledger, read_recording, recording
from digitrec.ledger.queries import entries
from digitrec.testing import drawn_seven

FULL = Path("/dev/full")
NEEDS_FULL = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@NEEDS_FULL
def test_a_full_disk_stops_before_the_next_paid_call_and_what_was_paid_is_kept_and_shown(
    tmp_path: Path,
) -> None:
    cloud = PaidCloud()
    engine = Engine(cloud, options(tmp_path, record=FULL, concurrency=1))
    replies = engine.ask([image(number) for number in range(4)])
    replies += engine.ask([image(5)])
    assert cloud.calls == [0]
    assert replies[0].outcome == answer(0)
    for reply in replies[1:]:
        assert isinstance(reply.outcome, LedgerError)
        assert "cannot be written" in str(reply.outcome)
        assert (reply.attempts, reply.cost_usd) == (0, 0.0)
    with pytest.raises(LedgerError, match="/dev/full cannot be written"):
        engine.close()
    engine.close()
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        assert [entry.answer for entry in entries(ledger)] == [answer(0)]


@NEEDS_FULL
def test_the_command_shows_what_was_paid_and_says_that_it_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seven = tmp_path / "seven.png"
    Image.fromarray(drawn_seven().pixels).save(seven)
    with Emulator(["google"], engine="local") as emulator:
        monkeypatch.setenv("DIGITREC_GOOGLE_ENDPOINT", emulator.endpoints["google"])
        arguments = ["predict", str(seven), "-p", "google", "--ledger", str(tmp_path / "paid.sqlite")]
        run = CliRunner().invoke(main, [*arguments, "--record", str(FULL), "-o", "jsonl"])
    assert '"digit": 7' in run.stdout
    assert run.exit_code == 8
    assert "the recording /dev/full cannot be written" in run.stderr


def test_what_could_not_be_written_is_written_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.jsonl"
    append, full = recording.append_recording, True

    def sometimes(path: Path, some: Sequence[Any]) -> None:
        if full and some:
            raise LedgerError("the disk is full")
        append(path, some)

    monkeypatch.setattr("digitrec.engine.recorder.append_recording", sometimes)
    cloud = PaidCloud()
    with closing(Engine(cloud, options(tmp_path, record=path, concurrency=1))) as engine:
        engine.ask([image(1), image(2)])
        full = False
        engine.ask([image(2)])
    assert cloud.calls == [1, 2]
    assert [entry.answer for entry in read_recording(path)] == [answer(1), answer(2)]


@pytest.mark.skipif(sys.platform == "win32", reason="limits are those of POSIX")
def test_a_line_that_has_no_room_leaves_no_piece_of_itself(tmp_path: Path) -> None:
    import resource
    import signal

    path = tmp_path / "r.jsonl"
    with closing(Engine(PaidCloud(), options(tmp_path, record=path))) as engine:
        engine.ask([image(1)])
    before = path.read_bytes()
    old, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, old[1]))
        with pytest.raises(LedgerError):
            recording.append_recording(path, read_recording(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "r.jsonl"
    with closing(Engine(PaidCloud(), options(tmp_path, record=path, concurrency=1))) as engine:
        engine.ask([image(1), image(2)])
    return path


def test_a_torn_last_line_is_skipped_and_told_wherever_it_was_torn(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first + 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        caplog.clear()
        assert [entry.answer for entry in read_recording(path)] == [answer(1)]
        assert len(caplog.records) == 1
        assert "cut off" in caplog.text
    path.write_bytes(whole[:-1])  # only the end of the line is missing
    assert len(read_recording(path)) == 2


def test_a_bad_line_that_is_not_the_last_is_an_error(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0][:-20] + b"\n" + lines[1])
    with pytest.raises(LedgerError, match="line 1"):
        read_recording(path)


@pytest.mark.parametrize("cut", [1, 2, 30, 200])
def test_a_recording_with_a_torn_end_is_added_to(path: Path, tmp_path: Path, cut: int) -> None:
    path.write_bytes(path.read_bytes()[:-cut])
    with closing(Engine(PaidCloud(), options(tmp_path, record=path, ledger="none"))) as engine:
        engine.ask([image(3)])
    kept = [answer(1), answer(3)] if cut > 1 else [answer(1), answer(2), answer(3)]
    assert [entry.answer for entry in read_recording(path)] == kept
    assert isinstance(Replay(path, "paid").ask([image(3)])[0].outcome, type(answer(3)))


@pytest.mark.parametrize("text", ["my letter to the editor", "a\nb", '{"a": 1}'])
def test_what_is_no_recording_is_not_touched(tmp_path: Path, text: str) -> None:
    path = tmp_path / "letter.txt"
    path.write_text(text)
    cloud = PaidCloud()
    with pytest.raises(LedgerError), closing(Engine(cloud, options(tmp_path, record=path))) as engine:
        engine.ask([image(3)])
    assert cloud.calls == []
    assert path.read_text() == text


def test_an_answer_that_comes_late_is_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    engine = Engine(PaidCloud(script={7: [0.8]}), options(tmp_path, record=path, timeout=0.1))
    engine.ask([image(7)])
    engine.close()
    assert read_recording(path) == []
