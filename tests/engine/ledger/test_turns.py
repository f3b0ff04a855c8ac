"""Turns under a rate limit are spaced evenly over all threads and processes."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from clock import Clock

from digitrec.engine.ledger import Ledger


def test_turns_are_spaced_and_the_time_that_passes_counts(ledger: Ledger, clock: Clock) -> None:
    assert [ledger.book("a", 4.0) for _ in range(3)] == [0.0, 0.25, 0.5]
    assert ledger.book("another queue", 4.0) == 0.0
    clock.now += 0.5
    assert ledger.book("a", 4.0) == 0.25
    clock.now += 100
    assert ledger.book("a", 4.0) == 0.0


@pytest.mark.parametrize("step", [-1_000_000, -86_400, -5, -0.1])
def test_a_clock_set_back_makes_nobody_wait_longer(ledger: Ledger, clock: Clock, step: float) -> None:
    assert [ledger.book("a", 1.0) for _ in range(3)] == [0.0, 1.0, 2.0]
    clock.now += step
    assert [ledger.book("a", 1.0) for _ in range(2)] == pytest.approx([3.0, 4.0])
    clock.now += 10
    assert ledger.book("a", 1.0) == 0.0


def test_whoever_opens_the_file_keeps_the_same_limit(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there" / "rate.sqlite"
    with closing(Ledger(path, clock=Clock())) as one, closing(Ledger(path, clock=Clock())) as other:
        assert [ledger.book("a", 1.0) for ledger in (one, other, one)] == [0.0, 1.0, 2.0]


def test_three_processes_share_one_limit(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from digitrec.engine.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]), clock=lambda: 1000.0)\n"
        "print(*[ledger.book('a', 8.0) for _ in range(20)])"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "rate.sqlite")]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    turns = sorted(float(turn) for run in runs for turn in run.communicate()[0].split())
    assert turns == [number / 8 for number in range(60)]
