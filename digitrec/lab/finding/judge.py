"""Train the judge: draw pictures, let digitrec propose digits, learn which proposals are right.

    python -m digitrec.lab.finding.judge draw FOLDER 78
    python -m digitrec.lab.finding.judge learn FOLDER 435200 digitrec/models/weights/digitrec-judge.tflite

Drawing and learning resume where they stopped. `draw` takes one core an hour, `learn` two cores ten minutes.
`learn` continues the networks of the file, or begins anew without one. It writes the judge and its card into
FOLDER.

Of the shipped networks one learned anew from 174 files drawn by commit 903a9e26, 160 by a1a64ada, 80 by
c1378048, and 12 of `pictures._list` alone; the other continued several others (commit ef2c4b52). Then both
continued as above on 78 files drawn by aae551a6 (`NEW` was 0.33), then on these, 24 files of
`pictures._alone` alone and 14 of `_stretched` alone, these two drawn by 20f2d900; then on all these and 101
files of single kinds drawn by 1e4fca85: 12 of `_pair`, 12 `_scattered`, 10 `_form`, 10 `_real_object`, 9
with a tick, 9 `_mounted`, 8 `_beside_an_object`, 7 `_on_a_display`, 6 each of `_in_brackets`,
`_beside_a_sign`, `_beside_print` and `_sheet`.
"""

import itertools
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.errors import ModelError
from digitrec.image import DigitImage, atomic
from digitrec.lab import stocks
from digitrec.lab.datasets.download import mnist_train
from digitrec.lab.datasets.world import LEARNED_OF_MNIST, people, swiss_cells
from digitrec.lab.finding.pictures import Sources, picture
from digitrec.lab.handwriting.clipart import objects
from digitrec.lab.handwriting.writer import Writer, fonts_to_learn
from digitrec.lab.reading.hands import hands
from digitrec.models.inside import Inside
from digitrec.models.network import runner
from digitrec.models.store import to_litert
from digitrec.prepare.ink import find_ink
from digitrec.prepare.judge import SURELY, WEIGHTS, alone, chances, inputs
from digitrec.prepare.proposals import seen
from digitrec.prepare.views import CHANNELS, SIDE

SEED = 32
STOCK = 500
"""Number of pictures in a file."""
HELD_VIEWS = 1024
"""Number of held-out proposals that are measured."""
HANDS = 400
"""Number of hands that write numbers."""
FEATURES = 66
"""Number of features of a proposal."""
MOVED = 3
"""Maximum number of pixels by which a view is moved in training."""
BATCH = 128
OTHER = 0.6
"""Weight of the second network's answer in their mean."""
NEW = 0.5
"""Share of the new weights when networks are continued, see `stocks.between`; more costs people's digits."""


def draw(folder: Path, count: int) -> None:
    """Write one file of proposals for measuring and ``count`` for training, from `STOCK` pictures each.

    Raises:
        DataError: MNIST, a set of `datasets.world` or `clipart` is missing.
    """
    writer = Writer(mnist_train()[:LEARNED_OF_MNIST], fonts_to_learn(), varied=0.3)
    ones = replace(writer, digits=writer.digits[writer.digits.labels == 1])
    of = Sources(
        writer, ones, swiss_cells("learned"), list(hands(people("learned"), HANDS, SEED)), objects("learned")
    )
    stocks.fill(folder, count, partial(drawn, of))


def drawn(of: Sources, number: int, count: int = STOCK) -> stocks.Stock:
    """Return the network's inputs for the clear proposals for a file's pictures, and which are right."""
    views: list[Any] = []
    rows: list[Any] = []
    right: list[bool] = []
    for at in range(count):
        pixels, label = picture(of, np.random.default_rng((SEED, number, at)))
        image = DigitImage.open(pixels, full=255)
        ink = find_ink(image.picture)
        reading = alone(image, ink)
        if reading and reading.evidence >= SURELY:
            continue  # it is never judged
        case = seen(image, ink) if ink.reason is None else seen(image, ink).again(image)
        clear = [one for one in case.proposals if one.reading.is_clear]
        its_views, its_rows = inputs(image, case, clear)
        views.extend(its_views)
        rows.extend(its_rows)
        right.extend(one.reading.digit == label for one in clear)
    return {"views": np.array(views), "rows": np.array(rows), "right": np.array(right)}


def network(normalised: bool = True) -> Any:
    """Return a Keras model from views and features to the chance that a proposal is right, (N, 1).

    The inputs are those of `digitrec.prepare.judge.inputs`.
    """
    import keras
    from keras import layers

    views, rows = keras.Input((SIDE, SIDE, CHANNELS)), keras.Input((FEATURES,))
    x = layers.Rescaling(1 / 127.5, -1)(views)
    for channels, stride in ((16, 2), (24, 2), (48, 1), (48, 1), (96, 2), (96, 1)):
        x = stocks.block(x, channels, stride=stride, normalised=normalised)
    seen = [layers.GlobalAveragePooling2D()(x), layers.Flatten()(layers.MaxPooling2D(x.shape[1])(x))]
    told = layers.BatchNormalization(momentum=0.98, center=False, scale=False)(rows) if normalised else rows
    told = layers.Dense(48, "relu")(layers.Dropout(0.1, noise_shape=(None, 1))(told))
    x = layers.Dropout(0.2)(layers.Dense(64, "relu")(layers.Concatenate()([*seen, told])))
    return keras.Model([views, rows], layers.Dense(1, "sigmoid")(x))


