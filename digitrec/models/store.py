"""Load model files and compute ten probabilities; code in a file never runs.

Keras (extra `train`) and skops (extra `stats`, for scikit-learn's classifiers on 784 pixels) are imported
only for a file that needs them, so that `digitrec predict` starts quickly.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitrec.errors import ModelError, NotInstalled, install_hint
from digitrec.errors.arguments import said
from digitrec.errors.text import first_line
from digitrec.image.pixels import Pixels
from digitrec.models import network
from digitrec.models.network import BATCH, SCALES, VIEWS, Floats, Forward, ModelInput

if TYPE_CHECKING:
    import keras

    from digitrec.models.inside import Inside


TRUSTED = [
    "sklearn.tree._tree.Tree",
    *(f"sklearn.neural_network._stochastic_optimizers.{name}Optimizer" for name in ("Adam", "SGD")),
]
"""Types that forests and `MLPClassifier` need and skops does not trust: through a tree a malicious file can
crash the process."""
SHIPPED = network.FOLDER / "digitrec-cnn.tflite"
"""The model that the package contains."""


@dataclass(frozen=True, eq=False)
class Model:
    """A network loaded from a file; several threads may use it at once."""

    name: str
    """The model's name in the file, else the file's name without its ending."""
    version: str
    """The name, the first 12 hex digits of the file's SHA-256, and the scale if only the caller named it."""
    input: ModelInput
    """How pixels are scaled for the network, and how its output is read."""
    card: Mapping[str, Any] = field(repr=False)
    """The file's description of the training; empty for a file that digitrec did not write."""
    forward: Forward = field(repr=False)
    """The network as a function."""
    second: network.LiteRt | None = field(default=None, repr=False)
    """A network that learned only digits in MNIST's form, and answers too if a picture comes in it."""

    def probabilities(
        self, batch: Pixels, prepared: Sequence[bool] | NDArray[np.bool_] = (), *, once: bool = False
    ) -> Floats:
        """Return the chance of each digit: (N, 28, 28) uint8, ink high, to (N, 10) float32; rows sum to 1.

        If the network is less sure than its `doubt`, read the picture again, moved by a pixel to each side,
        and average the five readings.

        Args:
            batch: the pictures.
            prepared: (N,), which pictures were converted to MNIST's form; empty: none of them.
            once: do not read doubtful pictures again.

        Raises:
            ValueError: the array has another shape or type.
        """
        if batch.dtype != np.uint8 or batch.shape[1:] != (28, 28):
            raise ValueError(
                f"a batch must be uint8 of shape (N, 28, 28), got {batch.dtype} of {batch.shape}"
            )
        ink, rows = network.scaled(batch, self.input.scale), np.zeros(len(batch), np.bool_)
        if len(prepared):
            rows[:] = prepared
        chances = self._chances(ink, rows)
        doubted = chances.max(axis=1) < self.input.doubt
        if doubted.any() and not once:
            views = network.aside(ink[doubted])
            again = self._chances(views, rows[doubted].repeat(VIEWS)).reshape(-1, VIEWS, 10)
            all_five = np.concatenate([chances[doubted][:, None], again], axis=1).reshape(-1, 10)
            chances[doubted] = network.pooled(all_five, np.arange(0, len(all_five), VIEWS + 1))
        return chances

    def _chances(self, ink: Floats, prepared: NDArray[np.bool_]) -> Floats:
        """Return the chance of each digit in one pass: (N, 28, 28), scaled, to (N, 10)."""
        answer = _in_batches(self.forward, ink)
        if self.second is not None and not prepared.all():
            both = answer[~prepared], _in_batches(self.second, ink[~prepared])
            answer[~prepared] = np.sqrt(both[0] * both[1])  # the mean of their scores
        kind = self.input.output
        chances = network.probabilities(answer, kind, self.input.temperature)
        if self.input.prepared is not None and prepared.any():
            chances[prepared] = network.probabilities(answer[prepared], kind, self.input.prepared)
        return chances

    @cached_property
    def inside(self) -> Inside:
        """The first network's layers; none for a `.skops` file or for Keras layers that LiteRT lacks."""
        from digitrec.models.inside import Inside  # few callers look inside

        content = self.forward.as_litert() if hasattr(self.forward, "as_litert") else None
        return Inside(content, self.input.scale)

    def recognises(self, chances: Floats, share: float | NDArray[np.float64] = 1.0) -> NDArray[np.bool_]:
        """Return which of its answers clearly show a digit: (N, 10) probabilities to (N,).

        Args:
            chances: the result of `probabilities`.
            share: required evidence as a multiple of the model's threshold, for all pictures or each, (N,).
        """
        return np.asarray(network.evidence(chances) >= self.input.evidence * share)


