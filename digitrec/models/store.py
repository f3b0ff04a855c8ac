"""Model files: load one and ask it for ten probabilities. LiteRT is imported here and nowhere else.

`digitrec predict` waits for this file, so it imports nothing heavy: NumPy and LiteRT, and Keras only for a
file of Keras' own.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.arguments import said
from digitrec.errors import ModelError

Floats = NDArray[np.float32]
Forward = Callable[[Floats], Floats]
Shape = Sequence[int | None]

SHIPPED = Path(__file__).parent / "weights" / "digitrec-cnn.tflite"
"""The model inside the package."""
DESCRIPTION = "digitrec.json"
"""Name of the member (in `.h5`, of the attribute) in which a model file describes itself."""
SURE = 0.95
"""An answer of at least this confidence is a sure one."""
BATCH = 64
"""Digits in one pass: as many as the processor's cache holds."""

SCALES = ("unit", "byte", "l2")
"""What a network may want its pixels to be; `scaled` says what each means."""


@dataclass(frozen=True, slots=True)
class ModelInput:
    """How pixels are put before a network and how its answer is read; the model file says it."""

    form: str = "mnist"
    """"mnist": 28x28, ink high, as `prepare` makes it."""
    scale: str = "unit"
    """"unit": ink in 0..1; "byte": 0..255; "l2": each column of pixels divided by its Euclidean length."""
    output: str = "softmax"
    """"softmax": the network answers with probabilities; "logits": with scores, softmax still to be taken."""
    temperature: float = 1.0
    """Scores are divided by it before the softmax, > 0; above 1 it makes answers less sure."""
    prepared: float | None = None
    """The temperature instead for a picture that was brought into that form, > 0; None: the same."""
    evidence: float = 0.0
    """A picture whose `evidence` is less is not clearly a digit, >= 0; 0: the network does not judge that."""
    assumed: bool = False
    """True for a file that says nothing: `scale` is then the custom, `output` seen from its answers."""


class Model:
    """A network loaded from a file; several threads may use it at once."""

    def __init__(
        self, name: str, version: str, model_input: ModelInput, card: Mapping[str, Any], forward: Forward
    ) -> None:
        self.name = name
        self.version = version
        """The name and the first 12 hex digits of the file's SHA-256."""
        self.input = model_input
        self.card = card
        """What the file says of its training; empty for a foreign one."""
        self._forward = forward

    def __repr__(self) -> str:
        return f"Model({self.version!r}, {self.input})"

    def probabilities(
        self, batch: NDArray[np.uint8], prepared: Sequence[bool] | NDArray[np.bool_] = ()
    ) -> Floats:
        """The chance of each digit: (N, 28, 28) uint8, ink high, to (N, 10) float32, rows summing to 1.

        Args:
            batch: the pictures.
            prepared: (N,), which of them were brought into that form from another; empty: none.

        Raises:
            ValueError: an array of any other shape or type.
        """
        if batch.dtype != np.uint8 or batch.shape[1:] != (28, 28):
            raise ValueError(f"a batch is uint8 of shape (N, 28, 28), not {batch.dtype} of {batch.shape}")
        ink = scaled(batch, self.input.scale)
        answer = np.empty((len(batch), 10), np.float32)
        for start in range(0, len(batch), BATCH):
            answer[start : start + BATCH] = self._forward(ink[start : start + BATCH])
        chances = _probabilities(answer, self.input)
        if self.input.prepared is not None and any(prepared):
            rows, other = np.asarray(prepared, np.bool_), replace(self.input, temperature=self.input.prepared)
            chances[rows] = _probabilities(answer[rows], other)
        return chances

    def recognises(self, chances: Floats) -> NDArray[np.bool_]:
        """Which of its probabilities, (N, 10), speak clearly enough for any digit: (N,)."""
        return np.asarray(evidence(chances) >= self.input.evidence)


def evidence(chances: Floats) -> Floats:
    """How far a network tells the digits apart, (N, 10) probabilities to (N,): >= 0, high for a clear digit.

    The standard deviation of the ten scores behind them. What is no digit resembles none or several.
    """
    return np.asarray(_scores(chances).std(axis=1))


def _scores(chances: Floats) -> Floats:
    """The scores behind probabilities, up to a constant for each row."""
    return np.asarray(np.log(np.maximum(chances, 1e-30)))


def pooled(chances: Floats, starts: NDArray[np.intp]) -> Floats:
    """Several readings of each picture as one: (N, 10) probabilities to (M, 10), one row from each start on.

    Their geometric mean, made to sum to 1: the mean of the scores behind them. So what one reading excludes
    is excluded, and one that is undecided has little say.
    """
    counts = np.diff(starts, append=len(chances))[:, None]
    scores = np.add.reduceat(_scores(chances), starts) / counts
    return _probabilities(np.asarray(scores, np.float32), ModelInput(output="logits"))


def scaled(batch: NDArray[np.uint8], scale: str) -> Floats:
    """Pixels as a network wants them: (N, 28, 28) uint8 to float32, by one of `SCALES`.

    "l2" is what `keras.utils.normalize(images, axis=1)` gives: over the rows, so for each column its own.
    """
    if scale == "unit":
        return np.multiply(batch, 1 / 255, dtype=np.float32)
    ink = batch.astype(np.float32)
    if scale == "byte":
        return ink
    length = np.linalg.norm(ink, axis=1, keepdims=True)
    return np.asarray(ink / np.where(length > 0, length, 1), dtype=np.float32)


