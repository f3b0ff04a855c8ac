"""Define a network's input and output, the description in a model file, and the runtime of LiteRT files."""

import io
import json
import logging
import os
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Protocol, TypeVar

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from digitrec.errors import ModelError
from digitrec.errors.schemas import built

Floats = NDArray[np.float32]
Forward = Callable[[Floats], Floats]
"""A network: a function from ink, (N, 28, 28), to ten numbers for each picture, (N, 10)."""
Stage = tuple[str, Floats]
"""A layer's name and its feature maps, (H, W, C): where each of its C filters found its pattern."""
SCALES = ("unit", "byte", "signed", "l2")
"""The scales of a network's input; `scaled` defines each."""


BATCH = 64
"""Pictures in one pass: as many as fit into the processor's cache."""
VIEWS = 4
"""Number of shifted views that `aside` makes of a picture."""
DESCRIPTION = "digitrec.json"
"""Name of the member (in `.h5`, of the attribute) that holds a model file's description."""
SECOND = "in-form.tflite"
"""Name of the member that holds a `.tflite` file's second network, for pictures that come in MNIST's form."""
FOLDER = Path(__file__).parent / "weights"
"""Folder of the networks that the package contains."""
PROBE = FOLDER / "probe.npz"
"""Fifty of MNIST's test digits, five of each, with their labels."""
FITS = 0.85
"""Expected share, 0..1, of these digits, also shifted, that a model reads at the scale that it learned."""
Shape = Sequence[int | None]
_Read = TypeVar("_Read")
log = logging.getLogger(__name__)
Temperature = Annotated[float, Meta(ge=0.01, le=100)]


class Signature(NamedTuple):
    """Shape and type of a tensor."""

    shape: list[int]
    """The tensor's sides; -1 for a dynamic side."""
    is_float: bool
    """Whether the tensor's type is float32."""


def scaled(batch: NDArray[np.uint8], scale: str) -> Floats:
    """Scale pixels for a network: (N, 28, 28) uint8 to float32, by one of `SCALES`.

    "l2" is the same as `keras.utils.normalize(images, axis=1)`: each column is divided by its length.
    """
    if scale == "unit":
        return np.multiply(batch, 1 / 255, dtype=np.float32)
    if scale == "signed":
        return np.multiply(batch, 2 / 255, dtype=np.float32) - 1
    ink = batch.astype(np.float32)
    if scale == "byte":
        return ink
    length = np.linalg.norm(ink, axis=1, keepdims=True)
    return np.asarray(ink / np.where(length > 0, length, 1), dtype=np.float32)


def evidence(chances: Floats) -> Floats:
    """Return how clear each answer is: (N, 10) probabilities to (N,), >= 0, high for a clear digit.

    The measure is the standard deviation of the ten logits. It is low if the ink looks like no digit, or like
    several.
    """
    return np.asarray(logits(chances).std(axis=1))


def logits(chances: Floats) -> Floats:
    """Return the logits behind probabilities, up to a constant for each row."""
    return np.asarray(np.log(np.maximum(chances, 1e-30)))


def pooled(chances: Floats, starts: NDArray[np.intp]) -> Floats:
    """Combine several readings of each picture: (N, 10) probabilities to (M, 10).

    The result is the geometric mean of a picture's readings, scaled to the sum 1. So a digit that one reading
    excludes is excluded, and an undecided reading has little influence.

    Args:
        chances: the readings of all pictures, one after the other.
        starts: the row at which each picture's readings begin.
    """
    counts = np.diff(starts, append=len(chances))[:, None]
    scores = np.add.reduceat(logits(chances), starts) / counts
    return softmax(np.asarray(scores, np.float32))


def aside(ink: Floats) -> Floats:
    """Move each picture by a pixel up, down, left and right: (N, 28, 28) to (4N, 28, 28)."""
    wide = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    size = ink.shape[1]
    views = [wide[:, y : y + size, x : x + size] for y, x in ((2, 1), (0, 1), (1, 2), (1, 0))]
    return np.stack(views, axis=1).reshape(-1, size, size)


