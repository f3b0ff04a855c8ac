"""A benchmark as one self-contained page: conclusion, tables, plots and misread pictures.

The page fetches nothing. Engines differ by line as well as by colour.
"""

import html
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from math import ceil
from pathlib import Path
from string import Template

from digitrec import __version__
from digitrec.answer import short
from digitrec.comparison.benchmark import Benchmark
from digitrec.comparison.benchmark.measure import Scorecard, is_wrong
from digitrec.comparison.datasets.loader import NONE, sampled
from digitrec.errors import ImageError
from digitrec.errors.text import printable
from digitrec.image import DigitImage, ImageSource
from digitrec.image.pixels import data_url
from digitrec.report import plots, predictions
from digitrec.report.benchmark import conclusion, heading, tables
from digitrec.report.rows import Table

THUMBNAIL = 128
"""Longest side of a picture, in pixels."""
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
    said = "".join(f"<li>{_text(sentence)}</li>" for sentence in conclusion(benchmark))
    first, *others = map(_table, tables(benchmark))
    parts = [
        _soft(f"digitrec {__version__}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        _section("Conclusion", f"<ul>{said}</ul>"),
        first,
        _section("Plots", _plots(benchmark.cards)),
        *([_misread(benchmark)] if benchmark.misread else []),
        *others,
    ]
    template = Template((files("digitrec.report") / "page.html").read_text(encoding="utf-8"))
    return template.substitute(title=_text(heading(benchmark)), body="\n".join(parts))


def _text(words: str) -> str:
    """Return text as HTML, with markup and invisible characters escaped."""
    return html.escape(printable(words))


def _soft(words: str) -> str:
    """Return a paragraph in small grey type; nothing without words."""
    return words and f'<p class="soft">{_text(words)}</p>'


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{_text(title)}</h2>\n{body}\n</section>"


def _table(table: Table) -> str:
    """Return a section with the table under its title and its note; numbers are aligned right."""
    (head, *rows), figures = table.filled()
    kinds = [' class="number"' if is_figure else "" for is_figure in figures]

    def row(tag: str, scope: str, cells: Sequence[str]) -> str:
        pairs = zip(kinds, cells, strict=True)
        written = (f"<{tag}{scope}{kind}>{_text(cell)}</{tag}>" for kind, cell in pairs)
        return f"<tr>{''.join(written)}</tr>"

    body = "\n".join(row("td", "", cells) for cells in rows)
    top = row("th", ' scope="col"', head)
    drawn = f"<table><thead>{top}</thead>\n<tbody>\n{body}\n</tbody></table>"
    drawn = f'<div class="wide" tabindex="0">{drawn}</div>'  # the keyboard can scroll it
    return _section(table.title, _soft(table.note) + drawn)


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
    return _section("Misread pictures", f'{_soft(note)}<div class="sheet">{boxes}</div>')


def _picture(benchmark: Benchmark, place: int) -> str:
    sample = benchmark.samples[place]
    shows = f"shows {NONE if sample.truth is None else sample.truth}"
    title = sample.image.name if isinstance(sample.image, Path) else sample.name or f"no. {place}"
    answers = "<br>".join(_answer(benchmark, engine, place) for engine in benchmark.outcomes)
    caption = f"<figcaption>{_text(title)}<br>{shows}</figcaption>"
    return f"<figure>{_thumbnail(sample.image, shows)}{caption}{answers}</figure>"


def _thumbnail(source: ImageSource, alt: str) -> str:
    """Return a downscaled picture without metadata, or the error if it cannot be read."""
    try:
        small = DigitImage.open(source).thumbnail(THUMBNAIL)
    except ImageError as error:
        return _soft(str(error))
    size = f'width="{small.width}" height="{small.height}"'
    return f'<img src="{data_url(small, optimize=True)}" {size} alt="{_text(alt)}">'


def _answer(benchmark: Benchmark, engine: str, place: int) -> str:
    outcome = benchmark.outcomes[engine][place]
    mark = ' class="wrong"' if is_wrong(outcome, benchmark.samples[place].truth) else ""
    name = _text(benchmark.called(engine))
    return f"{name} <strong{mark}>{short(outcome)}</strong> {predictions.sure(outcome).strip()}"
