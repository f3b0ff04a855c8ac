"""``digitrec train --folds`` and ``--find-lr``: what is tried before a model is trained in earnest."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitrec.commands.progress import quiet_bar
from digitrec.text import percent

if TYPE_CHECKING:
    from digitrec.datasets.mnist import Digits
    from digitrec.training.run import FitConfig
    from digitrec.training.zoo import Architecture


def check(kind: Architecture, options: Mapping[str, Any]) -> None:
    """Make sure that nothing is asked for besides.

    Raises:
        click.UsageError: something is, or the architecture is not for that.
    """
    others = [name for name in ("test", "limit_test", "start", "tensorboard") if options[name] is not None]
    if others or options["resume"] or (options["find_lr"] and options["folds"] is not None):
        raise click.UsageError(
            "--folds and --find-lr go without --test, --limit-test, --start, --tensorboard and --resume."
        )
    if options["find_lr"] and kind.family == "scikit-learn":
        raise click.UsageError(f"--find-lr is for networks; {kind.name} is none.")


def run(config: FitConfig, digits: Digits, folds: int | None, file: Path) -> None:
    """Test on each of the folds, or else find a rate; `file` is the model file that would be written."""
    if folds is None:
        find_rate(config, digits, file.with_name(f"{file.stem}-rates.png"))
    else:
        cross_validate(config, digits, folds)


def find_rate(config: FitConfig, digits: Digits, picture: Path) -> None:
    """Suggest a learning rate, and draw why."""
    from digitrec.plots.style import save
    from digitrec.plots.training import rates
    from digitrec.training.rates import find_rates
    from digitrec.training.zoo import find

    kind = find(config.arch)
    with quiet_bar("trying rates") as bar:
        bar.at(0.0, kind.name)
        found = find_rates(kind, config, digits)
    click.echo(
        f"--rate {found.suggested:g} (a tenth of the rate at which the loss of {kind.name} was lowest, with "
        f"{config.optimizer}); {kind.name} has {kind.learning_rate:g} unless told otherwise, for Adam\n"
        f"picture: {save(rates(found, kind.name), picture)}"
    )


def cross_validate(config: FitConfig, digits: Digits, folds: int) -> None:
    """Train and test once for each fold; no model is kept."""
    from digitrec.benchmark.measures import proportion
    from digitrec.training import folds as crossed

    with tempfile.TemporaryDirectory() as folder, quiet_bar("folds") as bar:
        models = crossed.cross_validate(
            config, digits, folds, Path(folder),
            lambda number, at: bar.at((number - 1 + at.done) / folds, f"{number} of {folds}"),
        )  # fmt: skip
        found = list(models)
    for fold in found:
        click.echo(f"fold {fold.number}: {percent(fold.correct / fold.count, 2)} of {fold.count:,}")
    correct, count = sum(fold.correct for fold in found), sum(fold.count for fold in found)
    every = proportion(correct, count)
    click.echo(
        f"mean: {percent(sum(fold.correct / fold.count for fold in found) / folds, 2)}; of all {count:,} "
        f"together, each tested once, {percent(every.share, 2)} (95 % interval {percent(every.low, 2)} to "
        f"{percent(every.high, 2)})\nno model is kept: train it on all of them without --folds"
    )
