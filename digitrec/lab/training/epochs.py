"""Train a Keras network: its epochs with progress and history, and a zoo network's start and end."""

import csv
import itertools
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, astuple, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import DataError, ModelError
from digitrec.errors.text import first_line, percent
from digitrec.image.atomic import replacing
from digitrec.lab.datasets.digits import write_keys
from digitrec.lab.handwriting.augment import Augmentation, augment
from digitrec.lab.training.backend import keras
from digitrec.lab.training.card import saver
from digitrec.lab.training.networks import thaw
from digitrec.lab.training.run import Epoch, FitConfig, Given, Watcher, split, unwatched
from digitrec.lab.training.zoo import Architecture
from digitrec.models import store
from digitrec.models.network import Floats, scaled

HISTORY, BEST = "history.csv", "best.keras"
"""Files in the folder of a run: a row per epoch, and the network with the lowest loss on held-out digits."""


@dataclass(slots=True)
class Loop:
    """The epochs of one network."""

    epochs: int
    """Epochs in total."""
    on_progress: Watcher = unwatched
    """Called after every step."""
    folder: Path | None = None
    """Folder of the history file; None: no file."""
    number: int = 1
    """Number of this network in the run, from 1."""
    networks: int = 1
    """Number of networks in the run."""
    history: list[Epoch] = field(default_factory=list)
    """One row per finished epoch."""

    def fit(
        self, network: keras.Model, batches: Iterable[Any], steps: int, epochs: int, *,
        callbacks: Iterable[Any] = (), **keras_fit: Any,
    ) -> None:  # fmt: skip
        """Train a compiled network for some more epochs.

        Args:
            network: the network.
            batches: images and labels of each step.
            steps: batches in each epoch.
            epochs: number of epochs.
            callbacks: callbacks of Keras, called before a row is written. They may add "val_loss" and
                "val_accuracy" to the logs of an epoch.
            keras_fit: further arguments of `keras.Model.fit`.
        """
        began = time.monotonic()

        def step(number: int, logs: dict[str, float]) -> None:
            self._tell((number + 1) / steps, float(logs["loss"]))

        def end(number: int, logs: dict[str, float]) -> None:
            nonlocal began
            names = ("loss", "accuracy", "val_loss", "val_accuracy")
            loss, right, held_loss, held_right = (float(logs.get(name, math.nan)) for name in names)
            now = time.monotonic()
            self.history.append(Epoch(number + 1, loss, right, held_loss, held_right, now - began))
            began = now
            self._write()

        done = len(self.history)
        told = keras.callbacks.LambdaCallback(on_train_batch_end=step, on_epoch_end=end)
        network.fit(
            batches, steps_per_epoch=steps, epochs=done + epochs, initial_epoch=done, shuffle=False,
            verbose=0, callbacks=[*callbacks, told], **keras_fit,
        )  # fmt: skip

    def _tell(self, share: float, loss: float) -> None:
        """Report that a share of an epoch, 0..1, is done."""
        at = len(self.history)
        done = ((self.number - 1) * self.epochs + at + share) / (self.networks * self.epochs)
        remark = f"epoch {at + 1}/{self.epochs}, loss {loss:.3f}"
        if self.networks > 1:
            remark = f"network {self.number}/{self.networks}, {remark}"
        if self.history and not math.isnan(self.history[-1].validation_accuracy):
            remark += f", held back {percent(self.history[-1].validation_accuracy, 2)}"
        self.on_progress(done, remark)

    def _write(self) -> None:
        """Write the history, a row per epoch."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(self.folder / HISTORY) as unfinished, unfinished.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(column.name for column in fields(Epoch))
            rows.writerows(map(astuple, self.history))


Batch = tuple[Floats, Any]

GENTLE = Augmentation(
    rotation=10, shear=0.15, zoom=0.1, stretch=0.08, boxed=0, shift=1.5, elastic=0.6, thinner=0.5,
    thicker=0.5, coarse=0, blur=0, hard=0, lines=0, noise=0,
)  # fmt: skip
"""Augmentation of MNIST's digits, within the variation of its writers."""


