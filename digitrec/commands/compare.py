"""``digitrec compare``."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import click

from digitrec.answer import Failure
from digitrec.commands import cost, options, sources
from digitrec.commands.engines import EMULATED, Asking, asking_options
from digitrec.commands.process import tell
from digitrec.commands.progress import tracked
from digitrec.commands.sources import Reasons
from digitrec.comparison import (
    Comparison,
    compare_stream,
    free_engines,
    left_out_because,
    listings,
    reader_or_absent,
)
from digitrec.comparison.numbers import apart, numbers_asked
from digitrec.engine import Engine
from digitrec.errors import ImageError
from digitrec.image import Turned
from digitrec.report.predictions import Format, write_comparisons


@click.command()
@sources.given
@options.providers("Engines, separated by commas.  [default: all that are ready and free]")
@options.flag("--all", "everyone", help="Ask all ready engines, also those that cost money.")
@options.output("table", "json", "jsonl", "csv")
@options.numbers
@options.digits
@options.reading
@options.dry_run
@asking_options
def compare(given: sources.Given, everyone: bool, output: Format, asking: Asking) -> None:
    """Show what several engines read on the same picture.

    IMAGE is as for `digitrec predict`. After each picture comes a line for each engine: digit,
    confidence, time and cost, or the error. By default it asks all engines that are ready and free; --emulate
    adds the emulated clouds, whose answers are marked and do not vote. The exit code is 1 if no
    engine answered for a picture.

    \b
    Examples:
      digitrec compare photo.jpg
      digitrec compare photo.jpg --emulate
      digitrec compare photo.jpg --provider local,google,aws
      digitrec compare scans/ --all --max-cost 0.50 --output csv > answers.csv
      digitrec compare form.jpg --numbers -p local,rapidocr
    """
    how, numbers = asking.how(), asking.numbers
    if everyone and asking.providers:
        raise click.UsageError("--all excludes --provider.")
    named = ("local",) if asking.model else ()  # in place of an invalid one in the environment
    also = (*named, *(EMULATED if asking.emulate else ()))
    names = asking.names() if asking.providers else _chosen(everyone, also)
    images = given.sources()
    with asking.opener(names) as open_engine:
        readers = [reader_or_absent(name, open_engine) for name in names]
        if asking.dry_run:
            engines = [reader for reader in readers if isinstance(reader, Engine)]
            turned = [Turned(image, asking.rotate) for image in images]
            cost.say(turned, [one.for_numbers for one in engines] if numbers else engines, output)
            return
        found: list[bool] = []
        asked = {"ask": numbers_asked(**how)} if numbers else how
        comparisons = compare_stream(images, readers, **asked)
        kept = _kept(tracked(comparisons, len(images)), found, given.reasons())
        shown = chain.from_iterable(map(apart, kept)) if numbers else kept
        write_comparisons(shown, output, numbers=numbers)
    if not all(found):
        raise SystemExit(1)


def _chosen(everyone: bool, also: Sequence[str]) -> list[str]:
    """Return the engines that are ready and free, or only ready, and ``also``; name the others on stderr."""
    known = listings(os.environ)
    ready = {listing.name: left_out_because(listing) for listing in known if not listing.status.missing}
    chosen = [*ready] if everyone else free_engines(known)
    chosen += [name for name in also if name not in chosen]
    parts = [f"{name} {why}" for name, why in ready.items() if name not in chosen]
    if missing := [one.name for one in known if one.name not in {*ready, *chosen}]:
        parts.append(f"{', '.join(missing)} (not ready; `digitrec providers` says why)")
    if parts:
        tell(f"not asked: {'; '.join(parts)}")
    return chosen


def _kept(compared: Iterable[Comparison], found: list[bool], reasons: Reasons) -> Iterator[Comparison]:
    """Yield the comparisons; record if an engine answered, and report a picture's failures on stderr once."""
    for comparison in compared:
        found.append(bool(comparison.predictions))
        unreadable: set[str] = set()
        for name, outcome in comparison.by_engine:
            if isinstance(outcome, Failure) and not isinstance(outcome.error, ImageError):
                reasons.failure(outcome, f"{name}: ")
            elif isinstance(outcome, Failure) and str(outcome.error) not in unreadable:
                unreadable.add(str(outcome.error))
                reasons.failure(outcome)
        reasons.read(comparison.image)
        yield comparison
    reasons.sum_up()
