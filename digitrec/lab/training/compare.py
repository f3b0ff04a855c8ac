"""Train the models of the zoo on the same digits, and compare them on the same test digits."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.benchmark import SIGNIFICANCE
from digitrec.comparison.benchmark.measures import Proportion, holm, mcnemar, proportion
from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import ModelError
from digitrec.lab.training.fit import fit
from digitrec.lab.training.run import FitConfig, given
from digitrec.lab.training.zoo import Architecture, find
from digitrec.models import store

QUICK_DIGITS, QUICK_TEST, QUICK_EPOCHS, QUICK_BATCH = 3000, 2000, 3, 32
"""The quick comparison: number of training digits, of test digits, of epochs, and of digits per step."""
TIMED = 500
"""Number of digits in the batch that measures the prediction time, after a first run."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One model of the comparison."""

    kind: Architecture
    """The architecture."""
    right: NDArray[np.bool_]
    """Which test digits the saved file reads correctly, (N,)."""
    training_s: float
    """Seconds of training."""
    prediction_s: float
    """Seconds for one digit, in a batch of `TIMED`."""
    size_bytes: int
    """Size of the model file."""
    file: Path
    """The model file, for `predict --model`."""

    @property
    def accuracy(self) -> Proportion:
        """Test digits read correctly."""
        return proportion(int(self.right.sum()), len(self.right))


def chosen(names: Sequence[str]) -> dict[str, Architecture]:
    """Return the architectures of `zoo.ZOO` by the given names.

    Raises:
        ModelError: there is no such architecture, or two have the same name.
    """
    kinds = {name: find(name) for name in names}
    if len({kind.name for kind in kinds.values()}) < len(names):
        raise ModelError("two models have the same name, and one would overwrite the other; give one of them")
    return kinds


def compare(
    names: Sequence[str],
    digits: Digits,
    test: Digits,
    folder: Path,
    *,
    sources: Mapping[str, int] | None = None,
    tested_on: str | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    seed: int = 0,
    on_progress: Callable[[str, float, str], object] = lambda *_: None,
) -> Iterator[Contestant]:
    """Train each architecture on the same digits, write it into `folder` and measure it, one at a time.

    Args:
        names: architectures of `zoo.ZOO`.
        digits: the training digits; networks hold out a tenth of them for early stopping.
        test: the test digits.
        folder: folder of the model files.
        sources, tested_on: the names of the digits in the model files, as for `given`.
        epochs: number of epochs; None: the architecture's default.
        batch: digits per step; None: the architecture's default.
        seed: decides the first weights and the order of the digits.
        on_progress: called with the name, the finished share of its training, 0..1, and a remark.

    Raises:
        NotInstalled: the extra `train` or `stats` is missing.
        ModelError: as for `chosen`.
    """
    what = given(digits, sources, test, tested_on)
    for name, kind in chosen(names).items():
        file = folder / f"{kind.name}{'.tflite' if kind.family == 'keras' else '.skops'}"
        # with this patience it trains to the end, because its learning rate falls
        config = FitConfig(name, epochs, batch, patience=10_000, seed=seed)
        result = fit(config, file, what, on_progress=partial(on_progress, kind.title))
        seconds, size = _seconds_per_digit(file, test), file.stat().st_size
        yield Contestant(kind, result.right, result.seconds, seconds, size, file)


def _seconds_per_digit(file: Path, test: Digits) -> float:
    model, images = store.load(file), test.images[:TIMED]
    model.probabilities(images)
    started = time.perf_counter()
    model.probabilities(images)
    return (time.perf_counter() - started) / len(images)


def ranked(contestants: Sequence[Contestant]) -> list[Contestant]:
    """Return the contestants sorted by accuracy, highest first."""
    return sorted(contestants, key=lambda one: -one.accuracy.hits)


def winner(contestants: Sequence[Contestant]) -> Contestant:
    """Return the fastest of `equals`."""
    return min(equals(contestants), key=lambda one: one.prediction_s)


def equals(contestants: Sequence[Contestant]) -> list[Contestant]:
    """Return the models that do not read significantly fewer digits than the best, the best first.

    This is McNemar's exact test, corrected by Holm's method, because all read the same digits.
    """
    best, *others = ranked(contestants)
    won = [((best.right & ~one.right).sum(), (one.right & ~best.right).sum()) for one in others]
    p_values = holm([mcnemar(int(one), int(other)) for one, other in won])
    return [best, *(one for one, p in zip(others, p_values, strict=True) if p >= SIGNIFICANCE)]
