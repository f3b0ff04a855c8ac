"""Keras' and scikit-learn's own model files, read without running code that is in them.

Keras needs the extra `train`; skops, which reads scikit-learn's classifiers on 784 pixels, the extra `stats`.
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitrec.errors import ModelError, NotInstalled, install_hint
from digitrec.errors.text import first_line
from digitrec.image import atomic
from digitrec.models.network import DESCRIPTION, Floats, Forward, check_shapes, described, description_in

if TYPE_CHECKING:
    import keras

TRUSTED = ["sklearn.tree._tree.Tree"]
"""What skops does not vouch for and a forest needs: a file made to harm can crash the process through it."""


def load_keras(content: bytes, path: Path) -> tuple[dict[str, Any], KerasNetwork]:
    """Load the description ({} if missing) and the network of a `.keras` or `.h5` file.

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


def load_skops(content: bytes, path: Path) -> tuple[dict[str, Any], Forward]:
    """Load the description ({} if missing) and the classifier of a `.skops` file.

    The classifier is a function from (N, 28, 28) ink to (N, 10). No code in the file runs: skops builds known
    classes only.

    Raises:
        ModelError: it is another kind of file, or was not trained on 784 pixels and ten digits.
        NotInstalled: the extra `stats` is missing.
    """
    skops, about = import_skops(), description_in(content, path)
    try:
        classifier = skops.loads(content, trusted=TRUSTED)
    except Exception as error:  # skops promises no class of error for a foreign file
        why = first_line(error)
        raise ModelError(f"{path}: skops cannot load it safely ({why}); save it again") from error
    classes = getattr(classifier, "classes_", np.empty(0)).tolist()
    if classes != list(range(10)) or getattr(classifier, "n_features_in_", 0) != 784:
        raise ModelError(f"{path}: has not learned ten digits from 784 pixels; give another file")
    ask = classifier.predict_proba if output_of(classifier) == "softmax" else classifier.decision_function
    return about, lambda ink: np.asarray(ask(ink.reshape(-1, 784)), np.float32)


def save_skops(classifier: Any, path: Path, about: dict[str, Any]) -> None:
    """Write a classifier as `.skops`, with its description inside the archive that such a file is.

    Raises:
        NotInstalled: the extra `stats` is missing.
    """
    content = import_skops().dumps(classifier, compression=zipfile.ZIP_DEFLATED, compresslevel=6)
    atomic.write(path, described(content, about))


def output_of(classifier: Any) -> str:
    """Return the kind of a classifier's answers: "softmax" for chances, "logits" for scores."""
    return "softmax" if hasattr(classifier, "predict_proba") else "logits"


def import_skops() -> Any:
    """Import skops, which comes with scikit-learn.

    Raises:
        NotInstalled: the `stats` extra is missing.
    """
    try:
        import skops.io
    except ImportError as error:
        raise NotInstalled(f"a .skops file needs skops: {install_hint('stats')}") from error
    return skops.io
