"""``digitrec train --start digitrec``: our own network learns one person's hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from digitrec.commands.files import Input
from digitrec.commands.progress import quiet_bar
from digitrec.comparison.datasets.loader import read_samples
from digitrec.errors.text import aligned, count
from digitrec.models import store

OURS = "digitrec"
"""How the shipped network is called as a start."""


class Start(Input):
    """A model file to begin with, or `OURS`."""

    def __init__(self) -> None:
        super().__init__(exists=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The file that is meant."""
        if value == OURS:
            return store.SHIPPED
        return Path(str(super().convert(value, param, ctx)))


def settled(options: dict[str, Any]) -> dict[str, Any]:
    """What the options say of a training run, by the names of the settings; a default is the run's own."""
    named = {
        "epochs": options["epochs"], "learning_rate": options["learning_rate"], "batch": options["batch"],
        "validation": options["validation_split"], "seed": options["seed"],
    }  # fmt: skip
    return {name: value for name, value in named.items() if value is not None}


def fine_tune(out: Path, sources: Sequence[str], limit: int | None, options: dict[str, Any]) -> None:
    """Learn from the pictures of `sources`, and tell what that gained and lost."""
    from digitrec.lab.training import finetuned
    from digitrec.lab.training.finetune import fine_tune as run
    from digitrec.lab.training.run import FineTuneConfig, Progress

    if not sources:
        raise click.UsageError("--start without --arch learns your own hand: name your pictures with --data.")
    samples = [sample for source in sources for sample in read_samples(source, limit, part="train")]
    config = FineTuneConfig(**settled(options))
    name = " and ".join(Path(source).resolve().name for source in sources)
    with quiet_bar("learning") as bar:

        def show(progress: Progress) -> None:
            at = f"epoch {progress.epoch}/{config.epochs}, loss {progress.loss:.3f}"
            bar.at(progress.done, at if progress.epoch else "making what it is to remember")

        done = run(
            config, out, samples, source=name, start=options["start"], limit_test=options["limit_test"],
            on_progress=show,
        )  # fmt: skip
    found = finetuned.rows(done.changes)
    click.echo("\n".join(aligned([finetuned.HEADER, *found], (1, 2, 4, 5))))
    click.echo("\n".join(finetuned.verdict(done.changes)))
    click.echo(f"learned {count(done.learned, 'picture')} in {done.seconds:.0f} s, measuring included")
    click.echo(f"model: {done.file}\ncard:  {done.card_file}")
