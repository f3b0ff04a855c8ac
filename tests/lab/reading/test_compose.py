"""Composing numbers and other signs for the reader's network."""

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.datasets.world import Paths, People, Scans
from digitrec.lab.reading.compose import WIDEST, Composer
from digitrec.lab.reading.hands import KINDS, Hand, hands, letter_hands
from digitrec.models.sequence import ALPHABET, HEIGHT

DIGITS = mnist_test()[:300]


def people() -> People:
    """Return two writers of MNIST's digits and two of pen paths."""
    labels = np.arange(40, dtype=np.uint8) % 10
    strokes = [[np.array([[0.0, 0.0], [30.0 + at, 50.0], [10.0, 100.0]])] for at in range(40)]
    writers = np.array(["a", "b"])
    scans = Scans(DIGITS.images, DIGITS.labels, writers[np.arange(300) % 2])
    return People(DIGITS, scans, Paths(strokes, labels, writers[np.arange(40) // 20]))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_number_is_a_view_and_its_text(seed: int) -> None:
    composer = Composer(list(hands(people(), 12, 3)), np.random.default_rng(seed))
    for _ in range(20):
        view, text = composer.number()
        assert view.dtype == np.uint8
        assert view.shape[0] == HEIGHT and view.shape[1] <= WIDEST
        assert text and set(text) <= set(ALPHABET)
        assert view.shape[1] // 4 >= 2 * len(text) - 1


def test_some_pictures_show_no_number() -> None:
    numbers, others = list(hands(people(), 3, 5)), list(letter_hands(6, 3))
    composer = Composer(numbers, np.random.default_rng(4), others)
    made = [composer.picture() for _ in range(60)]
    assert all(view.shape[0] == HEIGHT and view.shape[1] <= WIDEST for view, _ in made)
    others = [text for _, text in made if not set(text) & set("0123456789")]
    assert 3 <= len(others) <= 30
    assert "?" in "".join(others)


def test_letters_and_signs_stand_only_beside_a_number() -> None:
    composer = Composer(list(hands(people(), 3, 5)), np.random.default_rng(4), list(letter_hands(6, 3)))
    texts = [composer.number()[1] for _ in range(60)]
    assert any("?" in text for text in texts)
    assert all(set(text.strip("?")) <= set(ALPHABET) for text in texts)


def test_flat_signs_fit_above_a_number() -> None:
    dashes = Hand((((np.full((4, 64), 255, np.uint8)),),) * 10, 0.06)
    composer = Composer([dashes], np.random.default_rng(3))
    assert all(composer.number()[0].shape[0] == HEIGHT for _ in range(60))


def test_every_kind_of_hand_writes_all_digits() -> None:
    for kind in KINDS:
        (hand,) = hands(people(), 1, 1, {kind: 1.0})
        assert len(hand.inks) == 10 and all(max(ink.shape) == 64 for inks in hand.inks for ink in inks)
