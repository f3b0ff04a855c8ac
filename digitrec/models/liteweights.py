"""What a `.tflite` file's network has learned, layer by layer, as Keras keeps it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.errors import ModelError
from digitrec.models.scores import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What a layer has learned, as Keras keeps it."""

    kernel: Floats
    """(height, width, in, out) of a convolution, (in, out) of a dense layer."""
    bias: Floats
    """(out,)."""


def weights(content: bytes, path: Path) -> list[Weights]:
    """The weights of every convolution and dense layer in a `.tflite` file, in the order of the work.

    What is kept in int8 is multiplied by its scales again.

    Raises:
        ModelError: it is damaged, or keeps weights otherwise than in float32 or int8.
    """
    from ai_edge_litert import schema_py_generated as schema

    wanted = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED)
    try:
        model = schema.Model.GetRootAsModel(content, 0)
        graph = model.Subgraphs(0)
        operators = [graph.Operators(place) for place in range(graph.OperatorsLength())]
        return [
            _of_layer(model, one)
            for one in operators
            if model.OperatorCodes(one.OpcodeIndex()).BuiltinCode() in wanted
        ]
    except (AttributeError, TypeError, ValueError, IndexError, struct.error) as error:
        raise ModelError(f"{path}: its weights cannot be taken out of it; give a file of our own") from error


def _of_layer(model: Any, operator: Any) -> Weights:
    """The weights of one layer; a bias that it does not have is 0."""
    kernel = np.moveaxis(_constant(model, operator.Inputs(1)), 0, -1)
    has_bias = operator.InputsLength() > 2 and operator.Inputs(2) >= 0
    bias = _constant(model, operator.Inputs(2)) if has_bias else np.zeros(kernel.shape[-1], np.float32)
    return Weights(kernel, bias)


def _constant(model: Any, place: int) -> Floats:
    """A tensor that is part of the file.

    Raises:
        ValueError: it is none, or of another type.
    """
    from ai_edge_litert.schema_py_generated import TensorType

    tensor = model.Subgraphs(0).Tensors(place)
    kinds = {TensorType.FLOAT32: np.float32, TensorType.INT8: np.int8}
    kept = model.Buffers(tensor.Buffer()).DataAsNumpy()
    if tensor.Type() not in kinds or isinstance(kept, int):
        raise ValueError("no constant in float32 or int8")
    values: Floats = kept.view(kinds[tensor.Type()]).reshape(tensor.ShapeAsNumpy()).astype(np.float32)
    if tensor.Type() == TensorType.FLOAT32:
        return values
    how = tensor.Quantization()
    sides = [-1 if side == how.QuantizedDimension() else 1 for side in range(values.ndim)]
    return np.asarray(
        (values - how.ZeroPointAsNumpy().reshape(sides)) * how.ScaleAsNumpy().reshape(sides), np.float32
    )
