"""The epochs of a Keras network of the zoo: how it begins, resumes after a stop, and ends at its best."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import DataError, ModelError
from digitrec.errors.text import first_line
from digitrec.lab.handwriting.augment import Augmentation, augment
from digitrec.lab.training import backbones, loop
from digitrec.lab.training.loop import Loop, load_keras
from digitrec.lab.training.run import FitConfig, Watcher
from digitrec.lab.training.zoo import Architecture
from digitrec.models import store
from digitrec.models.scores import scaled

if TYPE_CHECKING:
    import keras

Batch = tuple[NDArray[np.float32], NDArray[Any]]

BEST = "best.weights.h5"
"""In the folder of a run: the weights of the epoch with the lowest loss on the held-out digits."""
GENTLE = Augmentation(
    rotation=10, shear=0.15, zoom=0.1, stretch=0.08, boxed=0, shift=1.5, elastic=0.6, thinner=0.5,
    thicker=0.5, coarse=0, blur=0, hard=0, lines=0, noise=0,
)  # fmt: skip
"""Augmentation of MNIST's digits: no more than its writers differ."""


class Run:
    """One network's run."""

    def __init__(
        self, kind: Architecture, config: FitConfig, folder: Path, count: int, on_progress: Watcher | None
    ) -> None:
        """Prepare for `count` digits to learn from, without those held back."""
        self._kind, self._config, self._folder = kind, config, folder
        self._batch = min(config.batch or kind.batch, count)
        self._steps = count // self._batch
        self._waits_from = 0
        self._network: keras.Model
        self._loop = Loop(config.epochs or kind.epochs, on_progress, folder)
        self.history = self._loop.history

    def begin(self, start: Path | None) -> None:
        """Begin a new run, from `start` or from nothing, over the files of an older one.

        Raises:
            DataError: ImageNet's weights are wanted but unavailable.
            ModelError: `start` is not such a network.
        """
        load_keras().utils.set_random_seed(self._config.seed)
        self._network = new_network(self._kind, self._config, start)
        backbones.thaw(self._network)
        if self._config.freeze:
            backbones.freeze(self._network)
        sparse = "sparse_" if self._config.loss == "sparse" else ""
        optimizer = _optimizer(self._config.optimizer, self._rate())
        self._network.compile(optimizer, f"{sparse}categorical_crossentropy", metrics=["accuracy"])
        loop.begin(self._folder, self._config, BEST)

    def go_on(self) -> None:
        """Resume the stopped run with the same settings; it may have more epochs.

        Raises:
            ModelError: there is no run, or it has other settings.
        """
        before = loop.stopped(self._folder, self._config, but="epochs")["epochs"] or self._kind.epochs
        if self._loop.epochs < before:
            raise ModelError(f"{self._folder}: was begun for {before} epochs; give as many, or more")
        self._network = self._loop.resumed(self._steps)
        if self._loop.epochs > before:
            self._waits_from = len(self.history)
            if self._kind.cosine:
                self._network.optimizer.learning_rate = self._rate()
            loop.write_settings(self._folder, replace(self._config, epochs=self._loop.epochs))

    def learn(self, learned: Digits, held_back: Digits) -> keras.Model:
        """Train through the epochs that are left; return the network at its best on the held-out digits."""
        if not self._waited([epoch.validation_loss for epoch in self.history]):
            self._loop.fit(
                self._network, batches(learned, self._kind, self._config, self._batch, len(self.history)),
                self._steps, until=self._loop.epochs, at_end=self._judge, validation_batch_size=256,
                validation_data=batch_of(held_back, self._config) if len(held_back) else None,
            )  # fmt: skip
        if (self._folder / BEST).is_file():
            self._network.load_weights(self._folder / BEST)
        return self._network

    def _judge(self, logs: dict[str, float]) -> None:
        """Keep the weights if they are the best so far; stop if they have not been for too long."""
        losses = [epoch.validation_loss for epoch in self.history]
        loss = logs.get("val_loss", np.nan)
        if loss < min(losses, default=np.inf):
            self._network.save_weights(self._folder / BEST)
        self._network.stop_training = self._waited([*losses, loss])

    def _waited(self, losses: list[float]) -> bool:
        """Return whether the loss has not fallen for `patience` epochs."""
        if not losses or np.isnan(losses[-1]):
            return False
        return len(losses) - max(int(np.argmin(losses)) + 1, self._waits_from) >= self._config.patience

    def _rate(self) -> Any:
        """Return the learning rate: one number, or falling over all steps."""
        usual = self._kind.learning_rate * (10 if self._config.optimizer == "sgd" else 1)
        rate = self._config.learning_rate or usual
        if not self._kind.cosine:
            return rate
        return load_keras().optimizers.schedules.CosineDecay(rate, self._steps * self._loop.epochs)