def learn(
    kind: Architecture, config: FitConfig, what: Given, folder: Path, start: Path | None,
    on_progress: Watcher,
) -> tuple[keras.Model, list[Epoch]]:  # fmt: skip
    """Train a network; return it at its best on the held-out digits, and its history.

    Raises:
        DataError: no digits are left for training, or ImageNet's weights are requested but unavailable.
        ModelError: `start` is not such a network.
    """
    learned, held_back = split(what.learned, config.validation)
    if not len(learned):
        raise DataError(
            f"no training digits are left of {len(what.learned)}, with {percent(config.validation, 0)} held "
            "back; give more, or --validation-split 0"
        )
    keras.utils.set_random_seed(config.seed)
    network = new_network(kind, config, start)
    thaw(network)
    if config.freeze:  # batch normalisation also keeps its statistics
        *before, _ = (layer for layer in network.layers if layer.weights)
        for layer in before:
            layer.trainable = False
    batch = min(config.batch or kind.batch, len(learned))
    steps, epochs = len(learned) // batch, config.epochs or kind.epochs
    sparse = "sparse_" if config.loss == "sparse" else ""
    optimizer = _optimizer(kind, config, steps * epochs)
    network.compile(optimizer, f"{sparse}categorical_crossentropy", metrics=["accuracy"])
    this = Loop(epochs, on_progress, folder)
    write_keys(what.keys, folder, add=True)
    best, lowest = folder / BEST, np.inf
    is_resumed = start is not None and start.resolve() == best.resolve()
    if is_resumed and len(held_back):  # only better weights replace those of the interrupted run
        lowest, _ = network.evaluate(*batch_of(held_back, config), batch_size=256, verbose=0)
    save = saver(network, best)

    def keep_best(_: int, logs: dict[str, float]) -> None:
        nonlocal lowest
        if logs["val_loss"] < lowest:
            lowest = logs["val_loss"]
            save({"learned_from": dict(what.sources), "settings": asdict(config)}, scale=config.scale)

    watching: dict[str, Any] = {}
    if len(held_back):
        keep = keras.callbacks.LambdaCallback(on_epoch_end=keep_best)
        stop = keras.callbacks.EarlyStopping(patience=config.patience)
        watching = {"callbacks": [keep, stop], "validation_data": batch_of(held_back, config)}
        watching |= {"validation_batch_size": 256}
    this.fit(network, batches(learned, kind, config, batch), steps, epochs, **watching)
    if lowest < np.inf:
        network.load_weights(best)
    elif len(held_back) or not math.isfinite(this.history[-1].loss):
        raise ModelError("the training diverged: its loss is not a number; give a lower --learning-rate")
    elif not is_resumed:
        best.unlink(missing_ok=True)  # an earlier run's
    return network, this.history


def batches(digits: Digits, kind: Architecture, config: FitConfig, batch: int) -> Iterator[Batch]:
    """Yield batches without end, in a new order in each epoch."""
    changed = kind.augmented if config.augment is None else config.augment
    for epoch in itertools.count():
        rng = np.random.default_rng([config.seed, epoch])
        order = rng.permutation(len(digits))
        for at in range(0, len(order) - batch + 1, batch):
            part = digits[order[at : at + batch]]
            if changed:
                part = Digits(augment(part.images, rng, GENTLE), part.labels)
            yield batch_of(part, config)


def batch_of(digits: Digits, config: FitConfig) -> Batch:
    """Return images (n, 28, 28, 1) and labels, as numbers or one-hot."""
    images = scaled(digits.images, config.scale)[..., None]
    sparse = config.loss == "sparse"
    return images, digits.labels if sparse else np.eye(10, dtype=np.float32)[digits.labels]


def _optimizer(kind: Architecture, config: FitConfig, total: int) -> Any:
    """Return the optimiser; its learning rate is constant, or falls over `total` steps."""
    kinds = keras.optimizers
    sgd = config.optimizer == "sgd"
    rate: Any = config.learning_rate or kind.learning_rate * (10 if sgd else 1)
    if kind.cosine:
        rate = kinds.schedules.CosineDecay(rate, total)
    if sgd:
        return kinds.SGD(rate, momentum=0.9, nesterov=True)
    return {"adam": kinds.Adam, "adamw": kinds.AdamW, "rmsprop": kinds.RMSprop}[config.optimizer](rate)


def new_network(kind: Architecture, config: FitConfig, start: Path | None) -> keras.Model:
    """Return the network before its first step.

    Raises:
        DataError: ImageNet's weights are requested but unavailable.
        ModelError: `start` is not such a network.
    """
    build: Callable[..., Any] = partial(kind.build, side=config.side) if config.side else kind.build
    if config.pretrained:
        try:
            with redirect_stdout(sys.stderr):  # for Keras' progress
                return build("imagenet")
        except Exception as error:  # Keras documents no error class
            raise DataError(
                f"ImageNet's weights of {kind.name} cannot be fetched ({first_line(error)}); connect to the "
                "internet once, or start from random weights without --pretrained"
            ) from error
    fresh = build()
    if start is None:
        return fresh
    loaded = store.load(start)  # says why Keras cannot load a file
    network = keras.saving.load_model(start, compile=False, safe_mode=True)
    if config.side is not None:
        raise ModelError(f"{start}: has a fixed input size; leave out --side")
    if (count := network.count_params()) != fresh.count_params():
        says = loaded.card.get("settings", {}).get("arch") or "with the name of its architecture"
        raise ModelError(f"{start}: its {count:,} parameters are not {kind.name}'s; give --arch {says}")
    if loaded.input.output == "logits" or network.input_shape[1:] != fresh.input_shape[1:]:
        needed = "a last layer with softmax, and the architecture's input"
        raise ModelError(
            f"{start}: its output or its input is not {kind.name}'s; start from a file with {needed}"
        )
    if not loaded.input.assumed and loaded.input.scale != config.scale:
        raise ModelError(f"{start}: was trained with --scale {loaded.input.scale}; add this option")
    return network
