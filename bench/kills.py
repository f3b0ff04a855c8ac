"""Kill -9 at random moments, and many processes on one ledger: nothing is lost, and nothing paid twice.

    python bench/kills.py [KILLS]        # by default 500 of each; tests try the same a few times

Three trials, each on a folder of its own: a run of paid questions, killed and started again (the program of
tests/engine/test_killed.py); `digitrec batch`, killed and resumed; 50 processes that ask the same questions
at once. Exits 1 when one of them does not hold.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "engine")]

from paid_cloud import counted  # noqa: E402 (found where the line above says)
from test_killed import IMAGES, answered, outcome, start  # noqa: E402

from digitrec.datasets.mnist import mnist_test  # noqa: E402

PROCESSES = 50
AT_ONCE = 4


def ledger(kills: int, chance: random.Random) -> str:
    """A run that pays, killed after any number of calls; with an empty ledger again when it is through."""
    killed = rounds = repeated = 0
    while killed < kills:
        rounds += 1
        with tempfile.TemporaryDirectory() as folder:
            place, before = Path(folder), 0
            kept: set[int] = set()
            while killed < kills and len(kept) < IMAGES:
                program = start(place, 0, IMAGES, concurrency=AT_ONCE)
                killed += _kill(program, partial(_calls, place), chance)
                calls = counted(place / "counter")
                repeated += len(kept & set(calls[before:]))
                before = len(calls)
                kept = answered(place)
            assert outcome(start(place, 0, IMAGES, concurrency=AT_ONCE))[0] == IMAGES
            calls = counted(place / "counter")
            repeated += len(kept & set(calls[before:]))
            assert set(calls) == set(range(IMAGES))
    assert repeated == 0, f"{repeated} answers were paid twice"
    return f"{killed} kills in {rounds} runs of {IMAGES} paid questions; no answer paid twice, none missing"


def batch(kills: int, chance: random.Random) -> str:
    """A run of batch, killed at any moment and resumed; every picture in one row when it is through."""
    killed = rounds = 0
    digits = mnist_test()[:400]
    while killed < kills:
        rounds += 1
        with tempfile.TemporaryDirectory() as folder:
            from PIL import Image

            names = [f"{number:03}.png" for number in range(len(digits.images))]
            for name, image in zip(names, digits.images, strict=True):
                Image.fromarray(image).save(Path(folder, name))
            command = [sys.executable, "-m", "digitrec", "batch", ".", "-o", "rows.jsonl", "--part", "4"]
            rows = Path(folder, "rows.jsonl")
            while killed < kills and not rows.exists():
                program = subprocess.Popen(_resumed(command, folder), cwd=folder, stderr=subprocess.DEVNULL)
                done = Path(folder, "rows.jsonl.parts", "_batch", "done")
                killed += _kill(program, partial(_parts, done), chance)
            if not rows.exists():
                subprocess.run(
                    _resumed(command, folder), cwd=folder, check=True, stderr=subprocess.DEVNULL, timeout=600
                )
            found = [json.loads(line)["image"]["source"] for line in rows.read_text().splitlines()]
            assert [Path(name).name for name in found] == names
    return (
        f"{killed} kills in {rounds} runs of {len(digits.images)} pictures; every picture in exactly one row"
    )


def _kill(program: subprocess.Popen[Any], done: Callable[[], int], chance: random.Random) -> int:
    """Kill it once it has done some more, and a moment later; 0 when it was through before, else 1."""
    enough = done() + chance.randint(0, 25)
    while done() < enough and program.poll() is None:
        time.sleep(0.005)
    time.sleep(chance.uniform(0.0, 0.05))
    alive = program.poll() is None
    program.kill()
    program.communicate()
    return int(alive)


def _calls(place: Path) -> int:
    return len(counted(place / "counter"))


def _parts(done: Path) -> int:
    return len(list(done.glob("*.json")))


def _resumed(command: list[str], folder: str) -> list[str]:
    return [*command, "--resume"] if Path(folder, "rows.jsonl.parts", "_batch").exists() else command


def processes(chance: random.Random) -> str:
    """Many processes that ask the same of one ledger at once: each question is paid once."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        programs = [start(place, 0, 30, concurrency=AT_ONCE) for _ in range(PROCESSES)]
        results = [outcome(program) for program in programs]
        times = Counter(counted(place / "counter"))
    assert times == Counter(range(30)), times
    assert [result[0] for result in results] == [30] * PROCESSES
    return f"{PROCESSES} processes asked the same 30 questions at once; each was paid once, all were answered"


def main(kills: int) -> int:
    """Take the three trials and say what came of each."""
    seed = time.time_ns() % 10**6
    chance = random.Random(seed)
    failed = False
    for trial in (lambda: ledger(kills, chance), lambda: batch(kills, chance), lambda: processes(chance)):
        try:
            print(trial())
        except AssertionError as error:
            print(f"DOES NOT HOLD (seed {seed}): {error}")
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
