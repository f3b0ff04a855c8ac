"""Model files: load one and ask it for ten probabilities; no code in a file ever runs.

`digitrec predict` waits for this module, so it imports Keras (extra `train`) and skops (extra `stats`, for
scikit-learn's classifiers on 784 pixels) only for a file of theirs.
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
from digitrec.image import atomic
from digitrec.models import network
from digitrec.models.network import BATCH, SCALES, VIEWS, Floats, Forward, ModelInput

if TYPE_CHECKING:
    import keras

    from digitrec.models.inside import Inside


TRUSTED = ["sklearn.tree._tree.Tree"]
"""What skops does not vouch for and a forest needs: a file made to harm can crash the process through it."""
SHIPPED = Path(__file__).parent / "weights" / "digitrec-cnn.tflite"
"""The model inside the package."""


@dataclass(frozen=True, eq=False)
class Model:
    """A network loaded from a file; several threads may use it at once."""

    name: str
    """What the file calls it, else the file's name without its ending."""
    version: str
    """The name and the first 12 hex digits of the file's SHA-256."""
    input: ModelInput
    """How pixels are given to it, and how its answer is read."""
    card: Mapping[str, Any] = field(repr=False)
    """What the file says of its training; empty for a foreign one."""
    forward: Forward = field(repr=False)
    """The network itself."""

    def probabilities(
        self, batch: NDArray[np.uint8], prepared: Sequence[bool] | NDArray[np.bool_] = ()
    ) -> Floats:
        """Return the chance of each digit: (N, 28, 28) uint8, ink high, to (N, 10) float32; rows sum to 1.

        Read a picture again, moved by a pixel to each side, if the network is less sure than its `doubt`;
        average the five readings.

        Args:
            batch: the pictures.
            prepared: (N,), which of them were converted to that form; empty: none of them.

        Raises:
            ValueError: an array of any other shape or type.
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
        if doubted.any():
            views = network.aside(ink[doubted])
            again = self._chances(views, rows[doubted].repeat(VIEWS)).reshape(-1, VIEWS, 10)
            all_five = np.concatenate([chances[doubted][:, None], again], axis=1).reshape(-1, 10)
            chances[doubted] = network.pooled(all_five, np.arange(0, len(all_five), VIEWS + 1))
        return chances

    def _chances(self, ink: Floats, prepared: NDArray[np.bool_]) -> Floats:
        """Return the chance of each digit in one pass: (N, 28, 28), scaled, to (N, 10)."""
        answer = np.empty((len(ink), 10), np.float32)
        for start in range(0, len(ink), BATCH):
            answer[start : start + BATCH] = self.forward(ink[start : start + BATCH])
        kind = self.input.output
        chances = network.probabilities(answer, kind, self.input.temperature)
        if self.input.prepared is not None and prepared.any():
            chances[prepared] = network.probabilities(answer[prepared], kind, self.input.prepared)
        return chances

    @cached_property
    def inside(self) -> Inside:
        """The network's layers; nothing to see in a `.skops` file or in Keras layers that LiteRT lacks."""
        from digitrec.models.inside import Inside  # few callers look inside

        content = self.forward.as_litert() if hasattr(self.forward, "as_litert") else None
        return Inside(content, self.input.scale)

    def recognises(self, chances: Floats, share: float | NDArray[np.float64] = 1.0) -> NDArray[np.bool_]:
        """Which of its probabilities, (N, 10), speak clearly enough for any digit: (N,).

        Args:
            chances: as `probabilities` gives them.
            share: of the evidence that is asked for otherwise, for all or (N,).
        """
        return np.asarray(network.evidence(chances) >= self.input.evidence * share)


def load(path: Path | None = None, *, scale: str | None = None) -> Model:
    """Read a model file; None: the shipped model.

    Args:
        path: `.tflite`; `.keras` or `.h5`, with the extra `train`; `.skops`, with the extra `stats`.
        scale: one of `SCALES`, for a file that does not say how its pixels are to be scaled; None: "unit".

    Raises:
        ModelError: the file does not exist, is not a model from 28x28 pixels to ten numbers, or says
            itself that its pixels are scaled otherwise.
        NotInstalled: a file of Keras' or scikit-learn's own without that extra.
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
    version = f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    its_input = network.model_input(about, forward, path, scale)
    return Model(name, version, its_input, about.get("card", {}), forward)


def _network(content: bytes, path: Path) -> tuple[dict[str, Any], Forward]:
    """Load the file's description and network with the library that wrote it."""
    if path.suffix == ".tflite":
        return network.load_litert(content, path)
    if path.suffix in (".keras", ".h5"):
        return load_keras(content, path)
    if path.suffix == ".skops":
        return load_skops(content, path)
    raise ModelError(f"{path}: a model file must end in .tflite, .keras, .h5 or .skops")


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
        loaded = keras.saving.load_model(path, compile=False, safe_mode=True)
        about = network.description_in(content, path) if path.suffix == ".keras" else _attribute(path)
    except Exception as error:  # Keras promises no class of error for a foreign file
        why = first_line(error)
        raise ModelError(f"{path}: Keras cannot load it safely ({why}); export it again") from error
    takes, gives = [side.shape for side in loaded.inputs], [side.shape for side in loaded.outputs]
    network.check_shapes(takes, gives, path)
    return about, KerasNetwork(loaded)


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
        return dict(json.loads(file.attrs.get(network.DESCRIPTION, "{}")))


def load_skops(content: bytes, path: Path) -> tuple[dict[str, Any], Forward]:
    """Load the description ({} if missing) and the classifier of a `.skops` file.

    The classifier is a function from (N, 28, 28) ink to (N, 10). No code in the file runs: skops builds known
    classes only.

    Raises:
        ModelError: it is another kind of file, or was not trained on 784 pixels and ten digits.
        NotInstalled: the extra `stats` is missing.
    """
    skops, about = import_skops(), network.description_in(content, path)
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
    atomic.write(path, network.described(content, about))


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
