"""A benchmark as one self-contained page: conclusion, leaderboard, plots, pictures, provenance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from digitrec.answer.prediction import short
from digitrec.comparison.benchmark import Benchmark, conclusion
from digitrec.report import page, predictions
from digitrec.report.benchmark import confusion, heading, provenance, sample, tables
from digitrec.report.plots import benchmark as plots
from digitrec.report.plots.style import svg
from digitrec.report.table import Table

THUMBNAIL = 128
"""Longest side of a shown picture, in pixels."""


def benchmark_page(benchmark: Benchmark) -> str:
    """The whole report as HTML.

    Raises:
        NotInstalled: without the extra ``plots``.
    """
    said = "".join(f"<li>{page.text(sentence)}</li>" for sentence in conclusion(benchmark))
    first, *others = map(_section, tables(benchmark))
    parts = [
        page.section("Conclusion", f"<ul>{said}</ul>"),
        first,
        page.section("Plots", _plots(benchmark), long=True),
        *others,
        page.section("Confusion", _confusions(benchmark), long=True),
        *_contact_sheet(benchmark, "Pictures that split the engines", benchmark.splitting),
        *_contact_sheet(benchmark, "Misread pictures", benchmark.misread),
        page.section("How it was measured", page.listing(provenance(benchmark))),
    ]
    return page.page(heading(benchmark), parts)


def _section(table: Table) -> str:
    return page.section(table.title, page.soft(table.note) + page.table(table), long=True)


def _plots(benchmark: Benchmark) -> str:
    cards = benchmark.cards
    small = [
        svg(plots.coverage(cards), "Accuracy against coverage"),
        svg(plots.reliability(cards, calibrated=False), "Reliability of the engines' own confidence"),
        svg(plots.latency(cards), "Latency"),
    ]
    if any(card.calibrated for card in cards):
        calibrated = plots.reliability(cards, calibrated=True)
        small.insert(2, svg(calibrated, "Reliability of the calibrated chances"))
    wide = svg(plots.trade_off(cards), "Accuracy against cost and latency")
    drawings = "".join(f"<figure>{drawing}</figure>" for drawing in small)
    return f'<figure>{wide}</figure><div class="plots">{drawings}</div>'


def _confusions(benchmark: Benchmark) -> str:
    boxes = "".join(
        f"<figure><figcaption>{page.text(card.name)}</figcaption>{page.table(confusion(card))}</figure>"
        for card in benchmark.cards
    )
    note = page.soft("Rows: what the picture shows. Columns: what was answered.")
    return f'{note}<div class="plots">{boxes}</div>'


def _contact_sheet(benchmark: Benchmark, title: str, places: Sequence[int]) -> Iterator[str]:
    """Pictures with every engine's answer, in the order given."""
    if not places:
        return
    shown, how_many = sample(benchmark, places)
    boxes = "".join(_picture(benchmark, place) for place in shown)
    legend = f" {predictions.LEGEND}." if predictions.MARK in boxes else ""
    note = page.soft(f"{how_many} A wrong answer is underlined. -: no digit, !: no answer.{legend}")
    yield page.section(title, f'{note}<div class="sheet">{boxes}</div>', long=True)


def _picture(benchmark: Benchmark, place: int) -> str:
    shows = f"shows {benchmark.shows(place)}"
    answers = "<br>".join(_answer(benchmark, engine, place) for engine in benchmark.outcomes)
    image = page.picture(benchmark.samples[place].image, shows, THUMBNAIL)
    title = page.text(benchmark.title(place))
    return f"<figure>{image}<figcaption>{title}<br>{shows}</figcaption>{answers}</figure>"


def _answer(benchmark: Benchmark, engine: str, place: int) -> str:
    outcome = benchmark.outcomes[engine][place]
    mark = ' class="wrong"' if benchmark.is_wrong(outcome, place) else ""
    name = page.text(benchmark.called(engine))
    return f"{name} <strong{mark}>{short(outcome)}</strong> {predictions.sure(outcome).strip()}"
