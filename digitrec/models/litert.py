"""LiteRT's model files: our own form. LiteRT is imported here and nowhere else."""

from __future__ import annotations

import io
import json
import struct
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.errors import ModelError
from digitrec.models.description import DESCRIPTION, check_shapes
from digitrec.models.scores import Floats, Forward, Stage


def load(content: bytes, path: Path) -> tuple[dict[str, Any], Forward]:
    """The description in a `.tflite` file, {} when it has none, and its network.

    Raises:
        ModelError: it is damaged, or no network from 28x28 pixels to ten numbers in float32.
    """
    return _appended(content, path), LiteRt(content, path)


def _appended(content: bytes, path: Path) -> dict[str, Any]:
    """The description in the zip archive at the end of a `.tflite` file; {} when there is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return dict(json.loads(archive.read(DESCRIPTION)))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        if DESCRIPTION.encode() in content:
            raise ModelError(f"{path}: its {DESCRIPTION} is damaged; export the model again") from error
        return {}


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


class LiteRt:
    """The network in a LiteRT file, as a function from (N, 28, 28) ink to (N, 10)."""

    def __init__(self, content: bytes, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._content = content
        try:
            self._interpreter = Interpreter(model_content=content, num_threads=1)
            self._interpreter.allocate_tensors()  # the first in a process greets on stderr: docs/library.md
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path}: not a LiteRT model, or a damaged one; give another file") from error
        takes, gives = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        check_shapes(_signatures(takes), _signatures(gives), path)
        if takes[0]["dtype"] != np.float32 or gives[0]["dtype"] != np.float32:
            raise ModelError(f"{path}: its input or output is quantised; export it with both in float32")
        self._input, self._output = takes[0]["index"], gives[0]["index"]
        self._one_by_one = takes[0]["shape_signature"][0] == 1
        self._shape = takes[0]["shape"].tolist()
        self._lock = threading.Lock()

    def __call__(self, ink: Floats) -> Floats:
        batches = np.split(ink, len(ink)) if self._one_by_one else [ink]
        return np.concatenate([self._run(batch) for batch in batches])

    def _run(self, ink: Floats) -> Floats:
        with self._lock:
            if len(ink) != self._shape[0]:
                self._shape[0] = len(ink)
                self._interpreter.resize_tensor_input(self._input, self._shape)
                self._interpreter.allocate_tensors()
            self._interpreter.set_tensor(self._input, ink.reshape(self._shape))
            self._interpreter.invoke()
            answer: Floats = self._interpreter.get_tensor(self._output)
            return answer

    def stages(self, ink: Floats) -> list[Stage]:
        """What each layer makes of one picture, (28, 28), in the order of the file: that of the work.

        An interpreter is made for it that keeps every layer's result, so that the usual one needs neither
        that memory nor that time. A file does not say which of its tensors are weights: what stays the same
        for the picture's negative is none of the picture's.
        """
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        looking = Interpreter(
            model_content=self._content, num_threads=1, experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )  # fmt: skip
        looking.resize_tensor_input(self._input, [1, *self._shape[1:]])
        looking.allocate_tensors()
        kept = [one for one in looking.get_tensor_details() if _is_stage(one) and one["index"] != self._input]
        found = []
        for shown in (ink, 1 - ink):
            looking.set_tensor(self._input, shown.reshape([1, *self._shape[1:]]))
            looking.invoke()
            found.append([looking.get_tensor(one["index"])[0] for one in kept])
        stages = zip(_layers([one["name"] for one in kept]), *found, strict=True)
        return [(name, maps) for name, maps, negative in stages if not np.array_equal(maps, negative)]


def _is_stage(tensor: dict[str, Any]) -> bool:
    """Whether it may hold a layer's maps of one picture, (1, H, H, C), none larger than the picture.

    LiteRT's own scratch space is listed among the layers, but has no name.
    """
    shape = tensor["shape"].tolist()
    square = len(shape) == 4 and shape[0] == 1 and 1 < shape[1] == shape[2] <= 28
    return square and bool(tensor["name"]) and tensor["dtype"] == np.float32


def _layers(tensors: list[str]) -> list[str]:
    """The layers' names from those of the tensors: "model_1/conv_1/Conv2D;..." is "conv".

    The converter names a tensor by the calls that led to it; Keras numbers each call, from 1.
    """
    paths = [next(filter(None, name.split(";")), name).split("/") for name in tensors]
    paths = [path[1:-1] or path for path in paths]
    counted = all(part.endswith("_1") for path in paths for part in path)
    return ["/".join(part.removesuffix("_1") if counted else part for part in path) for path in paths]


def _signatures(tensors: list[dict[str, Any]]) -> list[list[int]]:
    return [tensor["shape_signature"].tolist() for tensor in tensors]
