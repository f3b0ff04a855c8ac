"""Train the finder's weights: draw scenes, learn from them, export the network.

    python -m digitrec.lab.finding.train draw ONE 80000
    python -m digitrec.lab.finding.train learn ONE 352000
    cp -r ONE/checkpoints TWO
    python -m digitrec.lab.finding.train draw TWO 32000 77
    python -m digitrec.lab.finding.train learn TWO 432000
    python -m digitrec.lab.finding.train export ONE TWO

Drawing and learning resume where they stopped. 80,000 scenes take one core about 20 minutes, 352,000 views
two cores about two hours; TF_NUM_INTRAOP_THREADS=1 and TF_NUM_INTEROP_THREADS=1 leave one core for others.
`export` writes the mean of the trainings, which errs less than each. For the weights that digitrec ships,
the second was stopped after 25,000 steps, and only its scenes are drawn as today (docs/decisions.md).
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.comparison.datasets.mnist import Digits
from digitrec.image import atomic
from digitrec.image.pixels import Pixels
from digitrec.lab import stocks
from digitrec.lab.datasets.world import People, people
from digitrec.lab.finding.scenes import GROUPS, SIDE, Painter
from digitrec.lab.handwriting import strokes
from digitrec.lab.handwriting.writer import enlarge, font_to_learn, in_font, rewrite, sized, without_paper
from digitrec.models.store import to_litert
from digitrec.prepare.finder import WEIGHTS

MARK = 96
"""Longer side of a mark, in pixels."""
PAGE = 112
"""Side of the picture on which a mark is written, in pixels."""
_SHAPES = (*strokes.PLAIN.values(), *strokes.SIGNS.values())
"""Letters and signs that resemble no digit; the other letters can be told from digits only in words."""
_PRINTED = "abdefhkmnprtuwxyACEFHKLMNPRTUVWX&%#@?€+=(){}[]<>*"
"""Printed characters that resemble no digit."""


def digits(hands: People, count: int, seed: int) -> Iterator[Pixels]:
    """Yield ``count`` digits as ink, 0..255, their longer side `MARK` pixels."""
    rng, paths = np.random.default_rng((seed, 0)), hands.turkish.strokes

    def any_of(digits: Digits) -> Any:
        return digits.images[rng.integers(len(digits))]

    def by_turkish_hand() -> Pixels:
        path = strokes.by_another_hand(strokes.one_of(rng, paths), rng)
        return strokes.put(path, strokes.any_pen(rng), rng, PAGE)

    shares: dict[Callable[[], Pixels], float] = {
        lambda: strokes.draw(int(rng.integers(10)), rng): 0.25,
        by_turkish_hand: 0.2,
        lambda: rewrite(any_of(hands.mnist), strokes.any_pen(rng), PAGE, rng): 0.15,
        lambda: enlarge(any_of(hands.mnist), PAGE): 0.1,
        lambda: without_paper(any_of(hands.swiss), 0.7): 0.2,
        lambda: in_font(str(rng.integers(10)), font_to_learn(rng), MARK): 0.1,
    }
    sources = list(shares)
    for kind in rng.choice(len(sources), count, p=list(shares.values())):
        yield sized(sources[kind](), MARK)


def others(count: int, seed: int) -> Iterator[Pixels]:
    """Yield ``count`` letters, signs and scrawls as ink, 0..255, their longer side `MARK` pixels."""
    rng = np.random.default_rng((seed, 1))
    for _ in range(count):
        drawn = rng.random()
        if drawn < 0.45:
            mark = strokes.write([strokes.one_of(rng, _SHAPES)], rng, PAGE)
        elif drawn < 0.65:
            mark = in_font(strokes.one_of(rng, _PRINTED), font_to_learn(rng), MARK)
        else:
            paths = _bracket(rng) if drawn < 0.75 else _scrawl(rng)
            mark = strokes.put(paths, strokes.any_pen(rng), rng, PAGE)
        yield sized(mark, MARK)


def _bracket(rng: np.random.Generator) -> list[strokes.Stroke]:
    """Return the path of a bracket, stroke, tick or dash, 100 units high."""
    bend, y = rng.uniform(0.05, 0.35), np.linspace(0, 1, 9)
    kinds = (
        np.stack([4 * bend * y * (1 - y), y], 1),
        np.array([[bend, 0.0], [0, 0], [0, 0.5], [0, 1], [bend, 1]]),
        np.array([[0, 0.0], [rng.uniform(-0.4, 0.4), 1]]),
        np.array([[0, 0.6], [0.25, 1.0], [0.8, 0.0]]),
        np.array([[0, 0.0], [1.0, rng.uniform(-0.1, 0.1)]]),
    )
    path = strokes.one_of(rng, kinds) * (1.0 if rng.random() < 0.5 else -1.0, 1.0)
    return [strokes.smooth(path + rng.normal(0, 0.01, path.shape)) * 100]


def _scrawl(rng: np.random.Generator) -> list[strokes.Stroke]:
    count = int(rng.integers(4, 16))
    stretch = (rng.uniform(0.5, 3), 1.0)
    walks = rng.random() < 0.5
    points = np.cumsum(rng.normal(0, 1, (count, 2)), 0) if walks else rng.uniform(0, 4, (count, 2))
    return [strokes.smooth(points) * stretch * 20]


WIDTHS = (20, 36, 64, 96)
"""Channels at a half, a quarter, an eighth and a sixteenth of the picture's size."""
PAPER, WRITING, OTHER = range(3)
"""Kinds of pixels: paper; digits, letters and signs; rulings, frames, small print and objects."""
MAPS = 5
"""Number of maps at half size: offset to the middle of the mark (x, y), logits of "other mark" and "digit",
and a logit of the missing share of its ink."""
REACH = 16.0
"""Factor from the offsets that the network returns to pixels."""


