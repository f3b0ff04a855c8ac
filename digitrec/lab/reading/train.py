"""Train the number reader's weights: compose numbers, learn from them, export the network.

    python -m digitrec.lab.reading.train compose FOLDER 409000
    python -m digitrec.lab.reading.train learn FOLDER 5846000 [FIRST]
    python -m digitrec.lab.reading.train export FOLDER NUMBERS
    python -m digitrec.lab.reading.train signs ANOTHER 285000 4861000 NUMBERS OUT

Composing and learning resume where they stopped. They need DIGITREC_DATA and the extra `train`. FIRST is the
file of a network to begin with; without it, training takes longer. `signs` adds an output to NUMBERS; OUT is
digitrec/models/weights/digitrec-reader.tflite.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.image import atomic
from digitrec.lab import stocks
from digitrec.lab.datasets.world import People, people
from digitrec.lab.reading.compose import HANDS, WIDEST, Composer
from digitrec.lab.reading.hands import hands, letter_hands
from digitrec.models.network import described
from digitrec.models.sequence import ALPHABET, BLANK, HEIGHT


def network(widths: tuple[int, ...] = (24, 48, 80, 112, 144), policy: str | None = None) -> Any:
    """Return a Keras model from pictures (N, 32, W, 1), 0..255, to logits (N, W / 4, 15).

    The classes are those of `digitrec.models.sequence`. Each picture is normalised: minus its mean, divided
    by its deviation. `policy` is the layers' dtype policy; None: Keras' default.
    """
    import keras
    from keras import layers, ops

    block = partial(stocks.block, policy=policy)
    pictures = keras.Input((HEIGHT, None, 1))
    mean = ops.mean(pictures, axis=(1, 2), keepdims=True)
    spread = ops.sqrt(ops.mean(ops.square(pictures - mean), axis=(1, 2), keepdims=True))
    x = (pictures - mean) / (spread + 4)
    x = layers.MaxPooling2D(dtype=policy)(block(x, widths[0]))
    x = layers.MaxPooling2D(dtype=policy)(block(x, widths[1]))
    x = layers.MaxPooling2D((2, 1), dtype=policy)(block(block(x, widths[2]), widths[2]))
    x = block(block(x, widths[3]), widths[3])
    x = block(x, widths[4], (HEIGHT // 8, 1), padding="valid")
    for _ in range(3):
        x = x + block(x, widths[4], (1, 5))
    x = layers.Conv2D(BLANK + 1, 1, dtype="float32")(layers.SpatialDropout2D(0.1, dtype=policy)(x))
    return keras.Model(pictures, layers.Reshape((-1, BLANK + 1), dtype="float32")(x))


STOCK = 8000
"""Number of pictures in a file, by `HANDS` hands that write in no other file."""
HELD_VIEWS = 1024
"""Number of held-out pictures that are measured."""
OTHER_HANDS = 40
"""Number of hands in a file that write letters, signs and scrawls, and write in no other file."""
BATCH = 64
SEED = 47
LONGEST = 14
"""Maximum number of characters of a number."""
CLASSES = ALPHABET + "?"
"""The characters of a picture's text, in the order of their classes; "?" is anything else."""
SIGNS_SEED, MARKED = 61, 0.5
"""The seed of the pictures for `signs`, and the share of their numbers with `compose.MARKS`."""
MOVED = 3
"""Maximum movement of a view's edge during training, px."""

Stock = stocks.Stock
"""Pictures (N, HEIGHT, WIDEST) uint8; widths (N,), px; texts (N, LONGEST): classes, then -1; no class for
bare paper."""


