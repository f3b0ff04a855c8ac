"""A benchmark as one self-contained page: conclusion, leaderboard, plots, pictures, provenance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from digitrec.answer.prediction import Prediction, short
from digitrec.comparison.benchmark import Benchmark, conclusion
from digitrec.report import page, predictions
from digitrec.report.benchmark import heading, provenance
from digitrec.report.benchmark_tables import NONE, confusion, how_many, sample, tables
from digitrec.report.plots import benchmark as plots
from digitrec.report.plots.style import svg
from digitrec.report.table import Table

THUMBNAIL = 128
"""Misread pictures and those that split the engines are shown at most so large, in pixels."""


def benchmark_page(benchmark: Benchmark) -> str:
    """The whole report as HTML.

    Raises:
        NotInstalled: without the extra ``plots``.
    """
    said = "".join(f"<li>{page.text(sentence)}</li>" for sentence in conclusion(benchmark))
    first, *others = tables(benchmark)
    parts = [
        page.versions(),
        page.section("Conclusion", f"<ul>{said}</ul>"),
        _section(first),
        page.section("Plots", _plots(benchmark), long=True),
        *(_section(table) for table in others),
        page.section("Confusion", _confusions(benchmark), long=True),
        *_contact_sheet(benchmark, "Pictures that split the engines", benchmark.splitting),
        *_contact_sheet(benchmark, "Misread pictures", benchmark.misread),
        page.section("How it was measured", page.listing(provenance(benchmark))),
    ]
    return page.page(heading(benchmark), parts)


def _section(table: Table) -> str:
    body = page.table(table.header, table.rows, table.numbers)
    return page.section(table.title, f'<p class="soft">{page.text(table.note)}</p>{body}', long=True)


def _plots(benchmark: Benchmark) -> str:
    cards = benchmark.cards
    small = [
        (plots.coverage(cards), "Accuracy against coverage"),
        (plots.reliability(cards, calibrated=False), "Reliability of the engines' own confidence"),
        (plots.latency(cards), "Latency"),
    ]
    if any(card.calibrated for card in cards):
        small.insert(2, (plots.reliability(cards, calibrated=True), "Reliability of the calibrated chances"))
    wide = svg(plots.trade_off(cards), "Accuracy against cost and latency")
    drawings = "".join(f"<figure>{svg(figure, title)}</figure>" for figure, title in small)
    return f'<figure>{wide}</figure><div class="plots">{drawings}</div>'


def _confusions(benchmark: Benchmark) -> str:
    note = '<p class="soft">Rows: what the picture shows. Columns: what was answered.</p>'
    found = [confusion(card) for card in benchmark.cards]
    boxes = "".join(
        f"<figure><figcaption>{page.text(table.title)}</figcaption>"
        f"{page.table(table.header, table.rows, table.numbers)}</figure>"
        for table in found
    )
    return f'{note}<div class="plots">{boxes}</div>'


def _contact_sheet(benchmark: Benchmark, title: str, places: Sequence[int]) -> Iterator[str]:
    """Pictures with every engine's answer, in the order given."""
    if not places:
        return
    shown = sample(benchmark, places)
    boxes = "".join(_picture(benchmark, place) for place in shown)
    legend = f" {predictions.LEGEND}." if predictions.MARK in boxes else ""
    note = f"{how_many(shown, places)} A wrong answer is underlined. -: no digit, !: no answer.{legend}"
    body = f'<p class="soft">{page.text(note)}</p><div class="sheet">{boxes}</div>'
    yield page.section(title, body, long=True)


def _picture(benchmark: Benchmark, place: int) -> str:
    shown = benchmark.samples[place]
    shows = NONE if shown.label is None else str(shown.label)
    answers = "<br>".join(_answer(benchmark, engine, place) for engine in benchmark.outcomes)
    title = page.text(benchmark.title(place))
    image = page.picture(shown.image, f"shows {shows}", THUMBNAIL)
    return f"<figure>{image}<figcaption>{title}<br>shows {shows}</figcaption>{answers}</figure>"


def _answer(benchmark: Benchmark, engine: str, place: int) -> str:
    outcome, label = benchmark.outcomes[engine][place], benchmark.samples[place].label
    wrong = isinstance(outcome, Prediction) and outcome.digit is not None and outcome.digit != label
    mark = ' class="wrong"' if wrong else ""
    name = page.text(benchmark.called(engine))
    return f"{name} <strong{mark}>{short(outcome)}</strong> {predictions.sure(outcome).strip()}"
