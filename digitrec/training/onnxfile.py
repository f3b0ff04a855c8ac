"""A network as an ONNX file, for programs that read those.

The networks here are made of few kinds of layers, so their graph is written with the package `onnx` itself:
the usual converter, tf2onnx, looks for a maintainer and names no Python above 3.12. Pictures come as Keras
has them, channels last; inside they are turned to ONNX's order, channels first, and back for flattening.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitrec import atomic
from digitrec.datasets.mnist import mnist_test
from digitrec.errors import ModelError, NotInstalled
from digitrec.models import store
from digitrec.models.description import DESCRIPTION
from digitrec.models.scores import scaled
from digitrec.training import cnn, export
from digitrec.training.learn import load_keras
from digitrec.training.recovered import recovered
from digitrec.version import install_hint

if TYPE_CHECKING:
    import keras

AGREED = 1e-4
"""The largest difference of any number between the ONNX file's answers and the network's, in float32."""
OPSET = 17
"""ONNX's operators as of that version: what runtimes from 2022 on know."""
_LOOKED_AT = 64  # digits on which they are compared


def write(model: Path, out: Path) -> float:
    """Write the network in a model file as `out`, once ONNX Runtime answers as the network does.

    The file takes "image", (N, 28, 28, 1) in float32, scaled as its metadata "digitrec.json" says, and gives
    what the network gives, (N, 10). That metadata is the description that every model file of ours carries,
    with the temperatures, which are still to be applied, and the card. A `.tflite` file of our own is written
    in float32: it then answers by up to some thousandths otherwise than the `.tflite`, which also rounds
    between its layers.

    Args:
        model: `.keras` or `.h5`, or a `.tflite` that `digitrec train` wrote without --arch.
        out: the file, `.onnx`.

    Returns:
        The largest difference that was seen between the file's answers and the network's, at most `AGREED`.

    Raises:
        ModelError: the network is of layers that are not known here, or another kind of file.
        NotInstalled: the extra `onnx` or `train` is missing.
    """
    onnx, runtime = _libraries()
    if out.suffix != ".onnx":
        raise ModelError(f"{out}: is to be an ONNX file, which ends in .onnx; name such a file")
    network = _network(model)
    if network.input_shape[1:] != (28, 28, 1):
        raise ModelError(f"{model}: takes {network.input_shape}; only (N, 28, 28, 1) is written as ONNX")
    its = store.load(model)
    content = _graph(onnx, network, str(model))
    about = export.description(
        its.name, dict(its.card), output=its.input.output, scale=its.input.scale,
        temperature=its.input.temperature, prepared=its.input.prepared, evidence=its.input.evidence,
        doubt=its.input.doubt,
    )  # fmt: skip
    onnx.helper.set_model_props(content, {DESCRIPTION: json.dumps(about)})
    onnx.checker.check_model(content)
    packed = content.SerializeToString()
    ink = scaled(mnist_test().images[:_LOOKED_AT], its.input.scale)[..., None]
    session = runtime.InferenceSession(packed, providers=["CPUExecutionProvider"])
    (answers,) = session.run(None, {"image": ink})
    difference = float(np.abs(answers - network.predict(ink, verbose=0)).max())
    if not difference <= AGREED:
        raise ModelError(f"{model}: ONNX Runtime answers otherwise, by {difference:.1g}; report this")
    out.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(out, packed)
    return difference


