"""Cross-validation: every digit is tested once, by a model that has learned the other folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitrec.comparison.datasets.mnist import Digits
from digitrec.errors import DataError, NotInstalled, install_hint
from digitrec.lab.training.fit import SUFFIXES, fit
from digitrec.lab.training.run import FitConfig, Progress
from digitrec.lab.training.zoo import find


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
    suffix = SUFFIXES[find(config.arch).family][0]
    splitter = _stratified(folds, shuffle=True, random_state=config.seed)
    try:
        parts = list(splitter.split(digits.images, digits.labels))
    except ValueError as error:
        raise DataError(f"{len(digits)} digits cannot be split into {folds} folds; give more") from error
    for number, (learned, test) in enumerate(((digits[a], digits[b]) for a, b in parts), 1):

        def tell(progress: Progress, number: int = number) -> None:
            if on_progress is not None:
                on_progress(number, progress)

        done = fit(
            config, folder / f"fold-{number}{suffix}", digits=learned,
            sources={"the other folds": len(learned)}, test=test, tested_on=f"fold {number}",
            on_progress=tell,
        )  # fmt: skip
        yield Fold(number, done.test_correct, done.test_count)


def _stratified(*args: Any, **how: Any) -> Any:
    """Return scikit-learn's splitter that keeps each label's share.

    Raises:
        NotInstalled: the `stats` extra is missing.
    """
    try:
        from sklearn.model_selection import StratifiedKFold
    except ImportError as error:
        raise NotInstalled(f"cross-validation needs scikit-learn: {install_hint('stats')}") from error
    return StratifiedKFold(*args, **how)
