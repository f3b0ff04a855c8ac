"""The training loop: Keras' `fit` with progress, and a history and a checkpoint after each epoch."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, astuple, dataclass, field, fields
from pathlib import Path
from typing import Any

from digitrec.errors.text import percent
from digitrec.image.atomic import replacing
from digitrec.lab.datasets.overlap import Keys
from digitrec.lab.training.backend import keras
from digitrec.lab.training.run import Epoch, TrainConfig, Watcher, unwatched

CHECKPOINT, FINISHED, SETTINGS, HISTORY = "checkpoint.keras", "finished.keras", "settings.json", "history.csv"
MADE, WORLD = "made.npz", "world.npz"
"""Files in the folder of a run: networks, settings, history, and generated pictures."""
AtEnd = Callable[[dict[str, float]], object]
"""Called with Keras' logs at the end of an epoch, to which it may add "val_loss" and "val_accuracy"."""


@dataclass(slots=True)
class Loop:
    """The epochs of one network."""

    epochs: int
    """Epochs in total."""
    on_progress: Watcher = unwatched
    """Called after every step."""
    folder: Path | None = None
    """Folder of the history; None: it is not written."""
    number: int = 1
    """Which network of the run this is, from 1."""
    networks: int = 1
    """Networks of the run."""
    history: list[Epoch] = field(default_factory=list)
    """One row per finished epoch."""

    def fit(
        self, network: keras.Model, batches: Iterable[Any], steps: int, *, until: int | None = None,
        at_end: AtEnd = lambda _: None, callbacks: Iterable[Any] = (), **keras_fit: Any,
    ) -> None:  # fmt: skip
        """Train a compiled network after the last finished epoch up to and including epoch `until`.

        Args:
            network: the network.
            batches: images and labels of each step, from the first epoch that is still to do.
            steps: batches in each epoch.
            until: the last epoch, from 1; None: `epochs`.
            at_end: called at the end of each epoch, before its row is written.
            callbacks: further callbacks of Keras.
            keras_fit: further arguments of `keras.Model.fit`.
        """
        began = 0.0
        until = until or self.epochs

        def begin(number: int, logs: dict[str, float]) -> None:
            nonlocal began
            began = time.monotonic()

        def step(number: int, logs: dict[str, float]) -> None:
            self._tell((number + 1) / steps, float(logs["loss"]))

        def end(number: int, logs: dict[str, float]) -> None:
            at_end(logs)
            names = ("loss", "accuracy", "val_loss", "val_accuracy")
            loss, right, held_loss, held_right = (float(logs.get(name, math.nan)) for name in names)
            seconds = time.monotonic() - began
            self.history.append(Epoch(number + 1, loss, right, held_loss, held_right, seconds))
            if self.folder is not None:
                write(self.history, self.folder)

        if len(self.history) < until:
            told = keras.callbacks.LambdaCallback(
                on_epoch_begin=begin, on_train_batch_end=step, on_epoch_end=end
            )
            network.fit(
                batches, steps_per_epoch=steps, epochs=until, initial_epoch=len(self.history),
                shuffle=False, verbose=0, callbacks=[told, *callbacks], **keras_fit,
            )  # fmt: skip

    def _tell(self, share: float, loss: float) -> None:
        """Report that `share` of an epoch, 0..1, is done."""
        at = len(self.history)
        done = ((self.number - 1) * self.epochs + at + share) / (self.networks * self.epochs)
        remark = f"epoch {at + 1}/{self.epochs}, loss {loss:.3f}"
        if self.networks > 1:
            remark = f"network {self.number}/{self.networks}, {remark}"
        if self.history and not math.isnan(self.history[-1].validation_accuracy):
            remark += f", held back {percent(self.history[-1].validation_accuracy, 2)}"
        self.on_progress(done, remark)


def prepare(folder: Path, config: TrainConfig, learned: Keys) -> None:
    """Prepare `folder` for a run; keep what a run with the same settings and digits left there.

    Args:
        folder: the folder of the run.
        config: its settings.
        learned: keys of the digits that it learns.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.blake2b(learned.tobytes(), digest_size=8).hexdigest()
    settings = json.dumps(asdict(config) | {"digits": digest}, indent=2)
    file = folder / SETTINGS
    if file.is_file() and file.read_text("utf-8") == settings:
        return
    for name in (CHECKPOINT, FINISHED, MADE, WORLD):
        (folder / name).unlink(missing_ok=True)
    file.write_text(settings, "utf-8")


def read(folder: Path) -> list[Epoch]:
    """Return the history that `write` wrote."""
    with (folder / HISTORY).open(newline="") as file:
        _, *rows = csv.reader(file)
    return [Epoch(int(number), *map(float, values)) for number, *values in rows]


def write(history: list[Epoch], folder: Path) -> None:
    """Write the history, a row per epoch."""
    with replacing(folder / HISTORY) as unfinished, unfinished.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(column.name for column in fields(Epoch))
        rows.writerows(map(astuple, history))


def save(network: keras.Model, file: Path) -> None:
    """Write the network atomically."""
    with replacing(file) as unfinished:
        network.save(unfinished)
