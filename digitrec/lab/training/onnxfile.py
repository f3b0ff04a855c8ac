"""Write a network as an ONNX file, for programs that read that format."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.errors.text import first_line
from digitrec.image import atomic
from digitrec.lab.training import cnn, export
from digitrec.lab.training.loop import load_keras
from digitrec.lab.training.recovered import recovered
from digitrec.models import store
from digitrec.models.description import DESCRIPTION
from digitrec.models.scores import scaled
from digitrec.providers.base import not_installed

try:
    import onnx
    import onnxruntime
    import tf2onnx
except ImportError as error:
    raise not_installed("Writing ONNX files", "onnx") from error

if TYPE_CHECKING:
    import keras

AGREED = 1e-4
"""Largest accepted difference between the ONNX file's answers and the network's, in float32."""
OPSET = 17
"""Version of ONNX's operators, which runtimes know from 2022 on."""
_COMPARED = 64  # digits


def write(model: Path, out: Path) -> float:
    """Write the network in a model file as `out`, after ONNX Runtime has answered as the network does.

    The file takes "image", (N, 28, 28, 1) in float32, scaled as its metadata "digitrec.json" says, and gives
    "probabilities", (N, 10), as the network does. The metadata is the description that each of our model
    files carries; its temperatures are still to be applied. A `.tflite` file of our own is written in
    float32, so its answers differ by some thousandths from the `.tflite`'s, which also rounds between
    layers.

    Args:
        model: `.keras` or `.h5`, or a `.tflite` that `digitrec train` wrote without --arch.
        out: the file, `.onnx`.

    Returns:
        The largest difference between the file's answers and the network's, at most `AGREED`.

    Raises:
        ModelError: the network has layers that cannot be converted, or the file is of another kind.
        NotInstalled: the extra `onnx` or `train` is missing.
    """
    if out.suffix != ".onnx":
        raise ModelError(f"{out}: the name of an ONNX file must end in .onnx")
    network = _network(model)
    if network.input_shape[1:] != (28, 28, 1):
        raise ModelError(f"{model}: takes {network.input_shape}; only (N, 28, 28, 1) can be written as ONNX")
    its = store.load(model)
    ink = scaled(mnist_test().images[:_COMPARED], its.input.scale)[..., None]
    wanted = network.predict(ink, verbose=0)
    content = _converted(network, model)
    about = export.description(its.name, dict(its.card), **asdict(its.input))
    onnx.helper.set_model_props(content, {DESCRIPTION: json.dumps(about)})
    packed = content.SerializeToString()
    onnxruntime.disable_telemetry_events()
    session = onnxruntime.InferenceSession(packed, providers=["CPUExecutionProvider"])
    (answers,) = session.run(None, {"image": ink})
    difference = float(np.abs(answers - wanted).max())
    if not difference <= AGREED:
        raise ModelError(f"{model}: ONNX Runtime's answers differ by {difference:.1g}; report this")
    out.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(out, packed)
    return difference


def _network(model: Path) -> keras.Model:
    """Return the network in a model file.

    Raises:
        ModelError: it cannot be taken out of the file.
    """
    if model.suffix == ".tflite":
        return cnn.together(recovered(model))
    if model.suffix not in (".keras", ".h5"):
        raise ModelError(f"{model}: only .keras, .h5 and our own .tflite files can be written as ONNX")
    store.load(model)  # raises what is wrong with it
    return load_keras().saving.load_model(model, compile=False, safe_mode=True)


def _converted(network: keras.Model, model: Path) -> Any:
    """Return a network as an ONNX model from "image" to "probabilities".

    Raises:
        ModelError: tf2onnx cannot convert one of its layers.
    """
    import tensorflow as tf

    takes = [tf.TensorSpec((None, 28, 28, 1), tf.float32, name="image")]
    answer = tf.function(lambda image: network(image, training=False), autograph=False)
    try:
        content, _ = tf2onnx.convert.from_function(answer, input_signature=takes, opset=OPSET)
    except Exception as error:  # tf2onnx promises no class of error
        why = first_line(error)
        raise ModelError(f"{model}: cannot be converted to ONNX ({why})") from error
    usual = content.graph.output[0].name
    content.graph.output[0].name = "probabilities"
    for node in content.graph.node:
        node.output[:] = ["probabilities" if name == usual else name for name in node.output]
    onnx.checker.check_model(content)
    return content
