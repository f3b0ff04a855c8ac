"""Properties of all plots."""

from dataclasses import replace

import matplotlib as mpl
import pytest
from comparison.engines import labelled

from digitrec.answer import Prediction
from digitrec.comparison.benchmark.measure import Scorecard, scorecard
from digitrec.image import ImageRef
from digitrec.report import plots


def card(name: str, right: int, price: float | None, seconds: float) -> Scorecard:
    """100 answers; the surest ones are right."""
    said = [
        Prediction(ImageRef("x", "0"), name, 1 + (at >= right), 1 - at / 200, latency_s=seconds * (1 + at))
        for at in range(100)
    ]
    return scorecard(name, said, labelled([1] * 100), prices={name: price})


BEST, CHEAP, UNKNOWN = CARDS = [
    card("best", 95, 0.0015, 0.01), card("cheap", 80, 0.0, 0.001), card("unknown", 70, None, 0.02),
]  # fmt: skip
SIZE = (5.0, 4.0)


def test_a_drawing_takes_its_ink_from_the_page_and_fetches_nothing() -> None:
    with mpl.rc_context({"text.usetex": True}):  # as in a user's matplotlibrc
        drawing = plots.svg(plots.coverage({}, SIZE), "Trade-off")
    assert drawing.startswith('<svg role="img" aria-label="Trade-off"')
    assert "currentColor" in drawing and plots.INK not in drawing
    assert "<text" in drawing, "words stay words, which can be searched and read aloud"
    assert "<metadata" not in drawing


def test_coverage_falls_from_the_surest_to_all() -> None:
    figure = plots.coverage({one.engine: one for one in CARDS}, SIZE)
    x, y = figure.axes[0].lines[0].get_data()
    assert (x[0], x[-1]) == (0.1, 1), "fewer than ten answers say nothing"
    assert (y[0], y[-1]) == (1, pytest.approx(0.95))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["best", "cheap", "unknown"]


def test_reliability_shows_bins_beside_the_diagonal() -> None:
    known = BEST.reliability
    assert known is not None
    few = replace(known, bins=(replace(known.bins[0], answers=plots.FEWEST - 1), *known.bins[1:]))
    (axes,) = plots.reliability({f"e{number}": few for number in range(7)}, "Title", SIZE).axes
    diagonal, first, *others = axes.lines
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata())
    assert first.get_ydata() == pytest.approx([bin.right for bin in known.bins[1:]])
    assert len({(line.get_marker(), str(line.get_linestyle())) for line in [first, *others]}) == 7


def test_nobody_and_many_with_long_names_fit() -> None:
    long = [replace(BEST, engine=f"azure-analysis>google>aws@0.9{number}") for number in range(9)]
    for cards in ([], [scorecard("silent", [], labelled([]))], long):
        figure = plots.coverage({one.engine: one for one in cards}, SIZE)
        assert plots.svg(figure, "x"), "a layout that cannot be drawn warns, and warnings are errors"