def load(path: Path | None = None, *, scale: str | None = None) -> Model:
    """Read a model file; None: the shipped model.

    Args:
        path: `.tflite`; `.keras` or `.h5`, with the extra `train`; `.skops`, with the extra `stats`.
        scale: one of `SCALES`, for a file that does not say how its pixels are to be scaled; None: "unit".

    Raises:
        ModelError: there is no such file, or it is no model from 28x28 pixels to ten numbers, or it says
            itself that its pixels are scaled otherwise.
        NotInstalled: a file of Keras' or scikit-learn's own without that extra.
        ValueError: there is no such scale.
    """
    if scale not in (None, *SCALES):
        raise ValueError(f"scale is one of {', '.join(SCALES)}, not {said(scale)}")
    path = SHIPPED if path is None else path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); name a model file") from error
    about: Mapping[str, Any]
    forward: Forward
    if path.suffix == ".tflite":
        about, forward = _appended(content, path), _LiteRt(content, path)
    elif path.suffix in (".keras", ".h5"):
        from digitrec.models import kerasfile

        about, forward = kerasfile.load(path)
    elif path.suffix == ".skops":
        from digitrec.models import classics

        about, forward = classics.load(content, path)
    else:
        raise ModelError(f"{path}: a model file ends in .tflite, .keras, .h5 or .skops")
    name = str(about.get("name", path.stem))
    version = f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    return Model(name, version, _model_input(about, forward, path, scale), about.get("card", {}), forward)


def check_shapes(takes: Sequence[Shape], gives: Sequence[Shape], path: Path) -> None:
    """Make sure that a network has one input, of 28x28 pixels, and one output, of ten numbers.

    The first axis may be open (None or -1), or 1 for a network that takes one image at a time.

    Raises:
        ModelError: it has others; the message names them.
    """
    taken, given = ([_shape(shape) for shape in shapes] for shapes in (takes, gives))
    usual = [f"({n}, {rest})" for n in "N1" for rest in ("28, 28", "28, 28, 1", "784")]
    if len(taken) != 1 or taken[0] not in usual or given not in (["(N, 10)"], ["(1, 10)"]):
        has, answers = " and ".join(taken), " and ".join(given)
        raise ModelError(f"{path}: takes {has} and gives {answers}, not (N, 28, 28, 1) and (N, 10)")


def _shape(sides: Shape) -> str:
    return "(" + ", ".join("N" if side in (None, -1) else str(side) for side in sides) + ")"


def _model_input(about: Mapping[str, Any], forward: Forward, path: Path, named: str | None) -> ModelInput:
    """The input that a file describes; for a file that does not, the one that was named, or the usual."""
    if not about:
        return ModelInput(scale=named or "unit", output=_kind_of_output(forward), assumed=named is None)
    try:
        form, scale = about["input"]["form"], about["input"]["scale"]
        output, temperature = about["output"], float(about["temperature"])
        least = float(about.get("evidence", 0))
        prepared = float(about.get("prepared", temperature))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: its {DESCRIPTION} is damaged; export the model again") from error
    known = form == "mnist" and scale in SCALES and output in ("softmax", "logits")
    if about.get("format") != 1 or not known or not (temperature > 0 and prepared > 0):
        raise ModelError(f"{path}: its {DESCRIPTION} asks for something unknown; update digitrec")
    if named not in (None, scale):
        raise ModelError(f"{path}: says itself that its scale is {scale}, not {named}; leave the scale out")
    return ModelInput(form, scale, output, temperature, prepared, least)


def _kind_of_output(forward: Forward) -> str:
    """Whether answers to a few plain images are probabilities ("softmax") or scores ("logits")."""
    answers = forward(np.linspace(0, 1, 4 * 784, dtype=np.float32).reshape(4, 28, 28))
    sums_to_one = np.allclose(answers.sum(axis=1), 1, atol=1e-3)
    return "softmax" if sums_to_one and (answers >= 0).all() else "logits"


def _probabilities(answer: Floats, said: ModelInput) -> Floats:
    """Rows that sum to 1, at the model's temperature."""
    if said.output == "softmax":
        if said.temperature == 1:
            return answer
        answer = _scores(answer)
    answer = answer / said.temperature
    powers = np.exp(answer - answer.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)


def _appended(content: bytes, path: Path) -> dict[str, Any]:
    """The description in the zip archive at the end of a `.tflite` file; {} when there is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return dict(json.loads(archive.read(DESCRIPTION)))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        if DESCRIPTION.encode() in content:
            raise ModelError(f"{path}: its {DESCRIPTION} is damaged; export the model again") from error
        return {}


class _LiteRt:
    """The network in a LiteRT file, as a function from (N, 28, 28) ink to (N, 10)."""

    def __init__(self, content: bytes, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

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


def _signatures(tensors: list[dict[str, Any]]) -> list[list[int]]:
    return [tensor["shape_signature"].tolist() for tensor in tensors]
