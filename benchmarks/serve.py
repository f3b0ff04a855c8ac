"""`digitrec serve` side by side with the server that tutorials build, on the same network.

Rate, latency and memory at 16 connections, time from start to first answer, 60 seconds at full load, and
twice the load it can hold. Everything happens on 127.0.0.1. Needs the extras `web` and `train`, and Flask.
Prints ratios from one run, writes them into docs/benchmarks.md, and exits non-zero when a goal is missed.

    python benchmarks/serve.py            some minutes
    python benchmarks/serve.py --short    a try of some seconds each; writes nothing
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from figures import Figure, publish
from load import Load, closed_loop, multipart, open_loop

HERE = Path(__file__).parent
PICTURE = HERE.parent / "samples" / "mnist-28x28.png"
CONNECTIONS = 16
WARM_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each part takes."""

    starts: int
    """How often each server is started."""
    beside_s: float
    """Seconds of load on each, side by side."""
    full_s: float
    """Seconds of full load on ours."""
    double_s: float
    """Seconds of twice the load that ours can hold."""


WHOLE = Plan(starts=5, beside_s=20.0, full_s=60.0, double_s=15.0)
SHORT = Plan(starts=1, beside_s=3.0, full_s=5.0, double_s=3.0)


@dataclass(slots=True)
class Served:
    """A server under measurement."""

    port: int
    pid: int
    first_answer_s: float

    def megabytes(self) -> float:
        """Resident memory, MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def load(self, request: bytes, seconds: float) -> Load:
        """Load by so many connections, after a moment to warm up."""
        asyncio.run(closed_loop(self.port, request, connections=CONNECTIONS, seconds=WARM_UP_S))
        return asyncio.run(closed_loop(self.port, request, connections=CONNECTIONS, seconds=seconds))


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def serving(command: Sequence[str], port: int, request: bytes) -> Iterator[Served]:
    """Start a server, wait for its first answer, end it."""
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    start = time.perf_counter()
    process = subprocess.Popen(command, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while asyncio.run(closed_loop(port, request, connections=1, seconds=0.0001)).statuses[200] == 0:
            if process.poll() is not None:
                sys.exit(f"{' '.join(command)} exited with {process.returncode}")
            time.sleep(0.005)
        yield Served(port, process.pid, time.perf_counter() - start)
    finally:
        process.terminate()
        process.wait()


def ours(request: bytes):  # type: ignore[no-untyped-def]
    """`digitrec serve`, which may be asked as often as it can answer."""
    port = free_port()
    command = [sys.executable, "-m", "digitrec", "serve", "--port", str(port), "--rate", "1000000"]
    return serving(command, port, request)


def theirs(model: Path, request: bytes):  # type: ignore[no-untyped-def]
    """The tutorials' server."""
    port = free_port()
    return serving([sys.executable, str(HERE / "tutorial_server.py"), str(model), str(port)], port, request)


def side_by_side(model: Path, request: bytes, plan: Plan) -> list[Figure]:
    """Rate, tail latency, memory and start of both, one after the other."""
    starts: tuple[list[float], list[float]] = ([], [])
    for _ in range(plan.starts):
        with ours(request) as we:
            starts[0].append(we.first_answer_s)
            our_load, our_mb = we.load(request, plan.beside_s / plan.starts), we.megabytes()
        with theirs(model, request) as they:
            starts[1].append(they.first_answer_s)
            their_load, their_mb = they.load(request, plan.beside_s / plan.starts), they.megabytes()
    our_start, their_start = (statistics.median(times) for times in starts)
    rates = our_load.per_second, their_load.per_second
    tails = 1000 * our_load.percentile(0.99), 1000 * their_load.percentile(0.99)
    return [
        Figure(
            f"requests a second at {CONNECTIONS} connections: ours / tutorials'",
            rates[0] / rates[1], 10, True, f"{rates[0]:.0f}; {rates[1]:.1f}",
        ),
        Figure(
            "p99 latency under that load: ours / tutorials'",
            tails[0] / tails[1], 0.1, False, f"{tails[0]:.0f} ms; {tails[1]:.0f} ms",
        ),
        Figure(
            "memory under that load: ours / tutorials'",
            our_mb / their_mb, 0.25, False, f"{our_mb:.0f} MB; {their_mb:.0f} MB",
        ),
        Figure(
            "start to first answer: tutorials' / ours", their_start / our_start, 5, True,
            f"{their_start:.2f} s; {our_start:.2f} s",
        ),
    ]  # fmt: skip


def endurance(request: bytes, plan: Plan) -> list[Figure]:
    """Full load for long, then twice that, then full load again."""
    with ours(request) as we:
        with watched(we) as memory:
            full = we.load(request, plan.full_s)
        before = we.load(request, plan.double_s / 3)
        double = asyncio.run(
            open_loop(we.port, request, per_second=2 * full.per_second, seconds=plan.double_s)
        )
        after = asyncio.run(closed_loop(we.port, request, connections=CONNECTIONS, seconds=plan.double_s / 3))
    third = len(memory) // 3
    begin, end = statistics.median(memory[third : 2 * third]), statistics.median(memory[2 * third :])
    wrong = sum(full.statuses.values()) - full.statuses[200]
    odd = sum(count for status, count in double.statuses.items() if status not in (200, 503))
    kept = double.percentile(0.99) / full.percentile(0.99)
    told_ms = 1000 * double.percentile(0.5, 503) if double.statuses[503] else 0.0
    return [
        Figure(
            f"errors in {plan.full_s:.0f} s at full load", wrong, 0, False, f"{full.statuses[200]} answered"
        ),
        Figure(
            "memory in its last third / in its second",
            end / begin, 1.02, False, f"{end:.0f} MB; {begin:.0f} MB",
        ),
        Figure(
            "twice the load: anything but an answer or 503", odd, 0, False,
            f"{double.statuses[200]} answered, {double.statuses[503]} told 503 in {told_ms:.0f} ms (median)",
        ),
        Figure(
            "p99 of what it accepts at twice the load / at full load", kept, 3, False,
            f"{1000 * double.percentile(0.99):.0f} ms; {1000 * full.percentile(0.99):.0f} ms",
        ),
        Figure(
            "requests a second right after it / right before it",
            after.per_second / before.per_second, 0.8, True,
            f"{after.per_second:.0f}; {before.per_second:.0f}, no error: {set(after.statuses) == {200}}",
        ),
    ]  # fmt: skip


@contextmanager
def watched(server: Served) -> Iterator[list[float]]:
    """The server's memory, noted several times a second."""
    memory: list[float] = []
    over = Event()

    def note() -> None:
        while not over.wait(0.2):
            memory.append(server.megabytes())

    watcher = Thread(target=note)
    watcher.start()
    try:
        yield memory
    finally:
        over.set()
        watcher.join()


def save_keras(path: Path) -> None:
    """Our network's layers as a Keras file; untrained, for what it answers does not matter here."""
    code = "import sys; from digitrec.models.cnn import build; build().save(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, stderr=subprocess.DEVNULL)


def main() -> None:
    """Measure, and publish unless it was only a try."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--short", action="store_true", help="a try of some seconds; writes nothing")
    short = arguments.parse_args().short
    plan = SHORT if short else WHOLE
    request = multipart(PICTURE.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "digitrec.keras"
        save_keras(model)
        figures = [*side_by_side(model, request, plan), *endurance(request, plan)]
    if not short:
        publish("Serving", figures)
        return
    for figure in figures:
        print(figure.row())


if __name__ == "__main__":
    main()