def batches(digits: Digits, kind: Architecture, config: FitConfig, batch: int, first: int) -> Iterator[Batch]:
    """Yield batches without end from epoch `first` on (0 is the first), in a new order in each epoch."""
    epoch = first
    changed = kind.augmented if config.augment is None else config.augment
    while True:
        rng = np.random.default_rng([config.seed, epoch])
        order = rng.permutation(len(digits))
        for at in range(0, len(order) - batch + 1, batch):
            part = digits[order[at : at + batch]]
            if changed:
                part = Digits(augment(part.images, rng, GENTLE), part.labels)
            yield batch_of(part, config)
        epoch += 1


def batch_of(digits: Digits, config: FitConfig) -> Batch:
    """Return images (n, 28, 28, 1) and labels, as numbers or one-hot."""
    images = scaled(digits.images, config.scale)[..., None]
    sparse = config.loss == "sparse"
    return images, digits.labels if sparse else np.eye(10, dtype=np.float32)[digits.labels]


def _optimizer(name: str, rate: Any) -> Any:
    """Return Keras' optimiser of that name."""
    its = load_keras().optimizers
    if name == "sgd":
        return its.SGD(rate, momentum=0.9, nesterov=True)
    return {"adam": its.Adam, "adamw": its.AdamW, "rmsprop": its.RMSprop}[name](rate)


def new_network(kind: Architecture, config: FitConfig, start: Path | None) -> keras.Model:
    """Return the network before its first step."""
    build = kind.build
    if kind.takes_weights:
        build = partial(kind.build, side=config.side or backbones.PUBLISHED_SIDE)
    if config.pretrained:
        try:
            with redirect_stdout(sys.stderr):  # where Keras' progress belongs
                return build("imagenet")
        except Exception as error:  # Keras promises no class of error
            raise DataError(
                f"ImageNet's weights of {kind.name} cannot be fetched ({first_line(error)}); fetch them "
                "where there is a network and give the file with --start, or begin from random weights"
            ) from error
    if start is None:
        return build()
    try:
        if kind.takes_weights and not _is_whole(start):
            return build(start)
        network = load_keras().saving.load_model(start, compile=False, safe_mode=True)
    except (OSError, ValueError) as error:
        raise ModelError(f"{start}: Keras cannot begin with it; give a .keras or .h5 file") from error
    if config.side is not None:
        raise ModelError(f"{start}: keeps the size that it was made for; leave --side out")
    its = store.load(start)
    if _make(network) != _make(build()):
        says = its.card.get("settings", {}).get("arch")
        which = f"--arch {says}" if says else "the architecture that it is"
        count = network.count_params()
        raise ModelError(f"{start}: its network of {count:,} parameters is no {kind.name}; give {which}")
    if not its.input.assumed and its.input.scale != config.scale:
        scale = its.input.scale
        raise ModelError(f"{start}: has learned from pixels scaled as {scale!r}; give --scale {scale}")
    return network


def _is_whole(file: Path) -> bool:
    """Return whether a file of Keras' contains a network, not only weights."""
    if file.suffix == ".keras":
        return True
    import h5py

    with h5py.File(file) as content:
        return "model_config" in content.attrs


def _make(network: keras.Model) -> list[tuple[str, list[tuple[int, ...]]]]:
    """Return the kinds of the layers, in their order, and the shapes of their weights."""
    return [
        (type(layer).__name__, [tuple(weights.shape) for weights in layer.weights])
        for layer in network.layers
        if type(layer).__name__ != "InputLayer"
    ]
