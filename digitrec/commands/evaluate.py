"""``digitrec evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digitrec.commands import options, unlearned
from digitrec.commands.benchmark import watched
from digitrec.commands.engines import Asking, own_model
from digitrec.commands.progress import bar
from digitrec.engine import Engine
from digitrec.errors.text import percent
from digitrec.image import atomic

if TYPE_CHECKING:
    from digitrec.lab.evaluation.accuracy import Measured


@click.command(context_settings={"show_default": True})
@own_model
@options.sources(
    "--data", "sources", multiple=True,
    help="Labelled pictures, as for `digitrec benchmark`; repeatable.  [default: the whole table]",
)  # fmt: skip
@options.limit("Use N of each set, keeping the mix of digits.")
@options.out_folder("digitrec-evaluation")
def evaluate(asking: Asking, sources: Sequence[str], limit: int | None, out: Path) -> None:
    """Measure the accuracy of a model, and show its mistakes.

    With --data it reports loss, accuracy with its 95 % interval and a table of digits, and draws the
    confusion matrix, predictions, misread digits and reliability. Without --data it writes the whole
    accuracy table (accuracy.md) for the sets in $DIGITREC_DATA. A refusal or failure counts as wrong. The
    training pictures of --model are left out. Needs the extras `stats` and `plots`.

    \b
    Examples:
      digitrec evaluate --data mnist-test --limit 1000
      digitrec evaluate --data photos/ --model mnist_cnn_model.h5
      digitrec evaluate --out docs
    """
    stems = [Path(source).stem for source in sources]
    if twice := [stem for stem in stems if stems.count(stem) > 1]:
        raise click.UsageError(f"two sets would both write {twice[0]}-confusion.png; give one at a time.")
    with asking.engines(["local"]) as (engine,):
        for source in sources:
            _one(source, engine, limit, asking.model, out)
        if not sources:
            unlearned.refuse_table(asking.model)
            _table(engine, limit, out)


def _one(source: str, engine: Engine, limit: int | None, model: Path | None, out: Path) -> None:
    from digitrec.comparison.benchmark.measure import measure
    from digitrec.report.evaluation import PICTURES, classification
    from digitrec.report.plots import save
    from digitrec.report.rows import aligned

    samples = unlearned.read(source, limit, model)
    name = Path(source).stem
    with watched(len(samples)) as arrived:
        found = measure(samples, engine, name, arrived=arrived)
    right = found.accuracy
    loss = "unknown" if found.loss is None else f"{found.loss:.4f}"
    click.echo(
        f"{name}: accuracy {percent(right.share, 2)} ({right.hits:,} of {right.n:,}, 95 % interval "
        f"{right.interval(2)}), loss {loss}, {found.card.refused_wrongly} refused, {found.card.failed} failed"
    )
    click.echo("\n".join(["", *aligned(classification(found)), ""]))
    for draw in PICTURES:
        click.echo(save(draw(found), out / f"{name}-{draw.__name__}.png"))


def _table(engine: Engine, limit: int | None, out: Path) -> None:
    from digitrec.lab.evaluation.accuracy import measure_sets, sets
    from digitrec.lab.evaluation.numbers import measure_numbers
    from digitrec.report.evaluation import heading, markdown, numbers_table, tables
    from digitrec.report.rows import aligned

    chosen = list(sets())
    measured: list[Measured] = []
    with bar("measuring") as shown:
        for one in measure_sets(
            engine, chosen, limit=limit, arrived=lambda name, _: shown.at(len(measured) / len(chosen), name)
        ):
            measured.append(one)
        numbers = list(measure_numbers(engine, limit))
    for table in (*tables(measured), numbers_table(numbers)):
        click.echo("\n".join([table.title, *aligned(table), ""]))
    click.echo(heading(measured))
    out.mkdir(parents=True, exist_ok=True)
    click.echo(atomic.write(out / "accuracy.md", markdown(measured, numbers, limit)))