def pair(normalised: bool = True) -> Any:
    """Return two networks as one; its outputs are the mean of their answers, and the answer of each."""
    import keras

    one, other = network(normalised), network(normalised)
    second = other(one.inputs)
    return keras.Model(one.inputs, [(1 - OTHER) * one.outputs[0] + OTHER * second, one.outputs[0], second])


def put(net: Any, content: bytes) -> None:
    """Put the weights in a judge's file into a `pair` without normalisations.

    A file may have the layers of both networks in any order: that is taken which best gives its answers.

    Raises:
        ModelError: the file is not such a judge's.
    """
    layers, rng = list(Inside(content).weights()), np.random.default_rng(0)
    if len(layers) != 18:
        raise ModelError("the file is not a judge of two networks; leave it out to begin anew")
    views = rng.integers(0, 256, (8, SIDE, SIDE, CHANNELS), dtype=np.uint8)
    rows = rng.normal(0, 1, (8, FEATURES)).astype(np.float32)
    given = chances(runner(content), views, rows)

    def distance(weights: list[Any]) -> float:
        net.set_weights(weights)
        return float(np.abs(net([views.astype(np.float32), rows])[0][:, 0] - given).max())

    orders = []
    for at, and_at in itertools.product((0, 6), (12, 15)):
        one = layers[at : at + 6] + layers[and_at : and_at + 3]
        other = [layer for layer in layers if all(layer is not its for its in one)]
        orders.append([array for layer in one + other for array in layer])
    net.set_weights(min(orders, key=distance))


def losses(said: Any, right: Any) -> dict[str, Any]:
    """Return the cross-entropy of a pair's chances, (N, 1) each, from which proposals are right, (N,)."""
    import keras

    each = [keras.ops.mean(keras.losses.binary_crossentropy(right[:, None], one)) for one in said]
    return {"cross-entropy": each[0], "of each": 0.2 * (each[1] + each[2])}


def learn(folder: Path, views: int, start: Path | None = None) -> None:
    """Train on ``views`` views; write the judge and its card into the folder.

    ``start`` is the file of a judge that is continued; None: begin anew.

    Raises:
        ModelError: the file is not a judge's.
    """
    import keras

    keras.utils.set_random_seed(SEED)
    net = pair(normalised=start is None)
    if start is not None:
        put(net, start.read_bytes())
    before = net.get_weights()
    run = stocks.Run(folder, net, views // BATCH, rate=2e-3 if start is None else 3e-4)
    rng = np.random.default_rng((SEED, run.done))
    run.learn(stocks.batches(folder, BATCH, batch, varied, rng), losses, held(folder))
    net.set_weights(run.weights if start is None else stocks.between(before, run.weights, NEW))
    learned = f"{run.done * BATCH:,} views of proposals on generated pictures, seed {SEED}"
    learned += f"; {1 - NEW:.0%} of an earlier judge's weights are kept" if start else ""
    _write(folder / WEIGHTS.name, keras.Model(net.inputs, net.outputs[0]), learned)


def held(folder: Path) -> list[tuple[Any, ...]]:
    """Return the held-out proposals in batches."""
    return stocks.held_batches(folder, HELD_VIEWS, BATCH, batch)


def batch(stock: stocks.Stock, chosen: Any) -> tuple[Any, ...]:
    """Return the network's inputs for the chosen proposals, and the other argument of `losses`."""
    views, right = stock["views"][chosen].astype(np.float32), stock["right"][chosen].astype(np.float32)
    return (views, stock["rows"][chosen]), right


def varied(asked: tuple[Any, Any], rng: np.random.Generator) -> tuple[Any, Any]:
    """Return the network's inputs with the views moved and in other colours and another light."""
    views, rows = asked
    down, right = rng.integers(2 * MOVED + 1, size=2)
    views = np.pad(views, ((0, 0), (MOVED, MOVED), (MOVED, MOVED), (0, 0)), "edge")
    views = views[:, down : down + SIDE, right : right + SIDE]
    strong, lighter, inverted = rng.uniform((0.6, -25, -0.85), (1.15, 25, 0.15), (len(views), 3)).T
    colours = (views[..., :3] - 127.5) * (strong * np.where(inverted > 0, -1, 1))[:, None, None, None]
    colours = np.clip(colours + 127.5 + lighter[:, None, None, None], 0, 255)
    views[..., :3] = colours[..., rng.permutation(3) if rng.random() < 0.4 else slice(3)]
    return views, rows


def _write(file: Path, net: Any, learned: str) -> None:
    """Write a network as a LiteRT file, with its card, which says from what it learned."""
    content = to_litert(net)
    atomic.write(file, content)
    parts, judge = held(file.parent), runner(content)
    chance = np.concatenate([chances(judge, *asked) for asked, _ in parts])
    right = np.concatenate([truth for _, truth in parts]) > 0
    rows = {
        "parameters": f"{net.count_params():,}",
        "file": f"LiteRT, weights in int8 (dynamic range), {len(content) / 1000:.0f} kB",
        "input": "views and features of proposals: `digitrec.prepare.judge.inputs`",
        "output": "(N, 1): the chance that a proposal is the picture's digit",
        "learned from": learned,
        **stocks.figures_of(chance, right),
    }
    purpose = "Estimates the chance that a proposal is the picture's digit, from a view of its surroundings."
    stocks.write_card(file, "digitrec.lab.finding.judge", purpose, rows)


if __name__ == "__main__":
    stocks.main({"draw": draw, "learn": learn})
