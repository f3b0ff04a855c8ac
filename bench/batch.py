"""Measure the speed and memory of `digitrec batch`, and compare it with what people would write instead.

    python bench/batch.py [--part NAME] [--images 3000] [--large 40000]

The pictures are digits in MNIST's form as PNG files, drawings of 280x280 pixels, photos and scans; longer
lists repeat them. Takes about four minutes on two cores. Without --part the figures are written into
docs/benchmarks.md. Needs the extra `train` for Keras. Exits with 1 if a goal is missed.
"""

import argparse
import concurrent.futures
import multiprocessing
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from figures import Figure, Process, alternate, processor, publish, run, table
from PIL import Image

from digitrec.bulk import workers
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.image import DigitImage
from digitrec.prepare import prepare_many
from digitrec.providers.local import Local

ROOT = Path(__file__).parents[1]
DIFFERENT, DRAWINGS = 2000, 200
"""Number of different digits and drawings; there are fewer pictures of the other kinds."""
OTHERS = 100
"""Number of pictures for the other methods, whose time grows with the number."""
ROUNDS = 3
FEW = 32 * workers.cores()
"""Number of pictures that measures the start of all processes: reading them takes nearly no time."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Pictures of one kind."""

    name: str
    files: list[str]
    share: float
    """Number of pictures as a share of --images; with it each kind takes about as long as the digits."""


@dataclass(slots=True)
class Work:
    """The folder and the pictures of the measurements."""

    folder: Path
    kinds: list[Kind]
    images: int
    large: int
    starting: dict[tuple[str, ...], tuple[float, float]] = field(default_factory=dict)
    """Wall and processor time of a command that reads a few digits, s."""

    def listed(self, kind: Kind, count: int) -> Path:
        """Write a list of ``count`` pictures."""
        file = self.folder / f"{kind.name}-{count}.txt"
        if not file.exists():
            names = (kind.files[at % len(kind.files)] for at in range(count))
            file.write_text("".join(f"{name}\n" for name in names))
        return file

    def batch(self, kind: Kind, count: int, *how: str) -> Process:
        """Time the command for ``count`` pictures, less its start-up time."""
        if how not in self.starting:
            tries = [self._run(self.kinds[0], FEW, how) for _ in range(2)]
            self.starting[how] = min(it.seconds for it in tries), min(it.processor for it in tries)
        found, (wall, processor) = self._run(kind, count, how), self.starting[how]
        return Process(found.seconds - wall, found.megabytes, found.processor - processor)

    def processor(self, kind: Kind, count: int, *how: str) -> float:
        """Processor time of all its processes, s."""
        return self.batch(kind, count, *how).processor

    def _run(self, kind: Kind, count: int, how: tuple[str, ...]) -> Process:
        out = self.folder / "rows.jsonl"
        out.unlink(missing_ok=True)
        command = [sys.executable, "-m", "digitrec", "batch", "-", "-o", str(out), *how]
        return run(["sh", "-c", f"exec {shlex.join(command)} < {self.listed(kind, count)}"])


def kinds(folder: Path) -> list[Kind]:
    """Return the files that people send, by kind."""
    digits, drawings = [], []
    for number, image in enumerate(mnist_test().images[:DIFFERENT]):
        digits.append(str(folder / f"digit-{number:04}.png"))
        Image.fromarray(image).save(digits[-1])
        if number < DRAWINGS:  # as the page sends them: ink on a transparent sheet
            drawings.append(str(folder / f"drawing-{number:04}.png"))
            ink = Image.fromarray(image).resize((280, 280), Image.Resampling.BICUBIC)
            drawn = Image.new("RGBA", ink.size, "black")
            drawn.putalpha(ink.point(lambda level: 255 if level > 127 else 0))
            drawn.save(drawings[-1])
    photographed = sorted((ROOT / "samples").glob("*.jpg"))
    photos = [str(file) for file in photographed if file.name.startswith("photo-")]
    scans = [str(file) for file in photographed if not file.name.startswith(("photo-", "blank-"))]
    return [Kind("digits", digits, 1), Kind("drawings", drawings, 0.1), Kind("photos", photos, 0.05),
            Kind("scans", scans, 0.05)]  # fmt: skip


