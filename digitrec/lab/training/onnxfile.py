"""Networks as ONNX files, for programs that read that format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from digitrec.models.network import DESCRIPTION, Floats
from digitrec.providers.base import not_installed

try:
    import onnx
    import onnxruntime
    import tf2onnx
except ImportError as error:
    raise not_installed("Writing ONNX files", "onnx") from error

if TYPE_CHECKING:
    import keras

OPSET = 17
"""Version of ONNX's operators, which runtimes know from 2022 on."""


def converted(network: keras.Model, about: dict[str, Any]) -> bytes:
    """Return a network as the content of an ONNX file from "image" to "probabilities".

    "image" is float32 of the network's input shape, scaled as the metadata "digitrec.json" says.
    "probabilities", (N, 10), are the network's answers; the temperatures in the metadata are not applied.

    Args:
        network: takes and gives float32.
        about: the description, which becomes the metadata.
    """
    import tensorflow as tf

    takes = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name="image")]
    answer = tf.function(lambda image: network(image, training=False), autograph=False)
    content, _ = tf2onnx.convert.from_function(answer, input_signature=takes, opset=OPSET)
    usual = content.graph.output[0].name
    content.graph.output[0].name = "probabilities"
    for node in content.graph.node:
        node.output[:] = ["probabilities" if name == usual else name for name in node.output]
    onnx.checker.check_model(content)
    onnx.helper.set_model_props(content, {DESCRIPTION: json.dumps(about)})
    return bytes(content.SerializeToString())


def answers(content: bytes, ink: Floats) -> Floats:
    """Return what ONNX Runtime answers with the content of a file."""
    onnxruntime.disable_telemetry_events()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": ink})[0])
