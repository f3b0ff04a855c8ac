"""The comparison of models in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from digitrec.comparison.benchmark.measures import proportion
from digitrec.lab.training.compare import Contestant
from digitrec.report.models import markdown, table, verdict

FOUND = [
    Contestant("MLP", "mlp", "Medium", proportion(51, 60), 12.3, 0.00045, 1_234_567, Path("a/mlp.tflite")),
    Contestant("k-NN", "knn", "Low", proportion(57, 60), 0.02, 0.0123, 900, Path("a/knn.skops")),
]


def test_the_table_begins_with_the_most_accurate() -> None:
    assert table(FOUND, 200).rows == [
        ("k-NN", "95.00%", "86.30% to 98.29%", "20 ms", "12.3 ms", "1 kB", "Low", "`knn.skops`"),
        ("MLP", "85.00%", "73.89% to 91.90%", "12.3 s", "0.45 ms", "1,235 kB", "Medium", "`mlp.tflite`"),
    ]


def test_the_winner_is_named_with_its_rule() -> None:
    """90 % of 60 reaches up to 95.3 %: as good as 95 % within chance, and quicker."""
    near = replace(FOUND[0], accuracy=proportion(54, 60))
    assert verdict([near, FOUND[1]]).startswith("The winner: MLP. k-NN, MLP are as accurate as each other")
    assert verdict(FOUND) == "The winner: k-NN, more accurate than every other by more than chance."
    assert verdict(FOUND) in markdown(FOUND, 200, [])


def test_networks_that_see_the_digits_unchanged_are_named() -> None:
    assert "changed a little in every epoch and hold" in table(FOUND, 200).note
    published = replace(FOUND[0], arch="tutorial-cnn", title="Tutorial CNN")
    assert "in every epoch (but for Tutorial CNN) and hold" in table([published, *FOUND], 200).note


def test_the_page_names_pictures_data_and_machine() -> None:
    page = markdown(FOUND, 200, [("Test accuracy", "images/accuracy.png")])
    assert "the same 200 digits" in page
    assert "![Test accuracy](images/accuracy.png)" in page
    assert "60 test digits" in page and "cores" in page
    assert page.index("| k-NN |") < page.index("| MLP |")
