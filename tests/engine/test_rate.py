"""The rate limiter spaces requests evenly over all threads and processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from clock import Clock

from digitrec.engine.rate import Limiter


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(tmp_path: Path, clock: Clock) -> Iterator[Limiter]:
    with closing(Limiter(tmp_path / "rate.sqlite", clock=clock)) as limiter:
        yield limiter


def test_turns_are_spaced_and_the_time_that_passes_counts(limiter: Limiter, clock: Clock) -> None:
    assert [limiter.book("a", 4.0) for _ in range(3)] == [0.0, 0.25, 0.5]
    assert limiter.book("another queue", 4.0) == 0.0
    clock.now += 0.5
    assert limiter.book("a", 4.0) == 0.25
    clock.now += 100
    assert limiter.book("a", 4.0) == 0.0


@pytest.mark.parametrize("step", [-1_000_000, -86_400, -5, -0.1])
def test_a_clock_that_was_set_back_makes_nobody_wait_longer(
    limiter: Limiter, clock: Clock, step: float
) -> None:
    assert [limiter.book("a", 1.0) for _ in range(3)] == [0.0, 1.0, 2.0]
    clock.now += step
    assert [limiter.book("a", 1.0) for _ in range(2)] == pytest.approx([3.0, 4.0])
    clock.now += 10
    assert limiter.book("a", 1.0) == 0.0


@pytest.mark.parametrize("damage", ["not a folder", "not a database"])
def test_without_its_file_the_limit_holds_in_this_process(tmp_path: Path, damage: str) -> None:
    (tmp_path / "x").write_text("nothing of use here" * 100)
    path = tmp_path / "x" / "rate.sqlite" if damage == "not a folder" else tmp_path / "x"
    with closing(Limiter(path, clock=Clock())) as limiter:
        assert [limiter.book("a", 1.0) for _ in range(2)] == [0.0, 1.0]


def test_whoever_opens_the_file_keeps_the_same_limit_and_its_folder_is_this_users(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there" / "rate.sqlite"
    with closing(Limiter(path, clock=Clock())) as one, closing(Limiter(path, clock=Clock())) as other:
        assert [limiter.book("a", 1.0) for limiter in (one, other, one)] == [0.0, 1.0, 2.0]
    if sys.platform != "win32":
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_three_processes_share_one_limit(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from digitrec.engine.rate import Limiter\n"
        "limiter = Limiter(Path(sys.argv[1]), clock=lambda: 1000.0)\n"
        "print(*[limiter.book('a', 8.0) for _ in range(20)])"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "rate.sqlite")]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    turns = sorted(float(turn) for run in runs for turn in run.communicate()[0].split())
    assert turns == [number / 8 for number in range(60)]
