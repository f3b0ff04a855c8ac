"""``digitrec explore``."""

from __future__ import annotations

from pathlib import Path

import click

from digitrec.commands import options
from digitrec.commands.progress import quiet_bar


@click.command(context_settings={"show_default": True})
@options.labelled("[DATA]", default="mnist-test")
@options.limit("Use N digits, keeping their mix.", 3, 10_000)
@options.out_folder("digitrec-exploration")
def explore(data: str, limit: int, out: Path) -> None:
    """Show what is in a data set before training on it.

    DATA is mnist-test (the default, 10,000 digits that come with digitrec), mnist-train, or labelled
    pictures as for `digitrec benchmark`. It writes pictures: samples, classes, mean and spread,
    pixel values, outliers, and a map by similarity. Needs the extras `stats` and `plots`.

    \b
    Examples:
      digitrec explore
      digitrec explore mnist-train --limit 20000
      digitrec explore my-digits/ --out looked
    """
    from digitrec.lab.datasets.digits import read_digits
    from digitrec.lab.evaluation.explore import explore as look
    from digitrec.models import store
    from digitrec.report.exploration import PICTURES
    from digitrec.report.plots import save

    with quiet_bar("exploring") as bar:
        bar.at(0.0, "reading")
        digits = read_digits(data, limit)
        bar.at(0.05, f"{len(digits):,} digits asked about")
        chances = store.load().probabilities(digits.images)
        bar.at(0.1, f"{len(digits):,} digits compared with each other")
        seen = look(digits, Path(data).stem, chances)
        bar.at(0.8, "drawing")
        for draw in PICTURES:
            click.echo(save(draw(seen), out / f"{draw.__name__}.png"))
            bar.at(0.9, draw.__name__)
