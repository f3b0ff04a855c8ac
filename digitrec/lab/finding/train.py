"""The recipe of the finder's weights: draw scenes, learn from them, export the network.

    python -m digitrec.lab.finding.train draw FOLDER 40000
    python -m digitrec.lab.finding.train learn FOLDER 168000
    python -m digitrec.lab.finding.train export FOLDER

Drawing and learning resume where they stopped. 40,000 scenes take two cores about 15 minutes, 168,000 views
about an hour; TF_NUM_INTRAOP_THREADS=1 and TF_NUM_INTEROP_THREADS=1 leave a core to other programs. `export`
writes the network that digitrec ships, from the latest checkpoint.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.image import atomic
from digitrec.lab import stocks
from digitrec.lab.datasets.world import people
from digitrec.lab.finding.marks import digits, others
from digitrec.lab.finding.network import GROUPS, WIDTHS, losses, network
from digitrec.lab.finding.scenes import OTHER, SIDE, Painter
from digitrec.models.foreign import to_litert
from digitrec.prepare.finder import WEIGHTS

STOCK = 2000
"""Scenes in a file."""
BANK = (16_000, 8_000)
"""Digits and other marks in the bank of four files."""
HELD_VIEWS = 320
"""Held scenes that are measured."""
BATCH = 16
VIEWS = 168_000
"""Views that the shipped network learned from; up to step 6,000 it learned at the rate for 240,000."""
SEED = 30


def draw(folder: Path, count: int) -> None:
    """Draw `STOCK` scenes to measure on and ``count`` to learn from, `STOCK` to a file."""
    hands = people("learned")

    @lru_cache(1)  # four files share a bank; the held one has its own
    def bank(seed: int) -> tuple[list[Any], list[Any]]:
        return list(digits(hands, BANK[0] // 4, seed)), list(others(BANK[1] // 4, seed))

    def stock(number: int) -> stocks.Stock:
        marks = bank(SEED * 1000 + (number + 3) // 4)
        return drawn(Painter(*marks, np.random.default_rng((SEED, number))))

    stocks.fill(folder, count // STOCK, stock)


def drawn(painter: Painter) -> dict[str, Any]:
    """Return a file's content: pictures, owners, and per mark whether it is a digit and its missing share."""
    pictures, owners = np.zeros((STOCK, SIDE, SIDE, 3), np.uint8), np.zeros((STOCK, SIDE, SIDE), np.uint8)
    is_digit, missing = np.zeros((STOCK, GROUPS), np.float32), np.zeros((STOCK, GROUPS), np.float32)
    for at in range(STOCK):
        pictures[at], kinds, owners[at], groups = painter.scene()
        owners[at][kinds == OTHER] = GROUPS
        for number, group in enumerate(groups[: GROUPS - 1], 1):
            is_digit[at, number], missing[at, number] = group.digit, group.missing
        owners[at][(owners[at] > len(groups[: GROUPS - 1])) & (owners[at] < GROUPS)] = 0
    return {"pictures": pictures, "owners": owners, "is_digit": is_digit, "missing": missing}


