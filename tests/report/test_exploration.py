"""The plots of a data set show its facts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.evaluation.explore import NOTABLE, Exploration, explore
from digitrec.models import store
from digitrec.report import exploration
from digitrec.report.plots import save


@pytest.fixture(scope="module")
def seen() -> Exploration:
    digits = mnist_test()[:120]
    return explore(digits, "some", store.load().probabilities(digits.images))


def test_a_name_is_no_formula(seen: Exploration, tmp_path: Path) -> None:
    figure = exploration.classes(replace(seen, name=r"$\frac$"))
    assert save(figure, tmp_path / "classes.png").exists()
    assert figure.axes[0].get_title().startswith(r"Classes of $\frac$: ")


def test_samples_are_ten_of_each(seen: Exploration) -> None:
    canvas = exploration.samples(seen).axes[0].images[0].get_array()
    assert canvas.shape == (280, 280)
    first_zero = np.asarray(canvas[:28, :28])
    assert any((first_zero == zero).all() for zero in seen.digits.images[seen.digits.labels == 0])


def test_bars_points_and_pixels_are_the_data(seen: Exploration) -> None:
    assert [bar.get_height() for bar in exploration.classes(seen).axes[0].patches] == seen.counts.tolist()
    points = [len(group.get_offsets()) for group in exploration.embedding(seen).axes[0].collections]
    assert points == np.bincount(seen.digits.labels[seen.embedded], minlength=10).tolist()
    assert sum(bar.get_height() for bar in exploration.pixels(seen).axes[0].patches) == pytest.approx(100)


def test_the_strange_are_shown_with_their_number_and_label(seen: Exploration) -> None:
    axes = exploration.notable(seen).axes
    assert len(axes) == NOTABLE * len(seen.notable)
    place = seen.notable[0].places[0]
    assert axes[0].get_title() == f"no. {place}: {seen.digits.labels[place]}"
    np.testing.assert_array_equal(axes[0].images[0].get_array(), seen.digits.images[place])