def compose(folder: Path, count: int, seed: int = SEED, marked: float = 0.0) -> None:
    """Compose `count` pictures for training, and `STOCK` for measuring; for `marked` see `composer`."""
    known = people("learned")
    stocks.fill(folder, count // STOCK, lambda number: stock(composer(known, seed, number, marked), STOCK))


def composer(known: People, seed: int, number: int, marked: float = 0.0) -> Composer:
    """Return a composer for one file of a recipe; its hands write in no other file.

    `marked` is the share of numbers with `compose.MARKS`.
    """
    own = seed * 1000 + number
    writers, others = list(hands(known, HANDS, own)), list(letter_hands(OTHER_HANDS, own))
    return Composer(writers, np.random.default_rng((seed, number)), others, marked)


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
    """Yield varied batches of about equal width, each from two stocks, without end."""
    for both in stocks.pairs(folder, rng):
        order = np.argsort(both["widths"] // 32 + rng.random(len(both["widths"])))
        for start in rng.permutation(np.arange(0, len(order) - BATCH + 1, BATCH)):
            yield batch(both, order[start : start + BATCH], rng)


def batch(stock: Stock, chosen: NDArray[np.intp], rng: np.random.Generator | None = None) -> tuple[Any, ...]:
    """Return the chosen views as one array, (N, HEIGHT, W, 1), and the other arguments of `losses`.

    W is a multiple of 32; a narrower view is padded with its own mean. With `rng` the views are varied.
    """
    import tensorflow as tf

    texts = stock["texts"][chosen]
    views = [stock["pictures"][at, :, : stock["widths"][at]] for at in chosen]
    if rng is not None:
        least = 4 * (2 * (texts >= 0).sum(axis=1) - 1)
        views = [varied(view, width, rng) for view, width in zip(views, least.tolist(), strict=True)]
    widths = np.array([view.shape[1] for view in views], np.int32)
    wide = -(-int(widths.max()) // 32) * 32
    pictures = np.empty((len(views), HEIGHT, wide, 1), np.float32)
    for at, view in enumerate(views):
        pictures[at, ..., 0] = view.mean()
        pictures[at, :, : view.shape[1], 0] = view
    empty = texts[:, 0] < 0
    texts = np.where(empty[:, None] & (np.arange(LONGEST) == 0), 0, texts)  # CTC needs a class in each text
    labels = tf.sparse.SparseTensor(np.argwhere(texts >= 0), texts[texts >= 0].astype(np.int32), texts.shape)
    return pictures, labels, np.minimum(widths // 4 + 2, wide // 4), empty


def varied(view: NDArray[np.uint8], least: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the view slightly moved, cropped or widened, with another contrast and noise.

    The result is at least `least` pixels wide.
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


def learn(folder: Path, views: int, first: Path | None = None) -> None:
    """Train on `views` views, in bfloat16, which takes a quarter less time.

    Args:
        folder: the folder of the pictures and the checkpoints.
        views: number of views, those of earlier runs included.
        first: the LiteRT file of a network to begin with; None: random weights.
    """
    import keras

    keras.utils.set_random_seed(SEED)
    parts = held_out(folder)
    net = network(policy="mixed_bfloat16")
    if first is not None:
        begin_with(net, first, [pictures for pictures, *_ in parts[::4]])
    run = stocks.Run(folder, net, views // BATCH, clip=5.0)
    run.learn(batches(folder, np.random.default_rng((SEED, run.done))), losses, parts)


def held_out(folder: Path) -> list[tuple[Any, ...]]:
    """Return the held-out pictures of a folder in batches."""
    held = stocks.held(folder, HELD_VIEWS)
    order = np.argsort(held["widths"])
    return [batch(held, order[at : at + BATCH]) for at in range(0, len(order), BATCH)]


def begin_with(net: Any, file: Path, pictures: Sequence[Any]) -> None:
    """Set a network's weights to those of a LiteRT file of such a network.

    The file has no normalisations, so their means and variances are measured on `pictures`, (N, HEIGHT, W, 1)
    each.
    """
    import keras

    norms = put(net, stocks.weights_in(file.read_bytes()))
    inside = keras.Model(net.inputs, [norm.input for norm in norms])
    seen = [[np.reshape(x, (-1, x.shape[-1])) for x in inside([some], training=False)] for some in pictures]
    for norm, each in zip(norms, zip(*seen, strict=True), strict=True):
        values = np.concatenate(each).astype(np.float64)
        mean, variance = values.mean(axis=0), values.var(axis=0)
        norm.set_weights([np.sqrt(variance + norm.epsilon), norm.beta + mean, mean, variance])


Weights = list[NDArray[np.float32]]
"""The kernel, (H, W, in, out), and the bias, (out,), of each convolution; normalisations are included."""


def put(net: Any, weights: Weights) -> list[Any]:
    """Set a network's convolutions, and make its normalisations only add the biases; return these."""
    from keras.layers import BatchNormalization, Conv2D

    layers = [layer for layer in net.layers if isinstance(layer, Conv2D)]
    norms = [layer for layer in net.layers if isinstance(layer, BatchNormalization)]
    for layer, norm, kernel, bias in zip_longest(layers, norms, weights[::2], weights[1::2]):
        layer.kernel.assign(kernel)
        if norm is None:
            layer.bias.assign(bias)
        else:
            zeros = np.zeros_like(bias)
            norm.set_weights([zeros + 1, bias, zeros, zeros + 1 - norm.epsilon])
    return norms


def losses(logits: Any, labels: Any, columns: Any, empty: Any) -> dict[str, Any]:
    """Return the CTC loss; for bare paper instead the loss of columns without a character.

    Args:
        logits: (N, W / 4, 15), the network's output.
        labels: the texts' classes, a sparse tensor; any class for bare paper.
        columns: (N,), number of columns that each picture fills.
        empty: (N,), whether the paper is bare.
    """
    import tensorflow

    tf: Any = tensorflow
    each = tf.nn.ctc_loss(labels, tf.transpose(logits, (1, 0, 2)), None, columns, blank_index=-1)
    filled = tf.sequence_mask(columns, tf.shape(logits)[1], tf.float32)
    blank = -tf.reduce_sum(filled * tf.nn.log_softmax(logits)[..., -1], axis=1)
    return {"loss": tf.reduce_mean(tf.where(empty, blank, each))}


def export(folder: Path, out: Path) -> None:
    """Write the network of a folder's latest checkpoint as a LiteRT file."""
    _write(out, stocks.Run(folder, network()))


def _write(out: Path, run: stocks.Run, net: Any = None) -> None:
    """Write the network of a run, or one around its layers, as a LiteRT file."""
    card = {"format": 1, "name": out.stem, "card": {"steps": run.done}}
    atomic.write(out, described(run.exported(net), card))


def signs(folder: Path, count: int, views: int, file: Path, out: Path) -> None:
    """Add an output that sees the signs of `compose.MARKS`, which the network takes for digits and points.

    It has the same classes as the first output, from a copy of the last residual block and the last layer;
    only the copy learns. If the network itself learns these signs, it reads fewer numbers.

    Args:
        folder: the folder of the pictures and the checkpoints.
        count: number of pictures.
        views: number of views, those of earlier runs included.
        file: the LiteRT file of a network.
        out: the file to write.
    """
    import keras
    from keras import layers

    compose(folder, count, SIGNS_SEED, MARKED)
    net = network()
    norms = put(net, stocks.weights_in(file.read_bytes()))
    net.trainable = False
    *_, block, last = (layer for layer in net.layers if isinstance(layer, layers.Conv2D))
    own_block = layers.Conv2D(block.filters, block.kernel_size, padding="same")
    own_last = layers.Conv2D(BLANK + 1, 1)
    x = block.input + layers.ReLU()(own_block(block.input))
    doubts = layers.Reshape((-1, BLANK + 1))(own_last(x))
    own_block.set_weights([block.kernel, norms[-1].beta])
    own_last.set_weights([last.kernel, last.bias])
    branch = keras.Model(net.input, doubts)
    run = stocks.Run(folder, branch, views // BATCH, clip=5.0)
    run.learn(batches(folder, np.random.default_rng((SEED, run.done))), losses, held_out(folder))
    _write(out, run, keras.Model(net.input, [doubts, net.output]))  # LiteRT gives the last output first


if __name__ == "__main__":
    stocks.main({"compose": compose, "learn": learn, "export": export, "signs": signs})