def probabilities(answer: Floats, output: str, temperature: float) -> Floats:
    """Convert a network's answers, (N, 10), to rows that sum to 1; `ModelInput` describes the arguments."""
    return softmax((logits(answer) if output == "softmax" else answer) / temperature)


def softmax(scores: Floats) -> Floats:
    """Return the chances that scores stand for; they sum to 1 along the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class ModelInput:
    """How to scale a network's input and read its output; the model file contains this."""

    form: Annotated[str, Meta(pattern="^mnist$")] = "mnist"
    """"mnist": 28x28, ink high, as `prepare` returns it."""
    scale: Annotated[str, Meta(pattern=f"^({'|'.join(SCALES)})$")] = "unit"
    """"unit": ink in 0..1; "byte": 0..255; "signed": -1..1; "l2": each column of pixels divided by its
    Euclidean length."""
    output: Annotated[str, Meta(pattern="^(softmax|logits)$")] = "softmax"
    """"softmax": the network returns probabilities; "logits": it returns scores without a softmax."""
    temperature: Temperature = 1.0
    """Scores are divided by this before the softmax, 0.01..100; above 1 makes answers less sure."""
    prepared: Temperature | None = None
    """The temperature for a picture that was converted to MNIST's form, 0.01..100; None: the same."""
    evidence: Annotated[float, Meta(ge=0)] = 0.0
    """A picture with less `evidence` is not clearly a digit, >= 0; 0: the network refuses nothing."""
    doubt: Annotated[float, Meta(ge=0, le=1)] = 0.0
    """A picture with a confidence below this, 0..1, is read again, slightly shifted; 0: never."""
    assumed: bool = False
    """True if the file names no `scale` and no scale lets the network read digits, so the usual one is
    used."""


def model_input(about: Mapping[str, Any], forward: Forward, path: Path, named: str | None) -> ModelInput:
    """Return the input that a file describes; else the named scale, or the scale that reads digits best.

    Log a warning if the network reads few digits even at that scale.
    """
    if not about:
        output = _kind_of_output(forward, path)
        scale, share = (named, 1.0) if named else _best_scale(forward, output)
        assumed = share <= 0.5
        scale = "unit" if assumed else scale
        if share < FITS:
            log.warning(
                "%s: reads only %.0f %% of MNIST's digits at any scale of the pixels, and is read at %s; if "
                "it learned at another, let the model itself scale them", path, 100 * share, scale,
            )  # fmt: skip
        return ModelInput(scale=scale, output=output, assumed=assumed)
    try:
        if about["format"] != 1:
            raise ValueError(f"format {about['format']}")
        msgspec.convert(about.get("card", {}), dict)
        found = msgspec.convert({**about["input"], **about}, built(ModelInput))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path}: its {DESCRIPTION} cannot be used ({error}); update digitrec, or export the model again"
        ) from error
    if named not in (None, found.scale):
        raise ModelError(f"{path}: says that its scale is {found.scale}, not {named}; leave the scale out")
    return found


def _kind_of_output(forward: Forward, path: Path) -> str:
    """Return whether the answers to a few plain images are probabilities ("softmax") or scores ("logits").

    Raises:
        ModelError: the answers are not finite, as after a training that diverged.
    """
    images = np.linspace(0, 1, 4 * 784, dtype=np.float32).reshape(4, 28, 28)
    answers = forward(images)
    if not np.isfinite(answers).all():
        raise ModelError(f"{path}: its answers are not finite numbers; train it again, with a lower rate")
    # Ten sigmoids, or a softmax in int8, do not sum to 1. Scores are also between 0 and 1 for dark pictures.
    answers = np.concatenate([answers, forward(images * 255)])
    return "logits" if ((answers < 0) | (answers > 1.001)).any() else "softmax"


