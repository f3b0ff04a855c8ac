"""How digitrec's own network learns: AdamW, a running average of the weights, and a finish.

The learning rate rises once and falls along a cosine; labels are smoothed. Batch normalisation is measured
again for the averaged weights. Generated pictures are learned together with MNIST's digits, then left out
while finishing.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import Digits
from digitrec.lab import stocks
from digitrec.lab.handwriting.augment import augment
from digitrec.lab.training import cnn, loop
from digitrec.lab.training.backend import keras
from digitrec.lab.training.loop import AtEnd, Loop
from digitrec.lab.training.run import TrainConfig

Tensors = tuple[NDArray[np.float32], NDArray[np.float32]]

WANTED = np.vstack([np.eye(10), np.full(10, 0.1)]).astype(np.float32)
"""The target for each label, (11, 10): one-hot, or all equal for `NO_DIGIT`."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a network learns from."""

    own: Digits
    """Seen in every epoch."""
    abroad: Digits
    """Seen in part in each epoch, also while finishing."""
    made: Digits
    """Seen in every epoch, but not while finishing."""

    def epoch(self, config: TrainConfig, number: int) -> Digits:
        """Return the augmented digits of one epoch in a new order; epochs after `config.epochs` finish."""
        finishing = number > config.epochs
        rng = np.random.default_rng([config.seed, number])
        some = self.abroad[rng.permutation(len(self.abroad))[: self._seen(config, finishing)]]
        digits = self.own + some if finishing else self.own + some + self.made
        changes = config.augmentation
        if finishing:
            changes = changes.gentler(config.finishing_changes)
        order = rng.permutation(len(digits))
        return Digits(augment(digits.images[order], rng, changes), digits.labels[order])

    def batches(self, config: TrainConfig, first: int, last: int) -> Iterator[Tensors]:
        """Yield the batches of these epochs; one epoch is augmented while the one before is learned."""
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self.epoch, config, first)
            for number in range(first, last + 1):
                images, wanted = tensors(coming.result())
                if number < last:
                    coming = ahead.submit(self.epoch, config, number + 1)
                for start in range(0, len(images) - config.batch + 1, config.batch):
                    part = slice(start, start + config.batch)
                    yield images[part], wanted[part]

    def steps(self, config: TrainConfig, *, finishing: bool = False) -> int:
        """Return the number of batches in one epoch."""
        made = 0 if finishing else len(self.made)
        return (len(self.own) + self._seen(config, finishing) + made) // config.batch

    def _seen(self, config: TrainConfig, finishing: bool) -> int:
        """Return how many digits from abroad an epoch sees."""
        return round((config.finishing_seen if finishing else config.seen) * len(self.abroad))


def learn(this: Loop, config: TrainConfig, material: Material, held_back: Digits) -> keras.Model:
    """Return the network that has learned the `material`, resumed from the checkpoint if there is one."""
    steps = material.steps(config)
    averaged = _built(config)
    assert this.folder is not None
    checkpoint = this.folder / loop.CHECKPOINT
    if checkpoint.is_file():
        network = keras.models.load_model(checkpoint)
        this.history = loop.read(this.folder)[: int(network.optimizer.iterations) // steps]
    else:
        network = _built(config, _optimizer(config, config.learning_rate, steps * config.epochs))
    typical, _ = tensors(material.epoch(config, config.epochs)[: 30 * config.batch])
    watched = tensors(held_back)
    if len(this.history) >= config.epochs:  # stopped while finishing
        _average(network, averaged)
        _measure(averaged, typical, config.batch)
    batches = material.batches(config, len(this.history), config.epochs - 1)
    watch = _watch(network, averaged, typical, watched, config.batch)
    kept = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: loop.save(network, checkpoint))
    this.fit(network, batches, steps, until=config.epochs, at_end=watch, callbacks=[kept])
    if config.finishing:
        _finish(this, config, material, averaged, typical, watched)
    return averaged


def _finish(
    this: Loop, config: TrainConfig, material: Material, averaged: keras.Model,
    typical: NDArray[np.float32], watched: Tensors,
) -> None:  # fmt: skip
    """Continue without generated pictures, then take the mean of the weights before and after.

    The mean is nearly as good on those digits, and loses little of what was learned from the others: Mitchell
    Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.
    """
    before = averaged.get_weights()
    steps, last = material.steps(config, finishing=True), config.epochs + config.finishing
    network = _built(config, _optimizer(config, config.finishing_rate, steps * config.finishing))
    network.set_weights(before)
    watch = _watch(network, averaged, typical, watched, config.batch, before)
    batches = material.batches(config, config.epochs + 1, last)
    this.fit(network, batches, steps, until=last, at_end=watch)


def cosine(highest: float, total: int, warm_up: float) -> Any:
    """Return a learning rate that rises over a share of `total` steps, and falls along a cosine to 0."""
    rising = round(warm_up * total)
    return keras.optimizers.schedules.CosineDecay(
        highest / 100, total - rising, warmup_target=highest, warmup_steps=rising
    )


def _optimizer(config: TrainConfig, highest: float, total: int) -> Any:
    """Return AdamW with its learning rate over `total` steps and the running average of the weights."""
    return keras.optimizers.AdamW(
        cosine(highest, total, config.warm_up), weight_decay=config.weight_decay, beta_2=0.99, use_ema=True,
        ema_momentum=1 - 1 / max(1, config.averaging * total),
    )  # fmt: skip


def _watch(
    network: keras.Model, averaged: keras.Model, typical: NDArray[np.float32], watched: Tensors, batch: int,
    before: list[Any] | None = None,
) -> AtEnd:  # fmt: skip
    """Return what measures the averaged weights, or their mean with those `before`, after an epoch."""

    def watch(logs: dict[str, float]) -> None:
        _average(network, averaged)
        if before is not None:
            pairs = zip(before, averaged.get_weights(), strict=True)
            averaged.set_weights([(one + other) / 2 for one, other in pairs])
        _measure(averaged, typical, batch)
        logs["val_loss"], logs["val_accuracy"] = averaged.evaluate(*watched, verbose=0)

    return watch


def _average(network: keras.Model, averaged: keras.Model) -> None:
    """Set `averaged` to the running average of the weights, without its batch normalisation."""
    with stocks.averaged(network, network.optimizer):
        averaged.set_weights(network.get_weights())


def _measure(averaged: keras.Model, typical: NDArray[np.float32], batch: int) -> None:
    """Measure the batch normalisation of `averaged` on `typical` images."""
    for start in range(0, len(typical), batch):
        averaged(typical[start : start + batch], training=True)


def _built(config: TrainConfig, optimizer: Any = "adam") -> keras.Model:
    """Return the untrained network, compiled."""
    network = cnn.build(config.widths, seed=config.seed)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing)
    network.compile(optimizer, loss, metrics=["accuracy"])
    return network


def tensors(digits: Digits) -> Tensors:
    """Return images (N, 28, 28, 1) in 0..1 and targets (N, 10)."""
    images = np.divide(digits.images[..., None], 255, dtype=np.float32)
    return images, WANTED[digits.labels]
