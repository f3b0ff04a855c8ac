"""``digitrec models``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from digitrec.commands import options
from digitrec.commands.progress import quiet_bar
from digitrec.image import atomic


@click.group()
def models() -> None:
    """Compare kinds of models.

    \b
    Example:
      digitrec models compare --quick
    """


@models.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.flag("--quick", help="Use few digits: a trial of under two minutes.")
@options.seed("Random seed.", default=0, show_default=True)
@options.out_folder("digitrec-models")
def compare(names: Sequence[str], quick: bool, seed: int, out: Path) -> None:
    """Train several kinds of models on the same digits, and compare them.

    NAMES are those of `digitrec train --arch`; by default complex-cnn, simple-cnn, mlp, knn, random-forest
    and svm. It writes models.md with accuracy, training time, prediction time, size and plots. The winner
    is the fastest model whose accuracy is not significantly below the best. All of MNIST takes half an
    hour to an hour on two cores. Needs the extra `train`.

    \b
    Examples:
      digitrec models compare --quick
      digitrec models compare tutorial-cnn complex-cnn --out compared
      digitrec predict 7.png --model compared/models/svm.skops
    """
    from digitrec.lab.datasets.digits import read_digits
    from digitrec.lab.training import compare as contest
    from digitrec.lab.training.zoo import COMPARED
    from digitrec.report import rows
    from digitrec.report.models import PICTURES, markdown, table, verdict
    from digitrec.report.plots import save

    digits = read_digits("mnist-test" if quick else "mnist-train")
    test = digits[-contest.QUICK_TEST :] if quick else read_digits("mnist-test")
    digits = digits[: contest.QUICK_DIGITS] if quick else digits
    chosen = names or COMPARED
    found: list[contest.Contestant] = []
    with quiet_bar("comparing") as bar:
        for one in contest.compare(
            chosen, digits, test, out / "models", seed=seed,
            epochs=contest.QUICK_EPOCHS if quick else None, batch=contest.QUICK_BATCH if quick else None,
            on_progress=lambda name, done: bar.at((len(found) + done) / len(chosen), name),
        ):  # fmt: skip
            found.append(one)
    click.echo("\n".join(rows.aligned(table(found, len(digits)))))
    paths = {title: Path("images", f"models-{draw.__name__}.png") for title, draw in PICTURES.items()}
    for title, path in paths.items():
        click.echo(save(PICTURES[title](found), out / path))
    click.echo(verdict(found))
    page = markdown(found, len(digits), {title: path.as_posix() for title, path in paths.items()})
    click.echo(atomic.write(out / "models.md", page))
