"""A benchmark as one self-contained page: conclusion, leaderboard, plots, misread pictures, provenance."""

from __future__ import annotations

from collections.abc import Iterator

from digitrec import plots
from digitrec.benchmark import Benchmark, conclusion
from digitrec.prediction import Prediction
from digitrec.reports import page, words
from digitrec.reports.benchmark import heading, provenance
from digitrec.reports.tables import MOST_PICTURES, NONE, Table, confusion, tables

THUMBNAIL = 128
"""Misread pictures are shown at most so large, in pixels."""


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
        *_contact_sheet(benchmark),
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
    wide = plots.svg(plots.trade_off(cards), "Accuracy against cost and latency")
    drawings = "".join(f"<figure>{plots.svg(figure, title)}</figure>" for figure, title in small)
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


def _contact_sheet(benchmark: Benchmark) -> Iterator[str]:
    """The misread pictures with every engine's answer, those that most engines misread first."""
    if not benchmark.misread:
        return
    shown = benchmark.misread[:MOST_PICTURES]
    note = f'<p class="soft">{len(shown)} of {len(benchmark.misread)}; a wrong answer is underlined.</p>'
    boxes = "".join(_misread(benchmark, place) for place in shown)
    yield page.section("Misread pictures", f'{note}<div class="sheet">{boxes}</div>', long=True)


def _misread(benchmark: Benchmark, place: int) -> str:
    sample = benchmark.samples[place]
    shows = NONE if sample.label is None else str(sample.label)
    answers = "<br>".join(_answer(benchmark, engine, place) for engine in benchmark.outcomes)
    title = page.text(benchmark.title(place))
    image = page.picture(sample.image, f"shows {shows}", THUMBNAIL)
    return f"<figure>{image}<figcaption>{title}<br>shows {shows}</figcaption>{answers}</figure>"


def _answer(benchmark: Benchmark, engine: str, place: int) -> str:
    outcome, label = benchmark.outcomes[engine][place], benchmark.samples[place].label
    wrong = isinstance(outcome, Prediction) and outcome.digit is not None and outcome.digit != label
    mark = ' class="wrong"' if wrong else ""
    sure = words.percent(outcome.confidence) if isinstance(outcome, Prediction) else ""
    return f"{page.text(engine)} <strong{mark}>{words.digit(outcome)}</strong> {sure}"
