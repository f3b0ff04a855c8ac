"""Model files: load one and ask it for ten probabilities.

`digitrec predict` waits for this file, so it imports nothing heavy: NumPy and LiteRT, and Keras or
scikit-learn only for a file of theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitrec.errors import ModelError
from digitrec.errors.arguments import said
from digitrec.models import network
from digitrec.models.network import BATCH, SCALES, VIEWS, Floats, Forward, ModelInput

if TYPE_CHECKING:
    from digitrec.models.inside import Inside

SHIPPED = Path(__file__).parent / "weights" / "digitrec-cnn.tflite"
"""The model inside the package."""


@dataclass(frozen=True, eq=False)
class Model:
    """A network loaded from a file; several threads may use it at once."""

    name: str
    """What the file calls it, else the file's name without its ending."""
    version: str
    """The name and the first 12 hex digits of the file's SHA-256."""
    input: ModelInput
    """How pixels are given to it, and how its answer is read."""
    card: Mapping[str, Any] = field(repr=False)
    """What the file says of its training; empty for a foreign one."""
    forward: Forward = field(repr=False)
    """The network itself."""

    def probabilities(
        self, batch: NDArray[np.uint8], prepared: Sequence[bool] | NDArray[np.bool_] = ()
    ) -> Floats:
        """Return the chance of each digit: (N, 28, 28) uint8, ink high, to (N, 10) float32; rows sum to 1.

        Read a picture again, moved by a pixel to each side, if the network is less sure than its `doubt`;
        average the five readings.

        Args:
            batch: the pictures.
            prepared: (N,), which of them were converted to that form; empty: none of them.

        Raises:
            ValueError: an array of any other shape or type.
        """
        if batch.dtype != np.uint8 or batch.shape[1:] != (28, 28):
            raise ValueError(
                f"a batch must be uint8 of shape (N, 28, 28), got {batch.dtype} of {batch.shape}"
            )
        ink, rows = network.scaled(batch, self.input.scale), np.zeros(len(batch), np.bool_)
        if len(prepared):
            rows[:] = prepared
        chances = self._chances(ink, rows)
        doubted = chances.max(axis=1) < self.input.doubt
        if doubted.any():
            views = network.aside(ink[doubted])
            again = self._chances(views, rows[doubted].repeat(VIEWS)).reshape(-1, VIEWS, 10)
            all_five = np.concatenate([chances[doubted][:, None], again], axis=1).reshape(-1, 10)
            chances[doubted] = network.pooled(all_five, np.arange(0, len(all_five), VIEWS + 1))
        return chances

    def _chances(self, ink: Floats, prepared: NDArray[np.bool_]) -> Floats:
        """Return the chance of each digit in one pass: (N, 28, 28), scaled, to (N, 10)."""
        answer = np.empty((len(ink), 10), np.float32)
        for start in range(0, len(ink), BATCH):
            answer[start : start + BATCH] = self.forward(ink[start : start + BATCH])
        kind = self.input.output
        chances = network.probabilities(answer, kind, self.input.temperature)
        if self.input.prepared is not None and prepared.any():
            chances[prepared] = network.probabilities(answer[prepared], kind, self.input.prepared)
        return chances

    @cached_property
    def inside(self) -> Inside:
        """The network's layers; nothing to see in a `.skops` file or in Keras layers that LiteRT lacks."""
        from digitrec.models.inside import Inside  # few callers look inside

        content = self.forward.as_litert() if hasattr(self.forward, "as_litert") else None
        return Inside(content, self.input.scale)

    def recognises(self, chances: Floats, share: float | NDArray[np.float64] = 1.0) -> NDArray[np.bool_]:
        """Which of its probabilities, (N, 10), speak clearly enough for any digit: (N,).

        Args:
            chances: as `probabilities` gives them.
            share: of the evidence that is asked for otherwise, for all or (N,).
        """
        return np.asarray(network.evidence(chances) >= self.input.evidence * share)


def load(path: Path | None = None, *, scale: str | None = None) -> Model:
    """Read a model file; None: the shipped model.

    Args:
        path: `.tflite`; `.keras` or `.h5`, with the extra `train`; `.skops`, with the extra `stats`.
        scale: one of `SCALES`, for a file that does not say how its pixels are to be scaled; None: "unit".

    Raises:
        ModelError: the file does not exist, is not a model from 28x28 pixels to ten numbers, or says
            itself that its pixels are scaled otherwise.
        NotInstalled: a file of Keras' or scikit-learn's own without that extra.
        ValueError: the scale is unknown.
    """
    if scale not in (None, *SCALES):
        raise ValueError(f"scale must be one of {', '.join(SCALES)}, got {said(scale)}")
    path = SHIPPED if path is None else path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); name a model file") from error
    about, forward = _network(content, path)
    name = str(about.get("name", path.stem))
    version = f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    its_input = network.model_input(about, forward, path, scale)
    return Model(name, version, its_input, about.get("card", {}), forward)


def _network(content: bytes, path: Path) -> tuple[dict[str, Any], Forward]:
    """Load the file's description and network with the library that wrote it."""
    if path.suffix == ".tflite":
        return network.load_litert(content, path)
    from digitrec.models import foreign

    if path.suffix in (".keras", ".h5"):
        return foreign.load_keras(content, path)
    if path.suffix == ".skops":
        return foreign.load_skops(content, path)
    raise ModelError(f"{path}: a model file must end in .tflite, .keras, .h5 or .skops")