def learn(folder: Path, views: int) -> None:
    """Learn from ``views`` views."""
    import keras

    keras.utils.set_random_seed(SEED)
    run, held = restored(folder, views // BATCH), stocks.held(folder, HELD_VIEWS)
    run.learn(batches(folder, np.random.default_rng((SEED, run.done))), losses, lambda: figures(run, held))


def batches(folder: Path, rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    """Yield batches with random changes of their colours and their light, each from two stocks."""
    for stock in stocks.pairs(folder, rng):
        order = rng.permutation(len(stock["pictures"]))
        for at in range(0, len(order), BATCH):
            pictures, *truth = batch(stock, order[at : at + BATCH])
            yield varied(pictures, rng), *truth


def batch(stock: stocks.Stock, chosen: Any) -> tuple[Any, ...]:
    """Return the chosen pictures and what `losses` takes besides."""
    pictures, owners = stock["pictures"][chosen].astype(np.float32), stock["owners"][chosen].astype(np.int32)
    return pictures, owners, stock["is_digit"][chosen], stock["missing"][chosen]


def varied(pictures: Any, rng: np.random.Generator) -> Any:
    """Return the pictures with random changes of their colours and their light."""
    count = len(pictures)
    gain = rng.uniform(0.75, 1.2, (count, 1, 1, 3)) ** rng.integers(0, 2, (count, 1, 1, 1))
    pictures = np.clip(pictures * gain, 0, 255).astype(np.float32)
    for at in np.flatnonzero(rng.random(count) < 0.2):
        pictures[at] = pictures[at][..., rng.permutation(3)]
    for at in np.flatnonzero(rng.random(count) < 0.05):
        pictures[at] = 255 - pictures[at]
    return pictures


def figures(run: stocks.Run, held: stocks.Stock) -> dict[str, float]:
    """Return the losses of the weights' moving average on the held scenes, and the overlap of its writing."""
    rows = []
    with run.averaged():
        for at in range(0, len(held["pictures"]), BATCH):
            pictures, owners, *others = batch(held, slice(at, at + BATCH))
            outputs = run.net(pictures, training=False)
            said, meant = np.argmax(outputs[0], -1) == 1, (owners > 0) & (owners < GROUPS)
            shared, either = (said & meant).sum((1, 2)), (said | meant).sum((1, 2))
            overlap = np.mean(shared[either > 0] / either[either > 0])
            rows.append(losses(outputs, owners, *others) | {"overlap": overlap})
    return {f"held {name}": float(np.mean([row[name] for row in rows])) for name in rows[0]}


def export(folder: Path) -> None:
    """Write the latest checkpoint's averaged weights as the finder's LiteRT file, with its card."""
    run = restored(folder, VIEWS // BATCH)
    measured = figures(run, stocks.held(folder, HELD_VIEWS))
    with run.averaged():
        content = to_litert(run.net)
    rows = {
        "parameters": f"{run.net.count_params():,}",
        "network": f"U-Net, {', '.join(map(str, WIDTHS))} channels at 1/2 to 1/16 of the size",
        "file": f"LiteRT, weights in int8 (dynamic range), {len(content) / 1000:.0f} kB",
        "input": f"(N, H, W, 3) float32, 0 to 255, sides multiples of 16; learned at {SIDE}",
        "output": "logits: maps of marks (N, H/2, W/2, 5), kinds of pixels (N, H, W, 3)",
        "learned from": f"{run.done * BATCH:,} views in {run.done:,} steps, seed {SEED}",
        "sources of digits": "MNIST, Turkish and Swiss writers, fonts, our own synthetic hand",
        **{f"on held scenes: {name[5:]}": f"{value:.4f}" for name, value in measured.items()},
    }
    table = "".join(f"| {name} | {value} |\n" for name, value in rows.items())
    card = (
        f"# {WEIGHTS.stem}\n\n"
        "Written by `python -m digitrec.lab.finding.train`, which also measured its figures; do not edit.\n"
        "Finds the ink of each digit on a picture.\n\n"
        f"| | |\n|---|---|\n{table}"
    )
    atomic.write(WEIGHTS, content)
    atomic.write(WEIGHTS.with_suffix(".md"), card)


def restored(folder: Path, steps: int) -> stocks.Run:
    """Return the run of a folder, for ``steps``."""
    return stocks.Run(
        folder, network(), steps, rate=2e-3, last=0.02, warmup=200, decay=0.01, clip=2.0, momentum=0.995
    )


STEPS: dict[str, Callable[..., None]] = {"draw": draw, "learn": learn, "export": export}
"""The steps of the recipe; each takes the folder of its files, the first two also a count."""

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    step, folder, *count = sys.argv[1:]
    STEPS[step](Path(folder), *map(int, count))
