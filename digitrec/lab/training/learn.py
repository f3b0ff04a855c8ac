"""One network learning: its epochs, its running average, its finish.

AdamW with one warm-up and a cosine down to nothing, smoothed labels, and a running average of the weights,
whose batch normalisation is measured again before use. What was made besides MNIST's digits is learned with
them, then left out while finishing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import NotInstalled, install_hint
from digitrec.lab.handwriting.augment import augment
from digitrec.lab.training import cnn, run
from digitrec.lab.training.run import Epoch, Progress, TrainConfig

if TYPE_CHECKING:
    import keras

Watcher = Callable[[Progress], object]

WANTED = np.vstack([np.eye(10), np.full(10, 0.1)]).astype(np.float32)
"""The answer wanted for each label, (11, 10): the digit, and undecided for `NO_DIGIT`."""


@dataclass(frozen=True, slots=True)
class NetworkRun:
    """Where one network stands in a run of several, and who is told."""

    config: TrainConfig
    """With the network's own seed."""
    number: int
    """Which network of the run this is, 1 is the first."""
    past: float
    """Seconds that those before it took."""
    on_progress: Watcher | None
    """Told after every step."""
    history: list[Epoch] = field(default_factory=list)
    """One row per epoch so far."""

    def step(self, share: float, loss: float, seconds: float) -> None:
        """Tell that `share` of an epoch, 0..1, is done, `seconds` after it began."""
        if self.on_progress is None:
            return
        epochs = self.config.epochs + self.config.finishing
        done = ((self.number - 1) * epochs + len(self.history) + share) / (self.config.networks * epochs)
        spent = self.past + sum(epoch.seconds for epoch in self.history) + seconds
        last = self.history[-1] if self.history else None
        at = len(self.history) + 1
        self.on_progress(Progress(done, at, loss, spent * (1 / done - 1), last, self.number))


@dataclass(frozen=True, slots=True)
class Material:
    """What a network learns from."""

    own: Digits
    """Seen in every epoch."""
    abroad: Digits
    """Seen in part in each, also while finishing."""
    made: Digits
    """Seen in every epoch, but not while finishing."""

    def epoch(self, config: TrainConfig, number: int) -> Digits:
        """The digits of one epoch, counted from 0: each changed, in a new order."""
        finishing = number > config.epochs
        rng = np.random.default_rng([config.seed, number])
        some = self.abroad[rng.permutation(len(self.abroad))[: self._seen(config, finishing)]]
        digits = self.own + some if finishing else self.own + some + self.made
        changes = config.augmentation
        if finishing:
            changes = changes.gentler(config.finishing_changes)
        order = rng.permutation(len(digits))
        return Digits(augment(digits.images[order], rng, changes), digits.labels[order])

    def steps(self, config: TrainConfig, *, finishing: bool = False) -> int:
        """Batches in one epoch."""
        made = 0 if finishing else len(self.made)
        return (len(self.own) + self._seen(config, finishing) + made) // config.batch

    def _seen(self, config: TrainConfig, finishing: bool) -> int:
        """How many of those from abroad an epoch sees."""
        return round((config.finishing_seen if finishing else config.seen) * len(self.abroad))


def learn(this: NetworkRun, material: Material, held_back: Digits, folder: Path) -> keras.Model:
    """The network that has learned the `material`.

    It goes on from a checkpoint in `folder`, if there is one, and adds its history to that of `this` run.
    """
    config, history = this.config, this.history
    steps = material.steps(config)
    averaged = _built(config)
    if (folder / run.CHECKPOINT).is_file():
        network, earlier = run.stopped(folder, steps)
        history += earlier
    else:
        network = _built(config, _optimizer(config, config.learning_rate, steps * config.epochs))
    typical = material.epoch(config, config.epochs)[: 30 * config.batch]
    if len(history) >= config.epochs:  # it was stopped while finishing
        _average(network, averaged)
        _measure(averaged, typical, config.batch)
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(material.epoch, config, len(history))
        while len(history) < config.epochs:
            epoch_digits = coming.result()
            coming = ahead.submit(material.epoch, config, len(history) + 1)
            started = time.monotonic()
            learning = _learn(network, epoch_digits, this)
            _average(network, averaged)
            _measure(averaged, typical, config.batch)
            history.append(_watched(averaged, held_back, learning, started, len(history) + 1))
            run.keep(network, history, folder)
        coming.cancel()
    if config.finishing:
        _finish(averaged, material, held_back, typical, this)
    return averaged


