"""What a LiteRT file computes: its operations, read from the file, and the gradient of the last of them.

LiteRT computes no gradients. For Grad-CAM those from the scores back to the last feature maps are enough, and
there stand few kinds of layers, whose derivatives are short: here they are, in NumPy, on the file's own
weights (those in int8 made numbers again). No TensorFlow is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from digitrec.models.gradcam import through
from digitrec.models.scores import Floats

Kind = schema.BuiltinOperator
Slope = Callable[[Floats], Any]
SLOPES: dict[int, Slope] = {
    Kind.RELU: lambda y: y > 0,
    Kind.TANH: lambda y: 1 - y**2,
    Kind.LOGISTIC: lambda y: y * (1 - y),
}
"""Layers of one number each: the derivative, told from what came out."""
FUSED: dict[int, Slope] = {
    schema.ActivationFunctionType.NONE: np.ones_like,
    schema.ActivationFunctionType.RELU: SLOPES[Kind.RELU],
    schema.ActivationFunctionType.TANH: SLOPES[Kind.TANH],
}
"""The same for what a layer does to its own results."""
WINDOWS = (Kind.CONV_2D, Kind.DEPTHWISE_CONV_2D, Kind.MAX_POOL_2D, Kind.AVERAGE_POOL_2D)
"""Layers each of whose places looks at several of the layer before."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of the work."""

    kind: int
    """Which, of `Kind`."""
    inputs: tuple[int, ...]
    """The tensors that it takes, by number."""
    output: int
    """The tensor that it makes."""
    options: Any
    """What else the file says of it."""

    @property
    def sources(self) -> tuple[int, ...]:
        """The inputs that its numbers come from: not a shape to be brought into, nor a missing bias."""
        return self.inputs[:1] if self.kind == Kind.RESHAPE else tuple(one for one in self.inputs if one >= 0)

    @property
    def fused(self) -> int:
        """What it does to its own results, of `ActivationFunctionType`."""
        return int(getattr(self.options, "fusedActivationFunction", schema.ActivationFunctionType.NONE))


