"""Turns are spaced evenly, for all threads and processes together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from clock import Clock
from hypothesis import given
from hypothesis import strategies as st

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
    clock.now += 0.5
    assert limiter.book("a", 4.0) == 0.25
    clock.now += 100
    assert limiter.book("a", 4.0) == 0.0


def test_each_name_has_its_own_queue(limiter: Limiter) -> None:
    assert limiter.book("a", 1.0) == 0.0
    assert limiter.book("b", 1.0) == 0.0


@pytest.mark.parametrize("step", [-1_000_000, -86_400, -5, -0.1])
def test_a_clock_that_was_set_back_makes_nobody_wait_longer(
    limiter: Limiter, clock: Clock, step: float
) -> None:
    assert [limiter.book("a", 1.0) for _ in range(3)] == [0.0, 1.0, 2.0]
    clock.now += step
    assert [limiter.book("a", 1.0) for _ in range(2)] == pytest.approx([3.0, 4.0])
    clock.now += 10
    assert limiter.book("a", 1.0) == 0.0


@given(steps=st.lists(st.one_of(st.floats(-1e8, 1e8), st.floats(0, 3)), min_size=1, max_size=30))
def test_whatever_the_clock_does_a_turn_is_as_far_as_the_queue_is_long(steps: list[float]) -> None:
    clock = Clock(1e9)
    with closing(Limiter(Path(__file__) / "in memory", clock=clock)) as limiter:
        for number, step in enumerate(steps):
            clock.now += step
            assert 0 <= limiter.book("a", 0.5) <= 2 * number + 1e-3


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


def test_a_file_that_is_damaged_meanwhile_ends_no_limit_and_leaves_no_other(
    limiter: Limiter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert limiter.book("a", 1.0) == 0.0
    (tmp_path / "rate.sqlite").write_bytes(b"nothing of use here" * 1000)
    assert [limiter.book("a", 1.0) for _ in range(3)] == [0.0, 1.0, 2.0]
    assert list(Path().iterdir()) == []


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
