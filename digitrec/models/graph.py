"""Parse a LiteRT file as a graph, and run it with NumPy on machines without a wheel of LiteRT.

Such machines are Intel Macs, Windows on ARM and Alpine Linux. NumPy's answers are nearly LiteRT's
(docs/release.md), but take many times as long. `OPERATORS` and `WITH_OPTIONS` list the supported operators;
the networks that digitrec ships need only some of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from digitrec.models.network import Signature, softmax

try:
    from ai_edge_litert import schema_py_generated as schema
except ImportError:  # LiteRT has no wheel for this machine
    import tflite as schema

Values = NDArray[Any]
Kind = schema.BuiltinOperator
_TYPES: dict[int, type] = {
    getattr(schema.TensorType, kind.__name__.upper()): kind
    for kind in (np.float32, np.float16, np.int8, np.int32, np.int64)
}
Work = Callable[..., Values]


@dataclass(frozen=True, slots=True)
class Operator:
    """One operation of the network."""

    kind: int
    """The operation, one of `Kind`."""
    takes: list[int]
    """The numbers of the input tensors."""
    gives: int
    """The number of the output tensor."""
    table: Any
    """The operation's options, in a FlatBuffers table without a type."""
    rounds: bool
    """Whether LiteRT rounds the first input, because the weights are int8."""


class LiteFile:
    """The first graph of a LiteRT file; tensors are identified by number.

    Raises:
        ValueError: the content is not a LiteRT file.
    """

    def __init__(self, content: bytes) -> None:
        if content[4:8] != b"TFL3":
            raise ValueError("not a LiteRT file")
        self._model = schema.Model.GetRootAs(content, 0)
        graph = self._model.Subgraphs(0)
        self._tensors = [graph.Tensors(place) for place in range(graph.TensorsLength())]
        self.inputs: list[int] = graph.InputsAsNumpy().tolist()
        self.outputs: list[int] = graph.OutputsAsNumpy().tolist()
        self.operators = [self._operator(graph.Operators(at)) for at in range(graph.OperatorsLength())]
        """The operations in the order of computation."""

    def _operator(self, operator: Any) -> Operator:
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())  # old files have only the second number
        takes = [int(place) for place in operator.InputsAsNumpy() if place >= 0]
        weighted = kind in (Kind.CONV_2D, Kind.FULLY_CONNECTED)
        rounds = weighted and self._tensors[takes[1]].Type() == schema.TensorType.INT8
        return Operator(kind, takes, int(operator.Outputs(0)), operator.BuiltinOptions(), rounds)

    def name(self, tensor: int) -> str:
        """Return a tensor's name."""
        return str(self._tensors[tensor].Name().decode())

    def signature(self, tensor: int) -> Signature:
        """Return a tensor's shape, with -1 for a dynamic side, and whether its type is float32."""
        one = self._tensors[tensor]
        sides = one.ShapeSignatureAsNumpy() if one.ShapeSignatureLength() else one.ShapeAsNumpy()
        return Signature(np.ravel(sides).tolist(), one.Type() == schema.TensorType.FLOAT32)

    def grid(self, operator: Operator, tensor: int) -> tuple[float, float]:
        """Return where an operator's maps lie on its input, the maps in a tensor.

        The numbers are the centre of the first place, and the distance to the next, in places of the input.
        """
        length, given = (self.signature(one).shape[1] for one in (tensor, operator.gives))
        if operator.kind == Kind.PAD and (before := self.constant(operator.takes[1])) is not None:
            return -float(before[1, 0]), 1
        if operator.kind not in WINDOWS:  # it resizes its input, most often by 1
            return (length / given - 1) / 2, length / given
        options = WINDOWS[operator.kind]()
        options.Init(operator.table.Bytes, operator.table.Pos)
        if hasattr(options, "FilterHeight"):
            reach = options.FilterHeight() - 1
        else:
            reach = (self.signature(operator.takes[1]).shape[1] - 1) * options.DilationHFactor()
        stride = options.StrideH()
        missing = max((given - 1) * stride + reach + 1 - length, 0)  # 0 for padding "valid"
        return reach / 2 - missing // 2, stride

    def constant(self, tensor: int) -> Values | None:
        """Return a tensor stored in the file, int8 and float16 as float32; None if the tensor is computed.

        Raises:
            ValueError: the tensor has an unknown type.
        """
        one = self._tensors[tensor]
        data = self._model.Buffers(one.Buffer()).DataAsNumpy()
        if not isinstance(data, np.ndarray):
            return None
        if one.Type() not in _TYPES:
            raise ValueError(f"numbers of type {one.Type()}, which only LiteRT knows")
        values = data.view(_TYPES[one.Type()]).reshape(one.ShapeAsNumpy())
        how = one.Quantization()
        if values.dtype != np.int8 or how is None or not how.ScaleLength():
            return values.astype(np.float32) if values.dtype.kind == "f" else values
        sides = [-1 if side == how.QuantizedDimension() else 1 for side in range(values.ndim)]
        zero, scale = how.ZeroPointAsNumpy().reshape(sides), how.ScaleAsNumpy().reshape(sides)
        return np.asarray((values.astype(np.float32) - zero) * scale, np.float32)


