"""A benchmark as one self-contained page: conclusion, tables, plots and misread pictures.

Engines differ by line as well as by colour.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import ceil
from pathlib import Path

from digitrec.answer.prediction import short
from digitrec.comparison.benchmark import Benchmark
from digitrec.comparison.benchmark.measure import Scorecard, is_wrong
from digitrec.comparison.datasets.labels import NONE
from digitrec.comparison.datasets.sampling import sampled
from digitrec.report import page, plots, predictions
from digitrec.report.benchmark import conclusion, heading, tables

LINE_HEIGHT = 0.3
"""Height of a legend's entry, in inches."""
LABEL_WIDTH = 26
"""Maximum number of characters in a line of an engine's name."""
MOST_PICTURES = 60
"""Maximum number of misread pictures."""


def benchmark_page(benchmark: Benchmark) -> str:
    """Return the whole report as HTML.

    Raises:
        NotInstalled: without the extra ``plots``.
    """
    said = "".join(f"<li>{page.text(sentence)}</li>" for sentence in conclusion(benchmark))
    first, *others = map(page.table_section, tables(benchmark))
    parts = [
        page.section("Conclusion", f"<ul>{said}</ul>"),
        first,
        page.section("Plots", _plots(benchmark.cards)),
        *([_misread(benchmark)] if benchmark.misread else []),
        *others,
    ]
    return page.page(heading(benchmark), parts)


def _plots(cards: Sequence[Scorecard]) -> str:
    size = (5.2, 3.7 + LINE_HEIGHT * ceil(len(cards) / 2))
    named = {textwrap.fill(card.name, LABEL_WIDTH): card for card in cards}
    trust = {name: card.reliability for name, card in named.items()}
    trust |= {f"{name}, calibrated": card.calibrated for name, card in named.items()}
    known = {name: found for name, found in trust.items() if found is not None}
    figures = {
        "Accuracy against coverage": plots.coverage(named, size),
        "Reliability of the confidence": plots.reliability(known, "Reliability of the confidence", size),
    }
    drawings = "".join(f"<figure>{plots.svg(figure, name)}</figure>" for name, figure in figures.items())
    return f'<div class="plots">{drawings}</div>'


def _misread(benchmark: Benchmark) -> str:
    """Return a section with the misread pictures and every engine's answers."""
    places = benchmark.misread
    drawn = sampled([benchmark.samples[place].label for place in places], MOST_PICTURES)
    boxes = "".join(_picture(benchmark, places[number]) for number in drawn)
    legend = f" {predictions.LEGEND}." if predictions.MARK in boxes else ""
    note = f"{len(drawn)} of {len(places)}. A wrong answer is underlined. -: no digit, !: no answer.{legend}"
    return page.section("Misread pictures", f'{page.soft(note)}<div class="sheet">{boxes}</div>')


def _picture(benchmark: Benchmark, place: int) -> str:
    sample = benchmark.samples[place]
    shows = f"shows {NONE if sample.truth is None else sample.truth}"
    title = sample.image.name if isinstance(sample.image, Path) else f"no. {place}"
    answers = "<br>".join(_answer(benchmark, engine, place) for engine in benchmark.outcomes)
    image = page.picture(sample.image, shows, page.THUMBNAIL)
    return f"<figure>{image}<figcaption>{page.text(title)}<br>{shows}</figcaption>{answers}</figure>"


def _answer(benchmark: Benchmark, engine: str, place: int) -> str:
    outcome = benchmark.outcomes[engine][place]
    mark = ' class="wrong"' if is_wrong(outcome, benchmark.samples[place].truth) else ""
    name = page.text(benchmark.called(engine))
    return f"{name} <strong{mark}>{short(outcome)}</strong> {predictions.sure(outcome).strip()}"
