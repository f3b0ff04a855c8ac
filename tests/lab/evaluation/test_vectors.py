"""The second generator: its pictures are fixed by their seed and show what their kind says."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from digitrec.lab.evaluation.vectors import KINDS, scenes
from digitrec.lab.handwriting.scenes import WANTED

COUNT = 12


def inks(kind: str) -> list[NDArray[np.bool_]]:
    """Return where each picture of a kind is clearly darker or more colourful than its paper."""
    found = []
    for one in scenes(kind, COUNT, 5):
        pixels = ndimage.gaussian_filter(np.asarray(one.image, float), (0.7, 0.7, 0))
        apart = np.abs(pixels - np.median(pixels, axis=(0, 1))).max(axis=2)
        found.append(apart > 0.5 * apart.max())
    return found


def margins(ink: NDArray[np.bool_]) -> list[int]:
    """Return the pixels between the ink and each edge of the picture."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    height, width = ink.shape
    return [int(columns[0]), width - 1 - int(columns[-1]), int(rows[0]), height - 1 - int(rows[-1])]


def pieces(ink: NDArray[np.bool_]) -> int:
    """Return the number of pieces of ink, without specks."""
    labels, count = ndimage.label(ink, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return int((sizes > 0.05 * sizes.max()).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_fixed_by_the_seed(kind: str) -> None:
    assert KINDS[kind][0] in WANTED
    first, again, other = (list(scenes(kind, count, seed)) for count, seed in ((2, 5), (1, 5), (2, 6)))
    assert np.array_equal(first[0].image, again[0].image)
    pictures = [np.asarray(one.image) for one in (*first, *other)]
    assert len({picture.tobytes() for picture in pictures}) == 4
    assert all(one.dtype == np.uint8 and one.ndim == 3 and one.shape[2] == 3 for one in pictures)
    assert all(one.label in range(10) for one in (*first, *other))


def test_a_plain_digit_keeps_away_from_the_edges() -> None:
    assert all(min(margins(ink)) > 5 for ink in inks("plain"))


def test_a_digit_touches_one_edge_or_nearly() -> None:
    touching = [sorted(margins(ink)) for ink in inks("touching an edge")]
    nearly = [sorted(margins(ink)) for ink in inks("nearly touching an edge")]
    assert all(first == 0 and second > 0 for first, second, *_ in touching)
    assert sum(0 < first < second for first, second, *_ in nearly) >= COUNT - 1
    assert max(first for first, *_ in nearly) <= 8


@pytest.mark.parametrize("kind", ["bracket of a font", "bracket by hand"])
def test_brackets_stand_beside_the_digit(kind: str) -> None:
    counts = [pieces(ink) for ink in inks(kind)]
    assert min(counts) >= 2 and {2, 3} <= {*counts}


def test_a_pen_reaches_beyond_the_picture_or_is_larger_than_the_digit() -> None:
    assert sum(pieces(ink) >= 2 for ink in inks("pen or pencil")) >= COUNT - 2


def test_a_card_is_lighter_than_its_table() -> None:
    for one in scenes("card", COUNT, 5):
        grey = np.asarray(one.image, float).mean(axis=2)
        border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        assert np.quantile(grey, 0.95) > np.median(border) + 40


def test_a_shadow_darkens_a_part_of_the_page() -> None:
    for one in scenes("shadow", COUNT, 5):
        small = ndimage.median_filter(np.asarray(one.image, float).mean(axis=2), 15)
        assert small.max() - small.min() > 35
