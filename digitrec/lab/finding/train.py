"""The recipe of the finder's weights: draw scenes, learn from them, export the network.

    python -m digitrec.lab.finding.train draw FOLDER 40000
    python -m digitrec.lab.finding.train learn FOLDER 168000
    python -m digitrec.lab.finding.train export FOLDER

Drawing and learning resume where they stopped. 40,000 scenes take two cores about 15 minutes, 168,000 views
about an hour. `export` writes the network that digitrec ships, from the latest checkpoint.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.image import atomic
from digitrec.lab import stocks
from digitrec.lab.datasets.digits import read_digits
from digitrec.lab.datasets.world import swiss, turkish
from digitrec.lab.finding.marks import Hands, digits, others
from digitrec.lab.finding.network import GROUPS, WIDTHS, losses, network
from digitrec.lab.finding.scenes import OTHER, SIDE, Painter
from digitrec.models.kerasfile import to_litert
from digitrec.prepare.finder import WEIGHTS

STOCK = 2000
"""Scenes in a file."""
BANK = (16_000, 8_000)
"""Digits and other marks in the bank of four files."""
HELD = "held"
"""The file of scenes that are never learned from."""
HELD_VIEWS = 320
"""Held scenes that are measured."""
BATCH = 16
VIEWS = 168_000
"""Views that the shipped network learned from; up to step 6,000 it learned at the rate for 240,000."""
SEED = 30


def draw(folder: Path, count: int) -> None:
    """Draw `STOCK` scenes to measure on and ``count`` to learn from, `STOCK` to a file."""
    folder.mkdir(parents=True, exist_ok=True)
    hands = Hands(read_digits("mnist-train")[:54_000], swiss("learned"), turkish("learned"))
    bank: tuple[list[Any], list[Any]] | None = None
    names = [HELD, *(f"{number:03}" for number in range(count // STOCK))]
    for number, name in enumerate(names):
        file = folder / f"{name}.npz"
        if file.exists():
            continue
        seed = SEED * 1000 + (number + 3) // 4  # a new bank for every fourth file; the held one has its own
        if bank is None or number % 4 == 1:
            bank = list(digits(hands, BANK[0] // 4, seed)), list(others(BANK[1] // 4, seed))
        started = time.perf_counter()
        stocks.save(file, drawn(Painter(*bank, np.random.default_rng((SEED, number)))))
        print(f"{name}: {1000 * (time.perf_counter() - started) / STOCK:.1f} ms a scene", flush=True)


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
    """Learn from ``views`` views; every 500 steps print the losses and write a checkpoint."""
    import keras
    import tensorflow

    tf: Any = tensorflow  # its annotations reject tf.function
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(SEED)
    steps = views // BATCH
    net, optimizer, manager = restored(folder, steps)
    print(net.count_params(), "parameters, from step", int(optimizer.iterations), flush=True)

    def step(pictures: Any, owners: Any, is_digit: Any, missing: Any) -> Any:
        with tf.GradientTape() as tape:
            kinds, maps = net(pictures, training=True)
            parts = losses(kinds, maps, owners, is_digit, missing)
            loss = tf.add_n(list(parts.values()))
        optimizer.apply_gradients(
            zip(tape.gradient(loss, net.trainable_variables), net.trainable_variables, strict=True)
        )
        return parts

    quick = tf.function(step, reduce_retracing=True)
    held = stocks.start(folder / f"{HELD}.npz", HELD_VIEWS)
    rng = np.random.default_rng((SEED, int(optimizer.iterations)))
    sums: dict[str, float] = {}
    started, first = time.perf_counter(), int(optimizer.iterations)
    for stock in stocks.pairs(folder, rng):
        order = rng.permutation(len(stock["pictures"]))
        for at in range(0, len(order), BATCH):
            number = int(optimizer.iterations)
            if number >= steps:
                manager.save()
                return
            parts = quick(*varied(stock, order[at : at + BATCH], rng))
            for name, value in parts.items():
                sums[name] = 0.98 * sums.get(name, float(value)) + 0.02 * float(value)
            if number % 500 == 499:
                manager.save()
                pace = (time.perf_counter() - started) / (number + 1 - first)
                left = f"{(steps - number) * pace / 60:.0f} min left"
                print(number + 1, json.dumps({k: round(v, 4) for k, v in sums.items()}), left, flush=True)
            if number % 2000 == 1999:
                print("held", json.dumps(figures(net, optimizer, held)), flush=True)


def varied(stock: dict[str, Any], chosen: Any, rng: np.random.Generator) -> tuple[Any, ...]:
    """Return a batch with random changes of its colours and its light."""
    pictures = stock["pictures"][chosen].astype(np.float32)
    gain = rng.uniform(0.75, 1.2, (len(chosen), 1, 1, 3)) ** rng.integers(0, 2, (len(chosen), 1, 1, 1))
    pictures = np.clip(pictures * gain, 0, 255).astype(np.float32)
    for at in np.flatnonzero(rng.random(len(chosen)) < 0.2):
        pictures[at] = pictures[at][..., rng.permutation(3)]
    for at in np.flatnonzero(rng.random(len(chosen)) < 0.05):
        pictures[at] = 255 - pictures[at]
    return (
        pictures,
        stock["owners"][chosen].astype(np.int32),
        stock["is_digit"][chosen],
        stock["missing"][chosen],
    )


def figures(net: Any, optimizer: Any, held: dict[str, Any]) -> dict[str, float]:
    """Return the losses of the weights' moving average on the held scenes, and the overlap of its writing."""
    sums: dict[str, list[float]] = {}
    with stocks.averaged(net, optimizer):
        for at in range(0, len(held["pictures"]), BATCH):
            some = slice(at, at + BATCH)
            kinds, maps = net(held["pictures"][some].astype(np.float32), training=False)
            owners = held["owners"][some].astype(np.int32)
            parts = losses(kinds, maps, owners, held["is_digit"][some], held["missing"][some])
            for name, value in parts.items():
                sums.setdefault(name, []).append(float(value))
            said, meant = np.argmax(kinds, -1) == 1, (owners > 0) & (owners < GROUPS)
            shared, either = (said & meant).sum((1, 2)), (said | meant).sum((1, 2))
            sums.setdefault("overlap", []).append(float(np.mean(shared[either > 0] / either[either > 0])))
    return {name: round(float(np.mean(values)), 4) for name, values in sums.items()}


