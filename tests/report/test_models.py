"""The comparison of models: the figures in its table, its page and its pictures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitrec.lab.training.compare import Contestant
from digitrec.lab.training.run import Epoch
from digitrec.lab.training.zoo import find
from digitrec.report import models

RIGHT = np.arange(60) < 57
SLOW = Contestant(find("mlp"), np.arange(60) < 51, 12.3, 0.00045, 1_234_567, Path("a/mlp.tflite"))
QUICK = Contestant(find("knn"), RIGHT, 0.02, 0.0123, 900, Path("a/knn.skops"))
FOUND = [SLOW, QUICK]


def test_the_table_begins_with_the_most_accurate() -> None:
    assert models.table(FOUND, 200).rows == [
        ("k-NN", "95.00%", "86.30% to 98.29%", "20 ms", "12.3 ms", "1 kB", "Low", "knn.skops"),
        ("MLP", "85.00%", "73.89% to 91.90%", "12.3 s", "0.45 ms", "1,235 kB", "Medium", "mlp.tflite"),
    ]


def test_the_winner_is_the_quickest_of_those_as_accurate_within_chance() -> None:
    """The slow model reads three digits or none that the other misreads, and not six or twelve others."""
    as_good, worse = (~RIGHT | (np.arange(60) >= lost) for lost in (6, 12))
    assert models.verdict([replace(SLOW, right=as_good), QUICK]).startswith("The winner: MLP.")
    assert models.verdict([replace(SLOW, right=worse & RIGHT), QUICK]).startswith("The winner: k-NN,")
    assert "significant" not in models.verdict([QUICK])


def test_the_page_names_winner_pictures_data_and_machine() -> None:
    page = models.markdown(FOUND, 200, {"Test accuracy": "images/accuracy.png"})
    for words in ("the same 200 digits", "![Test accuracy](images/accuracy.png)", "60 test digits", "cores"):
        assert words in page
    assert page.index("| k-NN |") < page.index("| MLP |") < page.index(models.verdict(FOUND))


@pytest.mark.parametrize("title", models.PICTURES)
def test_each_picture_has_a_title_units_and_the_figures(title: str) -> None:
    figure = models.PICTURES[title](FOUND)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert axes.get_title() and axes.get_xlabel()
    widths = [bar.get_width() for bar in axes.patches]
    heights = [bar.get_height() for bar in axes.patches]
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines]
    drawn, expected = {
        "Test accuracy": (widths, [0.85, 0.95]),
        "Training time": (widths, [12.3, 0.02]),
        "Accuracy against time": (points, [(12.3, 0.95), (0.45, 0.85)]),
        "Mean accuracy by complexity": (heights, [0.95, 0.85]),
    }[title]
    assert drawn == [pytest.approx(one) for one in expected]
    assert "10^" not in "".join(label.get_text() for label in axes.get_xticklabels(which="both"))


HISTORY = [Epoch(1, 0.9, 0.7, 0.5, 0.8, 1.0), Epoch(2, 0.4, 0.85, 0.3, 0.9, 1.0)]


def test_both_curves_of_both_measures_are_drawn() -> None:
    accuracy, loss = models.learning_curves(HISTORY, "it").axes
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[0.7, 0.85], [0.8, 0.9]]
    assert [list(line.get_ydata()) for line in loss.lines] == [[0.9, 0.4], [0.5, 0.3]]
    assert accuracy.get_xlabel() == loss.get_xlabel() == "epoch"
    assert "nats" in loss.get_ylabel()
    one, _ = models.learning_curves(HISTORY[:1], "it").axes
    assert all(tick == round(tick) for tick in one.get_xticks())
