"""Keras' own model files, read only with the `train` extra and never running code that is in them."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitrec.errors import ModelError, NotInstalled, install_hint
from digitrec.errors.text import first_line
from digitrec.models.description import DESCRIPTION, check_shapes, description_in
from digitrec.models.scores import Floats

if TYPE_CHECKING:
    import keras


def load(content: bytes, path: Path) -> tuple[dict[str, Any], KerasNetwork]:
    """Load the description ({} if missing) and the network of a `.keras` or `.h5` file.

    The network is a function from (N, 28, 28) ink to (N, 10).

    Raises:
        ModelError: it is not a model, needs code of its own (a Lambda or custom layer), or has other shapes.
        NotInstalled: TensorFlow is missing.
    """
    try:
        import keras
    except ImportError as error:
        raise NotInstalled(f"{path.name} needs TensorFlow: {install_hint('train')}") from error
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
        about = description_in(content, path) if path.suffix == ".keras" else _attribute(path)
    except Exception as error:  # Keras promises no class of error for a foreign file
        why = first_line(error)
        raise ModelError(f"{path}: Keras cannot load it safely ({why}); export it again") from error
    check_shapes([side.shape for side in network.inputs], [side.shape for side in network.outputs], path)
    return about, KerasNetwork(network)


class KerasNetwork:
    """A Keras network as a function from (N, 28, 28) ink to (N, 10)."""

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        self._one_by_one = network.input_shape[0] == 1

    def __call__(self, ink: Floats) -> Floats:
        shaped = ink.reshape(-1, *self._network.input_shape[1:])
        batches = np.split(shaped, len(shaped)) if self._one_by_one else [shaped]
        return np.concatenate([np.asarray(self._network(batch, training=False)) for batch in batches])

    def as_litert(self) -> bytes | None:
        """Return the network as a LiteRT file in float32; None if it has layers that LiteRT lacks."""
        try:
            return to_litert(self._network, quantised=False)
        except Exception:  # the converter promises no class of error
            return None


def to_litert(network: keras.Model, *, quantised: bool = True) -> bytes:
    """Convert a Keras network to a LiteRT file for any batch size.

    Args:
        network: takes and gives float32.
        quantised: store the weights in int8 (TensorFlow's dynamic-range quantisation): a quarter of the size
            and, where the processor multiplies bytes, a third of the time, with the same answer for all but
            one digit in thousands.
    """
    import tensorflow as tf

    with contextlib.redirect_stdout(io.StringIO()):  # the converter lists every tensor
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        if quantised:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return bytes(converter.convert())


def _attribute(path: Path) -> dict[str, Any]:
    """Return the description in an `.h5` file."""
    import h5py

    with h5py.File(path) as file:
        return dict(json.loads(file.attrs.get(DESCRIPTION, "{}")))
