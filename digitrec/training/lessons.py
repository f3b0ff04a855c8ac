"""What a network is given in each epoch of `fit`, and what is kept and told after it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitrec.datasets.mnist import Digits
from digitrec.handwriting.augment import Augmentation, augment
from digitrec.models import store
from digitrec.training import run
from digitrec.training.run import Epoch, Progress
from digitrec.training.zoo import Architecture

if TYPE_CHECKING:
    import keras

    from digitrec.training.fit import FitConfig
    from digitrec.training.learn import Watcher

GENTLE = Augmentation(
    rotation=10, shear=0.15, zoom=0.1, stretch=0.08, boxed=0, shift=1.5, elastic=0.6, thinner=0.5,
    thicker=0.5, coarse=0, blur=0, hard=0, lines=0, noise=0,
)  # fmt: skip
"""How far digits are changed for MNIST's own sake: no more than its writers differ."""

Batch = tuple[NDArray[np.float32], NDArray[Any]]


def lessons(digits: Digits, kind: Architecture, config: FitConfig, batch: int, first: int) -> Iterator[Batch]:
    """Batches without end, from an epoch on (0 is the first), the digits in a new order in each."""
    epoch = first
    while True:
        rng = np.random.default_rng([config.seed, epoch])
        order = rng.permutation(len(digits))
        for at in range(0, len(order) - batch + 1, batch):
            part = digits[order[at : at + batch]]
            if kind.augmented:
                part = Digits(augment(part.images, rng, GENTLE), part.labels)
            yield batch_of(part, config)
        epoch += 1


def batch_of(digits: Digits, config: FitConfig) -> Batch:
    """Images (n, 28, 28, 1) and labels, as numbers or one-hot."""
    images = store.scaled(digits.images, config.scale)[..., None]
    sparse = config.loss == "sparse"
    return images, digits.labels if sparse else np.eye(10, dtype=np.float32)[digits.labels]


class Watch:
    """Keeps the history and the checkpoint, and tells how far it is."""

    def __init__(
        self,
        network: keras.Model,
        history: list[Epoch],
        folder: Path,
        steps: int,
        epochs: int,
        on_progress: Watcher | None,
    ) -> None:
        self._network, self._history, self._folder = network, history, folder
        self._steps, self._epochs, self._tell = steps, epochs, on_progress
        self._started = self._began = time.monotonic()
        self._first = len(history)

    def step(self, step: int, logs: dict[str, float]) -> None:
        """After every step."""
        if self._tell is None:
            return
        finished = len(self._history) + (step + 1) / self._steps
        here = finished - self._first
        left = (time.monotonic() - self._started) / here * (self._epochs - finished)
        last = self._history[-1] if self._history else None
        done = finished / self._epochs
        self._tell(Progress(done, len(self._history) + 1, float(logs["loss"]), left, last))

    def epoch(self, number: int, logs: dict[str, float]) -> None:
        """After every epoch."""
        now = time.monotonic()
        watched = (float(logs.get("val_loss", np.nan)), float(logs.get("val_accuracy", np.nan)))
        self._history.append(
            Epoch(number + 1, float(logs["loss"]), float(logs["accuracy"]), *watched, now - self._began)
        )
        self._began = now
        run.keep(self._network, self._history, self._folder)
