"""``digitrec train --folds``: cross-validation."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitrec.commands.progress import quiet_bar
from digitrec.errors.text import percent

if TYPE_CHECKING:
    from digitrec.comparison.datasets.mnist import Digits
    from digitrec.lab.training.run import FitConfig


def check(options: Mapping[str, Any]) -> None:
    """Reject options that have no meaning for --folds.

    Raises:
        click.UsageError: there is one.
    """
    others = [name for name in ("test", "limit_test", "start") if options[name] is not None]
    if others or options["resume"]:
        raise click.UsageError("--folds: leave out --test, --limit-test, --start and --resume.")


def cross_validate(config: FitConfig, digits: Digits, folds: int) -> None:
    """Train and test once for each fold; no model is kept."""
    from digitrec.comparison.benchmark.measures import proportion
    from digitrec.lab.training import folds as crossed

    with tempfile.TemporaryDirectory() as folder, quiet_bar("folds") as bar:
        models = crossed.cross_validate(
            config, digits, folds, Path(folder),
            lambda number, at: bar.at((number - 1 + at.done) / folds, f"{number} of {folds}"),
        )  # fmt: skip
        found = list(models)
    shares = [fold.test_correct / fold.test_count for fold in found]
    for number, fold in enumerate(found, 1):
        click.echo(f"fold {number}: {percent(shares[number - 1], 2)} of {fold.test_count:,}")
    correct, count = sum(fold.test_correct for fold in found), sum(fold.test_count for fold in found)
    every = proportion(correct, count)
    click.echo(
        f"mean: {percent(sum(shares) / folds, 2)}; of all {count:,} "
        f"together, each tested once, {percent(every.share, 2)} (95 % interval {percent(every.low, 2)} to "
        f"{percent(every.high, 2)})\nno model is kept: train it on all of them without --folds"
    )