def network() -> Any:
    """Return a Keras model with two outputs of logits.

    The input is pictures, (N, H, W, 3), 0..255, with sides that are multiples of 16. The outputs are the
    kinds of pixels, (N, H, W, 3), and the maps of marks, (N, H/2, W/2, 5).
    """
    import keras
    import tensorflow as tf
    from keras import layers

    def doubled(x: Any, channels: int, **how: Any) -> Any:
        four = layers.Conv2D(4 * channels, 1, dtype=how.get("dtype"))(x)
        return layers.Lambda(lambda values: tf.nn.depth_to_space(values, 2), **how)(four)

    pictures = keras.Input((None, None, 3))
    x = layers.Rescaling(1 / 127.5, -1)(pictures)
    x = stocks.block(x, WIDTHS[0], 4, stride=2)
    kept = [x]
    for width in WIDTHS[1:]:
        x = stocks.block(stocks.block(x, width, stride=2), width)
        kept.append(x)
    around = layers.Conv2D(WIDTHS[-1], 1)(layers.GlobalAveragePooling2D(keepdims=True)(x))
    x = stocks.block(layers.Add()([x, around]), WIDTHS[-1])
    for finer in reversed(kept[:-1]):
        width = finer.shape[-1]
        x = stocks.block(layers.Add()([doubled(x, width), finer]), width)
    x = stocks.block(x, 24)
    kinds = doubled(x, 3, dtype="float32", name="kinds")
    maps = layers.Conv2D(MAPS, 1, dtype="float32", name="maps")(x)
    return keras.Model(pictures, [kinds, maps])


