"""How training goes, for TensorBoard: written by TensorFlow alone; TensorBoard need not be installed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from digitrec.training.learn import load_keras
from digitrec.training.run import Epoch


class Summaries:
    """Accuracy and loss after each epoch: runs `train` and `validation` in a folder, as Keras has them."""

    def __init__(self, folder: Path | None) -> None:
        """Nothing is written yet; None: nothing ever is.

        Raises:
            NotInstalled: the `train` extra is missing.
        """
        self._folder = folder
        if folder is not None:
            load_keras()
        self._writers: dict[Path, Any] = {}
        self._written: set[tuple[int, int]] = set()

    def __enter__(self) -> Self:
        """Itself, closed at the end of the ``with``."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def add(self, history: Sequence[Epoch], network: int | None = None) -> None:
        """Write the epochs that are not written yet.

        Args:
            history: the epochs of one network.
            network: which, 1 is the first, where there are several: each gets a folder of its own.
        """
        if self._folder is None:
            return
        folder = self._folder if network is None else self._folder / f"network-{network}"
        for row in history:
            if (network or 0, row.epoch) in self._written:
                continue
            self._written.add((network or 0, row.epoch))
            self._put(folder / "train", row.epoch, {"loss": row.loss, "accuracy": row.accuracy})
            if not math.isnan(row.validation_loss):
                watched = {"loss": row.validation_loss, "accuracy": row.validation_accuracy}
                self._put(folder / "validation", row.epoch, watched)

    def _put(self, folder: Path, step: int, figures: dict[str, float]) -> None:
        import tensorflow as tf

        if folder not in self._writers:
            self._writers[folder] = tf.summary.create_file_writer(str(folder))
        metadata = tf.compat.v1.SummaryMetadata
        kind = metadata(plugin_data=metadata.PluginData(plugin_name="scalars"))
        with self._writers[folder].as_default():
            for name, value in figures.items():
                tf.summary.write(f"epoch_{name}", tf.constant(value, tf.float32), step, metadata=kind)
        self._writers[folder].flush()
