"""LiteRT's model files, the form of our own network."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from digitrec.errors import ModelError
from digitrec.models.description import DESCRIPTION, check_shapes
from digitrec.models.scores import Floats, Signature


def load(content: bytes, path: Path) -> tuple[dict[str, Any], LiteRt]:
    """Load the description ({} if missing) and the network of a `.tflite` file.

    Raises:
        ModelError: it is damaged, or no network from 28x28 pixels to ten numbers in float32.
    """
    return description_in(content, path), LiteRt(content, path)


def description_in(content: bytes, path: Path) -> dict[str, Any]:
    """Return the description in the zip archive at the end of a `.tflite` file; {} when there is none.

    Raises:
        ModelError: it is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return dict(json.loads(archive.read(DESCRIPTION)))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        if DESCRIPTION.encode() in content:
            raise ModelError(f"{path}: its {DESCRIPTION} is damaged; export the model again") from error
        return {}


class Runner(Protocol):
    """A LiteRT file that can be run; several threads may use it at once."""

    takes: list[Signature]
    gives: list[Signature]

    def run(self, values: Floats) -> list[Floats]:
        """Return the outputs for one input of the file's shape, with any length where that has -1."""
        ...


def runner(content: bytes) -> Runner:
    """Return the runtime of a LiteRT file: LiteRT, or NumPy on a machine without LiteRT.

    Raises:
        ValueError, RuntimeError: the file is damaged, or holds what cannot be run here.
    """
    try:
        return _Interpreter(content)
    except ImportError:
        from digitrec.models.plain import Graph

        return Graph(content)


class _Interpreter:
    """LiteRT's own interpreter; threads take turns."""

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()  # the first in a process greets on stderr: docs/library.md
        takes, gives = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self.takes, self.gives = list(map(_signature, takes)), list(map(_signature, gives))
        self._input, self._outputs = takes[0]["index"], [one["index"] for one in gives]
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
            return [self._interpreter.get_tensor(place) for place in self._outputs]


def _signature(tensor: dict[str, Any]) -> Signature:
    return Signature(tensor["shape_signature"].tolist(), tensor["dtype"] == np.float32)


class Work:
    """The network in a LiteRT file, for any number of 28x28 pictures."""

    def __init__(self, content: bytes) -> None:
        self._runner = runner(content)
        self.takes, self.gives = self._runner.takes, self._runner.gives
        self._sides = self.takes[0].shape[1:]
        self._one_by_one = self.takes[0].shape[0] == 1

    def __call__(self, ink: Floats) -> list[Floats]:
        """(N, 28, 28) ink to the file's results, (N, ...) each."""
        batches = np.split(ink, len(ink)) if self._one_by_one else [ink]
        results = [self._runner.run(batch.reshape(len(batch), *self._sides)) for batch in batches]
        return [np.concatenate(parts) for parts in zip(*results, strict=True)]


class LiteRt:
    """The network in a LiteRT file, as a function from (N, 28, 28) ink to (N, 10)."""

    def __init__(self, content: bytes, path: Path) -> None:
        self._content = content
        try:
            self._work = Work(content)
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{path}: not a LiteRT model, or a damaged one; give another file") from error
        takes, gives = self._work.takes, self._work.gives
        check_shapes([one.shape for one in takes], [one.shape for one in gives], path)
        if not (takes[0].is_float and gives[0].is_float):
            raise ModelError(f"{path}: its input or output is quantised; export it with both in float32")

    def __call__(self, ink: Floats) -> Floats:
        return self._work(ink)[0]

    def as_litert(self) -> bytes:
        """Return the file's content."""
        return self._content
