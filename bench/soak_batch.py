"""Nothing is lost: `digitrec batch` killed at random moments, and a Dask cluster of which workers die.

    python bench/soak_batch.py [--images 100000] [--kills 20]

MNIST's test digits, repeated, as PNG files and as a tar, and a twentieth as many photos of samples/: first by
two processes of this machine, killed with -9 and resumed so many times at random moments; then by a Dask
cluster of two workers, one of which is killed with -9 in the middle while another joins. Each picture must be
in exactly one row, in order. Prints a line for each, with the memory of the largest process that was not
killed, and exits non-zero when a row is missing or there twice.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from local_dask import settings
from PIL import Image

from digitrec.datasets.mnist import mnist_test

ROOT = Path(__file__).parents[1]
DIFFERENT = 2000
"""Different files; a longer list repeats them."""


def inputs(folder: Path, count: int) -> Iterator[tuple[list[str], list[str]]]:
    """INPUT as the command takes it, and the names that its rows must have."""
    names = []
    for number, image in enumerate(mnist_test().images[: min(DIFFERENT, count)]):
        names.append(str(folder / f"{number:05}.png"))
        Image.fromarray(image).save(names[-1])
    named = [names[at % len(names)] for at in range(count)]
    table = folder / "list.csv"
    table.write_text("file\n" + "\n".join(named) + "\n")
    yield [str(table), "--paths-from", "file"], named
    archive = folder / "all.tar"
    members = [f"{at:06}.png" for at in range(count)]
    with tarfile.open(archive, "w") as tar:
        for member, name in zip(members, named, strict=True):
            tar.add(name, member)
    yield [str(archive)], [f"{archive}/{member}" for member in members]
    photos = sorted(map(str, (ROOT / "samples").glob("photo-*.jpg")))
    named = [photos[at % len(photos)] for at in range(count // 20)]
    table.write_text("file\n" + "\n".join(named) + "\n")
    yield [str(table), "--paths-from", "file"], named


def started(given: list[str], out: Path, *how: str) -> subprocess.Popen[bytes]:
    """The command, begun or gone on with."""
    command = [sys.executable, "-m", "digitrec", "batch", *given, "-o", str(out), "--resume", *how]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def done(out: Path) -> float:
    """The share of the parts that are done, 0..1."""
    try:
        job = json.loads((out / "_batch" / "job.json").read_text())
    except OSError:  # not planned yet
        return 0.0
    parts = len(list(out.glob("_batch/done/*.json")))
    return float(parts * job["part"] / job["images"])


def killed(given: list[str], out: Path, kills: int) -> int:
    """Killed so many times on the way, then left to its end; how many kills there were."""
    chance, died = random.Random(0), 0
    while True:
        program = started(given, out, "--workers", "2")
        target = (died + chance.random()) / (kills + 2)
        while died < kills and program.poll() is None and done(out) < target:
            time.sleep(0.01)
        time.sleep(chance.random() / 4)
        if died < kills and program.poll() is None:
            program.kill()
            died += 1
        if program.wait() == 0:
            return died


def on_a_cluster(given: list[str], out: Path, folder: Path) -> None:
    """By two workers, one killed when a third is done, one joining when two are."""
    folder.mkdir()
    file = folder / "scheduler.json"
    running: list[subprocess.Popen[bytes]] = []

    def start(program: str, *how: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--no-dashboard"]
        running.append(
            subprocess.Popen(
                [*command, "--scheduler-file", str(file), *how],
                stderr=subprocess.DEVNULL, env=os.environ | settings(),
            )
        )  # fmt: skip
        return running[-1]

    def worker() -> subprocess.Popen[bytes]:
        return start("dask_worker", "--nthreads", "1", "--no-nanny", "--local-directory", str(folder))

    try:
        start("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
        while not file.exists() or not file.read_text():
            time.sleep(0.1)
        first, _ = worker(), worker()
        program = started(given, out, "--scheduler", json.loads(file.read_text())["address"])
        for share, act in ((1 / 3, lambda: first.send_signal(signal.SIGKILL)), (2 / 3, worker)):
            while program.poll() is None and done(out) < share:
                time.sleep(0.01)
            act()
        if program.wait() != 0:
            sys.exit(f"{out}: the command exited with {program.returncode}")
    finally:
        for one in reversed(running):
            one.kill()
            one.wait()


def check(out: Path, expected: list[str]) -> None:
    """Each picture in one row, in the order given; or the end."""
    at = 0
    for file in sorted(out.glob("part-*.jsonl")):
        for line in file.read_text().splitlines():
            if at == len(expected) or json.loads(line)["image"]["source"] != expected[at]:
                sys.exit(f"{file}: row {at} is not the one of its picture")
            at += 1
    if at != len(expected):
        sys.exit(f"{out}: {at} rows for {len(expected)} pictures")


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, (source, expected) in zip(
            ("files", "tar", "photos"), inputs(folder, given.images), strict=True
        ):
            what = f"{kind}: {len(expected):,} images"
            out = folder / f"{kind}-killed"
            kills, took = alone(killed, source, out, given.kills)
            check(out, expected)
            print(f"{what}, killed {kills} times: each in one row, {took}", flush=True)
            out = folder / f"{kind}-dask"
            _, took = alone(on_a_cluster, source, out, folder / f"{kind}-cluster")
            check(out, expected)
            print(f"{what}, Dask, 1 of 2 workers killed: each in one row, {took}", flush=True)


def alone(trial: Callable[..., Any], *how: Any) -> tuple[Any, str]:
    """What a trial gave, tried by a process of its own; and what it took."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_told, trial, *how).result()


def _told(trial: Callable[..., Any], *how: Any) -> tuple[Any, str]:
    begun = time.monotonic()
    found = trial(*how)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return found, f"{time.monotonic() - begun:.0f} s; largest process {largest:.0f} MB"


if __name__ == "__main__":
    main()
