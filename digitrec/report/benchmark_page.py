"""A benchmark as one self-contained page: conclusion, leaderboard, plots, pictures, provenance.

Engines differ by marker and line as well as by colour.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from math import ceil

from digitrec.answer.prediction import short
from digitrec.comparison.benchmark import Benchmark
from digitrec.comparison.benchmark.measure import Scorecard, pareto_front
from digitrec.report import page, plots, predictions
from digitrec.report.benchmark import conclusion, confusion, heading, provenance, sample, tables
from digitrec.report.plots import Axes, Figure
from digitrec.report.rows import Table

LINE_HEIGHT = 0.3
"""Height of a legend's entry, in inches."""
LABEL_WIDTH = 26
"""Maximum number of characters in a line of an engine's name."""


def benchmark_page(benchmark: Benchmark) -> str:
    """Return the whole report as HTML.

    Raises:
        NotInstalled: without the extra ``plots``.
    """
    said = "".join(f"<li>{page.text(sentence)}</li>" for sentence in conclusion(benchmark))
    first, *others = map(_section, tables(benchmark))
    parts = [
        page.section("Conclusion", f"<ul>{said}</ul>"),
        first,
        page.section("Plots", _plots(benchmark.cards), long=True),
        *others,
        *([] if benchmark.numbers else [page.section("Confusion", _confusions(benchmark), long=True)]),
        *_contact_sheet(benchmark, "Pictures that split the engines", benchmark.splitting),
        *_contact_sheet(benchmark, "Misread pictures", benchmark.misread),
        page.section("How it was measured", page.listing(provenance(benchmark))),
    ]
    return page.page(heading(benchmark), parts)


def _section(table: Table) -> str:
    return page.section(table.title, page.soft(table.note) + page.table(table), long=True)


def _plots(cards: Sequence[Scorecard]) -> str:
    size = (5.2, 3.7 + LINE_HEIGHT * ceil(len(cards) / 2))
    named = {_label(card): card for card in cards}
    own = {name: card.reliability for name, card in named.items() if card.reliability}
    calibrated = {name: card.calibrated for name, card in named.items() if card.calibrated}
    figures = {
        "Accuracy against coverage": plots.coverage(named, size, **plots.BELOW),
        "Reliability of the engines' own confidence": plots.reliability(own, "Engines' own confidence", size),
        "Reliability of the calibrated chances": plots.reliability(calibrated, "Calibrated chances", size),
    }
    if not calibrated:
        del figures["Reliability of the calibrated chances"]
    drawings = "".join(f"<figure>{plots.svg(figure, name)}</figure>" for name, figure in figures.items())
    wide = plots.svg(trade_off(cards), "Accuracy against cost and latency")
    return f'<figure>{wide}</figure><div class="plots">{drawings}</div>'


def _confusions(benchmark: Benchmark) -> str:
    boxes = "".join(
        f"<figure><figcaption>{page.text(card.name)}</figcaption>{page.table(confusion(card))}</figure>"
        for card in benchmark.cards
    )
    note = page.soft("Rows: what the picture shows. Columns: what was answered.")
    return f'{note}<div class="plots">{boxes}</div>'


def _contact_sheet(benchmark: Benchmark, title: str, places: Sequence[int]) -> Iterator[str]:
    """Yield a section with these pictures and every engine's answers; none without pictures."""
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
    image = page.picture(benchmark.samples[place].image, shows, page.THUMBNAIL)
    title = page.text(benchmark.title(place))
    return f"<figure>{image}<figcaption>{title}<br>{shows}</figcaption>{answers}</figure>"


def _answer(benchmark: Benchmark, engine: str, place: int) -> str:
    outcome = benchmark.outcomes[engine][place]
    mark = ' class="wrong"' if benchmark.is_wrong(outcome, place) else ""
    name = page.text(benchmark.called(engine))
    return f"{name} <strong{mark}>{short(outcome)}</strong> {predictions.sure(outcome).strip()}"


@plots.drawn
def trade_off(cards: Sequence[Scorecard]) -> Figure:
    """Draw accuracy against cost and against latency, and mark the Pareto front.

    Bars are 95% Wilson intervals; a filled marker is on the Pareto front. An engine with an unknown price
    or latency is missing from that half.
    """
    figure = Figure(figsize=(9.4, 4.0 + LINE_HEIGHT * ceil(len(cards) / 4)))
    left, right = figure.subplots(1, 2, sharey=True)
    best = pareto_front(cards)
    for place, card in enumerate(cards):
        median_ms = None if card.latency is None else 1000 * card.latency.p50
        _point(left, card, card.cost_per_1000, place, filled=card in best)
        _point(right, card, median_ms, place, filled=card in best)
    left.set(title="Accuracy and cost", xlabel="US dollars for 1,000 pictures", ylabel="accuracy (%)")
    dearest = max((card.cost_per_1000 or 0.0 for card in cards), default=0.0) or 1.0
    left.set_xlim(-0.05 * dearest, 1.1 * dearest)
    right.set(title="Accuracy and latency", xlabel="latency, median (ms)")
    plots.logarithmic(right)
    for axes in (left, right):
        plots.end_at(100, axes)
    title = "filled: no other engine is at once more accurate, cheaper and faster"
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=4, title=title)
    return figure


def _point(axes: Axes, card: Scorecard, x: float | None, place: int, *, filled: bool) -> None:
    share, low, high = card.accuracy.share, card.accuracy.low, card.accuracy.high
    if x is None or share is None or low is None or high is None:
        return
    around = [[100 * (share - low)], [100 * (high - share)]]
    axes.errorbar(
        x, 100 * share, yerr=around, linestyle="", label=_label(card), markersize=8, capsize=3,
        markerfacecolor=plots.colour(place) if filled else "none", **plots.marked(place),
    )  # fmt: skip


def _label(card: Scorecard) -> str:
    """Wrap the engine's name to fit beside or below a plot."""
    return textwrap.fill(card.name, LABEL_WIDTH)
