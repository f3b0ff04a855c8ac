"""Train the judge: draw pictures, let digitrec propose digits, learn which proposals are right.

    python -m digitrec.lab.finding.judge draw FOLDER 400
    python -m digitrec.lab.finding.judge learn FOLDER 3500000
    python -m digitrec.lab.finding.judge export FOLDER

Drawing and learning resume where they stopped. `draw` takes one core four hours, `learn` two cores one.
`export` writes the network that digitrec ships, from the latest checkpoint, with its card. If FOLDER contains
`EARLIER`, it writes the mean of both networks' answers, because they make different mistakes.

The shipped network learned from 174 files drawn by commit 903a9e26, 160 by a1a64ada, 80 by c1378048, and 12
of `pictures._list` alone. `EARLIER` was the network of commit ef2c4b52, which had continued several others.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.image import DigitImage, atomic
from digitrec.lab import stocks
from digitrec.lab.datasets.download import mnist_train
from digitrec.lab.datasets.world import LEARNED_OF_MNIST, people, swiss_cells
from digitrec.lab.finding.pictures import Sources, picture
from digitrec.lab.handwriting.writer import Writer, fonts_to_learn
from digitrec.lab.reading.hands import hands
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
EARLIER = "earlier.tflite"
"""Name of the file with an earlier network, which judges too."""
KEPT = 0.6
"""Weight of that network's answers."""


def draw(folder: Path, count: int) -> None:
    """Write one file of proposals for measuring and ``count`` for training, from `STOCK` pictures each.

    Raises:
        DataError: MNIST or a set of `datasets.world` is missing.
    """
    writer = Writer(mnist_train()[:LEARNED_OF_MNIST], fonts_to_learn(), varied=0.3)
    of = Sources(writer, swiss_cells("learned"), list(hands(people("learned"), HANDS, SEED)))
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


def with_earlier(net: Any, earlier: Path) -> Any:
    """Return a network whose answer is the mean of a network's and of the earlier one's."""
    import keras

    other = network(normalised=False)
    other.set_weights(stocks.weights_in(earlier.read_bytes()))
    return keras.Model(net.inputs, (1 - KEPT) * net.outputs[0] + KEPT * other(net.inputs))


def losses(said: Any, right: Any) -> dict[str, Any]:
    """Return the cross-entropy of the network's chances, (N, 1), from which proposals are right, (N,)."""
    import keras

    return {"cross-entropy": keras.ops.mean(keras.losses.binary_crossentropy(right[:, None], said))}


def learn(folder: Path, views: int) -> None:
    """Train on ``views`` views."""
    import keras

    keras.utils.set_random_seed(SEED)
    run = stocks.Run(folder, network(), views // BATCH)
    rng = np.random.default_rng((SEED, run.done))
    run.learn(stocks.batches(folder, BATCH, batch, varied, rng), losses, held(folder))


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


def export(folder: Path, weights: Path = WEIGHTS) -> None:
    """Write the latest checkpoint's averaged weights as the judge's LiteRT file, with its card."""
    run, net, earlier = stocks.Run(folder, network()), network(), folder / EARLIER
    net.set_weights(run.weights)
    net = with_earlier(net, earlier) if earlier.exists() else net
    content = to_litert(net)
    atomic.write(weights, content)
    parts, judge = held(folder), runner(content)
    chance = np.concatenate([chances(judge, *asked) for asked, _ in parts])
    right = np.concatenate([truth for _, truth in parts]) > 0
    rows = {
        "parameters": f"{net.count_params():,}",
        "file": f"LiteRT, weights in int8 (dynamic range), {len(content) / 1000:.0f} kB",
        "input": "views and features of proposals: `digitrec.prepare.judge.inputs`",
        "output": "(N, 1): the chance that a proposal is the picture's digit",
        "learned from": f"{run.done * BATCH:,} views of proposals on generated pictures, seed {SEED}"
        + f"; an earlier network's answers weigh {KEPT:.0%}" * earlier.exists(),
        **stocks.figures_of(chance, right),
    }
    purpose = "Estimates the chance that a proposal is the picture's digit, from a view of its surroundings."
    stocks.write_card(weights, "digitrec.lab.finding.judge", purpose, rows)


if __name__ == "__main__":
    stocks.main({"draw": draw, "learn": learn, "export": export})
