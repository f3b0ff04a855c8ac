"""``--dry-run``: what a command would cost, found out without asking anybody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import click

from digitrec.engine import Engine
from digitrec.image import ImageSource, PreparedImage
from digitrec.recognise import batches

dry_run = click.option(
    "--dry-run", is_flag=True, help="Only say how many requests that would be, and what they cost."
)


def say(sources: Sequence[ImageSource], engines: Iterable[Engine]) -> None:
    """One line for each engine: what it would be sent, and for how much."""
    for engine in engines:
        places = chain.from_iterable(batches(sources, engine))
        estimate = engine.estimate(place for place in places if isinstance(place, PreparedImage))
        cost = "an unknown amount" if estimate.cost_usd is None else f"${estimate.cost_usd:.4f}"
        images = "image" if len(sources) == 1 else "images"
        are = "is" if estimate.replayed == 1 else "are"
        requests = "request" if estimate.requests == 1 else "requests"
        click.echo(
            f"{estimate.provider}: {estimate.images} of {len(sources)} {images} can be sent, "
            f"{estimate.replayed} {are} answered already; {estimate.requests} {requests} would cost {cost} "
            "before any free allowance"
        )
