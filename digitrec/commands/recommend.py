"""``digitrec recommend``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from digitrec.commands import options, unlearned, values
from digitrec.commands.benchmark import watched
from digitrec.commands.engines import Asking, asking_options
from digitrec.commands.files import Data
from digitrec.commands.reasons import report_engines

if TYPE_CHECKING:
    from digitrec.benchmark import Benchmark
    from digitrec.benchmark.recommend import Option, Recommendation


@click.command()
@click.argument("data", type=Data(), metavar="DATA", shell_complete=values.data)
@click.option(
    "--accuracy", type=options.Number(0, 1, min_open=True, max_open=True), required=True,
    metavar="SHARE", help="Share of the pictures to be answered rightly, such as 0.995.",
)  # fmt: skip
@click.option(
    "-p", "--provider", "providers", callback=options.names, default="local", show_default=True,
    metavar="NAMES", shell_complete=values.providers,
    help="Which engines may be used, with commas between.",
)  # fmt: skip
@options.limit
@click.option(
    "--max-per-1000", type=options.USD, metavar="USD",
    help="What 1,000 pictures may cost at most by what is recommended.",
)  # fmt: skip
@asking_options
def recommend(
    data: str,
    accuracy: float,
    providers: list[str],
    limit: int | None,
    max_per_1000: float | None,
    asking: Asking,
) -> None:
    """Name the cheapest way of asking that reaches an accuracy on labelled pictures.

    Every engine is asked about every picture once; then each engine alone, each pair as a fallback and
    each vote is tried on these answers. The way is chosen on one half of the pictures and reported on the
    other; it is said to reach the accuracy only when the lower end of its 95% interval does. --max-cost
    bounds what this command spends. An emulated engine is never recommended. DATA is named as for
    `digitrec benchmark`.

    \b
    Examples:
      digitrec recommend photos/ --accuracy 0.98 --provider local,tesseract,rapidocr
      digitrec recommend photos/ --accuracy 0.995 --provider local,google,aws --max-cost 3
    """
    from digitrec.benchmark import benchmark
    from digitrec.benchmark.recommend import recommend as choose

    samples = unlearned.read(data, limit, asking.model)
    with asking.engines(providers) as opened:
        engines = dict(zip(providers, opened, strict=True))
        with watched(len(samples) * len(engines)) as arrived:
            found = benchmark(samples, engines, data=data, settings=asking.settings(), arrived=arrived)
        advice = choose(found.outcomes, engines, found.labels, accuracy, max_per_1000=max_per_1000)
    click.echo(_said(advice))
    for line in _caveats(found):
        click.echo(line)
    report_engines(found.outcomes)


def _said(advice: Recommendation) -> str:
    if not advice.tried:
        return "Nothing is recommended: every engine was emulated."
    if advice.chosen is None:
        return f"None of {advice.tried} ways costs a known amount within what is allowed."
    figures = _figures(advice.chosen)
    if advice.reached:
        return f"{advice.chosen.name} reaches {100 * advice.accuracy:g}%: {figures}."
    needed = advice.pictures_needed
    how = (
        "and it would not be on more of them: fewer were right than that"
        if needed is None
        else f"it would take about {2 * needed:,} pictures of which as many are right"
    )
    return (
        f"{100 * advice.accuracy:g}% is not shown on this much data; {how}. The nearest of {advice.tried} "
        f"ways is {advice.chosen.name}: {figures}."
    )


def _figures(option: Option) -> str:
    from digitrec.benchmark.conclusion import percent
    from digitrec.report.words import dollars, duration

    return (
        f"{percent(option.right)} on the {option.right.n} pictures it was not chosen on, "
        f"{dollars(option.cost_per_1000)} for 1,000, {duration(option.latency_s)} a picture"
    )


def _caveats(found: Benchmark) -> list[str]:
    return [
        f"{card.engine} was emulated, which says nothing about the vendor's, and is in none of these ways."
        for card in found.cards if card.emulated
    ]  # fmt: skip