def losses(outputs: Any, owners: Any, is_digit: Any, missing: Any) -> dict[str, Any]:
    """Return the terms of the loss.

    The prediction for a mark is the mean of the maps over its pixels.

    Args:
        outputs: the network's outputs: the kinds of pixels and the maps of marks.
        owners: (N, H, W) int32: 0 for paper, `GROUPS` for other ink, else the number of the mark.
        is_digit: (N, GROUPS) float32: 1 if the mark with that number is a digit.
        missing: (N, GROUPS) float32: the share of the mark's ink outside the picture.
    """
    import tensorflow

    tf: Any = tensorflow  # Keras' annotations reject most of the following code
    kinds, maps = outputs
    truth = tf.where(owners == 0, PAPER, tf.where(owners == GROUPS, OTHER, WRITING))
    weights = tf.gather(tf.constant([0.5, 2.0, 1.0]), truth)
    cross = tf.nn.sparse_softmax_cross_entropy_with_logits(truth, kinds)
    written = tf.cast(truth == WRITING, tf.float32)
    said = tf.nn.softmax(kinds)[..., WRITING]
    shared, both = tf.reduce_sum(said * written, (1, 2)), tf.reduce_sum(said + written, (1, 2))
    dice = 1 - (2 * shared + 30) / (both + 30)

    small = owners[:, ::2, ::2]
    mark = tf.where(small == GROUPS, 0, small)
    n, h, w = tf.shape(mark)[0], tf.shape(mark)[1], tf.shape(mark)[2]
    segment = tf.reshape(mark + GROUPS * tf.range(n)[:, None, None], [-1])
    count = n * GROUPS
    y, x = tf.meshgrid(tf.range(h, dtype=tf.float32), tf.range(w, dtype=tf.float32), indexing="ij")
    place = tf.reshape(tf.tile(2 * tf.stack([x, y], -1)[None], [n, 1, 1, 1]), [-1, 2])
    middle = tf.math.unsorted_segment_mean(place, segment, count)
    size = tf.math.unsorted_segment_sum(tf.ones_like(segment, tf.float32), segment, count)
    real = tf.cast((tf.range(count) % GROUPS > 0) & (size >= 3), tf.float32)
    on = tf.cast(segment % GROUPS > 0, tf.float32)
    flat = tf.reshape(maps, [-1, MAPS])
    way = tf.reduce_sum(tf.abs(flat[:, :2] - (tf.gather(middle, segment) - place) / REACH), -1)
    way = tf.reduce_sum(way * on) / (tf.reduce_sum(on) + 1)

    pooled = tf.math.unsorted_segment_mean(flat[:, 2:], segment, count)
    which = tf.cast(tf.reshape(is_digit, [-1]), tf.int32)
    named = tf.nn.sparse_softmax_cross_entropy_with_logits(which, pooled[:, :2])
    gone = tf.nn.sigmoid_cross_entropy_with_logits(tf.reshape(missing, [-1]), pooled[:, 2])
    marks = tf.reduce_sum(real) + 1
    return {
        "kinds of pixels: cross-entropy": tf.reduce_sum(weights * cross) / tf.reduce_sum(weights),
        "writing: half of 1 - Dice": 0.5 * tf.reduce_mean(dice),
        f"way to a mark's middle: 0.3 (dx + dy) / {REACH:.0f} pixels": 0.3 * way,
        "digit or other mark: half the cross-entropy": 0.5 * tf.reduce_sum(named * real) / marks,
        "share outside the picture: half the cross-entropy": 0.5 * tf.reduce_sum(gone * real) / marks,
    }


STOCK = 2000
"""Number of scenes in a file."""
BANK = (16_000, 8_000)
"""Number of digits and of other marks in the bank that four files share."""
HELD_VIEWS = 320
"""Number of held-out scenes that are measured."""
BATCH = 16
SEED = 30


