"""Run a LiteRT file with NumPy alone, for machines without a wheel of LiteRT.

Intel Macs, Windows on ARM and Alpine Linux are such machines. Answers differ from LiteRT's by rounding only;
a picture takes many times as long. `OPERATORS` lists what a file may contain: more than the networks that
digitrec ships do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tflite
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from digitrec.models.scores import Signature

Values = NDArray[Any]
_TYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT8: np.int8,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.INT64: np.int64,
}
_ACTIVATIONS: dict[int, Callable[[Values], Values]] = {
    tflite.ActivationFunctionType.NONE: lambda x: x,
    tflite.ActivationFunctionType.RELU: lambda x: np.maximum(x, 0),
    tflite.ActivationFunctionType.RELU6: lambda x: np.clip(x, 0, 6),
}


class Graph:
    """The operators of a LiteRT file in their order, and its constants as floats.

    Raises:
        ValueError: it is not a LiteRT file, or has an unknown operator or data type.
    """

    def __init__(self, content: bytes) -> None:
        if content[4:8] != b"TFL3":
            raise ValueError("not a LiteRT file")
        model = tflite.Model.GetRootAs(content, 0)
        graph = model.Subgraphs(0)
        tensors = [graph.Tensors(place) for place in range(graph.TensorsLength())]
        self._input = int(graph.Inputs(0))
        self._outputs = [int(place) for place in graph.OutputsAsNumpy()]
        self.takes = [_signature(tensors[int(place)]) for place in graph.InputsAsNumpy()]
        self.gives = [_signature(tensors[place]) for place in self._outputs]
        self._constants = {
            place: value for place, one in enumerate(tensors) if (value := _constant(model, one)) is not None
        }
        steps = [graph.Operators(number) for number in range(graph.OperatorsLength())]
        self._steps = [self._step(model, one) for one in steps]

    def run(self, values: Values) -> list[Values]:
        """Return the outputs for one input, float32 of the file's shape (with any number of pictures)."""
        known: dict[int, Values] = {**self._constants, self._input: values}
        for work, takes, gives in self._steps:
            known[gives] = work(*(known[place] for place in takes))
        return [known[place] for place in self._outputs]

    def _step(self, model: Any, operator: Any) -> tuple[Callable[..., Values], list[int], int]:
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())  # old files have only the second
        if kind not in OPERATORS:
            raise ValueError(f"operator {kind}, which only LiteRT can run")
        takes = [int(place) for place in operator.InputsAsNumpy() if place >= 0]
        return OPERATORS[kind](operator.BuiltinOptions()), takes, int(operator.Outputs(0))


def _signature(tensor: Any) -> Signature:
    """Return a tensor's shape and whether it is float32; a side of any length is -1."""
    sides = tensor.ShapeSignatureAsNumpy() if tensor.ShapeSignatureLength() else tensor.ShapeAsNumpy()
    return Signature(np.ravel(sides).tolist(), tensor.Type() == tflite.TensorType.FLOAT32)


def _constant(model: Any, tensor: Any) -> Values | None:
    """Return a tensor that is stored in the file, int8 and float16 as float32; None if it is computed."""
    data = model.Buffers(tensor.Buffer()).DataAsNumpy()
    if not isinstance(data, np.ndarray):
        return None
    if tensor.Type() not in _TYPES:
        raise ValueError(f"numbers of type {tensor.Type()}, which only LiteRT knows")
    values = data.view(_TYPES[tensor.Type()]).reshape(tensor.ShapeAsNumpy())
    how = tensor.Quantization()
    if values.dtype != np.int8 or how is None or not how.ScaleLength():
        return values.astype(np.float32) if values.dtype.kind == "f" else values
    sides = [-1 if side == how.QuantizedDimension() else 1 for side in range(values.ndim)]
    zero, scale = how.ZeroPointAsNumpy().reshape(sides), how.ScaleAsNumpy().reshape(sides)
    return np.asarray((values.astype(np.float32) - zero) * scale, np.float32)


def _read(kind: Callable[[], Any], table: Any) -> Any:
    """Return an operator's options, which FlatBuffers keep in a table without a type."""
    options = kind()
    options.Init(table.Bytes, table.Pos)
    return options


