"""Compose stocks of numbers and train the reader's network on them.

    python -m digitrec.lab.reading.train compose FOLDER 120000
    python -m digitrec.lab.reading.train learn FOLDER 600000

Both continue where they were stopped. They need DIGITREC_DATA and the extra `train`.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.lab import stocks
from digitrec.lab.reading.compose import HANDS, WIDEST, Composer
from digitrec.lab.reading.hands import hands, letter_hands, people
from digitrec.lab.reading.network import network
from digitrec.models.sequence import ALPHABET, HEIGHT

log = logging.getLogger(__name__)

STOCK = 8000
"""Numbers in a file, by `HANDS` hands that write in no other file."""
HELD, OTHERS = "held", "others"
"""Names of the stock that is not learned from, and of that with letters, signs and scrawls."""
LETTER_HANDS = 150
"""Hands that write the latter."""
BATCH = 64
SEED = 31
LONGEST = 12
"""Characters of a number at most."""

Stock = stocks.Stock
"""Pictures (N, HEIGHT, WIDEST) uint8; widths (N,), px; texts (N, LONGEST), classes with -1 after the end."""


def compose(folder: Path, count: int) -> None:
    """Compose `count` numbers; `STOCK` more to measure on; and as many pictures without a number."""
    folder.mkdir(parents=True, exist_ok=True)
    known = people("learned")
    for number, name in enumerate([HELD, *(f"{at:03}" for at in range(count // STOCK)), OTHERS]):
        file = folder / f"{name}.npz"
        if file.exists():
            continue
        started, seed = time.perf_counter(), SEED * 1000 + number
        writers = letter_hands(LETTER_HANDS, seed) if name == OTHERS else hands(known, HANDS, seed)
        made = stock(Composer(list(writers), np.random.default_rng((SEED, number))), STOCK)
        stocks.save(file, made)
        log.info("%s: %.1f ms a number", name, 1000 * (time.perf_counter() - started) / STOCK)


def stock(composer: Composer, count: int) -> Stock:
    """Return `count` composed numbers."""
    pictures = np.zeros((count, HEIGHT, WIDEST), np.uint8)
    texts, widths = np.full((count, LONGEST), -1, np.int8), np.zeros(count, np.int16)
    for at in range(count):
        view, text = composer.number()
        pictures[at, :, : view.shape[1]], widths[at] = view, view.shape[1]
        texts[at, : len(text)] = [ALPHABET.index(character) for character in text]
    return {"pictures": pictures, "texts": texts, "widths": widths}


def batches(folder: Path, rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    """Yield batches of about equal width, each from two stocks, without end."""
    for both in stocks.pairs(folder, rng):
        order = np.argsort(both["widths"] // 32 + rng.random(len(both["widths"])))
        starts = np.arange(0, len(order) - BATCH + 1, BATCH)
        for start in rng.permutation(starts):
            chosen = order[start : start + BATCH]
            views = [varied(view, rng) for view in views_of(both, chosen)]
            yield *batch(views), both["texts"][chosen]


def views_of(stock: Stock, chosen: NDArray[np.intp]) -> Iterator[NDArray[np.uint8]]:
    """Yield each chosen view, (HEIGHT, W)."""
    for at in chosen:
        yield stock["pictures"][at, :, : stock["widths"][at]]


def varied(view: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the view with another contrast, with noise, and in three of ten cases moved up or down."""
    noise = rng.standard_normal(view.shape).astype(np.float32) * np.float32(rng.gamma(1, 2))
    grey = view.astype(np.float32) * np.float32(rng.uniform(0.7, 1.2)) + noise
    return np.roll(grey, int(rng.integers(-2, 3)), axis=0) if rng.random() < 0.3 else grey


def batch(views: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return views as one array, (N, HEIGHT, W, 1), and the number of columns that each of them fills.

    W is a multiple of 32; a narrower view continues as its own mean.
    """
    widths = np.array([view.shape[1] for view in views], np.int32)
    wide = -(-int(widths.max()) // 32) * 32
    pictures = np.empty((len(views), HEIGHT, wide, 1), np.float32)
    for at, view in enumerate(views):
        pictures[at, ..., 0] = view.mean()
        pictures[at, :, : view.shape[1], 0] = view
    return pictures, np.minimum(widths // 4 + 2, wide // 4)


def learn(folder: Path, views: int) -> None:
    """Learn from `views` views; save a checkpoint and print a line of figures every 500 steps."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(SEED)
    net, steps = network(), views // BATCH
    optimizer = optimizer_for(net, steps)
    manager = stocks.restored(folder, net, optimizer)
    log.info("%d parameters, from step %d", net.count_params(), int(optimizer.iterations))

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(pictures: Any, labels: Any, columns: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = tf.transpose(net(pictures, training=True), (1, 0, 2))
            each = tf.nn.ctc_loss(labels, logits, None, columns, blank_index=-1)  # type: ignore[arg-type]
            loss = tf.reduce_mean(each)
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
        return loss

    held = stocks.start(folder / f"{HELD}.npz", 1024)
    rng, mean = np.random.default_rng((SEED, int(optimizer.iterations))), 0.0
    started, first = time.perf_counter(), int(optimizer.iterations)
    for pictures, columns, texts in batches(folder, rng):
        number = int(optimizer.iterations)
        if number >= steps:
            manager.save()
            return
        value = float(step(pictures, _sparse(texts), columns))
        mean = value if number == first else 0.98 * mean + 0.02 * value
        if number % 500 == 499:
            manager.save()
            left = (steps - number) * (time.perf_counter() - started) / (number + 1 - first) / 60
            share = exact(net, optimizer, held)
            log.info("%d: loss %.3f, held %.3f, %.0f min left", number + 1, mean, share, left)


def optimizer_for(net: Any, steps: int) -> Any:
    """Return the optimizer of so many steps."""
    return stocks.adamw(net, steps, rate=3e-3, last=0.01, warmup=300, decay=0.02, clip=5.0, momentum=0.998)


def _sparse(texts: NDArray[np.int8]) -> Any:
    """Return the texts as the sparse tensor that CTC's loss takes."""
    import tensorflow as tf

    return tf.sparse.SparseTensor(np.argwhere(texts >= 0), texts[texts >= 0].astype(np.int32), texts.shape)


def exact(net: Any, optimizer: Any, held: Stock) -> float:
    """Return the share of numbers that the averaged weights read without a fault, by their best path."""
    right = 0
    order = np.argsort(held["widths"])
    with stocks.averaged(net, optimizer):
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            pictures, columns = batch(list(views_of(held, chosen)))
            best = np.argmax(net(pictures, training=False), axis=-1)
            for row, text, count in zip(best, held["texts"][chosen], columns, strict=True):
                path = row[:count]
                signs = path[np.flatnonzero(np.diff(path, prepend=-1))]
                right += list(signs[signs < len(ALPHABET)]) == list(text[text >= 0])
    return right / len(order)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    {"compose": compose, "learn": learn}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
