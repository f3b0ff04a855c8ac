"""LiteRT's model files, the form of our own network."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from digitrec.errors import ModelError
from digitrec.models.network import Floats, Signature, check_shapes, description_in


def load(content: bytes, path: Path) -> tuple[dict[str, Any], LiteRt]:
    """Load the description ({} if missing) and the network of a `.tflite` file.

    Raises:
        ModelError: it is damaged, or no network from 28x28 pixels to ten numbers in float32.
    """
    return description_in(content, path), LiteRt(content, path)


class Runner(Protocol):
    """A LiteRT file that can be run; several threads may use it at once."""

    takes: list[Signature]
    gives: list[Signature]

    def run(self, values: Floats) -> list[Floats]:
        """Return the outputs for one input of the file's shape, with any length where that has -1."""
        ...


def runner(content: bytes, tensors: Sequence[int] = (), threads: int = 1) -> Runner:
    """Return the runtime of a LiteRT file: LiteRT, or NumPy on a machine without LiteRT.

    Args:
        content: the file.
        tensors: the tensors to return, also from between the layers; empty: the file's outputs.
        threads: how many LiteRT uses for one input; more pay off for a large one.

    Raises:
        ValueError, RuntimeError: the file is damaged, or holds what cannot be run here.
    """
    try:
        return _Interpreter(content, tensors, threads)
    except ImportError:
        from digitrec.models.graph import Graph

        return Graph(content, tensors)


class _Interpreter:
    """LiteRT's own interpreter; threads take turns."""

    def __init__(self, content: bytes, tensors: Sequence[int], threads: int) -> None:
        from ai_edge_litert import interpreter

        kinds = interpreter.OpResolverType
        self._interpreter = interpreter.Interpreter(
            model_content=content,
            num_threads=threads,
            experimental_preserve_all_tensors=bool(tensors),  # a delegate would hide those of its layers
            experimental_op_resolver_type=kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES if tensors else kinds.AUTO,
        )
        self._interpreter.allocate_tensors()  # the first in a process greets on stderr: docs/library.md
        takes, gives = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self.takes, self.gives = list(map(_signature, takes)), list(map(_signature, gives))
        self._input, self._tensors = takes[0]["index"], tensors or [one["index"] for one in gives]
        self._shape = tuple(takes[0]["shape"].tolist())
        self._lock = threading.Lock()

    def run(self, values: Floats) -> list[Floats]:
        with self._lock:
            if values.shape != self._shape:
                self._shape = values.shape
                self._interpreter.resize_tensor_input(self._input, values.shape)
                self._interpreter.allocate_tensors()
            self._interpreter.set_tensor(self._input, values)
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(place) for place in self._tensors]


def _signature(tensor: dict[str, Any]) -> Signature:
    return Signature(tensor["shape_signature"].tolist(), tensor["dtype"] == np.float32)


class LiteRt:
    """The network in a LiteRT file, as a function from (N, 28, 28) ink to (N, 10)."""

    def __init__(self, content: bytes, path: Path) -> None:
        self._content = content
        try:
            self._runner = runner(content)
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path}: not a LiteRT model, or a damaged one; give another file") from error
        takes, gives = self._runner.takes, self._runner.gives
        check_shapes([one.shape for one in takes], [one.shape for one in gives], path)
        if not (takes[0].is_float and gives[0].is_float):
            raise ModelError(f"{path}: its input or output is quantised; export it with both in float32")
        self._batch, *self._sides = takes[0].shape

    def __call__(self, ink: Floats) -> Floats:
        batches = np.split(ink, len(ink)) if self._batch == 1 else [ink]
        shaped = (batch.reshape(len(batch), *self._sides) for batch in batches)
        return np.concatenate([self._runner.run(batch)[0] for batch in shaped])

    def as_litert(self) -> bytes:
        """Return the file's content."""
        return self._content
