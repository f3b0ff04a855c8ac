"""Which learning rate to begin with: the rate is raised at every step until the loss runs away."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from digitrec.datasets.mnist import Digits
from digitrec.training import epochs
from digitrec.training.batches import batches
from digitrec.training.learn import load_keras
from digitrec.training.run import FitConfig
from digitrec.training.zoo import Architecture

LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 120
"""The rates that are tried, and in how many steps, each as many times the one before."""
_SMOOTHED, _RUN_AWAY = 0.9, 4.0  # of the loss before in its running mean; times the lowest at which it stops


@dataclass(frozen=True, slots=True)
class Rates:
    """What was found."""

    rates: tuple[float, ...]
    """The rates tried, rising."""
    losses: tuple[float, ...]
    """The loss at each, smoothed."""
    suggested: float
    """A tenth of the rate at which the loss is lowest: there it still falls, and no longer slowly."""


def find_rates(kind: Architecture, config: FitConfig, digits: Digits) -> Rates:
    """Train a new network for at most `STEPS` steps, the rate rising from `LOWEST` to `HIGHEST`.

    Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017.

    Args:
        kind: the architecture, a network.
        config: its optimiser, batch, loss, scale and seed.
        digits: to learn from, those changed as in training.

    Raises:
        NotInstalled: the `train` extra is missing.
    """
    load_keras().utils.set_random_seed(config.seed)
    network = kind.build()
    network.compile(epochs.optimizer(config.optimizer, LOWEST), epochs.loss(config))
    coming = batches(digits, kind, config, min(config.batch or kind.batch, len(digits)), 0)
    rates: list[float] = []
    losses: list[float] = []
    mean = 0.0
    for step in range(STEPS):
        rates.append(LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1)))
        network.optimizer.learning_rate = rates[-1]
        mean = _SMOOTHED * mean + (1 - _SMOOTHED) * float(network.train_on_batch(*next(coming)))
        losses.append(mean / (1 - _SMOOTHED ** (step + 1)))
        if math.isnan(losses[-1]) or losses[-1] > _RUN_AWAY * min(losses):
            break
    return Rates(tuple(rates), tuple(losses), float(f"{rates[int(np.nanargmin(losses))] / 10:.1g}"))
