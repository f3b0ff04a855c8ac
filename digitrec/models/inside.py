"""Look into a network: its layers' results, class activation maps and filters.

Everything is read from a LiteRT file; a Keras network is converted to one first. The class activation map is
B. Zhou and others, Learning Deep Features for Discriminative Localization, CVPR 2016: where the mean
of each feature map goes into one dense layer, as in our own network, a digit's score is a sum over places.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from digitrec.models.litert import Work
from digitrec.models.scores import Floats, Stage, scaled

Pixels = NDArray[np.uint8]

SIDE = 28
"""Pixels along each side of a network's input."""
_Kind = schema.BuiltinOperator
_TYPES = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.INT8: np.int8}


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The weights of a convolution or dense layer, in Keras' layout."""

    kernel: Floats
    """(height, width, in, out) of a convolution, (in, out) of a dense layer."""
    bias: Floats
    """(out,)."""


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """A dense layer that computes the ten scores; several networks in one file have one each."""

    maps: int | None
    """The feature maps of whose means the scores are computed, (1, H, W, C); None if of something else."""
    operator: Any
    """The layer in the file."""


class Inside:
    """The layers of a network; several threads may use it at once.

    Args:
        content: a LiteRT file; None for a classifier without layers that LiteRT knows.
        scale: what the network wants its pixels to be, one of `SCALES`.
    """

    def __init__(self, content: bytes | None, scale: str = "unit") -> None:
        self._scale = scale
        self._model = schema.ModelT() if content is None else schema.ModelT.InitFromPackedBuf(content, 0)
        self._graph = self._model.subgraphs[0] if self._model.subgraphs else schema.SubGraphT()
        self._operators = list(self._graph.operators or ())
        self._maker = {int(one.outputs[0]): one for one in self._operators}

    def stages(self, digit: Pixels) -> list[Stage]:
        """Return the feature maps of each layer for one picture, (28, 28), ink high, in order.

        Only layers whose maps have 2x2 to 28x28 places. Takes some milliseconds.
        """
        names, work = self._stages
        if work is None:
            return []
        return list(zip(names, [maps[0] for maps in work(self._ink(digit[None]))], strict=True))

    def class_maps(self, digit: Pixels, of: Sequence[int]) -> Floats | None:
        """Return what each place of a picture, (28, 28), ink high, adds to N digits' scores: (N, 28, 28).

        Exact but for the rounding of int8; linear interpolation between the centres of the places; the mean
        over joined networks. None unless every network ends in a mean over its feature maps and one dense
        layer.
        """
        if self._work_of_maps is None:
            return None
        values = self._work_of_maps(self._ink(digit[None]))
        return np.asarray(np.mean([
            _enlarged(np.einsum("hwc,cn->nhw", value[0], self._weights(one.operator).kernel[:, of]))
            for one, value in zip(self._ends, values, strict=True)
        ], axis=0), np.float32)  # fmt: skip

    def filters(self) -> list[Stage]:
        """Return each network's first convolution: its name, and its C filters, (h, w, C), above 0 for ink.

        Empty if the file keeps its weights in a type other than float32 and int8.
        """
        try:
            kernels = [one.kernel for one in self.weights()]
        except ValueError:
            return []
        first = [kernel[:, :, 0] for kernel in kernels if kernel.ndim == 4 and kernel.shape[2] == 1]
        several = len(first) > 1
        return [(f"network_{n}/filters" if several else "filters", one) for n, one in enumerate(first, 1)]

    def weights(self) -> list[Weights]:
        """Return the weights of every convolution and dense layer, in the order of computation, as floats.

        Raises:
            ValueError: the file keeps them in a type other than float32 and int8.
        """
        layers = (_Kind.CONV_2D, _Kind.FULLY_CONNECTED)
        return [self._weights(one) for one in self._operators if self._kind(one) in layers]

    def _ink(self, digits: Pixels) -> Floats:
        return scaled(digits, self._scale)

    @cached_property
    def _stages(self) -> tuple[list[str], Work | None]:
        """The names of the layers whose maps are square and no larger than the picture, and their maps."""
        shown = [tensor for tensor in self._maker if self._is_map(tensor) and self._shape(tensor)[1] <= SIDE]
        names = [self._graph.tensors[tensor].name.decode() for tensor in shown]
        return _layer_names(names), self._work(shown)

    @cached_property
    def _ends(self) -> list[End]:
        """The dense layers from which the scores follow without another layer's weights in between."""
        found: list[End] = []
        wanted = {int(output) for output in self._operators and self._graph.outputs[:1]}
        for one in reversed(self._operators):
            if int(one.outputs[0]) in wanted and self._kind(one) == _Kind.FULLY_CONNECTED:
                found.insert(0, End(self._averaged(int(one.inputs[0])), one))
            elif int(one.outputs[0]) in wanted:
                wanted.update(map(int, one.inputs))
        return found

    @cached_property
    def _work_of_maps(self) -> Work | None:
        """Computes the maps of each end; None unless every end has some."""
        maps = [one.maps for one in self._ends if one.maps is not None]
        return self._work(maps) if len(maps) == len(self._ends) else None

    def _averaged(self, tensor: int) -> int | None:
        """Return the feature maps whose mean over all places is a tensor; None if there are none."""
        maker = self._maker.get(tensor)
        while maker is not None and self._kind(maker) == _Kind.RESHAPE:
            maker = self._maker.get(int(maker.inputs[0]))
        if maker is None or self._kind(maker) != _Kind.MEAN:
            return None
        maps = int(maker.inputs[0])
        return maps if self._is_map(maps) else None

    def _is_map(self, tensor: int) -> bool:
        shape = self._shape(tensor)
        return len(shape) == 4 and 1 < shape[1] == shape[2]

    def _shape(self, tensor: int) -> list[int]:
        shape = self._graph.tensors[tensor].shape
        return [] if shape is None else [int(side) for side in shape]

    def _kind(self, operator: Any) -> int:
        code = self._model.operatorCodes[operator.opcodeIndex]
        return int(max(code.builtinCode, code.deprecatedBuiltinCode))  # old files have only the second

    def _weights(self, operator: Any) -> Weights:
        """Return the weights of one layer; a missing bias is 0."""
        kernel = np.moveaxis(self._constant(operator.inputs[1]), 0, -1)
        has_bias = len(operator.inputs) > 2 and operator.inputs[2] >= 0
        return Weights(
            kernel, self._constant(operator.inputs[2]) if has_bias else np.zeros(kernel.shape[-1], np.float32)
        )

    def _constant(self, place: int) -> Floats:
        """Return a tensor stored in the file; multiply int8 by its scales.

        Raises:
            ValueError: it is not stored there, or has another type.
        """
        tensor = self._graph.tensors[place]
        data = self._model.buffers[tensor.buffer].data
        if tensor.type not in _TYPES or data is None:
            raise ValueError("no constant in float32 or int8")
        values = np.asarray(data, np.uint8).view(_TYPES[tensor.type]).reshape(tensor.shape)
        if tensor.type == schema.TensorType.FLOAT32:
            return values
        how = tensor.quantization
        sides = [-1 if side == how.quantizedDimension else 1 for side in range(values.ndim)]
        zero, scale = np.reshape(how.zeroPoint, sides), np.reshape(how.scale, sides)
        return np.asarray((values.astype(np.float32) - zero) * scale, np.float32)

    def _work(self, tensors: Collection[int]) -> Work | None:
        """Return an interpreter of the same file that outputs these tensors, in order; None without any."""
        if not tensors:
            return None
        usual, signatures = self._graph.outputs, self._model.signatureDefs
        self._graph.outputs, self._model.signatureDefs = np.array([*tensors], np.int32), None
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        self._graph.outputs, self._model.signatureDefs = usual, signatures
        return Work(bytes(builder.Output()))


def _enlarged(maps: Floats) -> Floats:
    """Each place's share of a score, (N, H, W), interpolated over the pixels, (N, 28, 28).

    A mean over H x W places, so each adds its value divided by their number. A layer halves its maps, so a
    place is a power of two pixels from the next, and all of them lie symmetrically around the middle.
    """
    places = maps.shape[1]
    step = 2 ** int(math.log2(SIDE / places))
    first = (SIDE - 1 - (places - 1) * step) / 2
    at = np.clip((np.arange(SIDE) - first) / step, 0, places - 1)
    shares = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(places)))
    return np.asarray(np.einsum("ph,nhw,qw->npq", shares, maps / places**2, shares))


def _layer_names(tensors: list[str]) -> list[str]:
    """Return the layers' names from the tensors' names: "model_1/conv_1/Conv2D;..." is "conv".

    The converter names a tensor by the calls that led to it; Keras numbers each call, from 1.
    """
    paths = [next(filter(None, name.split(";")), name).split("/") for name in tensors]
    paths = [path[1:-1] or path for path in paths]
    counted = all(part.endswith("_1") for path in paths for part in path)
    return ["/".join(part.removesuffix("_1") if counted else part for part in path) for path in paths]