def _padded(x: Values, size: Sequence[int], stride: Sequence[int], padding: int, fill: float) -> Values:
    """Return pictures, (N, H, W, C), with the border that padding "same" adds around them."""
    if padding == tflite.Padding.VALID:
        return x
    missing = [
        max((-(-length // step) - 1) * step + reach - length, 0)
        for length, reach, step in zip(x.shape[1:3], size, stride, strict=True)
    ]
    around = [(0, 0), *((one // 2, one - one // 2) for one in missing), (0, 0)]
    return np.pad(x, around, constant_values=fill) if any(missing) else x


def _windows(x: Values, size: Sequence[int], stride: Sequence[int]) -> Values:
    """Return every window of pictures, (N, H, W, C), as (N, rows, columns, C, h, w)."""
    views = sliding_window_view(x, (size[0], size[1]), axis=(1, 2))
    return np.asarray(views[:, :: stride[0], :: stride[1]])


def _convolution(table: Any) -> Callable[..., Values]:
    options = _read(tflite.Conv2DOptions, table)
    stride = (options.StrideH(), options.StrideW())
    padding, activation = options.Padding(), _ACTIVATIONS[options.FusedActivationFunction()]

    def work(x: Values, kernel: Values, bias: Values | float = 0) -> Values:
        size = kernel.shape[1:3]
        x = _padded(x, size, stride, padding, 0)
        rows, columns = (
            (side - reach) // step + 1 for side, reach, step in zip(x.shape[1:3], size, stride, strict=True)
        )
        parts = [
            x[:, y : y + rows * stride[0] : stride[0], at : at + columns * stride[1] : stride[1]]
            for y in range(size[0])
            for at in range(size[1])
        ]
        flat = np.concatenate(parts, axis=-1).reshape(len(x) * rows * columns, -1)
        weights = kernel.transpose(1, 2, 3, 0).reshape(-1, len(kernel))
        return activation((flat @ weights + bias).reshape(len(x), rows, columns, -1))

    return work


def _transposed(table: Any) -> Callable[..., Values]:
    """Convolutions backwards whose windows do not overlap, as the finder's last layer."""
    options = _read(tflite.TransposeConvOptions, table)
    stride = (options.StrideH(), options.StrideW())

    def work(_: Values, kernel: Values, x: Values, bias: Values | float = 0) -> Values:
        if kernel.shape[1:3] != stride:
            raise ValueError("a transposed convolution with overlap, which only LiteRT can run")
        n, rows, columns = x.shape[:3]
        parts = np.tensordot(x, kernel, (3, 3))  # (N, rows, columns, out, h, w)
        joined = parts.transpose(0, 1, 4, 2, 5, 3)
        return np.asarray(joined.reshape(n, rows * stride[0], columns * stride[1], -1) + bias)

    return work


def _pooling(table: Any) -> Callable[..., Values]:
    options = _read(tflite.Pool2DOptions, table)
    size, stride = (options.FilterHeight(), options.FilterWidth()), (options.StrideH(), options.StrideW())
    padding = options.Padding()

    def work(x: Values) -> Values:
        return np.asarray(_windows(_padded(x, size, stride, padding, -np.inf), size, stride).max(axis=(4, 5)))

    return work


def _dense(table: Any) -> Callable[..., Values]:
    options = _read(tflite.FullyConnectedOptions, table)
    activation = _ACTIVATIONS[options.FusedActivationFunction()]
    return lambda x, kernel, bias=0: activation(x.reshape(-1, kernel.shape[1]) @ kernel.T + bias)


def _mean(table: Any) -> Callable[..., Values]:
    keep = bool(_read(tflite.ReducerOptions, table).KeepDims())
    return lambda x, sides: x.mean(axis=tuple(np.ravel(sides)), keepdims=keep, dtype=np.float32)


def _softmax(_: Any) -> Callable[..., Values]:
    def work(x: Values) -> Values:
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))

    return work


def _arithmetic(
    options: Any, how: Callable[[Values, Values], Values]
) -> Callable[[Any], Callable[..., Values]]:
    """Return an operator on two tensors whose options name an activation."""

    def made(table: Any) -> Callable[..., Values]:
        activation = _ACTIVATIONS[_read(options, table).FusedActivationFunction()]
        return lambda a, b: activation(how(a, b))

    return made


def _strided(table: Any) -> Callable[..., Values]:
    shrunk = _read(tflite.StridedSliceOptions, table).ShrinkAxisMask()

    def work(x: Values, begin: Values, _: Values, __: Values) -> Values:
        if x.ndim != 1 or shrunk != 1:
            raise ValueError("a slice that only LiteRT can cut")
        return np.asarray(x[int(begin[0])])

    return work


def _resized(_: Any) -> Callable[..., Values]:
    def work(x: Values, size: Values) -> Values:
        rows, columns = (np.arange(side) * old // side for side, old in zip(size, x.shape[1:3], strict=True))
        return np.asarray(x[:, rows][:, :, columns])

    return work


def _plain(how: Callable[..., Values]) -> Callable[[Any], Callable[..., Values]]:
    """Return an operator without options."""
    return lambda _: how


_Kind = tflite.BuiltinOperator
OPERATORS: dict[int, Callable[[Any], Callable[..., Values]]] = {
    _Kind.CONV_2D: _convolution,
    _Kind.TRANSPOSE_CONV: _transposed,
    _Kind.MAX_POOL_2D: _pooling,
    _Kind.FULLY_CONNECTED: _dense,
    _Kind.MEAN: _mean,
    _Kind.SOFTMAX: _softmax,
    _Kind.ADD: _arithmetic(tflite.AddOptions, np.add),
    _Kind.SUB: _arithmetic(tflite.SubOptions, np.subtract),
    _Kind.MUL: _arithmetic(tflite.MulOptions, np.multiply),
    _Kind.DIV: _arithmetic(tflite.DivOptions, np.divide),
    _Kind.SQUARED_DIFFERENCE: _plain(lambda a, b: np.square(a - b)),
    _Kind.SQRT: _plain(np.sqrt),
    _Kind.RSQRT: _plain(lambda x: 1 / np.sqrt(x)),
    _Kind.RELU: _plain(lambda x: np.maximum(x, 0)),
    _Kind.LOGISTIC: _plain(lambda x: 1 / (1 + np.exp(-x))),
    _Kind.DEQUANTIZE: _plain(lambda x: x),  # float16, which _constant reads as float32
    _Kind.RESHAPE: _plain(lambda x, shape: x.reshape(shape)),
    _Kind.TRANSPOSE: _plain(lambda x, order: x.transpose(order)),
    _Kind.TILE: _plain(np.tile),
    _Kind.SHAPE: _plain(lambda x: np.array(x.shape, np.int32)),
    _Kind.PACK: _plain(lambda *parts: np.stack(parts)),
    _Kind.STRIDED_SLICE: _strided,
    _Kind.RESIZE_NEAREST_NEIGHBOR: _resized,
}
"""By the number of each kind: a function from its options to the function that does its work."""
