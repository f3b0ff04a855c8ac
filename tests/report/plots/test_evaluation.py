"""The pictures of an evaluation show its figures."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.comparison.benchmark.measure import Result, measure
from digitrec.comparison.datasets.loader import Sample, read_samples
from digitrec.engine import Engine
from digitrec.report.plots import evaluation


def texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_confusion_shows_the_counts(found: Result) -> None:
    axes, bar = evaluation.confusion(found).axes
    shown = np.ma.filled(axes.images[0].get_array(), 0)
    assert shown.shape == (10, 10) and shown.sum() == 70
    assert shown[3, 7] == 1
    assert sorted(map(int, texts(axes))) == sorted(shown[shown > 0].tolist())
    assert axes.get_xlabel() and axes.get_ylabel() and axes.get_title() and bar.get_ylabel()


def test_fifteen_predictions_three_by_five(found: Result) -> None:
    axes = evaluation.predictions(found).axes
    assert len(axes) == 15
    assert all(one.get_title().startswith("predicted ") and "actual" in one.get_title() for one in axes)


def test_captions_name_both(engine: Engine) -> None:
    digit, blank = read_samples("mnist-test")[0].image, np.full((60, 60), 240, np.uint8)
    shown = [Sample(digit, 7), Sample(digit, 3), Sample(blank, None), Sample(b"no picture", 4)]
    right, wrong, nothing, failed = (
        evaluation.caption(measure(shown, engine, "odd"), place) for place in range(4)
    )
    assert right.startswith("predicted 7 (") and right.endswith("%)\nactual 7")
    assert wrong.startswith("predicted 7 (") and wrong.endswith("✗\nactual 3")
    assert (nothing, failed) == ("predicted -\nactual none", "predicted !  ✗\nactual 4")


def test_mistakes_are_the_misread(found: Result) -> None:
    titles = [axes.get_title() for axes in evaluation.mistakes(found).axes if axes.get_title()]
    assert titles == [evaluation.caption(found, 0)]


def test_a_curve_for_each_digit(found: Result) -> None:
    figure = evaluation.curves(found)
    lines = figure.axes[0].lines
    assert len(lines) == 10
    np.testing.assert_array_equal(lines[3].get_xdata(), found.curves[3].recall)
    assert [text.get_text()[0] for text in figure.legends[0].get_texts()] == list("0123456789")


def test_reliability_and_coverage_are_the_cards(found: Result) -> None:
    known = found.card.reliability
    assert known is not None
    _, drawn = evaluation.reliability(found).axes[0].lines
    assert drawn.get_ydata() == pytest.approx([one.right for one in known.bins])
    (line,) = evaluation.coverage([found]).axes[0].lines
    assert line.get_ydata()[-1] == pytest.approx(69 / 70)


def test_axes_of_shares_end_at_100_per_cent(found: Result) -> None:
    for figure in (evaluation.curves(found), evaluation.coverage([found]), evaluation.reliability(found)):
        assert (figure.axes[0].get_xlim()[1], figure.axes[0].get_ylim()[1]) == (1, 1)
