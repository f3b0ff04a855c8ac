"""Cross-validation: every digit is tested once, by a model that has learned the other folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitrec.datasets.mnist import Digits
from digitrec.errors import DataError
from digitrec.training.fit import SUFFIXES, fit
from digitrec.training.run import FitConfig, Progress
from digitrec.training.zoo import find


@dataclass(frozen=True, slots=True)
class Fold:
    """How the digits of one fold were read by what learned the others."""

    number: int
    """1 is the first."""
    correct: int
    """Read rightly."""
    count: int
    """Digits in it, without those that are also in another fold."""


def cross_validate(
    config: FitConfig, digits: Digits, folds: int, folder: Path,
    on_progress: Callable[[int, Progress], object] | None = None,
) -> Iterator[Fold]:  # fmt: skip
    """Train and test once for each fold; each label is in every fold in its share.

    Args:
        config: what is trained; its seed also decides the folds.
        digits: those that are learned and tested.
        folds: how many, >= 2.
        folder: where the models go.
        on_progress: told the fold and how far its training is.

    Raises:
        DataError: there are fewer digits than folds, or `fit` has too few of them.
    """
    if len(digits) < folds:
        raise DataError(f"{len(digits)} digits cannot be parted into {folds} folds; give more")
    suffix = SUFFIXES[find(config.arch).family][0]
    place = _parted(digits.labels, folds, config.seed)
    for number in range(1, folds + 1):
        learned, test = (digits[np.flatnonzero(chosen)] for chosen in (place != number, place == number))

        def tell(progress: Progress, number: int = number) -> None:
            if on_progress is not None:
                on_progress(number, progress)

        done = fit(
            config, folder / f"fold-{number}{suffix}", digits=learned,
            sources={"the other folds": len(learned)}, test=test, tested_on=f"fold {number}",
            on_progress=tell,
        )  # fmt: skip
        yield Fold(number, done.test_correct, done.test_count)


def _parted(labels: NDArray[np.uint8], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each digit, from 1: those of one label are dealt out in turn."""
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    place = np.empty(len(labels), np.int64)
    place[order] = np.arange(len(labels)) % folds + 1
    return place