class Graph:
    """The operations of a LiteRT file, those after its last feature maps looked at closely."""

    def __init__(self, content: bytes) -> None:
        self._model = schema.ModelT.InitFromPackedBuf(content, 0)
        graph = self._model.subgraphs[0]
        self._shapes = [[] if one.shape is None else list(map(int, one.shape)) for one in graph.tensors]
        self.operations = [self._operation(one) for one in graph.operators or ()]
        self._made = {one.output: one for one in self.operations}
        self.scores = int(graph.outputs[0])
        """The tensor of the ten scores, before the softmax."""
        last = self._made.get(self.scores)
        if last is not None and last.kind == Kind.SOFTMAX:
            self.scores = last.inputs[0]
        self.tail = self._leading_to(self.scores)
        """The operations after the last feature maps, the last first."""
        reached = {self.scores, *(tensor for one in self.tail for tensor in one.sources)}
        self.maps = [
            one.output for one in self.operations if one.output in reached and self._is_map(one.output)
        ]
        """The tensors of the last feature maps, several for networks that are joined; (1, H, W, C) each."""
        self.features = self._before_the_last_layers()
        """The tensors that the last fully connected layers take, several for networks that are joined."""

    def _operation(self, one: Any) -> Operation:
        code = self._model.operatorCodes[one.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)  # files of old have but the second
        return Operation(kind, tuple(map(int, one.inputs)), int(one.outputs[0]), one.builtinOptions)

    def _is_map(self, tensor: int) -> bool:
        shape = self._shapes[tensor]
        return len(shape) == 4 and shape[1] > 1 and shape[2] > 1

    def _leading_to(self, tensor: int) -> list[Operation]:
        """What makes a tensor, back to feature maps, weights or the picture; the last first."""
        wanted, found = {tensor}, []
        for one in reversed(self.operations):
            if one.output in wanted and not self._is_map(one.output):
                found.append(one)
                wanted.update(one.sources)
        return found

    def _before_the_last_layers(self) -> list[int]:
        wanted, found = {self.scores}, []
        for one in self.tail:
            if one.output in wanted and one.kind == Kind.FULLY_CONNECTED:
                found.append(one.inputs[0])
            elif one.output in wanted:
                wanted.update(one.sources)
        return sorted(tensor for tensor in found if tensor in self._made)

    def constants(self) -> set[int]:
        """The tensors that the operations after the last maps take and none makes: weights and shapes."""
        taken = {tensor for one in self.tail for tensor in one.sources}
        return taken - set(self._made)

    def is_differentiable(self, constants: Collection[int]) -> bool:
        """Whether `gradient` knows every operation after the last maps; `constants`: those that were read."""
        return bool(self.maps) and all(self._is_known(one, constants) for one in self.tail)

    def _is_known(self, one: Operation, constants: Collection[int]) -> bool:
        moving = [tensor for tensor in one.sources if tensor in self._made]
        fixed = [tensor for tensor in one.sources if tensor in constants]
        if one.fused not in FUSED or len(fixed) + len(moving) < len(one.sources):
            return False
        if one.kind == Kind.ADD:
            return all(self._shapes[tensor] == self._shapes[one.output] for tensor in moving)
        if one.kind == Kind.MUL:
            return len(moving) == 1 and self._shapes[moving[0]] == self._shapes[one.output]
        known = (Kind.FULLY_CONNECTED, Kind.MEAN, Kind.RESHAPE, *SLOPES)
        return one.kind in known and moving == [one.inputs[0]]

    def gradient(
        self, digit: int, values: Mapping[int, Floats], constants: Mapping[int, NDArray[Any]]
    ) -> list[Floats]:
        """By how much a digit's score grows with each place of each of `maps`, each as that tensor's shape.

        Args:
            digit: 0..9.
            values: what `maps` and the operations after them make of one picture.
            constants: the tensors that no operation makes.
        """
        start = np.zeros((1, 10), np.float32)
        start[0, digit] = 1
        flow = {self.scores: start}
        for one in self.tail:
            if (arriving := flow.pop(one.output, None)) is not None:
                for tensor, part in _pulled_back(one, arriving, values, constants):
                    flow[tensor] = flow[tensor] + part if tensor in flow else part
        return [flow[tensor] for tensor in self.maps]

    def field(self, tensor: int) -> tuple[float, float] | None:
        """Where the places of feature maps lie on the picture, as `LastMaps.field`; None: not to be told."""
        layers = []
        while (one := self._made.get(tensor)) is not None and one.kind != Kind.RESHAPE:
            before = one.inputs[0]
            if one.kind in WINDOWS:
                layers.append(self._window(one))
            elif self._shapes[before][1:3] != self._shapes[tensor][1:3]:
                return None
            tensor = before
        return through(layers[::-1]) if self._shapes[tensor][1:3] == [28, 28] else None

    def _window(self, one: Operation) -> tuple[int, int, int]:
        """Size, stride, and places of padding before the first, of a layer that looks at its surroundings."""
        size = getattr(one.options, "filterHeight", None) or self._shapes[one.inputs[1]][1]
        size = (size - 1) * getattr(one.options, "dilationHFactor", 1) + 1
        stride = int(one.options.strideH)
        given, made = self._shapes[one.inputs[0]][1], self._shapes[one.output][1]
        padded = max((made - 1) * stride + size - given, 0)
        return size, stride, padded // 2 if one.options.padding == schema.Padding.SAME else 0

    def giving(self, tensors: Collection[int]) -> bytes:
        """The file with these tensors as its results, in this order; LiteRT then gives them at full speed."""
        graph = self._model.subgraphs[0]
        usual, signatures = graph.outputs, self._model.signatureDefs
        graph.outputs, self._model.signatureDefs = np.array([*tensors], np.int32), None
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        graph.outputs, self._model.signatureDefs = usual, signatures
        return bytes(builder.Output())


def _pulled_back(
    one: Operation, flow: Floats, values: Mapping[int, Floats], constants: Mapping[int, NDArray[Any]]
) -> Iterator[tuple[int, Floats]]:
    """The chain rule through one operation: each tensor that it takes, with the gradient for it."""
    flow = flow * FUSED[one.fused](values[one.output])
    if one.kind in SLOPES:
        flow = flow * SLOPES[one.kind](values[one.output])
    first = one.inputs[0]
    if one.kind == Kind.FULLY_CONNECTED:
        yield first, (flow @ constants[one.inputs[1]]).reshape(values[first].shape)
    elif one.kind == Kind.MEAN:
        shape = values[first].shape
        averaged = {int(axis) % len(shape) for axis in np.ravel(constants[one.inputs[1]])}
        kept = [1 if axis in averaged else side for axis, side in enumerate(shape)]
        count = np.prod([shape[axis] for axis in averaged])
        yield first, np.broadcast_to(flow.reshape(kept) / count, shape)
    elif one.kind in (Kind.ADD, Kind.MUL):
        factor = [constants[tensor] for tensor in one.inputs if tensor in constants and one.kind == Kind.MUL]
        for tensor in one.inputs:
            if tensor not in constants:
                yield tensor, flow * factor[0] if factor else flow
    else:  # a reshaping, or a layer of one number each
        yield first, flow.reshape(values[first].shape)
