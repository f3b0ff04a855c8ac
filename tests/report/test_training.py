"""Curves of training."""

from __future__ import annotations

from digitrec.lab.training.run import Epoch
from digitrec.report.training import curves

HISTORY = [Epoch(1, 0.9, 0.7, 0.5, 0.8, 1.0), Epoch(2, 0.4, 0.85, 0.3, 0.9, 1.0)]


def test_both_curves_of_both_measures_are_drawn() -> None:
    accuracy, loss = curves(HISTORY, "it").axes
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[0.7, 0.85], [0.8, 0.9]]
    assert [list(line.get_ydata()) for line in loss.lines] == [[0.9, 0.4], [0.5, 0.3]]
    assert accuracy.get_xlabel() == loss.get_xlabel() == "epoch"
    assert "nats" in loss.get_ylabel()
