"""Write a model file in another format, with the same answers."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.errors.text import first_line
from digitrec.image import atomic
from digitrec.lab.training import cnn, export
from digitrec.lab.training.backend import keras
from digitrec.lab.training.recovered import recovered
from digitrec.models import litert, store
from digitrec.models.foreign import to_litert
from digitrec.models.network import described, scaled

ENDINGS = (".onnx", ".tflite", ".keras", ".h5")
"""Formats that a network can be written in."""
AGREED = 1e-4
"""Largest accepted difference between the new file's answers and the network's, in float32."""
_COMPARED = 64  # digits


def write(model: Path, out: Path) -> float:
    """Write the network in a model file as `out`, in the format of its ending and in float32.

    The file carries the same description as `model`. An ONNX or LiteRT file is written only after it has
    answered as the network does. A `.tflite` file of our own rounds between layers, so its answers differ
    from those of the new file by some thousandths.

    Args:
        model: `.keras` or `.h5`, or a `.tflite` that `digitrec train` wrote without --arch.
        out: a file with one of `ENDINGS`.

    Returns:
        The largest difference between the new file's answers and the network's, at most `AGREED`.

    Raises:
        ModelError: the network cannot be converted, or `model` or `out` is of another kind.
        NotInstalled: the extra `onnx` or `train` is missing.
    """
    if out.suffix not in ENDINGS:
        raise ModelError(f"{out}: a network is written as {', '.join(ENDINGS)}")
    its = store.load(model)
    network = _network(model)
    ink = scaled(mnist_test().images[:_COMPARED], its.input.scale).reshape(-1, *network.input_shape[1:])
    about = export.description(its.name, dict(its.card), **asdict(its.input))
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix in (".keras", ".h5"):
        export.save_keras(network, out, about)
        return 0.0
    try:
        if out.suffix == ".onnx":
            from digitrec.lab.training import onnxfile

            content = onnxfile.converted(network, about)
            answers = onnxfile.answers(content, ink)
        else:
            content = described(to_litert(network, quantised=False), about)
            answers = litert.LiteRt(content, out)(ink)
    except ModelError:
        raise
    except Exception as error:  # the converters promise no class of error
        raise ModelError(f"{model}: cannot be written as {out.suffix} ({first_line(error)})") from error
    difference = float(np.abs(answers - network.predict(ink, verbose=0)).max())
    if not difference <= AGREED:
        raise ModelError(f"{model}: the answers of {out.name} would differ by {difference:.1g}; report this")
    atomic.write(out, content)
    return difference


def _network(model: Path) -> keras.Model:
    """Return the network in a model file that `store.load` has accepted.

    Raises:
        ModelError: it cannot be taken out of the file.
    """
    if model.suffix == ".tflite":
        return cnn.together(recovered(model))
    if model.suffix == ".skops":
        raise ModelError(f"{model}: a scikit-learn model is no network; only networks can be exported")
    return keras.saving.load_model(model, compile=False, safe_mode=True)
