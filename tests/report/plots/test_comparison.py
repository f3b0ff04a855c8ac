"""The pictures of compared models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from digitrec.comparison.benchmark.measures import proportion
from digitrec.lab.training.compare import Contestant
from digitrec.report.plots import comparison

FOUND = [
    Contestant("Slow", "slow", "High", proportion(96, 100), 90.0, 0.002, 5_000, Path("slow.tflite")),
    Contestant("Quick", "quick", "Low", proportion(90, 100), 0.5, 0.00001, 900, Path("quick.skops")),
    Contestant("Other", "other", "Low", proportion(80, 100), 3.0, 0.0004, 70, Path("other.skops")),
]


@pytest.mark.parametrize("title", comparison.PICTURES)
def test_each_has_title_and_units(title: str) -> None:
    (axes,) = comparison.PICTURES[title](FOUND).axes
    assert axes.get_title() and axes.get_xlabel()


def test_the_most_accurate_stands_on_top_with_its_interval() -> None:
    (axes,) = comparison.accuracy(FOUND).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Other", "Quick", "Slow"]
    assert [bar.get_width() for bar in axes.patches] == [0.8, 0.9, 0.96]
    assert list(axes.lines[-1].get_xdata()) == [FOUND[0].accuracy.low, FOUND[0].accuracy.high]


def test_times_are_on_a_logarithmic_axis_with_plain_figures() -> None:
    (axes,) = comparison.training(FOUND).axes
    assert [bar.get_width() for bar in axes.patches] == [90.0, 3.0, 0.5], "the quickest stands on top"
    assert [text.get_text() for text in axes.texts] == ["90.0 s", "3.0 s", "500 ms"]
    for picture, seconds in (
        (comparison.trade_off, [2.0, 0.01, 0.4]),
        (comparison.learning, [90.0, 0.5, 3.0]),
    ):
        figure = picture(FOUND)
        figure.draw_without_rendering()
        (axes,) = figure.axes
        assert [line.get_xdata()[0] for line in axes.lines] == pytest.approx(seconds)
        assert [line.get_ydata()[0] for line in axes.lines] == pytest.approx([0.96, 0.9, 0.8])
        shown = [label.get_text() for label in axes.get_xticklabels(which="both")]
        assert shown and not [text for text in shown if "10^" in text]


def test_means_are_over_each_complexity() -> None:
    (axes,) = comparison.complexity(FOUND).axes
    assert [bar.get_height() for bar in axes.patches] == pytest.approx([0.85, 0.96])
    assert [text.get_text().split("\n")[0] for text in axes.get_xticklabels()] == ["Low", "High"]


def test_axes_of_shares_end_at_100_per_cent() -> None:
    assert comparison.accuracy(FOUND).axes[0].get_xlim()[1] == 1
    for picture in (comparison.trade_off, comparison.complexity):
        nearly = replace(FOUND[0], accuracy=proportion(9999, 10000))
        assert picture([nearly, *FOUND]).axes[0].get_ylim()[1] == 1
