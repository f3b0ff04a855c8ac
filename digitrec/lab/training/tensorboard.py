"""Write how training goes for TensorBoard, by TensorFlow alone: TensorBoard need not be installed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from digitrec.lab.training.learn import load_keras
from digitrec.lab.training.run import Epoch


class Summaries:
    """Accuracy and loss after each epoch, in the folders `train` and `validation` as Keras names them."""

    def __init__(self, folder: Path | None) -> None:
        """Write nothing yet; with None, never write anything.

        Raises:
            NotInstalled: the `train` extra is missing.
        """
        self._folder = folder
        if folder is not None:
            load_keras()
        self._written: set[tuple[int | None, int]] = set()
        self._writer = cache(_writer)

    def add(self, history: Sequence[Epoch], network: int | None = None) -> None:
        """Write the epochs that are not written yet.

        Args:
            history: the epochs of one network.
            network: its number, from 1, where there are several: each gets a folder of its own.
        """
        if self._folder is None:
            return
        folder = self._folder if network is None else self._folder / f"network-{network}"
        for row in history:
            if (network, row.epoch) in self._written:
                continue
            self._written.add((network, row.epoch))
            self._put(folder / "train", row.epoch, row.loss, row.accuracy)
            if not math.isnan(row.validation_loss):
                self._put(folder / "validation", row.epoch, row.validation_loss, row.validation_accuracy)

    def _put(self, folder: Path, step: int, loss: float, accuracy: float) -> None:
        import tensorflow as tf

        metadata = tf.compat.v1.SummaryMetadata
        kind = metadata(plugin_data=metadata.PluginData(plugin_name="scalars"))
        with self._writer(folder).as_default():
            for name, value in (("epoch_loss", loss), ("epoch_accuracy", accuracy)):
                tf.summary.write(name, tf.constant(value, tf.float32), step, metadata=kind)
        self._writer(folder).flush()


def _writer(folder: Path) -> Any:
    import tensorflow as tf

    return tf.summary.create_file_writer(str(folder))