def _optimizer(config: TrainConfig, highest: float, total: int) -> Any:
    """AdamW with its learning rate over `total` steps, keeping the running average of the weights."""
    keras = load_keras()
    rising = round(config.warm_up * total)
    rate = keras.optimizers.schedules.CosineDecay(
        highest / 100, total - rising, warmup_target=highest, warmup_steps=rising
    )
    return keras.optimizers.AdamW(
        rate,
        weight_decay=config.weight_decay,
        beta_2=0.99,
        use_ema=True,
        ema_momentum=1 - 1 / max(1, config.averaging * total),
    )


def _learn(network: keras.Model, epoch_digits: Digits, this: NetworkRun) -> tuple[float, float]:
    """Take every step of one epoch; return its mean loss and accuracy."""
    images, labels = _tensors(epoch_digits)
    batch = this.config.batch
    steps = len(epoch_digits) // batch
    started = time.monotonic()
    sums = np.zeros(2)
    for step in range(steps):
        part = slice(step * batch, (step + 1) * batch)
        sums += network.train_on_batch(images[part], labels[part])
        this.step((step + 1) / steps, sums[0] / (step + 1), time.monotonic() - started)
    return float(sums[0] / steps), float(sums[1] / steps)


def _watched(
    averaged: keras.Model, held_back: Digits, learning: tuple[float, float], started: float, number: int
) -> Epoch:
    """The row of the epoch that ends now."""
    loss, accuracy = averaged.evaluate(*_tensors(held_back), verbose=0)
    return Epoch(number, *learning, loss, accuracy, time.monotonic() - started)


def _average(network: keras.Model, averaged: keras.Model) -> None:
    """Give `averaged` the running average of the weights; its batch normalisation is still to be measured."""
    now = network.get_weights()
    network.optimizer.finalize_variable_values(network.trainable_variables)
    averaged.set_weights(network.get_weights())
    network.set_weights(now)


def _measure(averaged: keras.Model, typical: Digits, batch: int) -> None:
    """Measure the batch normalisation of `averaged` on `typical`."""
    images, _ = _tensors(typical)
    for start in range(0, len(images), batch):
        averaged(images[start : start + batch], training=True)


def _finish(
    averaged: keras.Model, material: Material, held_back: Digits, typical: Digits, this: NetworkRun
) -> None:
    """Let `averaged` go on without what was made, then keep the mean of its weights before and after.

    The mean is nearly as good on those digits, and loses little of what was learned from the others: Mitchell
    Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.
    """
    config, history = this.config, this.history
    before = averaged.get_weights()
    total = material.steps(config, finishing=True) * config.finishing
    network = _built(config, _optimizer(config, config.finishing_rate, total))
    network.set_weights(before)
    for _ in range(config.finishing):
        started = time.monotonic()
        learning = _learn(network, material.epoch(config, len(history) + 1), this)
        _average(network, averaged)
        after = averaged.get_weights()
        averaged.set_weights([(one + other) / 2 for one, other in zip(before, after, strict=True)])
        _measure(averaged, typical, config.batch)
        history.append(_watched(averaged, held_back, learning, started, len(history) + 1))


def _built(config: TrainConfig, optimizer: Any = "adam") -> keras.Model:
    """The untrained network, ready to be trained or measured."""
    network = cnn.build(config.widths, seed=config.seed)
    loss = load_keras().losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing)
    network.compile(optimizer, loss, metrics=["accuracy"])
    return network


def _tensors(digits: Digits) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Images (N, 28, 28, 1) in 0..1 and the wanted answers (N, 10): one-hot, or undecided for no digit."""
    images = np.divide(digits.images[..., None], 255, dtype=np.float32)
    return images, WANTED[digits.labels]


def load_keras() -> Any:
    """Keras, imported now.

    Raises:
        NotInstalled: the `train` extra is missing.
    """
    try:
        import keras
    except ImportError as error:
        raise NotInstalled(f"training needs TensorFlow: {install_hint('train')}") from error
    return keras
