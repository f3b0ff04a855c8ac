"""``digitrec tune``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from digitrec.commands import options
from digitrec.commands.progress import quiet_bar
from digitrec.errors.text import percent

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@click.command(context_settings={"show_default": True})
@options.whole("--trials", "Trials to run now.", default=20)
@options.whole("--epochs", "Epochs of each trial.", default=4, metavar=None)
@options.sources("--data", help="As for `digitrec explore`.", default="mnist-train")
@options.limit("Use N digits, keeping their mix.", 50, 6000)
@click.option("--seed", default=0, help="Random seed.")
@options.out_folder("digitrec-tuning", "Folder of the study and the winner.")
def tune(trials: int, epochs: int, data: str, limit: int, seed: int, out: Path) -> None:
    """Search for the best settings of a CNN, resumable.

    Optuna varies filters, layers, kernel, dense units, dropout, learning rate and batch, and stops a trial
    that is worse than half of the others. After an interruption the same command continues the study.
    Needs the extras `tune` and `train`.

    \b
    Examples:
      digitrec tune --trials 30
      digitrec tune --trials 5 --data mnist-test --limit 2000
      digitrec train --arch digitrec-tuning/best.json --out tuned.keras
    """
    from digitrec.lab.datasets.digits import read_digits

    digits = read_digits(data, limit)
    over: list[FrozenTrial] = []
    with quiet_bar("tuning") as bar:
        from digitrec.lab.training import tune as search  # imports TensorFlow, which logs

        def show(trial: FrozenTrial) -> None:
            over.append(trial)
            read = "" if trial.value is None else f", {percent(trial.value, 2)}"
            bar.at(len(over) / trials, f"trial {len(over)} of {trials} {trial.state.name.lower()}{read}")

        study = search.tune(digits, out, trials=trials, epochs=epochs, seed=seed, on_trial=show)
    settings = ", ".join(f"{name} {value:.3g}" for name, value in study.best_params.items())
    click.echo(f"best of {len(study.trials)} trials: {percent(study.best_value, 2)} of the held-out digits")
    click.echo(f"  {settings}")
    click.echo(f"train it: digitrec train --arch {out / search.BEST} --out tuned.keras")
