"""What the recipes of the finder and the number reader share: stocks, checkpoints and averaged weights."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.image import atomic

Stock = dict[str, NDArray[Any]]
"""Arrays of one length, by their names: the content of a file."""


def save(file: Path, stock: Mapping[str, NDArray[Any]]) -> None:
    """Write a stock as an `.npz` file, atomically."""
    with atomic.replacing(file) as unfinished, unfinished.open("wb") as opened:
        np.savez(opened, **stock)  # type: ignore[arg-type]


def start(file: Path, count: int) -> Stock:
    """Return the first ``count`` rows of a stock."""
    with np.load(file) as stock:
        return {key: stock[key][:count] for key in stock.files}


def pairs(folder: Path, rng: np.random.Generator) -> Iterator[Stock]:
    """Yield the content of two numbered files at a time, in random order, without end.

    Waits while there are fewer than two files, since drawing may still go on.
    """
    while True:
        files = sorted(folder.glob("[0-9]*.npz"))
        if len(files) < 2:
            time.sleep(20)
            continue
        for first, second in zip(*[iter(rng.permutation(np.array(files, object)))] * 2, strict=False):
            with np.load(first) as one, np.load(second) as other:
                yield {key: np.concatenate([one[key], other[key]]) for key in one.files}


def adamw(
    net: Any, steps: int, *, rate: float, last: float, warmup: int, decay: float, clip: float, momentum: float
) -> Any:
    """Return AdamW with a cosine schedule and a moving average of the weights, built for a network.

    Args:
        net: the network.
        steps: steps of the schedule.
        rate: highest learning rate, after ``warmup`` steps.
        last: share of the first learning rate, 1e-4, at the end.
        warmup: steps until the highest learning rate.
        decay: weight decay.
        clip: greatest norm of a gradient.
        momentum: of the moving average, 0..1.
    """
    import keras

    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, steps, last, warmup_target=rate, warmup_steps=warmup
    )
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=decay, clipnorm=clip, use_ema=True, ema_momentum=momentum
    )
    optimizer.build(net.trainable_variables)
    return optimizer


def restored(folder: Path, net: Any, optimizer: Any) -> Any:
    """Restore the latest checkpoint of a folder, if any, and return the manager that saves the next ones."""
    import tensorflow

    tf: Any = tensorflow
    checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer)
    manager = tf.train.CheckpointManager(checkpoint, str(folder / "checkpoints"), 2)
    checkpoint.restore(manager.latest_checkpoint).expect_partial()
    return manager


@contextmanager
def averaged(net: Any, optimizer: Any) -> Iterator[None]:
    """Give a network the moving average of its weights, for a while."""
    kept = [variable.numpy() for variable in net.trainable_variables]
    optimizer.finalize_variable_values(net.trainable_variables)
    yield
    for variable, value in zip(net.trainable_variables, kept, strict=True):
        variable.assign(value)