def _libraries() -> tuple[Any, Any]:
    """The libraries onnx and onnxruntime, imported now.

    Raises:
        NotInstalled: one of them is missing.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise NotInstalled(f"an ONNX file needs onnx and onnxruntime: {install_hint('onnx')}") from error
    onnxruntime.disable_telemetry_events()
    return onnx, onnxruntime


def _network(model: Path) -> keras.Model:
    """The network in a model file.

    Raises:
        ModelError: it cannot be taken out of it.
    """
    if model.suffix == ".tflite":
        return cnn.together(recovered(model))
    if model.suffix not in (".keras", ".h5"):
        raise ModelError(f"{model}: only networks are written as ONNX: .keras, .h5, or a .tflite of our own")
    store.load(model)  # says what is wrong with it
    return load_keras().saving.load_model(model, compile=False, safe_mode=True)


class _Graph:
    """An ONNX graph that grows."""

    def __init__(self, onnx: Any, what: str) -> None:
        self._onnx, self.what = onnx, what
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, **how: Any) -> str:
        """One more step; the name of what it gives."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(self._onnx.helper.make_node(operator, list(inputs), [name], name=name, **how))
        return name

    def constant(self, values: NDArray[Any]) -> str:
        """The name of a constant."""
        name = f"constant_{len(self.constants)}"
        plain = np.ascontiguousarray(values)
        self.constants.append(self._onnx.numpy_helper.from_array(plain, name))
        return name

    def unknown(self, what: str) -> ModelError:
        """The error for what cannot be written."""
        return ModelError(f"{self.what}: has {what}, which digitrec cannot write as ONNX")


def _graph(onnx: Any, network: keras.Model, what: str) -> Any:
    """The network as an ONNX model.

    Raises:
        ModelError: it has layers that are not known here.
    """
    graph = _Graph(onnx, what)
    answer = _walk(graph, network, graph.add("Transpose", "image", perm=[0, 3, 1, 2]))
    graph.nodes.append(onnx.helper.make_node("Identity", [answer], ["probabilities"]))
    kind = onnx.TensorProto.FLOAT
    takes = onnx.helper.make_tensor_value_info("image", kind, ["N", 28, 28, 1])
    gives = onnx.helper.make_tensor_value_info("probabilities", kind, ["N", 10])
    return onnx.helper.make_model(
        onnx.helper.make_graph(graph.nodes, "digitrec", [takes], [gives], graph.constants),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=8, producer_name="digitrec",
    )  # fmt: skip


def _walk(graph: _Graph, network: keras.Model, image: str) -> str:
    """Add every layer of a network that is given `image`; the name of its answer."""
    keras = load_keras()
    if isinstance(network, keras.Sequential):
        for layer in network.layers:
            image = _layer(graph, layer, image)
        return image
    names = {id(network.inputs[0]): image}
    for layer in network.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        given = keras.Operation.input.fget(layer)  # a network's own property of that name says what it takes
        inputs = [names[id(one)] for one in (given if isinstance(given, list) else [given])]
        names[id(keras.Operation.output.fget(layer))] = _layer(graph, layer, *inputs)
    return names[id(network.outputs[0])]


def _layer(graph: _Graph, layer: Any, *inputs: str) -> str:
    """Add one layer, which may be a network; the name of what it gives."""
    kind = type(layer).__name__
    if isinstance(layer, load_keras().Model):
        return _walk(graph, layer, *inputs)
    if kind not in _KINDS:
        raise graph.unknown(f"a layer {layer.name!r} of the kind {kind}")
    return _KINDS[kind](graph, layer, *inputs)


def _activated(graph: _Graph, layer: Any, x: str) -> str:
    """What a layer gives, through its activation."""
    name = layer.activation.__name__
    if name == "linear":
        return x
    if name == "silu":
        return graph.add("Mul", x, graph.add("Sigmoid", x))
    operators = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softmax": "Softmax"}
    if name not in operators or (name == "softmax" and len(layer.output.shape) != 2):
        raise graph.unknown(f"a layer {layer.name!r} with the activation {name}")
    return graph.add(operators[name], x)


def _convolution(graph: _Graph, layer: Any, x: str) -> str:
    kernel = np.asarray(layer.kernel).transpose(3, 2, 0, 1)
    return _convolved(graph, layer, x, kernel, layer.groups)


def _depthwise(graph: _Graph, layer: Any, x: str) -> str:
    high, wide, channels, each = layer.kernel.shape
    kernel = np.asarray(layer.kernel).transpose(2, 3, 0, 1).reshape(channels * each, 1, high, wide)
    return _convolved(graph, layer, x, kernel, channels)


