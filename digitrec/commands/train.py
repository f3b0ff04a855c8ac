"""``digitrec train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from digitrec.commands.progress import Bar

if TYPE_CHECKING:
    from digitrec.models.train import Progress


@click.command(context_settings={"show_default": True})
@click.option(
    "--epochs", type=click.IntRange(min=1), help="Times that every digit is seen.  [default: the recipe's]"
)
@click.option("--seed", default=0, help="Decides the first weights, the order and the changes.")
@click.option(
    "--out", default=Path("digitrec-model"), type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER", help="Where the model, its card, its history and the checkpoint go.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on after the last finished epoch of a run that was stopped.")
def train(epochs: int | None, seed: int, out: Path, resume: bool) -> None:
    """Train the CNN on MNIST and write it with its model card.

    Needs the extra `train`. The digits come from $DIGITREC_DATA/mnist, or are fetched once from a public
    mirror. Stop it when you like: --resume goes on where it was. Read with the result by
    `digitrec predict --model`.

    \b
    Examples:
      digitrec train
      digitrec train --epochs 5 --seed 1 --out runs/one
      digitrec train --epochs 5 --seed 1 --out runs/one --resume
      digitrec predict 7.png --model runs/one/digitrec-cnn.tflite
    """
    from digitrec.models.train import TrainConfig
    from digitrec.models.train import train as run

    config = TrainConfig(seed=seed) if epochs is None else TrainConfig(seed=seed, epochs=epochs)
    with Bar("training") as bar:

        def show(progress: Progress) -> None:
            seen = "" if progress.last is None else f", held back {progress.last.validation_accuracy:.2%}"
            bar.at(progress.done, f"epoch {progress.epoch}/{config.epochs}, loss {progress.loss:.3f}{seen}")

        result = run(config, out, resume=resume, on_progress=show)
    click.echo(f"{result.test_correct:,} of {result.test_count:,} test digits read rightly")
    click.echo(f"model: {result.litert_file}\ncard:  {result.card_file}")
