"""``--dry-run``: what a command would cost, found out without asking anybody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import chain

import click

from digitrec.commands.unopened import Unopened
from digitrec.engine import Engine
from digitrec.image import ImageSource, PreparedImage
from digitrec.recognise import batches
from digitrec.report import predictions

dry_run = click.option(
    "--dry-run", is_flag=True,
    help="Only say how many requests that would be, and what they cost; needs no credentials.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cost:
    """What one engine would be sent, and for how much."""

    provider: str
    """Name of the engine."""
    given: int
    """How many images there are, >= 0."""
    images: int
    """How many of them can be sent, >= 0."""
    replayed: int
    """How many of these are answered already, or are the same as another, >= 0."""
    requests: int
    """How many requests would be sent if none fails, >= 0."""
    cost_usd: float | None
    """US dollars for them before any free allowance; None is unknown."""
    configured: bool
    """False: it could not be asked yet, so what the ledger holds is not known and not counted."""

    def sentence(self) -> str:
        """The same for a person."""
        cost = "an unknown amount" if self.cost_usd is None else f"${self.cost_usd:.4f}"
        unknown = "" if self.configured else " (it is not configured, so the ledger was not looked into)"
        images = "image" if self.given == 1 else "images"
        are = "is" if self.replayed == 1 else "are"
        requests = "request" if self.requests == 1 else "requests"
        return (
            f"{self.provider}: {self.images} of {self.given} {images} can be sent, "
            f"{self.replayed} {are} answered already; {self.requests} {requests} would cost {cost} "
            f"before any free allowance{unknown}"
        )


def say(sources: Sequence[ImageSource], engines: Iterable[Engine], form: str = "table") -> None:
    """One line, object or row for each engine; people get a sentence."""
    costs = [_cost(sources, engine) for engine in engines]
    if form in ("json", "jsonl", "csv"):
        predictions.write_rows([asdict(cost) for cost in costs], form)
        return
    for cost in costs:
        click.echo(f"{'- ' if form == 'markdown' else ''}{cost.sentence()}")


def _cost(sources: Sequence[ImageSource], engine: Engine) -> Cost:
    places = chain.from_iterable(batches(sources, engine))
    found = engine.estimate(place for place in places if isinstance(place, PreparedImage))
    return Cost(
        found.provider, len(sources), found.images, found.replayed, found.requests, found.cost_usd,
        configured=not isinstance(engine, Unopened),
    )  # fmt: skip