class Graph:
    """A LiteRT file that NumPy runs; for the arguments see `digitrec.models.network.runner`.

    Raises:
        ValueError: the content is not a LiteRT file, or has an unknown operator or data type.
    """

    def __init__(self, content: bytes, tensors: Sequence[int] = ()) -> None:
        self._file = file = LiteFile(content)
        self.takes = [file.signature(tensor) for tensor in file.inputs]
        self.gives = [file.signature(tensor) for tensor in file.outputs]
        self._tensors = tensors or file.outputs
        self._work = [_work_of(one) for one in file.operators]
        used = {tensor for one in file.operators for tensor in one.takes}
        self._constants = {tensor: value for tensor in used if (value := file.constant(tensor)) is not None}

    def run(self, *inputs: Values) -> list[Values]:
        """Return the outputs for inputs, float32 of the file's shapes (with any number of pictures)."""
        known: dict[int, Values] = {**self._constants, **dict(zip(self._file.inputs, inputs, strict=True))}
        for one, work in zip(self._file.operators, self._work, strict=True):
            known[one.gives] = work(*(known[tensor] for tensor in one.takes))
        return [known[tensor] for tensor in self._tensors]


def _work_of(operator: Operator) -> Work:
    """Return the function from an operator's inputs to its output."""
    if operator.kind in OPERATORS:
        return OPERATORS[operator.kind]
    if operator.kind not in WITH_OPTIONS:
        raise ValueError(f"operator {operator.kind}, which only LiteRT can run")
    form, work = WITH_OPTIONS[operator.kind]
    options = form()
    options.Init(operator.table.Bytes, operator.table.Pos)
    factors = [getattr(options, f"Dilation{side}Factor", lambda: 1)() for side in "HW"]
    if factors != [1, 1]:
        raise ValueError("a dilated convolution, which only LiteRT can run")
    fused = options.FusedActivationFunction() if hasattr(options, "FusedActivationFunction") else 0
    if fused not in ACTIVATIONS:
        raise ValueError(f"activation {fused}, which only LiteRT can run")
    if operator.rounds:
        return lambda x, *others: ACTIVATIONS[fused](work(options, _rounded(x), *others))
    return lambda *inputs: ACTIVATIONS[fused](work(options, *inputs))


def _rounded(x: Values) -> Values:
    """Round each picture to 256 levels that span its values and 0, as LiteRT does before int8 weights."""
    sides = tuple(range(1, x.ndim))
    span = x.max(sides, keepdims=True, initial=0) - x.min(sides, keepdims=True, initial=0)
    step = np.maximum(span / 255, np.finfo(np.float32).tiny)
    return np.asarray(np.rint(x / step) * step)


