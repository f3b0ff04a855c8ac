"""The recipe of the judge's weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lab.reading.test_compose import people
from PIL import Image

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab import stocks
from digitrec.lab.finding.judge import Sources, drawn, learn
from digitrec.lab.handwriting.writer import Writer
from digitrec.lab.reading.hands import hands
from digitrec.prepare.judge import WEIGHTS


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    digits, cell = mnist_test()[:40], tmp_path / "cell.png"
    Image.fromarray(255 - digits.images[0]).resize((90, 90)).save(cell)
    return Sources(Writer(digits), [(cell, int(digits.labels[0]))], list(hands(people(), 3, 5)))


@pytest.mark.filterwarnings("ignore:.*hasn't converged")
def test_the_recipe_writes_weights_of_the_shipped_form_and_their_card(
    sources: Sources, tmp_path: Path
) -> None:
    stocks.fill(tmp_path, 1, lambda number: drawn(sources, number, 12))
    learn(tmp_path, tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz") as made, np.load(WEIGHTS) as shipped:
        assert {name: made[name].shape for name in made} == {name: shipped[name].shape for name in shipped}
        assert all(np.isfinite(made[name]).all() for name in made)
    assert "held back" in (tmp_path / "weights.md").read_text("utf-8")


def test_a_stock_is_the_same_when_drawn_again(sources: Sources) -> None:
    one, again = (drawn(sources, 3, 4) for _ in range(2))
    assert np.array_equal(one["rows"], again["rows"]) and np.array_equal(one["right"], again["right"])
