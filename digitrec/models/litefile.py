"""A LiteRT file as a graph: its operators in their order, and the tensors stored in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.models.scores import Signature

try:
    from ai_edge_litert import schema_py_generated as schema
except ImportError:  # LiteRT has no wheel for this machine
    import tflite as schema

__all__ = ["Kind", "LiteFile", "Operator", "Values", "schema"]

Values = NDArray[Any]
Kind = schema.BuiltinOperator
_TYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
}


@dataclass(frozen=True, slots=True)
class Operator:
    """A step of the computation."""

    kind: int
    """One of `Kind`."""
    takes: list[int]
    """Its input tensors."""
    gives: int
    """Its output tensor."""
    table: Any
    """Its options, in a FlatBuffers table without a type."""

    def options(self, kind: Any) -> Any:
        """Return the options as this class of `schema`."""
        found = kind()
        found.Init(self.table.Bytes, self.table.Pos)
        return found


class LiteFile:
    """The first graph of a LiteRT file; tensors are known by their number.

    Raises:
        ValueError: it is not a LiteRT file.
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
        """In the order of computation."""

    def _operator(self, operator: Any) -> Operator:
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())  # old files have only the second
        takes = [int(place) for place in operator.InputsAsNumpy() if place >= 0]
        return Operator(kind, takes, int(operator.Outputs(0)), operator.BuiltinOptions())

    def name(self, tensor: int) -> str:
        """Return a tensor's name."""
        return str(self._tensors[tensor].Name().decode())

    def shape(self, tensor: int) -> list[int]:
        """Return a tensor's sides; a dynamic side is 1."""
        return list(map(int, np.ravel(self._tensors[tensor].ShapeAsNumpy())))

    def signature(self, tensor: int) -> Signature:
        """Return a tensor's sides, -1 for one of any length, and whether it is float32."""
        one = self._tensors[tensor]
        sides = one.ShapeSignatureAsNumpy() if one.ShapeSignatureLength() else one.ShapeAsNumpy()
        return Signature(np.ravel(sides).tolist(), one.Type() == schema.TensorType.FLOAT32)

    def constant(self, tensor: int) -> Values | None:
        """Return a tensor that is stored in the file, int8 and float16 as float32; None if it is computed.

        Raises:
            ValueError: it is stored in an unknown type.
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
