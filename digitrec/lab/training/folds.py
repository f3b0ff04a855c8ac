"""Cross-validation: every digit is tested once, by a model that has learned the other folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import DataError
from digitrec.lab.training.fit import SUFFIXES, FitResult, fit
from digitrec.lab.training.run import FitConfig, Progress
from digitrec.lab.training.zoo import find
from digitrec.providers.base import not_installed

try:
    from sklearn.model_selection import StratifiedKFold
except ImportError as error:
    raise not_installed("Cross-validation", "stats") from error


def cross_validate(
    config: FitConfig, digits: Digits, folds: int, folder: Path,
    on_progress: Callable[[int, Progress], object],
) -> Iterator[FitResult]:  # fmt: skip
    """Train and test once for each fold; each label is in every fold in its share.

    Args:
        config: what is trained; its seed also decides the folds.
        digits: those that are learned and tested.
        folds: how many, >= 2.
        folder: where the models go.
        on_progress: called with the fold, from 1, and its progress.

    Raises:
        DataError: there are fewer digits than folds, or `fit` has too few of them.
    """
    suffix = SUFFIXES[find(config.arch).family][0]
    splitter = StratifiedKFold(folds, shuffle=True, random_state=config.seed)
    try:
        parts = list(splitter.split(digits.images, digits.labels))
    except ValueError as error:
        raise DataError(f"{len(digits)} digits cannot be split into {folds} folds; give more") from error
    for number, (learned, test) in enumerate(parts, 1):
        yield fit(
            config, folder / f"fold-{number}{suffix}", digits=digits[learned],
            sources={"the other folds": len(learned)}, test=digits[test], tested_on=f"fold {number}",
            on_progress=partial(on_progress, number),
        )  # fmt: skip
