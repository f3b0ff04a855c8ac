"""First use from many threads at once: fresh processes, each with 16 threads that all predict at once.

    python bench/stress.py [PROCESSES]

One that does not end in time hangs. Exits 1 when one hung, failed or answered otherwise than the rest.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

PICTURE = Path(__file__).parents[1] / "samples" / "photo-pen.jpg"
THREADS = 16
HANGS_S = 120
"""A process that takes longer hangs; it needs two seconds."""

FIRST_USE = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import digitrec

together = Barrier({THREADS})

def first(path):
    together.wait()
    return digitrec.predict(path).digit

with ThreadPoolExecutor({THREADS}) as pool:
    print(sorted(pool.map(first, sys.argv[1:] * {THREADS})))
"""

EXPECTED = str([7] * THREADS)


def one() -> str:
    """What became of one process: "right", "hung", or what it said instead."""
    command = [sys.executable, "-c", FIRST_USE, str(PICTURE)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANGS_S)
    except subprocess.TimeoutExpired:
        return "hung"
    if done.returncode == 0 and done.stdout.strip() == EXPECTED:
        return "right"
    return f"exit {done.returncode}: {(done.stdout + done.stderr)[-300:]}"


def main(processes: int) -> int:
    """Run so many, and say what became of them."""
    start = time.perf_counter()
    ends = Counter(one() for _ in range(processes))
    seconds = time.perf_counter() - start
    print(f"{processes} processes of {THREADS} threads in {seconds:.0f} s: {dict(ends)}")
    return 0 if set(ends) == {"right"} else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
