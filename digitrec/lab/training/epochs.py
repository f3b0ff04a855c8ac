"""The epochs of a Keras network of the zoo: how they begin, go on after a stop, and end at the best."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import ModelError
from digitrec.lab.training import backbones, pretrained, run
from digitrec.lab.training.batches import batch_of, batches
from digitrec.lab.training.learn import Watcher, load_keras
from digitrec.lab.training.run import Epoch, FitConfig, Progress
from digitrec.lab.training.zoo import Architecture
from digitrec.models import store

if TYPE_CHECKING:
    import keras

BEST = "best.weights.h5"
"""In the folder of a run: the weights of the epoch that read the digits held back at the lowest loss."""


class Run:
    """One network's epochs: what Keras calls after each step and epoch, and what they leave in `folder`."""

    def __init__(
        self, kind: Architecture, config: FitConfig, folder: Path, count: int, on_progress: Watcher | None
    ) -> None:
        """For so many digits to learn from, those held back not among them."""
        self._kind, self._config, self._folder, self._tell = kind, config, folder, on_progress
        self._epochs = config.epochs or kind.epochs
        self._batch = min(config.batch or kind.batch, count)
        self._steps = count // self._batch
        self._waits_from = 0
        self._network: keras.Model
        self.history: list[Epoch] = []

    def begin(self, start: Path | None) -> None:
        """A new run, from `start` or from nothing, over what an older one left.

        Raises:
            DataError: ImageNet's weights are wanted and cannot be had.
            ModelError: `start` is no such network.
        """
        keras = load_keras()
        keras.utils.set_random_seed(self._config.seed)
        self._network = _new(self._kind, self._config, start)
        backbones.thaw(self._network)
        if self._config.freeze:
            backbones.freeze(self._network)
        its = optimizer(self._config.optimizer, self._rate())
        self._network.compile(its, loss(self._config), metrics=["accuracy"])
        (self._folder / BEST).unlink(missing_ok=True)
        run.begin(self._folder, self._config)

    def go_on(self) -> None:
        """The run as it was left, with the same settings; its epochs may be more than they were.

        Raises:
            ModelError: there is none, or one with other settings.
        """
        before = run.settings(self._folder).get("epochs")
        run.check(self._folder, replace(self._config, epochs=before))
        self._network, self.history = run.stopped(self._folder, self._steps)
        earlier = before or self._kind.epochs
        if self._epochs < earlier:
            raise ModelError(f"{self._folder}: was begun for {earlier} epochs; give as many, or more")
        if self._epochs > earlier:
            self._waits_from = len(self.history)
            if self._kind.cosine:
                self._network.optimizer.learning_rate = self._rate()
            run.keep_settings(self._folder, self._config)

    def learn(self, learned: Digits, held_back: Digits) -> keras.Model:
        """Take every epoch that is left; the network is then at its best on the digits held back."""
        self._started = self._began = time.monotonic()
        self._first = len(self.history)
        if self._first < self._epochs and not self._waited():
            callback = load_keras().callbacks.LambdaCallback(
                on_epoch_end=self._epoch, on_train_batch_end=self._step
            )
            self._network.fit(
                batches(learned, self._kind, self._config, self._batch, self._first),
                steps_per_epoch=self._steps, epochs=self._epochs, initial_epoch=self._first,
                validation_data=batch_of(held_back, self._config) if len(held_back) else None,
                shuffle=False, validation_batch_size=256, verbose=0, callbacks=[callback],
            )  # fmt: skip
        if (self._folder / BEST).is_file():
            self._network.load_weights(self._folder / BEST)
        return self._network

    def _rate(self) -> Any:
        """The learning rate: one number, or falling over all steps."""
        usual = self._kind.learning_rate * (10 if self._config.optimizer == "sgd" else 1)
        rate = self._config.learning_rate or usual
        if not self._kind.cosine:
            return rate
        return load_keras().optimizers.schedules.CosineDecay(rate, self._steps * self._epochs)

    def _waited(self) -> bool:
        """Whether nothing was gained for so long that it stops."""
        losses = [epoch.validation_loss for epoch in self.history]
        if not losses or np.isnan(losses[-1]):
            return False
        return len(losses) - max(int(np.argmin(losses)) + 1, self._waits_from) >= self._config.patience

    def _step(self, step: int, logs: dict[str, float]) -> None:
        """After every step."""
        if self._tell is None:
            return
        finished = len(self.history) + (step + 1) / self._steps
        here = finished - self._first
        left = (time.monotonic() - self._started) / here * (self._epochs - finished)
        last = self.history[-1] if self.history else None
        done = finished / self._epochs
        self._tell(Progress(done, len(self.history) + 1, float(logs["loss"]), left, last))

    def _epoch(self, number: int, logs: dict[str, float]) -> None:
        """After every epoch."""
        now = time.monotonic()
        watched = (float(logs.get("val_loss", np.nan)), float(logs.get("val_accuracy", np.nan)))
        lowest = min((epoch.validation_loss for epoch in self.history), default=np.inf)
        self.history.append(
            Epoch(number + 1, float(logs["loss"]), float(logs["accuracy"]), *watched, now - self._began)
        )
        self._began = now
        if watched[0] < lowest:
            self._network.save_weights(self._folder / BEST)
        run.keep(self._network, self.history, self._folder)
        self._network.stop_training = self._waited()


def loss(config: FitConfig) -> str:
    """Keras' name of the loss that is meant."""
    return "sparse_categorical_crossentropy" if config.loss == "sparse" else "categorical_crossentropy"


def optimizer(name: str, rate: Any) -> Any:
    """Keras' optimiser of a name."""
    its = load_keras().optimizers
    if name == "sgd":
        return its.SGD(rate, momentum=0.9, nesterov=True)
    return {"adam": its.Adam, "adamw": its.AdamW, "rmsprop": its.RMSprop}[name](rate)


def _new(kind: Architecture, config: FitConfig, start: Path | None) -> keras.Model:
    """The network before its first step."""
    build = kind.build
    if kind.takes_weights:
        build = partial(kind.build, side=config.side or backbones.PUBLISHED_SIDE)
    if config.pretrained:
        start = pretrained.imagenet(kind.name)
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
    if _make(network) != _make(build()):
        says = store.load(start).card.get("settings", {}).get("arch")
        which = f"--arch {says}" if says else "the architecture that it is"
        count = network.count_params()
        raise ModelError(f"{start}: its network of {count:,} parameters is no {kind.name}; give {which}")
    its = store.load(start).input
    if not its.assumed and its.scale != config.scale:
        raise ModelError(
            f"{start}: has learned from pixels scaled as {its.scale!r}; give --scale {its.scale}"
        )
    return network


def _is_whole(file: Path) -> bool:
    """Whether a file of Keras' has a network in it, not only weights."""
    if file.suffix == ".keras":
        return True
    import h5py

    with h5py.File(file) as content:
        return "model_config" in content.attrs


def _make(network: keras.Model) -> list[tuple[str, list[tuple[int, ...]]]]:
    """What a network is made of: the kinds of its layers, in their order, and the shapes of their weights."""
    return [
        (type(layer).__name__, [tuple(weights.shape) for weights in layer.weights])
        for layer in network.layers
        if type(layer).__name__ != "InputLayer"
    ]
