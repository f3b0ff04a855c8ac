"""Compose stocks of numbers and train the reader's network on them.

    python -m digitrec.lab.reading.train compose FOLDER 120000
    python -m digitrec.lab.reading.train learn FOLDER 600000

Both continue where they were stopped. They need DIGITREC_DATA and the extra `train`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.lab import stocks
from digitrec.lab.datasets.world import people
from digitrec.lab.reading.compose import HANDS, WIDEST, Composer
from digitrec.lab.reading.hands import hands, letter_hands
from digitrec.lab.reading.network import network
from digitrec.models.sequence import ALPHABET, BLANK, HEIGHT

STOCK = 8000
"""Numbers in a file, by `HANDS` hands that write in no other file."""
HELD_VIEWS = 1024
"""Pictures of the stock that is not learned from that are measured."""
OTHER_HANDS = 40
"""Hands that write letters, signs and scrawls, in a file and in no other one."""
BATCH = 64
SEED = 31
LONGEST = 12
"""Characters of a number at most."""
CLASSES = ALPHABET + "?"
"""The characters of a picture's text, by their class; "?" is anything else."""
MOVED = 3
"""How far an edge of a view may move while it is learned from, px."""

Stock = stocks.Stock
"""Pictures (N, HEIGHT, WIDEST) uint8; widths (N,), px; texts (N, LONGEST), classes with -1 after the end; no
class where the paper is bare."""


def compose(folder: Path, count: int) -> None:
    """Compose `count` pictures, and `STOCK` more to measure on."""
    known = people("learned")

    def make(number: int) -> Stock:
        seed = SEED * 1000 + number
        writers, others = list(hands(known, HANDS, seed)), list(letter_hands(OTHER_HANDS, seed))
        return stock(Composer(writers, np.random.default_rng((SEED, number)), others), STOCK)

    stocks.fill(folder, count // STOCK, make)


def stock(composer: Composer, count: int) -> Stock:
    """Return `count` composed pictures."""
    pictures = np.zeros((count, HEIGHT, WIDEST), np.uint8)
    texts, widths = np.full((count, LONGEST), -1, np.int8), np.zeros(count, np.int16)
    for at in range(count):
        view, text = composer.picture()
        pictures[at, :, : view.shape[1]], widths[at] = view, view.shape[1]
        texts[at, : len(text)] = [CLASSES.index(character) for character in text]
    return {"pictures": pictures, "texts": texts, "widths": widths}


def batches(folder: Path, rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    """Yield batches of about equal width, each from two stocks, without end: pictures and their truth."""
    for both in stocks.pairs(folder, rng):
        order = np.argsort(both["widths"] // 32 + rng.random(len(both["widths"])))
        starts = np.arange(0, len(order) - BATCH + 1, BATCH)
        for start in rng.permutation(starts):
            chosen = order[start : start + BATCH]
            texts = both["texts"][chosen]
            least = 4 * (2 * (texts >= 0).sum(axis=1) - 1)
            views = [varied(*one, rng) for one in zip(views_of(both, chosen), least.tolist(), strict=True)]
            pictures, columns = batch(views)
            yield pictures, _sparse(texts), columns, texts[:, 0] < 0


def views_of(stock: Stock, chosen: NDArray[np.intp]) -> Iterator[NDArray[np.uint8]]:
    """Yield each chosen view, (HEIGHT, W)."""
    for at in chosen:
        yield stock["pictures"][at, :, : stock["widths"][at]]


def varied(view: NDArray[np.uint8], least: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the view moved, cut or widened a little, with another contrast and noise.

    It is at least `least` pixels wide.
    """
    if rng.random() < 0.6:
        height, width = view.shape
        edges = rng.integers(0, 2 * MOVED + 1, 4)
        box = (edges[0], edges[1], width + edges[2], height + edges[3])
        wide = min(WIDEST, max(least, 8, round(width * np.exp(rng.normal(0, 0.12)))))
        around = Image.fromarray(np.pad(view, MOVED, mode="edge"))
        view = np.asarray(around.resize((wide, height), Image.Resampling.BILINEAR, box))
    noise = rng.standard_normal(view.shape).astype(np.float32) * np.float32(rng.gamma(1, 2))
    return view.astype(np.float32) * np.float32(rng.uniform(0.7, 1.2)) + noise


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
    """Learn from `views` views, in bfloat16, which takes a quarter less time."""
    import keras

    keras.utils.set_random_seed(SEED)
    run = restored(folder, network(policy="mixed_bfloat16"), views // BATCH)
    held = stocks.held(folder, HELD_VIEWS)
    rng = np.random.default_rng((SEED, run.done))
    run.learn(batches(folder, rng), losses, lambda: {"held": exact(run, held)})


def losses(logits: Any, labels: Any, columns: Any, empty: Any) -> dict[str, Any]:
    """Return the loss: CTC's, and on bare paper that of columns without a character.

    Args:
        logits: (N, W / 4, 15), those of the network.
        labels: the texts, a sparse tensor, as `_sparse` returns it.
        columns: (N,), columns that each picture fills.
        empty: (N,), whether the paper is bare.
    """
    import tensorflow

    tf: Any = tensorflow
    each = tf.nn.ctc_loss(labels, tf.transpose(logits, (1, 0, 2)), None, columns, blank_index=-1)
    filled = tf.sequence_mask(columns, tf.shape(logits)[1], tf.float32)
    blank = -tf.reduce_sum(filled * tf.nn.log_softmax(logits)[..., -1], axis=1)
    return {"loss": tf.reduce_mean(tf.where(empty, blank, each))}


def restored(folder: Path, net: Any, steps: int) -> stocks.Run:
    """Return the run of a folder with a network, for a number of steps."""
    return stocks.Run(
        folder, net, steps, rate=3e-3, last=0.01, warmup=300, decay=0.02, clip=5.0, momentum=0.998
    )


def _sparse(texts: NDArray[np.int8]) -> Any:
    """Return the texts as the sparse tensor that CTC's loss takes, which needs a class in each."""
    import tensorflow as tf

    texts = np.where((texts[:, :1] < 0) & (np.arange(LONGEST) == 0), 0, texts)
    return tf.sparse.SparseTensor(np.argwhere(texts >= 0), texts[texts >= 0].astype(np.int32), texts.shape)


def exact(run: stocks.Run, held: Stock) -> float:
    """Return the share of numbers that the averaged weights read without a fault, by their best path."""
    right = 0
    order = np.argsort(held["widths"])
    with run.averaged():
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            pictures, columns = batch(list(views_of(held, chosen)))
            best = np.argmax(run.net(pictures, training=False), axis=-1)
            for row, text, count in zip(best, held["texts"][chosen], columns, strict=True):
                path = row[:count]
                signs = path[np.flatnonzero(np.diff(path, prepend=-1))]
                right += list(signs[signs < BLANK]) == list(text[text >= 0])
    return right / len(order)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    {"compose": compose, "learn": learn}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