def _best_scale(forward: Forward, output: str) -> tuple[str, float]:
    """Return the scale at which a network reads digits best, and their share, 0..1.

    So a network is read as it was trained, even if it scales the pixels itself, as by a `Rescaling` layer.
    The digits are also shown shifted, since a network may read all of them at two scales.
    """
    with np.load(PROBE) as probe:
        images = np.concatenate([probe["images"], aside(probe["images"])])
        labels = np.concatenate([probe["labels"], probe["labels"].repeat(VIEWS)])
    chances = {}
    for scale in SCALES:
        ink = scaled(images, scale)
        with suppress(ModelError), np.errstate(invalid="ignore"):  # it may fail on pixels it never saw
            answer, inner = forward(ink), ink.clip(0, 1)
            # Trees without a threshold above 1 never saw bytes, but read them nearly as well; so below 0.
            if np.array_equal(ink, inner) or not np.array_equal(answer, forward(inner)):
                chances[scale] = probabilities(answer, output, 1.0)
    fits = {scale: _fit(each, labels) for scale, each in chances.items() if np.isfinite(each).all()}
    best = max(fits, key=fits.__getitem__, default=None)
    if best is None:
        return "unit", 0.0
    share = float((chances[best].argmax(axis=1) == labels).mean())
    return best, share


def _fit(chances: Floats, labels: NDArray[np.uint8]) -> float:
    """Return the mean log chance, <= 0, of the right digits at the temperature that suits the answers best.

    Larger pixels only make a network surer; without the temperature, that would pay or cost.
    """
    tempered = (probabilities(chances, "softmax", 2.0 ** (power / 2)) for power in range(-6, 8))
    return max(float(logits(each)[np.arange(len(labels)), labels].mean()) for each in tempered)


def check_shapes(takes: Sequence[Shape], gives: Sequence[Shape], path: Path) -> None:
    """Make sure that a network has one input, of 28x28 pixels, and one output, of ten numbers.

    The first axis may be open (None or -1), or 1 for a network that takes one image at a time.

    Raises:
        ModelError: the network has other inputs or outputs; the message gives their shapes.
    """
    taken, given = ([_shape(shape) for shape in shapes] for shapes in (takes, gives))
    usual = [f"({n}, {rest})" for n in "N1" for rest in ("28, 28", "28, 28, 1", "784")]
    if len(taken) != 1 or taken[0] not in usual or given not in (["(N, 10)"], ["(1, 10)"]):
        has, answers = " and ".join(taken), " and ".join(given)
        raise ModelError(f"{path}: has input {has} and output {answers}, not (N, 28, 28, 1) and (N, 10)")


def _shape(sides: Shape) -> str:
    return "(" + ", ".join("N" if side in (None, -1) else str(side) for side in sides) + ")"


def shaped(ink: Floats, sides: Shape) -> list[Floats]:
    """Return pictures, (N, 28, 28), in the shape of a network's input, one by one if its first side is 1."""
    batch = ink.reshape(len(ink), *sides[1:])
    return np.split(batch, len(batch)) if sides[0] == 1 else [batch]


def description_in(content: bytes, path: Path) -> dict[str, Any]:
    """Return the description in the zip archive inside a model file; {} if the file has none.

    Raises:
        ModelError: the archive is damaged.
    """
    return _member(content, path, DESCRIPTION, lambda text: dict(json.loads(text))) or {}


def second_in(content: bytes, path: Path) -> "LiteRt | None":
    """Return the second network inside a model file; None if the file has none.

    Raises:
        ModelError: the archive or the network is damaged.
    """
    return _member(content, path, SECOND, lambda inner: LiteRt(inner, path))


def _member(content: bytes, path: Path, name: str, read: Callable[[bytes], _Read]) -> _Read | None:
    """Return a member of the zip archive inside a model file, as `read` returns it; None: there is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(name) as member:
            return read(member.read(len(content)))  # a packed member could unpack to gigabytes
    except Exception as error:  # zipfile and zlib raise any class of error for damaged bytes
        if name.encode() in content:
            raise ModelError(f"{path}: its {name} is damaged; export the model again") from error
        return None


def described(model: bytes, about: dict[str, Any], second: "LiteRt | None" = None) -> bytes:
    """Return the content of a `.tflite`, `.keras` or `.skops` file with its description added.

    ``second``: a second network, which is added too.
    """
    file = io.BytesIO(model)
    members: dict[str, str | bytes] = {DESCRIPTION: json.dumps(about, indent=1)}
    if second is not None:
        members[SECOND] = second.as_litert()
    with zipfile.ZipFile(file, "a") as archive:
        for name, content in members.items():  # dated 1980, so that the same model gives the same bytes
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


class Runner(Protocol):
    """A runtime for one LiteRT file; several threads may use it at once."""

    takes: list[Signature]
    gives: list[Signature]

    def run(self, *inputs: Floats) -> list[Floats]:
        """Return the outputs for inputs of the file's shapes; sides with -1 may have any length."""