def _convolved(graph: _Graph, layer: Any, x: str, kernel: NDArray[Any], groups: int) -> str:
    bias = [graph.constant(np.asarray(layer.bias))] if layer.use_bias else []
    y = graph.add(
        "Conv", x, graph.constant(kernel), *bias, strides=list(layer.strides), group=groups,
        dilations=list(layer.dilation_rate), **_sides(graph, layer),
    )  # fmt: skip
    return _activated(graph, layer, y)


def _sides(graph: _Graph, layer: Any) -> dict[str, str]:
    """How a layer treats the borders of its maps."""
    if layer.data_format != "channels_last":
        raise graph.unknown(f"a layer {layer.name!r} with channels first")
    return {"auto_pad": {"valid": "VALID", "same": "SAME_UPPER"}[layer.padding]}


def _normalisation(graph: _Graph, layer: Any, x: str) -> str:
    if layer.axis not in (-1, len(layer.output.shape) - 1):
        raise graph.unknown(f"a layer {layer.name!r} that does not normalise channels")
    mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
    scale = np.asarray(layer.gamma) if layer.scale else np.ones_like(mean)
    shift = np.asarray(layer.beta) if layer.center else np.zeros_like(mean)
    constants = [graph.constant(values) for values in (scale, shift, mean, variance)]
    return graph.add("BatchNormalization", x, *constants, epsilon=float(layer.epsilon))


def _rectified(graph: _Graph, layer: Any, x: str) -> str:
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise graph.unknown(f"a layer {layer.name!r} that is no plain ReLU")
    return graph.add("Relu", x)


def _pooling(operator: str) -> Callable[..., str]:
    def pooled(graph: _Graph, layer: Any, x: str) -> str:
        how = {"kernel_shape": list(layer.pool_size), "strides": list(layer.strides)}
        return graph.add(operator, x, **how, **_sides(graph, layer))

    return pooled


def _mean(graph: _Graph, layer: Any, x: str) -> str:
    y = graph.add("GlobalAveragePool", x)
    return y if layer.keepdims else graph.add("Flatten", y)


def _flattened(graph: _Graph, layer: Any, x: str) -> str:
    if len(_takes(layer)) == 4:
        x = graph.add("Transpose", x, perm=[0, 2, 3, 1])
    return graph.add("Flatten", x)


def _takes(layer: Any) -> tuple[int | None, ...]:
    """The shape of what a layer of one input takes, as Keras has it."""
    return tuple(layer.input.shape)


def _dense(graph: _Graph, layer: Any, x: str) -> str:
    if len(_takes(layer)) != 2:
        raise graph.unknown(f"a layer {layer.name!r} over maps")
    bias = [graph.constant(np.asarray(layer.bias))] if layer.use_bias else []
    return _activated(graph, layer, graph.add("Gemm", x, graph.constant(np.asarray(layer.kernel)), *bias))


def _softmax(graph: _Graph, layer: Any, x: str) -> str:
    if len(_takes(layer)) != 2:
        raise graph.unknown(f"a layer {layer.name!r} over maps")
    return graph.add("Softmax", x)


def _as_it_is(graph: _Graph, layer: Any, x: str) -> str:
    return x


def _of_several(operator: str) -> Callable[..., str]:
    def together(graph: _Graph, layer: Any, *inputs: str) -> str:
        return graph.add(operator, *inputs)

    return together


_KINDS: Mapping[str, Callable[..., str]] = {
    "Conv2D": _convolution, "DepthwiseConv2D": _depthwise, "Dense": _dense,
    "BatchNormalization": _normalisation, "ReLU": _rectified, "Activation": _activated, "Softmax": _softmax,
    "MaxPooling2D": _pooling("MaxPool"), "AveragePooling2D": _pooling("AveragePool"),
    "GlobalAveragePooling2D": _mean, "Flatten": _flattened, "Dropout": _as_it_is,
    "Average": _of_several("Mean"), "Add": _of_several("Sum"), "Multiply": _of_several("Mul"),
}  # fmt: skip
"""How each kind of Keras' layers is written."""