def export(folder: Path) -> None:
    """Write the latest checkpoint's averaged weights as the finder's LiteRT file, with its card."""
    net, optimizer, _ = restored(folder, VIEWS // BATCH)
    measured = figures(net, optimizer, stocks.start(folder / f"{HELD}.npz", HELD_VIEWS))
    with stocks.averaged(net, optimizer):
        content, steps = to_litert(net), int(optimizer.iterations)
    rows = {
        "parameters": f"{net.count_params():,}",
        "network": f"U-Net, {', '.join(map(str, WIDTHS))} channels at 1/2 to 1/16 of the size",
        "file": f"LiteRT, weights in int8 (dynamic range), {len(content) / 1000:.0f} kB",
        "input": f"(N, H, W, 3) float32, 0 to 255, sides multiples of 16; learned at {SIDE}",
        "output": "logits: maps of marks (N, H/2, W/2, 5), kinds of pixels (N, H, W, 3)",
        "learned from": f"{steps * BATCH:,} views in {steps:,} steps, seed {SEED}",
        "sources of digits": "MNIST, Turkish and Swiss writers, fonts, our own synthetic hand",
        **{f"on held scenes: {name}": f"{value}" for name, value in measured.items()},
    }
    table = "".join(f"| {name} | {value} |\n" for name, value in rows.items())
    card = (
        f"# {WEIGHTS.stem}\n\nFinds the ink of each digit on a picture.\n"
        "Made by `python -m digitrec.lab.finding.train`, which also measured the figures below.\n\n"
        f"| | |\n|---|---|\n{table}"
    )
    with atomic.replacing(WEIGHTS) as unfinished:
        unfinished.write_bytes(content)
    atomic.write(WEIGHTS.with_suffix(".md"), card)


def restored(folder: Path, steps: int) -> tuple[Any, Any, Any]:
    """Return the network, its optimizer for ``steps``, and the checkpoint manager."""
    net = network()
    optimizer = stocks.adamw(
        net, steps, rate=2e-3, last=0.02, warmup=200, decay=0.01, clip=2.0, momentum=0.995
    )
    return net, optimizer, stocks.restored(folder, net, optimizer)


def main(arguments: Sequence[str]) -> None:
    """Run a step of the recipe: its name, the folder of its files, and for the first two a count."""
    step, folder = arguments[0], Path(arguments[1])
    if step == "export":
        export(folder)
    else:
        {"draw": draw, "learn": learn}[step](folder, int(arguments[2]))


if __name__ == "__main__":
    main(sys.argv[1:])