def runner(content: bytes, tensors: Sequence[int] = (), threads: int = 1) -> Runner:
    """Return the runtime of a LiteRT file: LiteRT, or NumPy on a machine without LiteRT.

    Args:
        content: the file.
        tensors: the numbers of the tensors to return, of any layer; empty: the file's outputs.
        threads: how many threads LiteRT uses for one input; several pay off for a large input.

    Raises:
        ValueError, RuntimeError: the file is damaged, or cannot be run here.
    """
    try:
        return _Interpreter(content, tensors, threads)
    except ImportError:
        from digitrec.models.graph import Graph

        return Graph(content, tensors)


class _Interpreter:
    """LiteRT's own interpreter; threads take turns.

    A forked process starts its own on first use, because another thread may have been in a run at the fork.
    It keeps its parent's alive: destroying that one would wait for threads that the fork did not copy.
    """

    def __init__(self, content: bytes, tensors: Sequence[int], threads: int) -> None:
        from ai_edge_litert import interpreter

        kinds = interpreter.OpResolverType
        self._new = partial(
            interpreter.Interpreter,
            model_content=content,
            num_threads=threads,
            experimental_preserve_all_tensors=bool(tensors),  # else a delegate hides its tensors
            experimental_op_resolver_type=kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES if tensors else kinds.AUTO,
        )
        self._locks: dict[int, threading.Lock] = {}
        self._started: dict[int, tuple[Any, dict[int, tuple[int, ...]]]] = {}
        first, _ = self._own()
        takes, gives = first.get_input_details(), first.get_output_details()
        self.takes, self.gives = list(map(_signature, takes)), list(map(_signature, gives))
        self._tensors = tensors or [one["index"] for one in gives]

    def _own(self) -> tuple[Any, dict[int, tuple[int, ...]]]:
        """Return this process's interpreter and the shapes of its inputs."""
        process = os.getpid()
        if process not in self._started:
            made = self._new()
            made.allocate_tensors()  # the first prints to stderr: docs/library.md
            shapes = {one["index"]: tuple(one["shape"].tolist()) for one in made.get_input_details()}
            self._started[process] = made, shapes
        return self._started[process]

    def run(self, *inputs: Floats) -> list[Floats]:
        with self._locks.setdefault(os.getpid(), threading.Lock()):
            interpreter, known = self._own()
            shapes = {place: one.shape for place, one in zip(known, inputs, strict=True)}
            if shapes != known:
                known.update(shapes)
                for place, shape in shapes.items():
                    interpreter.resize_tensor_input(place, shape)
                interpreter.allocate_tensors()
            for place, one in zip(shapes, inputs, strict=True):
                interpreter.set_tensor(place, one)
            interpreter.invoke()
            return [interpreter.get_tensor(place) for place in self._tensors]


def _signature(tensor: dict[str, Any]) -> Signature:
    return Signature(tensor["shape_signature"].tolist(), tensor["dtype"] == np.float32)


class LiteRt:
    """The network in a LiteRT file, as a function from (N, 28, 28) ink to (N, 10)."""

    def __init__(self, content: bytes, path: Path) -> None:
        self._content = content
        try:
            self._runner = runner(content)
        except ImportError:
            raise
        except Exception as error:  # without LiteRT, damaged bytes raise any class of error
            raise ModelError(f"{path}: not a LiteRT model, or a damaged one; give another file") from error
        takes, gives = self._runner.takes, self._runner.gives
        check_shapes([one.shape for one in takes], [one.shape for one in gives], path)
        if not (takes[0].is_float and gives[0].is_float):
            raise ModelError(f"{path}: its input or output is quantised; export it with both in float32")
        self._sides = takes[0].shape

    def __call__(self, ink: Floats) -> Floats:
        return np.concatenate([self._runner.run(batch)[0] for batch in shaped(ink, self._sides)])

    def as_litert(self) -> bytes:
        """Return the file's content."""
        return self._content