def _in_batches(forward: Forward, ink: Floats) -> Floats:
    """Return a network's answers for any number of pictures."""
    parts = [forward(ink[start : start + BATCH]) for start in range(0, len(ink), BATCH)]
    return np.concatenate(parts) if parts else np.empty((0, 10), np.float32)


def load(path: Path | None = None, *, scale: str | None = None) -> Model:
    """Load a model file, or the shipped model.

    Args:
        path: `.tflite`; `.keras` or `.h5`, with the extra `train`; `.skops`, with the extra `stats`; None:
            the shipped model.
        scale: one of `SCALES`, for a file that does not say how to scale its pixels; None: find the best one.

    Raises:
        ModelError: the file does not exist, is not a model from 28x28 pixels to ten numbers, or names another
            scale.
        NotInstalled: the file needs the extra `train` or `stats`, which is not installed.
        ValueError: the scale is unknown.
    """
    if scale not in (None, *SCALES):
        raise ValueError(f"scale must be one of {', '.join(SCALES)}, got {said(scale)}")
    path = SHIPPED if path is None else path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); name a model file") from error
    about, forward = _network(content, path)
    name = str(about.get("name", path.stem))
    digest = hashlib.sha256(content).hexdigest()[:12]
    version = "-".join(filter(None, (name, digest, None if about else scale)))
    model_input = network.model_input(about, forward, path, scale)
    second = network.second_in(content, path) if path.suffix == ".tflite" else None
    return Model(name, version, model_input, about.get("card", {}), forward, second)


def _network(content: bytes, path: Path) -> tuple[dict[str, Any], Forward]:
    """Load the file's description and network with the library that wrote the file."""
    if path.suffix == ".tflite":
        return network.description_in(content, path), network.LiteRt(content, path)
    if path.suffix in (".keras", ".h5"):
        return load_keras(content, path)
    if path.suffix == ".skops":
        return load_skops(content, path)
    raise ModelError(f"{path}: a model file must end in .tflite, .keras, .h5 or .skops")


def load_keras(content: bytes, path: Path) -> tuple[dict[str, Any], KerasNetwork]:
    """Load the description ({} if missing) and the network of a `.keras` or `.h5` file.

    Raises:
        ModelError: the file is not a model, needs code of its own (a Lambda or custom layer), or has
            other shapes.
        NotInstalled: TensorFlow is missing.
    """
    try:
        import keras
    except ImportError as error:
        raise NotInstalled(f"{path.name} needs TensorFlow: {install_hint('train')}") from error
    try:
        loaded = keras.saving.load_model(path, compile=False, safe_mode=True)
        about = network.description_in(content, path) if path.suffix == ".keras" else _attribute(path)
        # Keras takes any number of pictures, but stores the size of the batches that it was trained with
        takes, gives = ([(None, *one.shape[1:]) for one in side] for side in (loaded.inputs, loaded.outputs))
    except Exception as error:  # Keras documents no error class for a file that it did not write
        why = first_line(error)
        raise ModelError(f"{path}: Keras cannot load it safely ({why}); export it again") from error
    network.check_shapes(takes, gives, path)
    return about, KerasNetwork(loaded, path)


class KerasNetwork:
    """A Keras network as a function from (N, 28, 28) ink to (N, 10)."""

    def __init__(self, loaded: keras.Model, path: Path) -> None:
        self._network, self._path = loaded, path

    def __call__(self, ink: Floats) -> Floats:
        import keras

        batches = network.shaped(ink, self._network.input_shape)
        try:
            answers = [keras.tree.flatten(self._network(batch, training=False)) for batch in batches]
        except Exception as error:  # such as a layer that needs batches of one size
            raise ModelError(
                f"{self._path}: the network fails ({first_line(error)}); give another"
            ) from error
        return np.concatenate([np.asarray(answer, np.float32) for (answer,) in answers])

    def as_litert(self) -> bytes | None:
        """Return the network as a LiteRT file in float32; None if it has layers that LiteRT lacks."""
        try:
            return to_litert(self._network, quantised=False)
        except Exception:  # the converter documents no error class
            return None


