"""``digitrec explain --nearest`` and ``--map``: the nearest training digits, and a map of pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from digitrec.commands import sources
from digitrec.commands.progress import quiet_bar
from digitrec.errors import DataError, NotInstalled
from digitrec.errors.text import count, printable

if TYPE_CHECKING:
    from digitrec.engine import Engine
    from digitrec.lab.evaluation.nearest import Memory


def training_digits(engine: Engine) -> Memory | None:
    """Return MNIST's training digits as the network embeds them; None, reported, if they are missing.

    Raises:
        ModelError: the network cannot place them.
    """
    from digitrec.lab.datasets.download import mnist_train
    from digitrec.lab.evaluation.nearest import memory

    try:
        digits = mnist_train()
    except (DataError, NotInstalled) as error:
        click.echo(printable(f"digitrec: the nearest training digits cannot be shown: {error}"), err=True)
        return None
    with quiet_bar("embedding MNIST, once for each network") as bar:
        return memory(
            engine.provider, digits, "mnist-train",
            lambda done, total: bar.at(done / total, f"{done:,} of {total:,} digits"),
        )  # fmt: skip


def draw_map(
    images: Sequence[sources.Source],
    labels: Mapping[str, int | None],
    engine: Engine,
    file: Path,
    output: str,
) -> bool:
    """Draw a map of all the pictures and describe it; return False where some could not be read.

    Raises:
        DataError: there is no picture to draw.
        ModelError: the network cannot place them.
    """
    from digitrec.lab.evaluation.layout import layout, read
    from digitrec.report.explanation import layout_row
    from digitrec.report.plots.likeness import layout as drawn
    from digitrec.report.plots.style import save

    with quiet_bar("map") as bar:
        bar.at(0.0, "reading")
        found = read(images, engine, labels)
        bar.at(0.3, "laying out")
        laid = layout(found.own, engine)
        bar.at(0.9, "drawing")
        path = save(drawn(laid), file)
    for failure in found.failed:
        click.echo(printable(f"digitrec: {failure.error}"), err=True)
    if output == "json":
        click.echo(json.dumps(layout_row(found, laid, path)))
        return not found.failed
    words = f"{count(len(laid.own), 'picture')} among {len(laid.around):,} of MNIST's test digits: {path}"
    click.echo(printable(words))
    if len(laid.own) < len(found.own):
        click.echo(f"  drawn by lot from {len(found.own):,}")
    for one in found.refused:
        click.echo(printable(f"  left out: {one.image.source}: {one.reason}"))
    return not found.failed