def draw(folder: Path, count: int, seed: int = SEED) -> None:
    """Draw `STOCK` scenes for measuring and ``count`` for training, `STOCK` in each file."""
    hands = people("learned")

    @lru_cache(1)  # four files share a bank; the held-out file has its own
    def bank(its: int) -> tuple[list[Any], list[Any]]:
        return list(digits(hands, BANK[0] // 4, its)), list(others(BANK[1] // 4, its))

    def stock(number: int) -> stocks.Stock:
        marks = bank(seed * 1000 + (number + 3) // 4)
        return drawn(Painter(*marks, np.random.default_rng((seed, number))))

    stocks.fill(folder, count // STOCK, stock)


def drawn(painter: Painter) -> dict[str, Any]:
    """Return a file's content: pictures, owners, and each mark's kind and missing share."""
    pictures, owners = np.zeros((STOCK, SIDE, SIDE, 3), np.uint8), np.zeros((STOCK, SIDE, SIDE), np.uint8)
    is_digit, missing = np.zeros((STOCK, GROUPS), np.float32), np.zeros((STOCK, GROUPS), np.float32)
    for at in range(STOCK):
        pictures[at], owners[at], groups = painter.scene()
        for number, group in enumerate(groups, 1):  # a sheet has at most 63
            is_digit[at, number], missing[at, number] = group.digit, group.missing
    return {"pictures": pictures, "owners": owners, "is_digit": is_digit, "missing": missing}


def learn(folder: Path, views: int) -> None:
    """Train on ``views`` views."""
    import keras

    keras.utils.set_random_seed(SEED)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")  # a fifth faster; the weights are float32
    net, steps = network(), views // BATCH
    run = stocks.Run(folder, net, steps, last=0.02, warmup=200, decay=0.01, momentum=0.995)
    rng = np.random.default_rng((SEED, run.done))
    run.learn(stocks.batches(folder, BATCH, batch, varied, rng), losses, held(folder))


def held(folder: Path) -> list[tuple[Any, ...]]:
    """Return the held-out scenes in batches."""
    return stocks.held_batches(folder, HELD_VIEWS, BATCH, batch)


def batch(stock: stocks.Stock, chosen: Any) -> tuple[Any, ...]:
    """Return the chosen pictures, and the other arguments of `losses`."""
    pictures, owners = stock["pictures"][chosen].astype(np.float32), stock["owners"][chosen].astype(np.int32)
    return pictures, owners, stock["is_digit"][chosen], stock["missing"][chosen]


def varied(pictures: Any, rng: np.random.Generator) -> Any:
    """Return the pictures with random changes of colours and light."""
    count = len(pictures)
    gain = rng.uniform(0.75, 1.2, (count, 1, 1, 3)) ** rng.integers(0, 2, (count, 1, 1, 1))
    pictures = np.clip(pictures * gain, 0, 255).astype(np.float32)
    for at in np.flatnonzero(rng.random(count) < 0.2):
        pictures[at] = pictures[at][..., rng.permutation(3)]
    for at in np.flatnonzero(rng.random(count) < 0.05):
        pictures[at] = 255 - pictures[at]
    return pictures


def export(*folders: Path) -> None:
    """Write the mean of the trainings' averaged weights as the finder's LiteRT file, with its card.

    Each folder has a training; the last folder's held-out scenes are measured.
    """
    runs, net = [stocks.Run(folder, network()) for folder in folders], network()
    net.set_weights(stocks.mean(runs))
    measured = stocks.figures(net, held(folders[-1]), losses)
    content = to_litert(net)
    steps = ", ".join(f"{run.done:,}" for run in runs)
    rows = {
        "parameters": f"{net.count_params():,}",
        "network": f"U-Net, {', '.join(map(str, WIDTHS))} channels at 1/2 to 1/16 of the size",
        "file": f"LiteRT, weights in int8 (dynamic range), {len(content) / 1000:.0f} kB",
        "input": f"(N, H, W, 3) float32, 0 to 255, sides multiples of 16; learned at {SIDE}",
        "output": "logits: maps of marks (N, H/2, W/2, 5), kinds of pixels (N, H, W, 3)",
        "learned from": f"{BATCH} views a step; the mean of trainings of {steps} steps; seed {SEED}",
        "sources of digits": "MNIST, Turkish and Swiss writers, fonts, our own synthetic hand",
        **{f"loss on {HELD_VIEWS} held scenes, {name}": f"{loss:.4f}" for name, loss in measured.items()},
    }
    atomic.write(WEIGHTS, content)
    purpose = "Finds the ink of each digit on a picture."
    stocks.write_card(WEIGHTS, "digitrec.lab.finding.train", purpose, rows)


if __name__ == "__main__":
    stocks.main({"draw": draw, "learn": learn, "export": export})
