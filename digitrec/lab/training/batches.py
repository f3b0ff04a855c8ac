"""What a network is given in each epoch of `fit`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import Digits
from digitrec.lab.handwriting.augment import Augmentation, augment
from digitrec.lab.training.run import FitConfig
from digitrec.lab.training.zoo import Architecture
from digitrec.models.scores import scaled

GENTLE = Augmentation(
    rotation=10, shear=0.15, zoom=0.1, stretch=0.08, boxed=0, shift=1.5, elastic=0.6, thinner=0.5,
    thicker=0.5, coarse=0, blur=0, hard=0, lines=0, noise=0,
)  # fmt: skip
"""How far digits are changed for MNIST's own sake: no more than its writers differ."""

Batch = tuple[NDArray[np.float32], NDArray[Any]]


def batches(digits: Digits, kind: Architecture, config: FitConfig, batch: int, first: int) -> Iterator[Batch]:
    """Batches without end, from an epoch on (0 is the first), the digits in a new order in each."""
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
    """Images (n, 28, 28, 1) and labels, as numbers or one-hot."""
    images = scaled(digits.images, config.scale)[..., None]
    sparse = config.loss == "sparse"
    return images, digits.labels if sparse else np.eye(10, dtype=np.float32)[digits.labels]
