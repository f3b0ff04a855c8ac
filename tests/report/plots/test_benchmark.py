"""Plots show the figures of the scorecards, with titles, units and legends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from digitrec.answer.prediction import Prediction
from digitrec.comparison.benchmark.scorecard import Scorecard, scorecard
from digitrec.image import ImageRef
from digitrec.report.plots import benchmark as plots
from digitrec.report.plots.style import FEWEST, INK, svg


def card(name: str, right: int, price: float | None, seconds: float) -> Scorecard:
    """100 answers, the surest of them right."""
    said = [
        Prediction(
            ImageRef("x", "0"),
            name,
            1 if place < right else 2,
            1 - place / 200,
            latency_s=seconds * (1 + place),
        )
        for place in range(100)
    ]
    return scorecard(name, said, [1] * 100, prices={name: price})


CARDS = [card("best", 95, 0.0015, 0.01), card("cheap", 80, 0.0, 0.001), card("unknown", 70, None, 0.02)]


def texts(figure: Figure) -> list[str]:
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_trade_off_shows_accuracy_cost_and_latency() -> None:
    left, right = plots.trade_off(CARDS).axes
    assert left.get_xlabel() == "US dollars for 1,000 pictures"
    assert right.get_xlabel() == "latency, median (ms)"
    points = [tuple(np.ravel(line.lines[0].get_data())) for line in left.containers]
    assert points == [(pytest.approx(1.5), pytest.approx(95)), (pytest.approx(0), pytest.approx(80))]
    assert len(right.containers) == 3
    assert right.get_xscale() == "log"


def test_the_pareto_front_is_filled() -> None:
    beaten = card("beaten", 60, 0.01, 0.5)
    _, right = plots.trade_off([*CARDS, beaten]).axes
    filled = {line.get_label(): line.lines[0].get_markerfacecolor() != "none" for line in right.containers}
    assert filled == {"best": True, "cheap": True, "unknown": False, "beaten": False}


def test_coverage_falls_from_the_surest_to_all() -> None:
    figure = plots.coverage(CARDS)
    (axes,) = figure.axes
    best, *_ = axes.lines
    x, y = best.get_data()
    assert (x[0], x[-1]) == (10, 100), "fewer than ten answers say nothing"
    assert (y[0], y[-1]) == (100, pytest.approx(95))
    assert texts(figure) == ["best", "cheap", "unknown"]


def test_reliability_shows_bins_beside_the_diagonal() -> None:
    (axes,) = plots.reliability(CARDS, calibrated=False).axes
    diagonal, first, *_ = axes.lines
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata())
    assert CARDS[0].reliability is not None
    bins = [bin for bin in CARDS[0].reliability.bins if bin.answers >= FEWEST]
    assert first.get_ydata() == pytest.approx([100 * bin.right for bin in bins])
    (empty,) = plots.reliability(CARDS, calibrated=True).axes
    assert len(empty.lines) == 1, "engines without chances are not drawn"


def test_latency_shows_three_points_for_each_engine() -> None:
    (axes,) = plots.latency(CARDS).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["unknown", "cheap", "best"]
    lines = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) == 3]
    assert CARDS[0].latency is not None
    spent = CARDS[0].latency
    assert lines[-1] == pytest.approx([1000 * spent.p50, 1000 * spent.p95, 1000 * spent.p99])


def test_engines_differ_without_colour() -> None:
    many = [replace(CARDS[0], engine=f"e{number}") for number in range(7)]
    (axes,) = plots.reliability(many, calibrated=False).axes
    looks = {(line.get_marker(), str(line.get_linestyle())) for line in axes.lines[1:]}
    assert len(looks) == 7


def test_a_drawing_takes_its_ink_from_the_page_and_fetches_nothing() -> None:
    drawing = svg(plots.coverage(CARDS), "Coverage")
    assert drawing.startswith('<svg role="img" aria-label="Coverage"')
    assert "currentColor" in drawing
    assert INK not in drawing
    assert "<text" in drawing, "words stay words, which can be searched and read aloud"
    assert "<metadata" not in drawing


def test_nobody_and_many_with_long_names_fit() -> None:
    long = [replace(CARDS[0], engine=f"azure-analysis>google>aws@0.9{number}") for number in range(9)]
    for cards in ([], [scorecard("silent", [], [])], long):
        for figure in (plots.trade_off(cards), plots.coverage(cards), plots.latency(cards)):
            assert svg(figure, "x"), "a layout that cannot be drawn warns, and warnings are errors"


def test_axes_of_shares_end_at_100_per_cent_and_what_stands_there_is_whole() -> None:
    perfect = [card("perfect", 100, 0.001, 0.01), *CARDS]
    for figure in (plots.trade_off(perfect), plots.coverage(perfect)):
        for axes in figure.axes:
            assert axes.get_ylim()[1] == 100
            assert not any(drawn.get_clip_on() for drawn in (*axes.lines, *axes.collections))
    assert plots.coverage(perfect).axes[0].get_xlim() == (0, 100)
    (axes,) = plots.reliability(perfect, calibrated=False).axes
    assert (axes.get_xlim(), axes.get_ylim()) == ((0, 100), (0, 100))
    low = plots.trade_off([card("low", 50, 0.001, 0.01)]).axes[0]
    assert low.get_ylim()[1] < 70, "an axis that ends below stays as it is"
