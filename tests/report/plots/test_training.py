"""Curves of training, and the pictures of a search."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from digitrec.lab.training.run import Epoch
from digitrec.lab.training.tune import Study, Trial
from digitrec.report.plots.training import curves, importance, trials

HISTORY = [Epoch(1, 0.9, 0.7, 0.5, 0.8, 1.0), Epoch(2, 0.4, 0.85, 0.3, 0.9, 1.0)]


def test_both_curves_of_both_measures_are_drawn() -> None:
    accuracy, loss = curves(HISTORY, "it").axes
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[0.7, 0.85], [0.8, 0.9]]
    assert [list(line.get_ydata()) for line in loss.lines] == [[0.9, 0.4], [0.5, 0.3]]
    assert accuracy.get_xlabel() == loss.get_xlabel() == "epoch"
    assert "nats" in loss.get_ylabel()


def test_without_digits_held_back_there_is_one_curve() -> None:
    alone = [Epoch(1, 0.9, 0.7, math.nan, math.nan, 1.0)]
    figure = curves(alone, "it")
    assert [len(axes.lines) for axes in figure.axes] == [1, 1]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["learned from"]


TRIALS = (
    Trial(0, "complete", 0.8, {}),
    Trial(1, "pruned", 0.3, {}),
    Trial(2, "fail", None, {}),
    Trial(3, "complete", 0.7, {}),
    Trial(4, "complete", 0.9, {}),
)
STUDY = Study(TRIALS, TRIALS[4], {"batch": 0.1, "learning_rate": 0.7, "filters": 0.2}, Path("best.json"))


def test_the_history_shows_every_trial_that_has_an_accuracy() -> None:
    figure = trials(STUDY)
    complete, pruned, best = figure.axes[0].lines
    assert list(complete.get_xdata()) == [0, 3, 4] and list(complete.get_ydata()) == [0.8, 0.7, 0.9]
    assert list(pruned.get_xdata()) == [1]
    assert list(best.get_ydata()) == [0.8, 0.8, 0.9]
    assert "5 trials" in figure.axes[0].get_title() and figure.axes[0].get_ylabel()


def test_the_most_important_stands_on_top() -> None:
    (axes,) = importance(STUDY).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["batch", "filters", "learning rate"]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.1, 0.2, 0.7])
