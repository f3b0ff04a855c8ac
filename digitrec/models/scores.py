"""The arithmetic around a network: pixels to its input, its scores to probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Forward = Callable[[Floats], Floats]
"""A network: ink (N, 28, 28) to ten numbers each, (N, 10)."""
Stage = tuple[str, Floats]
"""A layer's name, and its feature maps, (H, W, C): what its C filters found, and where."""
SCALES = ("unit", "byte", "l2")
"""What a network may want its pixels to be; `scaled` says what each means."""


class Signature(NamedTuple):
    """What a tensor of a network looks like from outside."""

    shape: list[int]
    """Its sides; -1 for one of any length."""
    is_float: bool
    """Whether its numbers are float32."""


BATCH = 64
"""Digits in one pass: as many as the processor's cache holds."""
VIEWS = 4
"""From how many places `aside` looks at a picture."""


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


def evidence(chances: Floats) -> Floats:
    """Return the logit margin, (N, 10) probabilities to (N,): >= 0, high for a clear digit.

    The standard deviation of the ten scores behind them. A non-digit resembles no digit or several.
    """
    return np.asarray(_scores(chances).std(axis=1))


def _scores(chances: Floats) -> Floats:
    """Return the logits behind probabilities, up to a constant for each row."""
    return np.asarray(np.log(np.maximum(chances, 1e-30)))


def pooled(chances: Floats, starts: NDArray[np.intp]) -> Floats:
    """Several readings of each picture as one: (N, 10) probabilities to (M, 10), one row from each start on.

    Their geometric mean, made to sum to 1: the mean of the scores behind them. So what one reading excludes
    is excluded, and one that is undecided has little say.
    """
    counts = np.diff(starts, append=len(chances))[:, None]
    scores = np.add.reduceat(_scores(chances), starts) / counts
    return probabilities(np.asarray(scores, np.float32), "logits", 1.0)


def aside(ink: Floats) -> Floats:
    """Each picture moved by a pixel up, down, left and right: (N, 28, 28) to (4N, 28, 28)."""
    wide = np.pad(ink, ((0, 0), (1, 1), (1, 1)))
    size = ink.shape[1]
    views = [wide[:, y : y + size, x : x + size] for y, x in ((2, 1), (0, 1), (1, 2), (1, 0))]
    return np.stack(views, axis=1).reshape(-1, size, size)


def probabilities(answer: Floats, output: str, temperature: float) -> Floats:
    """Convert a network's answers, (N, 10), to rows that sum to 1; `ModelInput` describes the arguments."""
    if output == "softmax":
        if temperature == 1:
            return answer
        answer = _scores(answer)
    answer = answer / temperature
    powers = np.exp(answer - answer.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float32)
