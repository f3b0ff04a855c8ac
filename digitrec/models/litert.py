"""LiteRT's model files, the form of our own network."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.errors import ModelError
from digitrec.models.description import DESCRIPTION, check_shapes
from digitrec.models.scores import Floats


def load(content: bytes, path: Path) -> tuple[dict[str, Any], LiteRt]:
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

    def as_litert(self) -> bytes:
        """Return the file's content."""
        return self._content


def _signatures(tensors: list[dict[str, Any]]) -> list[list[int]]:
    return [tensor["shape_signature"].tolist() for tensor in tensors]
