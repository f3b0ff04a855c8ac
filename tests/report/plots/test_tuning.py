"""The two pictures of a search."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitrec.lab.training.tune import Study, Trial
from digitrec.report.plots import tuning

TRIALS = (
    Trial(0, "complete", 0.8, {}),
    Trial(1, "pruned", 0.3, {}),
    Trial(2, "fail", None, {}),
    Trial(3, "complete", 0.7, {}),
    Trial(4, "complete", 0.9, {}),
)
STUDY = Study(TRIALS, TRIALS[4], {"batch": 0.1, "learning_rate": 0.7, "filters": 0.2}, Path("best.json"))


def test_the_history_shows_every_trial_that_has_an_accuracy() -> None:
    figure = tuning.history(STUDY)
    complete, pruned, best = figure.axes[0].lines
    assert list(complete.get_xdata()) == [0, 3, 4] and list(complete.get_ydata()) == [0.8, 0.7, 0.9]
    assert list(pruned.get_xdata()) == [1]
    assert list(best.get_ydata()) == [0.8, 0.8, 0.9]
    assert "5 trials" in figure.axes[0].get_title() and figure.axes[0].get_ylabel()


def test_the_most_important_stands_on_top() -> None:
    (axes,) = tuning.importance(STUDY).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["batch", "filters", "learning rate"]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.1, 0.2, 0.7])
