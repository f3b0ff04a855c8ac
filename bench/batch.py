"""How quick `digitrec batch` is by workers and beside what people would otherwise write; and its memory.

    python bench/batch.py [--images 10000] [--large 100000] [--dask]

PNG digits (MNIST's test set, repeated) and the photos of samples/. Needs the extra `train` for Keras, `ocr`
for RapidOCR and `batch` for Dask. Prints ratios from one run, writes them into docs/benchmarks.md, and exits
non-zero when a goal is missed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from figures import Figure, Process, publish, run, seconds
from PIL import Image

from digitrec.bulk import workers
from digitrec.datasets.mnist import mnist_test
from digitrec.image import DigitImage
from digitrec.prepare import prepare_many
from digitrec.providers.local import Local

ROOT = Path(__file__).parents[1]
KEPT = 2000
"""Different files; longer lists repeat them."""
OTHERS = 200
"""Pictures that Keras in a loop, and RapidOCR, are given: their time grows with the number."""


def pictures(folder: Path) -> list[str]:
    """Digits as PNG files."""
    names = []
    for number, image in enumerate(mnist_test().images[:KEPT]):
        names.append(str(folder / f"{number:05}.png"))
        Image.fromarray(image).save(names[-1])
    return names


def listed(folder: Path, names: list[str], count: int) -> Path:
    """A list of so many of them."""
    file = folder / f"list-{count}.csv"
    if not file.exists():
        file.write_text("file\n" + "".join(f"{names[at % len(names)]}\n" for at in range(count)))
    return file


def ours(folder: Path, table: Path, *how: str) -> Process:
    """The command, with so many workers."""
    out = folder / "rows.jsonl"
    out.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "digitrec",
        "batch",
        str(table),
        "--paths-from",
        "file",
        "-o",
        str(out),
        *how,
    ]
    return run(command)


def by_workers(folder: Path, names: list[str], count: int) -> Iterator[Figure]:
    """All cores against one, and one against the bare loop and Keras."""
    table, cores = listed(folder, names, count), workers.cores()
    idle = ours(
        folder, listed(folder, names, 1), "--workers", "1"
    ).seconds  # starting, which is measured elsewhere
    one = ours(folder, table, "--workers", "1").seconds - idle
    many = ours(folder, table, "--workers", str(cores)).seconds - idle
    bare = seconds(lambda: loop(names, count))
    keras = keras_loop(names[:OTHERS]) / OTHERS * count
    rates = f"{count / one:,.0f} a second; {count / many:,.0f}"
    yield Figure(f"{count:,} PNG digits: {cores} workers / 1", one / many, 0.9 * cores, True, rates)
    rates = f"{count / one:,.0f} a second; {count / bare:,.0f}"
    yield Figure(f"{count:,} PNG digits: 1 worker / bare loop, time", one / bare, 1.5, False, rates)
    rates = f"{count / many:,.0f} a second; Keras {count / keras:,.0f}"
    yield Figure(f"PNG digits: batch / Keras in a loop, {OTHERS} pictures", keras / many, 20, True, rates)


def loop(names: list[str], count: int) -> None:
    """Decoding, preparation and the network, and nothing else."""
    local = Local()
    for start in range(0, count, Local.batch):
        some = [names[at % len(names)] for at in range(start, min(start + Local.batch, count))]
        images = [DigitImage.open(name) for name in some]
        local.read_many(list(prepare_many(images, local.wants)), timeout=30)


def keras_loop(names: list[str]) -> float:
    """What is found in tutorials, s; loading it is not counted."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    network = keras.Sequential([
        keras.layers.Input((28, 28, 1)),
        keras.layers.Conv2D(32, 3, activation="relu"), keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(64, 3, activation="relu"), keras.layers.MaxPooling2D(),
        keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax"),
    ])  # fmt: skip

    def read(name: str) -> None:
        image = np.asarray(Image.open(name).convert("L").resize((28, 28)), np.float32) / 255
        network.predict(image.reshape(1, 28, 28, 1), verbose=0).argmax()

    read(names[0])
    return seconds(lambda: [read(name) for name in names])


def photos(folder: Path) -> Figure:
    """Photos against RapidOCR in a loop."""
    names = [str(file) for file in sorted((ROOT / "samples").glob("photo-*.jpg"))]
    table = listed(folder, names, OTHERS)
    idle = ours(folder, listed(folder, names, 1), "--workers", "1").seconds
    one = (ours(folder, table, "--workers", "1").seconds - idle) / OTHERS
    from rapidocr import RapidOCR

    engine = RapidOCR()
    engine(names[0])
    theirs = seconds(lambda: [engine(name) for name in names]) / len(names)
    detail = f"{1 / one:,.1f} a second, 1 worker; RapidOCR {1 / theirs:,.1f}, its own threads"
    return Figure("photos: batch / RapidOCR in a loop", theirs / one, 5, True, detail)


def memory(folder: Path, names: list[str], large: int) -> Figure:
    """The largest process for many, against that for a tenth of a tenth."""
    small = max(large // 100, 100)
    peaks = [
        ours(folder, listed(folder, names, count), "--workers", "2").megabytes for count in (small, large)
    ]
    detail = f"{peaks[1]:.1f} MB; {peaks[0]:.1f} MB"
    return Figure(f"peak memory: {large:,} pictures / {small:,}", peaks[1] / peaks[0], 1.1, False, detail)


def dask(folder: Path, names: list[str], count: int) -> Figure:
    """Two workers of a Dask cluster of this machine against two processes."""
    file, table = folder / "scheduler.json", listed(folder, names, count)
    common = ["--no-dashboard", "--scheduler-file", str(file)]
    program = [sys.executable, "-m"]
    alone = ["--nworkers", "2", "--nthreads", "1", "--local-directory", str(folder)]
    with (
        subprocess.Popen(
            [*program, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common]
        ) as scheduler,
        subprocess.Popen([*program, "distributed.cli.dask_worker", *common, *alone]) as theirs,
    ):
        try:
            while not file.exists() or not file.read_text():
                time.sleep(0.1)
            import json

            address = ["--scheduler", json.loads(file.read_text())["address"]]
            idle = ours(folder, listed(folder, names, 1), *address).seconds  # connecting
            on_dask = ours(folder, table, *address).seconds - idle
        finally:
            theirs.terminate()
            theirs.wait()
            scheduler.terminate()
    idle = ours(folder, listed(folder, names, 1), "--workers", "2").seconds
    here = ours(folder, table, "--workers", "2").seconds - idle
    detail = f"{count / on_dask:,.0f} a second; {count / here:,.0f}"
    return Figure(
        f"{count:,} PNG digits: Dask's 2 workers / 2 processes, time", on_dask / here, 1.1, False, detail
    )


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=100_000, help="for memory")
    parser.add_argument("--dask", action="store_true", help="also against a Dask cluster of this machine")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = pictures(folder)
        figures = [
            *by_workers(folder, names, given.images),
            photos(folder),
            memory(folder, names, given.large),
        ]
        if given.dask:
            figures.append(dask(folder, names, given.large))
    publish("Many pictures to files", figures)


if __name__ == "__main__":
    main()
