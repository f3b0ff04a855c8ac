"""Comparisons as one self-contained page, with the pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from digitrec.answer.prediction import Outcome, Prediction, short
from digitrec.comparison import Comparison
from digitrec.image import ImageSource
from digitrec.report import page, words
from digitrec.report.comparison import verdict

HEADER = ("engine", "digit", "confidence", "calibrated", "time", "cost", "remarks")


def comparison_page(comparisons: Iterable[Comparison], pictures: Sequence[ImageSource]) -> str:
    """An HTML page: each picture, and beside it what every engine said.

    Args:
        comparisons: what was said.
        pictures: the pictures themselves, in the same order.
    """
    sections = [
        _section(comparison, picture) for comparison, picture in zip(comparisons, pictures, strict=True)
    ]
    return page.page("Engines side by side", [page.versions(), *sections])


def _section(comparison: Comparison, picture: ImageSource) -> str:
    said = zip(comparison.engines, comparison.outcomes, strict=True)
    table = page.table(HEADER, [[name, *_cells(outcome)] for name, outcome in said], numbers=(2, 3, 4, 5))
    name = comparison.image.source
    pair = f'<div class="pair">{page.picture(picture, name)}{table}</div>'
    return page.section(name, f"<p>{page.text(verdict(comparison))}</p>{pair}")


def _cells(outcome: Outcome) -> list[str]:
    sure = (outcome.confidence, outcome.calibrated) if isinstance(outcome, Prediction) else (None, None)
    return [
        short(outcome), *map(words.percent, sure), words.duration(outcome.latency_s),
        words.dollars(outcome.cost_usd), "; ".join(words.remarks(outcome)),
    ]  # fmt: skip