def _windows(options: Any, x: Values, size: Sequence[int], fill: float) -> Values:
    """Cut pictures into windows: (N, H, W, C) to (N, rows, columns, C, height, width).

    Padding "same" first adds a border of the value ``fill``.
    """
    stride = options.StrideH(), options.StrideW()
    if options.Padding() == schema.Padding.SAME:
        missing = [
            max((-(-length // step) - 1) * step + reach - length, 0)
            for length, reach, step in zip(x.shape[1:3], size, stride, strict=True)
        ]
        around = [(0, 0), *((one // 2, one - one // 2) for one in missing), (0, 0)]
        x = np.pad(x, around, constant_values=fill)
    return sliding_window_view(x, size, axis=(1, 2))[:, :: stride[0], :: stride[1]]


def _convolution(options: Any, x: Values, kernel: Values, bias: Values | float = 0) -> Values:
    windows = _windows(options, x, kernel.shape[1:3], 0)
    return np.asarray(np.tensordot(windows, kernel, ((3, 4, 5), (3, 1, 2))) + bias)


def _depth_to_space(options: Any, x: Values) -> Values:
    """Turn the channels of each pixel into a block of pixels, as in the finder's last layers."""
    block = options.BlockSize()
    n, rows, columns = x.shape[:3]
    parts = x.reshape(n, rows, columns, block, block, -1)
    return parts.transpose(0, 1, 3, 2, 4, 5).reshape(n, rows * block, columns * block, -1)


def _pooling(options: Any, x: Values) -> Values:
    size = options.FilterHeight(), options.FilterWidth()
    return np.asarray(_windows(options, x, size, -np.inf).max(axis=(4, 5)))


def _dense(_: Any, x: Values, kernel: Values, bias: Values | float = 0) -> Values:
    return np.asarray(x.reshape(-1, kernel.shape[1]) @ kernel.T + bias)


def _mean(options: Any, x: Values, sides: Values) -> Values:
    axes = tuple(np.ravel(sides))
    return np.asarray(x.mean(axis=axes, dtype=np.float32, keepdims=bool(options.KeepDims())))


def _strided(options: Any, x: Values, begin: Values, end: Values, steps: Values) -> Values:
    """Slice each axis; a bit in a mask drops the axis, or ignores its begin or end."""
    where: list[int | slice] = []
    for axis, (first, last, step) in enumerate(zip(begin, end, steps, strict=True)):
        bit = 1 << axis
        start = None if options.BeginMask() & bit else int(first)
        stop = None if options.EndMask() & bit else int(last)
        where.append(int(first) if options.ShrinkAxisMask() & bit else slice(start, stop, int(step)))
    return np.asarray(x[tuple(where)])


ACTIVATIONS: dict[int, Work] = {
    schema.ActivationFunctionType.NONE: lambda x: x,
    schema.ActivationFunctionType.RELU: lambda x: np.maximum(x, 0),
    schema.ActivationFunctionType.RELU6: lambda x: np.clip(x, 0, 6),
}
WINDOWS: dict[int, Any] = {
    Kind.CONV_2D: schema.Conv2DOptions,
    Kind.DEPTHWISE_CONV_2D: schema.DepthwiseConv2DOptions,
    Kind.MAX_POOL_2D: schema.Pool2DOptions,
    Kind.AVERAGE_POOL_2D: schema.Pool2DOptions,
}
"""By kind: the class of the options of an operator that moves a window over maps."""
WITH_OPTIONS: dict[int, tuple[Any, Work]] = {
    Kind.CONV_2D: (schema.Conv2DOptions, _convolution),
    Kind.DEPTH_TO_SPACE: (schema.DepthToSpaceOptions, _depth_to_space),
    Kind.MAX_POOL_2D: (schema.Pool2DOptions, _pooling),
    Kind.FULLY_CONNECTED: (schema.FullyConnectedOptions, _dense),
    Kind.MEAN: (schema.ReducerOptions, _mean),
    Kind.CONCATENATION: (schema.ConcatenationOptions, lambda how, *parts: np.concatenate(parts, how.Axis())),
    Kind.STRIDED_SLICE: (schema.StridedSliceOptions, _strided),
    Kind.ADD: (schema.AddOptions, lambda _, a, b: a + b),
    Kind.SUB: (schema.SubOptions, lambda _, a, b: a - b),
    Kind.MUL: (schema.MulOptions, lambda _, a, b: a * b),
    Kind.DIV: (schema.DivOptions, lambda _, a, b: a / b),
}
"""By kind: the class of an operator's options, and a function from options and inputs to the output."""
OPERATORS: dict[int, Work] = {
    Kind.SOFTMAX: softmax,
    Kind.SQUARED_DIFFERENCE: lambda a, b: np.square(a - b),
    Kind.SQRT: np.sqrt,
    Kind.RSQRT: lambda x: 1 / np.sqrt(x),
    Kind.RELU: lambda x: np.maximum(x, 0),
    Kind.LOGISTIC: lambda x: 1 / (1 + np.exp(-x)),
    Kind.DEQUANTIZE: lambda x: x,  # float16, which `LiteFile.constant` returns as float32
    Kind.RESHAPE: np.reshape,
    Kind.TRANSPOSE: np.transpose,
    Kind.SHAPE: lambda x: np.array(x.shape, np.int32),
    Kind.PACK: lambda *parts: np.stack(parts),
}
"""By kind: a function from an operator's inputs to its output."""
