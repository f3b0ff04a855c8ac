"""Training digits besides MNIST's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.training import material
from digitrec.lab.training.run import TrainConfig, unwatched

WORLD = TrainConfig(world=2)


def test_each_digit_of_other_countries_is_learned_so_many_times(world_folder: Path) -> None:
    told: list[float] = []
    some = material.abroad(WORLD, lambda done, _: told.append(done))
    more = material.abroad(TrainConfig(world=3), unwatched)
    assert len(told) == 2 and told[-1] == 1
    assert set(some.labels.tolist()) == {0, 4, 7}
    assert 7 <= len(some) <= 8 < len(more) <= 12
    assert np.array_equal(more.images[: len(some)], some.images)  # the rest differ
    assert len({image.tobytes() for image in more.images}) == len(more)
    assert sorted(material.writers_held_back().labels.tolist()) == [1, 1, 3, 5]


def test_each_network_has_digits_of_its_own_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(material, "_PORTION", 30)
    digits = mnist_test()[:300]
    config = TrainConfig(made=1, scenes=0, fonts=False)
    one, other = (material.made(digits, 59, replace(config, seed=seed), unwatched) for seed in (0, 1))
    assert 20 <= len(one) <= 30  # whole portions only
    assert not np.array_equal(one.images[:9], other.images[:9])


def test_the_fonts_that_may_be_learned_are_and_no_other(some_fonts: Path) -> None:
    learned = {Path(font).name for font in material._fonts(TrainConfig())}
    assert {"one-latin-400-normal.woff", "two-latin-400-normal.woff", "DejaVuSans.ttf"} < learned
    assert "apart-latin-400-normal.woff" not in learned
    own = material._fonts(TrainConfig(fonts=False))
    assert own and not any("latin-400" in font for font in own)
