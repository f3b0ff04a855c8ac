"""Typical digits of a set, and outliers."""

from dataclasses import replace

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.errors import DataError
from digitrec.lab.evaluation.explore import NOTABLE, Exploration, Notable, explore
from digitrec.models import store

FAINT, BOLD, MISLABELLED = 5, 11, 23
WITHOUT_3 = mnist_test()[np.flatnonzero(mnist_test().labels[:220] != 3)]


def spoilt() -> Digits:
    """Return digits without a 3: one is faint, one is bold and one has a wrong label."""
    digits = WITHOUT_3
    images, labels = digits.images.copy(), digits.labels.copy()
    images[FAINT] //= 4
    images[BOLD] = np.where(np.hypot(*np.mgrid[-14:14, -14:14]) < 9, 255, 0)
    labels[MISLABELLED] = (labels[MISLABELLED] + 5) % 10
    return replace(digits, images=images, labels=labels)


def chances(digits: Digits) -> np.ndarray:
    """Return the shipped network's answers, none of them surer than 46 %."""
    return 0.4 * store.load().probabilities(digits.images) + 0.06


@pytest.fixture(scope="module")
def seen() -> Exploration:
    return explore(spoilt(), "spoilt", chances(spoilt()))


def kind(seen: Exploration, title: str) -> Notable:
    return next(one for one in seen.notable if one.title == title)


def test_counts_means_and_histogram_are_of_the_digits(seen: Exploration) -> None:
    digits = spoilt()
    assert seen.counts.sum() == len(digits)
    assert seen.counts[3] == 0 and seen.mean[3].max() == 0  # a missing digit leaves an empty place
    twos = digits.images[digits.labels == 2].astype(float)
    np.testing.assert_allclose(seen.mean[2], twos.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(seen.variance[2], twos.var(axis=0), rtol=1e-3, atol=1e-1)
    assert seen.histogram.sum() == digits.images.size
    assert seen.histogram[0] == (digits.images == 0).sum()


def test_what_was_spoilt_is_found_first(seen: Exploration) -> None:
    assert kind(seen, "Faintest").places[0] == FAINT
    assert kind(seen, "Thickest strokes").places[0] == BOLD
    doubted = kind(seen, "Label in doubt")
    assert doubted.places[0] == MISLABELLED
    assert doubted.remarks[0].startswith(f"read as {WITHOUT_3.labels[MISLABELLED]}, ")
    assert len(doubted.places) == len(doubted.remarks) < NOTABLE, "a plain digit is in no doubt"
    others = [one for one in seen.notable if one is not doubted]
    assert all(len(one.places) == len(one.remarks) == NOTABLE for one in others)
    assert kind(seen, "Faintest").remarks[0].endswith("black")


def test_the_layout_brings_like_to_like(seen: Exploration) -> None:
    labels = spoilt().labels[seen.embedded]
    away = np.linalg.norm(seen.embedding[:, None] - seen.embedding, axis=2)
    np.fill_diagonal(away, np.inf)
    assert (labels[away.argmin(axis=1)] == labels).mean() > 0.6


def test_copies_are_no_usual_neighbours() -> None:
    many = mnist_test()[np.array([0] * 60 + [*range(1, 21)])]
    remarks = kind(explore(many, "copies", chances(many)), "Most unusual").remarks
    assert max(float(remark.split()[0]) for remark in remarks) < 3


@pytest.mark.parametrize("few", [mnist_test()[:2], mnist_test()[np.zeros(20, int)]], ids=["two", "copies"])
def test_too_few_that_differ_are_refused(few: Digits) -> None:
    with pytest.raises(DataError, match=f"{len(few)} digits, too few"):
        explore(few, "few", chances(few))
