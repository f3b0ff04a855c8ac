"""What pictures remind a network of, drawn."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.offsetbox import AnnotationBbox

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import drawn_seven
from digitrec.engine import Engine
from digitrec.lab.evaluation.layout import Layout, Own
from digitrec.lab.evaluation.nearest import Neighbour
from digitrec.recognise.explain import Explanation, explain
from digitrec.report.plots.likeness import _apart, layout, reminders

TEST = mnist_test()


def laid(count: int) -> Layout:
    around, rng = TEST[:100], np.random.default_rng(0)
    reads = [None if place == 1 else int(TEST.labels[place]) for place in range(count)]
    own = tuple(
        Own(f"{place}.png", TEST.images[place], read, None, 3 if place == 0 else None)
        for place, read in enumerate(reads)
    )
    return Layout(around, rng.random((100, 2)), own, rng.random((count, 2)))


def test_the_digits_it_reminds_of_are_shown_with_their_labels(engine: Engine) -> None:
    found: Explanation = explain(drawn_seven(), engine)
    nearest = [Neighbour(0, 7, 0.99), Neighbour(17, 7, 0.98), Neighbour(2, 1, 0.5)]
    figure = reminders(found, nearest, TEST)
    own, *cells = [axes for part in figure.subfigs for axes in part.axes]
    np.testing.assert_array_equal(own.images[0].get_array(), found.digit)
    assert [axes.get_title() for axes in cells[:3]] == ["a 7, 0.99", "a 7, 0.98", "a 1, 0.50"]
    np.testing.assert_array_equal(cells[1].images[0].get_array(), TEST.images[17])
    assert "2 of 3 are 7s, 1 of 3 are 1s" in figure.get_suptitle()


def test_a_map_has_every_own_picture_and_says_what_was_odd() -> None:
    (axes,) = layout(laid(12)).axes
    assert sum(isinstance(one, AnnotationBbox) for one in axes.artists) == 12
    words = [text.get_text() for text in axes.texts]
    assert "3→7" in words and "?" in words
    assert "12 own pictures" in axes.get_title() and "refused (?)" in axes.get_xlabel()


def test_of_many_only_marks_are_drawn() -> None:
    (axes,) = layout(laid(100)).axes
    few = sum(isinstance(one, AnnotationBbox) for one in axes.artists)
    many = layout(Layout(TEST[:100], np.zeros((100, 2)), laid(12).own * 20, np.zeros((240, 2)))).axes[0]
    assert few == 100 and not any(isinstance(one, AnnotationBbox) for one in many.artists)
    assert len(many.collections[-1].get_offsets()) == 240


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=12), st.floats(0.01, 0.1))
def test_pictures_make_room_for_each_other(places: list[tuple[float, float]], side: float) -> None:
    given_places = np.array(places)
    found = _apart(given_places, side)
    away = np.abs(found[:, None] - found).max(axis=2)
    np.fill_diagonal(away, 1)
    assert away.min() > 0.5 * side  # none hides more than a part of another
    spread = np.abs(given_places[:, None] - given_places).max(axis=2)
    np.fill_diagonal(spread, 1)
    if spread.min() > side:
        np.testing.assert_array_equal(found, given_places)
