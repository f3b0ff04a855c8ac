"""One's own pictures among MNIST's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import drawn_seven
from digitrec.engine import Engine
from digitrec.errors import DataError
from digitrec.lab.evaluation.layout import Layout, Read, layout, read
from digitrec.providers.local import Local

AROUND = 120


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(Local())


@pytest.fixture(scope="module")
def seen(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("own")
    (folder / "text.png").write_text("no picture")
    blank = np.full((80, 80), 240, np.uint8)
    test = mnist_test()
    Image.fromarray(drawn_seven().pixels).save(folder / "seven.png")
    sources = [folder / "seven.png", blank, *test.images[5000:5010], folder / "text.png", folder / "none.png"]
    return read(sources, engine, {str(folder / "seven.png"): 1})


@pytest.fixture(scope="module")
def laid(seen: Read, engine: Engine) -> Layout:
    return layout(seen.own, engine, around=AROUND)


def test_each_picture_is_shown_as_it_was_read_or_told_of(seen: Read) -> None:
    assert [one.read for one in seen.own[:1]] == [7] and len(seen.own) == 11
    assert seen.own[0].label == 1 and seen.own[0].misread and not seen.own[1].misread
    assert np.array_equal(seen.own[1].digit, mnist_test().images[5000])
    assert [one.reason for one in seen.refused] == ["blank"]
    assert [Path(one.image.source).name for one in seen.failed] == ["text.png", "none.png"]


def test_one_lies_among_its_own_kind(laid: Layout) -> None:
    assert laid.places.shape == (AROUND, 2) and laid.own_places.shape == (11, 2)
    everywhere = np.concatenate([laid.places, laid.own_places])
    assert everywhere.min() == 0 and everywhere.max() == 1
    away = np.linalg.norm(laid.own_places[:, None] - laid.places, axis=2)
    near = laid.around.labels[away.argsort(axis=1)[:, :5]]
    read = np.array([one.read for one in laid.own])
    assert (near == read[:, None]).mean() > 0.7


def test_the_same_pictures_give_the_same_map(seen: Read, laid: Layout, engine: Engine) -> None:
    again = layout(seen.own, engine, around=AROUND)
    np.testing.assert_allclose(again.own_places, laid.own_places, atol=1e-3)


def test_without_a_picture_there_is_no_map(engine: Engine) -> None:
    with pytest.raises(DataError, match="no picture with a digit"):
        layout((), engine)
