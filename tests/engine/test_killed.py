"""Concurrent processes and random kills: no answer is paid twice, no budget exceeded."""

import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from paid_cloud import PRICE, PaidCloud, answer, ask, counted, image

from digitrec.engine.ledger import Budget, Ledger, Question, spending

IMAGES = 200
IN_FLIGHT = 4

PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from paid_cloud import PaidCloud, image, options
from digitrec.engine import Engine
from digitrec.errors import BudgetExceeded
folder, first, last, concurrency, max_cost = Path(sys.argv[2]), *map(float, sys.argv[3:])
cloud = PaidCloud(counter=folder / "counter", delay_s=0.02)
limits = dict(concurrency=int(concurrency), max_cost=max_cost or None, timeout=60.0, attempt_timeout=1.0)
how = options(folder, run="shared", **limits)
replies = Engine(cloud, how).ask([image(number) for number in range(int(first), int(last))])
refused = sum(isinstance(reply.outcome, BudgetExceeded) for reply in replies)
print(len(replies) - refused, refused, sum(reply.replayed for reply in replies))
"""


def start(folder: Path, first: int, last: int, *, at_once: int, max_cost: float = 0) -> subprocess.Popen[str]:
    arguments = [str(it) for it in (Path(__file__).parents[1], folder, first, last, at_once, max_cost)]
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def outcome(program: subprocess.Popen[str]) -> list[int]:
    """Answers, refusals for the budget, and how many of the answers were replayed."""
    output, _ = program.communicate(timeout=120)
    assert program.returncode == 0
    return [int(number) for number in output.split()]


def answered(folder: Path) -> set[int]:
    """Return the images whose answer is in the ledger."""
    questions = [Question.about(image(number), PaidCloud(), emulated=False) for number in range(IMAGES)]
    with closing(Ledger(folder / "ledger.sqlite")) as ledger:
        return {number for number, entry in enumerate(ledger.find(questions)) if entry is not None}


def test_killed_three_times_a_run_pays_for_no_answer_twice(tmp_path: Path) -> None:
    chance = random.Random()
    counter = tmp_path / "counter"
    for kill in range(3):
        enough = len(counted(counter)) + chance.randint(15, 45)
        program = start(tmp_path, 0, IMAGES, at_once=IN_FLIGHT)
        while len(counted(counter)) < enough:
            assert program.poll() is None
            time.sleep(chance.uniform(0.0, 0.005))
        program.kill()
        program.communicate()
        kept, calls = answered(tmp_path), counted(counter)
        assert len(calls) <= len(kept) + (kill + 1) * IN_FLIGHT
    before = len(calls)

    assert outcome(start(tmp_path, 0, IMAGES, at_once=IN_FLIGHT)) == [IMAGES, 0, len(kept)]

    calls = counted(counter)
    assert IMAGES <= len(calls) <= IMAGES + 3 * IN_FLIGHT
    assert not kept & set(calls[before:])  # questions answered before the last kill were not asked again
    assert max(Counter(calls).values()) <= 4
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        (spent,) = spending(ledger)
    assert len(calls) <= spent.calls == IMAGES + spent.unknown <= IMAGES + 3 * IN_FLIGHT
    assert spent.usd == pytest.approx(spent.calls * PRICE)


def test_two_processes_that_ask_the_same_share_the_bill(tmp_path: Path) -> None:
    programs = [start(tmp_path, 0, 30, at_once=4) for _ in range(2)]
    results = [outcome(program) for program in programs]
    assert sorted(counted(tmp_path / "counter")) == list(range(30))
    assert [result[0] for result in results] == [30, 30]
    assert sum(result[2] for result in results) == 30


def test_a_run_that_waited_for_a_killed_ones_claim_has_its_whole_time_to_ask(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        asked = [Question.about(image(1), PaidCloud(), emulated=False)]
        ledger.claim(asked, price=PRICE, budget=Budget(), lease_s=1.5)
    (reply,) = ask(PaidCloud(), tmp_path, 1, timeout=1.0)
    assert reply.outcome == answer(1)


def test_eight_threads_in_three_processes_keep_one_budget(tmp_path: Path) -> None:
    affordable = 50
    firsts, most = (0, 40, 80), affordable * PRICE
    programs = [start(tmp_path, first, first + 40, at_once=8, max_cost=most) for first in firsts]
    results = [outcome(program) for program in programs]
    assert len(counted(tmp_path / "counter")) == affordable
    assert sum(result[0] for result in results) == affordable
    assert sum(result[1] for result in results) == 120 - affordable