def speed(work: Work) -> Iterator[Figure]:
    """Compare the processor times of one worker, of all cores, and of a loop that only decodes and reads."""
    cores = workers.cores()
    for kind in work.kinds:
        count = int(work.images * kind.share)
        one, many, bare = alternate(
            partial(work.processor, kind, count, "--workers", "1"),
            partial(work.processor, kind, count, "--workers", str(cores)),
            partial(processor, partial(_loop, kind.files, count)),
            rounds=ROUNDS,
        )
        what, each = f"{count:,} {kind.name}", f"{1000 * one / count:.2f} ms each"
        detail = f"{each}; bare {1000 * bare / count:.2f} ms"
        yield Figure(f"{what}: 1 worker / bare loop, CPU", one / bare, 1.5, False, detail)
        detail = f"{1000 * many / count:.2f} ms each; one {each}"
        yield Figure(f"{what}: {cores} workers / 1, CPU", many / one, 1 / 0.9, False, detail)


def _loop(files: list[str], count: int) -> None:
    local = Local()
    for start in range(0, count, Local.batch):
        some = [files[at % len(files)] for at in range(start, min(start + Local.batch, count))]
        images = [DigitImage.open(name) for name in some]
        local.read_many(list(prepare_many(images, local.wants)), timeout=30)


def keras(work: Work) -> Iterator[Figure]:
    """Time the methods of tutorials: one picture at a time, in a loop, and in a pool of processes."""
    kind, cores = work.kinds[0], workers.cores()
    ours = work.processor(kind, work.images, "--workers", "1") / work.images
    loop = sum(map(_keras_read, kind.files[:OTHERS])) / OTHERS
    with concurrent.futures.ProcessPoolExecutor(cores, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(_keras_read, kind.files[: 8 * cores]))  # each has loaded it
        spread = sum(pool.map(_keras_read, kind.files[:OTHERS])) / OTHERS
    for what, theirs, goal in (("a loop", loop, 20.0), (f"{cores} processes", spread, None)):
        detail = f"{1000 * ours:.2f} ms each; Keras {1000 * theirs:.1f} ms"
        name = f"{work.images:,} digits: Keras in {what} ({OTHERS} of them) / batch, CPU"
        yield Figure(name, theirs / ours, goal, True, detail)


@cache
def _keras_network() -> Any:
    """Return the tutorials' network, which has read something."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from digitrec.lab.training.networks import tutorial_cnn

    network = tutorial_cnn()
    network.predict(np.zeros((1, 28, 28, 1), np.float32), verbose=0)
    return network


def _keras_read(name: str) -> float:
    """Processor time for a picture, s; the first of a process loads the network, which is not counted."""
    network = _keras_network()
    start = time.process_time()
    image = np.asarray(Image.open(name).convert("L").resize((28, 28)), np.float32) / 255
    network.predict(image.reshape(1, 28, 28, 1), verbose=0).argmax()
    return time.process_time() - start


def memory(work: Work) -> Iterator[Figure]:
    """Compare the largest process for many pictures with that for a fortieth of them."""
    for kind in (work.kinds[0], work.kinds[2]):
        large = int(work.large * kind.share)
        few, many = (work.batch(kind, count, "--workers", "2").megabytes for count in (large // 40, large))
        what = f"peak memory: {large:,} {kind.name} / {large // 40:,}"
        yield Figure(what, many / few, 1.1, False, f"{many:.1f} MB; few {few:.1f} MB")


PARTS: dict[str, Callable[[Work], Iterator[Figure]]] = {"keras": keras, "speed": speed, "memory": memory}


def main() -> None:
    """Run the requested parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=list(PARTS), help="only this one; its table is not written")
    parser.add_argument("--images", type=int, default=3_000)
    parser.add_argument("--large", type=int, default=40_000, help="for memory")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Work(Path(name), kinds(Path(name)), given.images, given.large)
        if given.part:
            print("\n".join(table(list(PARTS[given.part](work)))))
        else:
            publish("Many pictures to files", [figure for part in PARTS.values() for figure in part(work)])


if __name__ == "__main__":
    main()
