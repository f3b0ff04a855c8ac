"""``digitrec benchmark``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import click

from digitrec.answer import Failure, Outcome
from digitrec.commands import cost, options, unlearned
from digitrec.commands.engines import Asking, asking_by_policy
from digitrec.commands.progress import bar
from digitrec.commands.reasons import report_engines
from digitrec.comparison.datasets.loader import Sample
from digitrec.image import atomic


@click.command()
@options.labelled()
@options.providers("Engines to ask, separated by commas.", default="local")
@options.labelled_limit
@options.output("table", "markdown", "json", "jsonl", "csv")
@options.html("Also write the report as a self-contained page.")
@options.flag("--lenient", help=options.LENIENT)
@options.flag("--numbers", help="Read whole numbers; labels.csv has the columns file,text.")
@options.digits
@click.option(
    "--target", type=options.Number(0, 1, min_open=True, max_open=True), metavar="SHARE",
    help="Recommend the cheapest combination of these engines that reaches this accuracy, such as 0.995.",
)  # fmt: skip
@options.usd("--budget", help="Limit of the recommendation's cost for 1,000 pictures.")
@options.dry_run
@asking_by_policy
def benchmark(
    data: str,
    limit: int | None,
    output: Literal["table", "markdown", "json", "jsonl", "csv"],
    html: Path | None,
    lenient: bool,
    numbers: bool,
    digits: tuple[int, int] | None,
    target: float | None,
    budget: float | None,
    asking: Asking,
) -> None:
    """Measure engines on labelled pictures, and test which differences are significant.

    DATA is a folder with labels.csv (columns file,label; label none for no digit) or with sub-folders 0 to
    9, an IDX pair, an .npz file with x and y or images and labels, or mnist-test (a folder of that name
    has precedence). After Ctrl-C the same command continues with the paid answers in the ledger. A policy
    (--fallback, --consensus) is scored beside its engines. The exit code is not 0 if an engine failed on
    every picture.

    With --numbers, labels.csv has the columns file,text and optionally group (text none for no number; a
    line for each number of a sheet). Intervals and tests keep the pictures of a group, such as a book,
    together.

    --target tries each engine, each pair as a fallback and each vote, chooses the cheapest on half of the
    pictures and reports it on the other half; the lower end of its 95% interval must reach the target.

    \b
    Examples:
      digitrec benchmark samples --provider local,tesseract,rapidocr
      digitrec benchmark mnist-test --limit 500 --html report.html
      digitrec benchmark photos/ --provider tesseract --prepare plain,enlarged,repeated
      digitrec benchmark photos/ --provider local --fallback rapidocr --below 0.95
      digitrec benchmark cheques/ --provider rapidocr,google --numbers
      digitrec benchmark photos/ --provider local,google,aws --target 0.995 --max-cost 3
    """
    from digitrec.comparison.benchmark import benchmark as measure
    from digitrec.comparison.datasets.loader import read_numbers
    from digitrec.comparison.numbers import numbers_asked
    from digitrec.report.benchmark import write

    if html is not None:
        from digitrec.report.benchmark_page import benchmark_page  # what it needs is missed before asking

    if budget is not None and target is None:
        raise click.UsageError("--budget goes with --target.")
    names = asking.names()
    if numbers and (target is not None or asking.fallback or asking.consensus is not None):
        raise click.UsageError("--numbers excludes --target, --fallback and --consensus.")
    how = asking.for_numbers({"lenient": lenient}, numbers, digits)
    samples: Sequence[Sample]
    if numbers:
        samples, how = read_numbers(data, limit), {"ask": numbers_asked(**how)}
    else:
        samples = unlearned.read(data, limit, asking.model)
    with asking.columns(names) as engines:
        if asking.dry_run:
            asked = [engine.for_numbers if numbers else engine for engine in engines.values()]
            cost.say([sample.image for sample in samples], asked, output)
            return
        policy = asking.policy(list(engines.values()))
        with watched(len(samples) * len(engines)) as arrived:
            found = measure(
                samples, engines, data=data, policies=[] if policy is None else [policy], target=target,
                budget=budget, settings=asking.settings(), arrived=arrived, **how,
            )  # fmt: skip
    write(found, output)
    if html is not None:
        atomic.write(html, benchmark_page(found))
    report_engines(found.outcomes)


@contextmanager
def watched(total: int) -> Iterator[Callable[[Outcome], None]]:
    """Show a bar that counts outcomes, their cost and the failures among them."""
    done = failed = 0
    spent, unknown = 0.0, False
    with bar("reading") as shown:

        def arrived(outcome: Outcome) -> None:
            nonlocal done, failed, spent, unknown
            done += 1
            failed += isinstance(outcome, Failure)
            spent += outcome.cost_usd or 0.0
            unknown |= outcome.cost_usd is None
            money = f"${spent:.2f} spent" + (" and an unknown amount" if unknown else "")
            shown.at(done / total, f"{done} of {total}, {money}" + (f", {failed} failed" if failed else ""))

        yield arrived
