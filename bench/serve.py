"""Compare `digitrec serve` with the server of tutorials, on the same network.

It measures rate, latency and memory at 16 connections, the time from start to first answer, and 60 seconds
at full load, where each connection sends the next request as soon as its answer has arrived. A latency is
the time from a request to its whole answer. The clients are this process; all run on 127.0.0.1.

Needs the extras `web` and `train`, and Flask. Prints ratios from one run, writes them into
docs/benchmarks.md, and exits non-zero when a goal is missed.

    python bench/serve.py            some minutes
    python bench/serve.py --kinds    only the three kinds of pictures that people send; a minute
    python bench/serve.py --short    a trial of some seconds each; writes nothing
"""

import argparse
import asyncio
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from figures import Figure, publish_rows, table
from load import Load, closed_loop, multipart, seven

HERE = Path(__file__).parent
PICTURE = HERE.parent / "samples" / "mnist-28x28.png"
CONNECTIONS = 16
WARM_UP_S = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Durations and repetitions of the measurements."""

    starts: int
    """Number of times that each server is started."""
    beside_s: float
    """Seconds of load on each server, one after the other, after each start."""
    full_s: float
    """Seconds of full load on `digitrec serve`."""
    kind_starts: int
    """Number of times that each server is started for each kind of picture."""


WHOLE = Plan(starts=5, beside_s=4.0, full_s=60.0, kind_starts=2)
SHORT = Plan(starts=1, beside_s=3.0, full_s=5.0, kind_starts=1)


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
        """Load the server with this many connections, after a warm-up."""
        asyncio.run(closed_loop(self.port, request, connections=CONNECTIONS, seconds=WARM_UP_S))
        return asyncio.run(closed_loop(self.port, request, connections=CONNECTIONS, seconds=seconds))


def free_port() -> int:
    """Return a free port below those that systems lend to clients, which could take it before the server."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


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
    """Start `digitrec serve` without a rate limit."""
    port = free_port()
    command = [sys.executable, "-m", "digitrec", "serve", "--port", str(port), "--rate", "1000000"]
    return serving(command, port, request)


def theirs(model: Path, request: bytes):  # type: ignore[no-untyped-def]
    """Start the tutorials' server."""
    port = free_port()
    return serving([sys.executable, str(HERE / "tutorial_server.py"), str(model), str(port)], port, request)


Pair = tuple[float, float]


def compared(what: str, pairs: Sequence[Pair], goal: float, at_least: bool, show: str) -> Figure:
    """Compare the medians of two quantities measured side by side, formatted with ``show``."""
    one, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Figure(what, one / other, goal, at_least, f"{show.format(one)}; {show.format(other)}")


def side_by_side(model: Path, request: bytes, plan: Plan) -> list[Figure]:
    """Measure rate, tail latency, memory and start of both servers, one after the other."""
    rounds: list[tuple[Pair, Pair, Pair, Pair]] = []
    for _ in range(plan.starts):
        with ours(request) as we:
            our_load, our_mb = we.load(request, plan.beside_s), we.megabytes()
        with theirs(model, request) as they:
            their_load, their_mb = they.load(request, plan.beside_s), they.megabytes()
        rate = our_load.per_second, their_load.per_second
        tail = 1000 * our_load.percentile(0.99), 1000 * their_load.percentile(0.99)
        rounds.append((rate, tail, (our_mb, their_mb), (they.first_answer_s, we.first_answer_s)))
    rates, tails, memory, starts = zip(*rounds, strict=True)
    what = f"requests a second at {CONNECTIONS} connections: ours / tutorials'"
    return [
        compared(what, rates, 10, True, "{:.1f}"),
        compared("p99 latency under that load: ours / tutorials'", tails, 0.1, False, "{:.0f} ms"),
        compared("memory under that load: ours / tutorials'", memory, 0.25, False, "{:.0f} MB"),
        compared("start to first answer: tutorials' / ours", starts, 5, True, "{:.2f} s"),
    ]


def kinds() -> Iterator[tuple[str, bytes]]:
    """Yield the pictures that people send: a digit of MNIST's size, a drawing from our page, a photo."""
    yield "28x28 PNG", PICTURE.read_bytes()
    yield "280x280 drawing", seven(280, "RGBA")
    yield "photo, 600x800 JPEG", (HERE.parent / "samples" / "photo-pen.jpg").read_bytes()


def of_each_kind(model: Path, plan: Plan) -> list[Figure]:
    """Measure both servers' requests a second for each kind of picture, in turn."""
    figures = []
    for name, picture in kinds():
        request, rates = multipart(picture), []
        for _ in range(plan.kind_starts):
            with ours(request) as we:
                our_rate = we.load(request, plan.beside_s).per_second
            with theirs(model, request) as they:
                rates.append((our_rate, they.load(request, plan.beside_s).per_second))
        figures.append(compared(f"{name}: requests a second, ours / tutorials'", rates, 1, True, "{:.1f}"))
    return figures


def endurance(request: bytes, plan: Plan) -> list[Figure]:
    """Check under a long full load that no request fails and that memory does not grow."""
    with ours(request) as we, watched(we) as memory:
        full = we.load(request, plan.full_s)
    third = len(memory) // 3
    begin, end = statistics.median(memory[third : 2 * third]), statistics.median(memory[2 * third :])
    answered = full.statuses[200]
    wrong = sum(full.statuses.values()) - answered
    memory_mb = f"{end:.0f} MB; {begin:.0f} MB"
    return [
        Figure(f"errors in {plan.full_s:.0f} s at full load", wrong, 0, False, f"{answered} answered"),
        Figure("memory in its last third / in its second", end / begin, 1.02, False, memory_mb),
    ]


@contextmanager
def watched(server: Served) -> Iterator[list[float]]:
    """Sample the server's memory several times a second."""
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
    """Save our network's layers as a Keras file; untrained, because its answers do not matter here."""
    code = "import sys; from digitrec.lab.training import networks; networks.digitrec_cnn().save(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, stderr=subprocess.DEVNULL)


def main() -> None:
    """Measure, and publish the figures unless the run was a trial."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--short", action="store_true", help="a try of some seconds; writes nothing")
    arguments.add_argument("--kinds", action="store_true", help="only the three kinds of pictures")
    given = arguments.parse_args()
    plan = SHORT if given.short else WHOLE
    request = multipart(PICTURE.read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "digitrec.keras"
        save_keras(model)
        figures = []
        if not given.kinds:
            figures = [*side_by_side(model, request, plan), *endurance(request, plan)]
        sent = of_each_kind(model, plan)
    if given.short:
        print("\n".join(figure.row() for figure in [*figures, *sent]))
        return
    publish_rows("Serving what people send", table(sent))
    if figures:
        publish_rows("Serving", table(figures))
    if not all(figure.met for figure in [*figures, *sent]):
        sys.exit("a goal was missed")


if __name__ == "__main__":
    main()
