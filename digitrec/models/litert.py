"""LiteRT's model files: our own form. LiteRT is imported here, and its file format in `litegraph`."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.errors import ModelError
from digitrec.models.description import DESCRIPTION, check_shapes
from digitrec.models.scores import Floats, Forward, Stage

READABLE = (np.float32, np.int32, np.int8)
"""Kinds of numbers in which the weights and shapes of a file are read."""


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


class Work:
    """A LiteRT interpreter for any number of pictures; threads take turns."""

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()  # the first in a process greets on stderr: docs/library.md
        self.takes, self.gives = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._one_by_one = self.takes[0]["shape_signature"][0] == 1
        self._shape = self.takes[0]["shape"].tolist()
        self._lock = threading.Lock()

    def __call__(self, ink: Floats) -> list[Floats]:
        """(N, 28, 28) ink to the file's results, (N, ...) each."""
        batches = np.split(ink, len(ink)) if self._one_by_one else [ink]
        results = [self._run(batch) for batch in batches]
        return [np.concatenate(parts) for parts in zip(*results, strict=True)]

    def _run(self, ink: Floats) -> list[Floats]:
        with self._lock:
            if len(ink) != self._shape[0]:
                self._shape[0] = len(ink)
                self._interpreter.resize_tensor_input(self.takes[0]["index"], self._shape)
                self._interpreter.allocate_tensors()
            self._interpreter.set_tensor(self.takes[0]["index"], ink.reshape(self._shape))
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(one["index"]) for one in self.gives]

    def constants(self, tensors: Iterable[int]) -> dict[int, NDArray[Any]]:
        """Those of these weights and shapes that can be read, as the numbers meant."""
        details = {one["index"]: one for one in self._interpreter.get_tensor_details()}
        with self._lock:
            return {
                one: _numbers(self._interpreter.get_tensor(one), details[one])
                for one in tensors if details[one]["dtype"] in READABLE
            }  # fmt: skip


class LiteRt:
    """The network in a LiteRT file, as a function from (N, 28, 28) ink to (N, 10)."""

    def __init__(self, content: bytes, path: Path) -> None:
        self._content = content
        try:
            self._work = Work(content)
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path}: not a LiteRT model, or a damaged one; give another file") from error
        takes, gives = self._work.takes, self._work.gives
        check_shapes(_signatures(takes), _signatures(gives), path)
        if takes[0]["dtype"] != np.float32 or gives[0]["dtype"] != np.float32:
            raise ModelError(f"{path}: its input or output is quantised; export it with both in float32")

    def __call__(self, ink: Floats) -> Floats:
        return self._work(ink)[0]

    def class_maps(self, ink: Floats, digits: Sequence[int]) -> Floats | None:
        """As `Look.class_maps`."""
        return self._tail.class_maps(ink, digits)

    def filters(self) -> list[Stage]:
        """As `Look.filters`; none where a file keeps its weights in a form that is not read."""
        from digitrec.models.liteweights import weights

        try:
            kernels = [one.kernel for one in weights(self._content, Path())]
        except ModelError:
            return []
        first = [kernel[:, :, 0] for kernel in kernels if kernel.ndim == 4 and kernel.shape[2] == 1]
        several = len(first) > 1
        return [(f"network_{n}/filters" if several else "filters", one) for n, one in enumerate(first, 1)]

    def features(self, ink: Floats) -> Floats | None:
        """As `Look.features`."""
        return self._tail.features(ink)

    @cached_property
    def _tail(self) -> Tail:
        return Tail(self._content, self._work)

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
        place, shape = self._work.takes[0]["index"], [1, *self._work.takes[0]["shape"][1:]]
        looking.resize_tensor_input(place, shape)
        looking.allocate_tensors()
        kept = [one for one in looking.get_tensor_details() if _is_stage(one) and one["index"] != place]
        found = []
        for shown in (ink, 1 - ink):
            looking.set_tensor(place, shown.reshape(shape))
            looking.invoke()
            found.append([looking.get_tensor(one["index"])[0] for one in kept])
        stages = zip(_layers([one["name"] for one in kept]), *found, strict=True)
        return [(name, maps) for name, maps, negative in stages if not np.array_equal(maps, negative)]


class Tail:
    """The end of a LiteRT file's network: its last feature maps, what follows them, and their gradient."""

    def __init__(self, content: bytes, work: Work) -> None:
        """`work`: of the file as it is, which gives the weights."""
        from digitrec.models.litegraph import Graph

        self._graph = Graph(content)
        self._constants = work.constants(self._graph.constants())
        self._differentiable = self._graph.is_differentiable(self._constants)
        made = [one.output for one in self._graph.tail]
        self._kept = list(dict.fromkeys([*self._graph.features, *self._graph.maps, *made]))  # each once
        self._looking = Work(self._graph.giving(self._kept)) if self._kept else None

    def class_maps(self, ink: Floats, digits: Sequence[int]) -> Floats | None:
        """As `Look.class_maps`."""
        from digitrec.models.gradcam import LastMaps, class_maps  # whoever reads a digit needs none of it

        if self._looking is None or not self._differentiable:
            return None
        values = dict(zip(self._kept, self._looking(ink[None]), strict=True))
        graph = self._graph
        gradients = [graph.gradient(digit, values, self._constants) for digit in digits]
        parts = [
            LastMaps(values[tensor][0], np.concatenate(of_each), graph.field(tensor))
            for tensor, of_each in zip(graph.maps, zip(*gradients, strict=True), strict=True)
        ]
        return class_maps(parts)

    def features(self, ink: Floats) -> Floats | None:
        """As `Look.features`."""
        if self._looking is None or not self._graph.features:
            return None
        found = self._looking(ink)[: len(self._graph.features)]  # they were asked for first
        return np.concatenate([one.reshape(len(ink), -1) for one in found], axis=1)


def _numbers(tensor: NDArray[Any], details: dict[str, Any]) -> NDArray[Any]:
    """A tensor as the numbers meant: one in int8 times the scale of its channel."""
    scales = details["quantization_parameters"]["scales"]
    if not len(scales):
        return tensor
    along = [1] * tensor.ndim
    along[details["quantization_parameters"]["quantized_dimension"]] = -1
    zeros = details["quantization_parameters"]["zero_points"]
    return np.asarray((tensor.astype(np.float32) - zeros.reshape(along)) * scales.reshape(along))


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