def to_litert(network: keras.Model, *, quantised: bool = True) -> bytes:
    """Convert a Keras network to a LiteRT file for any batch size.

    Args:
        network: a network with output in float32.
        quantised: store the weights in int8 (TensorFlow's dynamic-range quantisation). The file has a quarter
            of the size and, on processors that multiply bytes, takes a third of the time; about one answer in
            thousands differs.
    """
    import keras
    import tensorflow as tf

    (size, *sides), kind = network.inputs[0].shape, network.inputs[0].dtype
    if size not in (None, 1) or kind != "float32":  # the file would only read such batches, or whole numbers
        image = keras.Input(sides)
        network = keras.Model(image, network(image))
    with contextlib.redirect_stdout(io.StringIO()):  # the converter prints every tensor
        converter = tf.lite.TFLiteConverter.from_keras_model(network)
        if quantised:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return bytes(converter.convert())


def _attribute(path: Path) -> dict[str, Any]:
    """Return the description in an `.h5` file."""
    import h5py

    with h5py.File(path) as file:
        return dict(json.loads(file.attrs.get(network.DESCRIPTION, "{}")))


def load_skops(content: bytes, path: Path) -> tuple[dict[str, Any], Forward]:
    """Load the description ({} if missing) and the classifier of a `.skops` file.

    The classifier becomes a function from (N, 28, 28) ink to (N, 10). No code in the file runs: skops only
    builds known classes.

    Raises:
        ModelError: the file is of another kind, or was not trained on 784 pixels and ten digits.
        NotInstalled: the extra `stats` is missing.
    """
    skops, about = import_skops(), network.description_in(content, path)
    try:
        classifier = skops.loads(content, trusted=TRUSTED)
    except Exception as error:  # skops documents no error class for a file that it did not write
        todo = "save scikit-learn's classifier itself (a search's best_estimator_)"
        raise ModelError(f"{path}: skops cannot load it safely ({first_line(error)}); {todo}") from error
    labels = [str(one).removesuffix(".0") for one in getattr(classifier, "classes_", ())]
    knows_digits = labels == list("0123456789")
    ask = getattr(classifier, "predict_proba", None) or getattr(classifier, "decision_function", None)
    if not knows_digits or getattr(classifier, "n_features_in_", 0) != 784 or ask is None:
        raise ModelError(
            f"{path}: has not learned ten digits from 784 pixels, or gives no scores; give another file"
        )

    def forward(ink: Floats) -> Floats:
        try:
            return np.asarray(ask(ink.reshape(-1, 784)), np.float32)
        except Exception as error:  # some classifiers answer only pictures like those that they learned
            raise ModelError(f"{path}: its classifier fails ({first_line(error)}); give another") from error

    if forward(np.zeros((1, 784), np.float32)).shape != (1, 10):
        raise ModelError(f"{path}: does not answer with ten numbers; train it one-vs-rest")
    return about, forward


def to_skops(classifier: Any) -> bytes:
    """Convert a classifier to a `.skops` file, a zip archive.

    Raises:
        NotInstalled: the extra `stats` is missing.
    """
    return bytes(import_skops().dumps(classifier, compression=zipfile.ZIP_DEFLATED, compresslevel=6))


def output_of(classifier: Any) -> str:
    """Return the kind of a classifier's output: "softmax" for probabilities, "logits" for scores."""
    return "softmax" if hasattr(classifier, "predict_proba") else "logits"


def import_skops() -> Any:
    """Import skops, which the extra `stats` installs with scikit-learn.

    Raises:
        NotInstalled: the `stats` extra is missing.
    """
    try:
        import skops.io
    except ImportError as error:
        raise NotInstalled(f"a .skops file needs skops: {install_hint('stats')}") from error
    return skops.io
