"""The recipe of the weights that judge readings, and the tables that it draws."""

from pathlib import Path

import numpy as np
import pytest
from lab.reading.test_compose import people

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab import stocks
from digitrec.lab.handwriting.writer import Writer
from digitrec.lab.reading.compose import Composer
from digitrec.lab.reading.hands import hands, letter_hands
from digitrec.lab.reading.judge import Sources, drawn, learn
from digitrec.lab.reading.tables import boxes, table
from digitrec.providers.local.numbers import WEIGHTS


def sources() -> Sources:
    composer = Composer(list(hands(people(), 3, 5)), np.random.default_rng(4), list(letter_hands(6, 3)))
    return Sources(Writer(mnist_test()[:40]), composer)


@pytest.mark.filterwarnings("ignore:.*hasn't converged")
def test_the_recipe_writes_weights_of_the_shipped_form_and_their_card(tmp_path: Path) -> None:
    stocks.fill(tmp_path, 1, lambda number: drawn(sources(), number, 12))
    learn(tmp_path, tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz") as made, np.load(WEIGHTS) as shipped:
        assert {name: made[name].shape for name in made} == {name: shipped[name].shape for name in shipped}
        assert all(np.isfinite(made[name]).all() for name in made)
    assert "held back" in (tmp_path / "weights.md").read_text("utf-8")


def test_a_stock_is_the_same_when_drawn_again() -> None:
    one, again = (drawn(sources(), 3, 4) for _ in range(2))
    assert np.array_equal(one["rows"], again["rows"]) and np.array_equal(one["right"], again["right"])


@pytest.mark.parametrize("seed", range(6))
def test_each_number_of_a_table_has_its_box_inside_the_picture(seed: int) -> None:
    pixels, numbers = table(Writer(mnist_test()[:40]), np.random.default_rng(seed))
    assert numbers and all(text.isdigit() for text, _ in numbers)
    boxes = np.array([box for _, box in numbers])
    assert (boxes >= 0).all() and (boxes[:, 2:] <= pixels.shape[1::-1]).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_a_row_of_boxes_has_its_number_and_a_digit_in_each_box_but_no_number_with_a_letter() -> None:
    writer, lengths = Writer(mnist_test()[:40]), []
    for seed in range(40):
        pixels, numbers = boxes(writer, np.random.default_rng(seed))
        digits = [(text, box) for text, box in numbers if len(text) == 1]
        for text, (left, top, right, bottom) in numbers:
            assert 0 <= left < right <= pixels.shape[1] and 0 <= top < bottom <= pixels.shape[0]
            assert "".join(one for one, box in digits if left <= box[0] and box[2] <= right) == text
        lengths.append(len(numbers) - len(digits))
    assert set(lengths) == {0, 1}, "some rows hold a letter or nothing"
