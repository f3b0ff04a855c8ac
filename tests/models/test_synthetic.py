"""Pictures that are made: labelled rightly, in MNIST's form, never twice the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from digitrec.models import store, synthetic
from digitrec.models.data import NO_DIGIT, mnist_test
from digitrec.prepare.mnist import in_form

DIGITS = mnist_test()[:500]


def test_about_as_many_as_asked_for_are_made_in_mnists_form() -> None:
    made = synthetic.make(DIGITS, 60, seed=1)
    assert 50 <= len(made) <= 60
    assert in_form(made.images).mean() > 0.9
    assert 8 <= (made.labels == NO_DIGIT).sum() <= 12


def test_the_seed_decides_them() -> None:
    one, same, other = (synthetic.make(DIGITS, 6, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.images, same.images) and np.array_equal(one.labels, same.labels)
    assert not np.array_equal(one.images[:4], other.images[:4])


def test_labels_belong_to_their_images() -> None:
    for made, readable in (
        (synthetic.drawn(60, np.random.default_rng(0)), 0.85),
        (synthetic.photographed(DIGITS, 60, np.random.default_rng(0)), 0.85),
        (synthetic.damaged(DIGITS, 60, np.random.default_rng(0)), 0.6),
    ):
        read = store.load().probabilities(made.images).argmax(axis=1)
        assert (read == made.labels).mean() > readable
        assert len(set(made.labels.tolist())) == 10


def test_what_is_no_digit_is_labelled_so_and_confuses_the_network() -> None:
    made = synthetic.senseless(DIGITS, 60, np.random.default_rng(0))
    assert len(made) > 40
    assert (made.labels == NO_DIGIT).all()
    clear, unclear = (store.evidence(store.load().probabilities(some.images)) for some in (DIGITS, made))
    assert np.median(unclear) < np.quantile(clear, 0.05)


def test_scenes_are_learned_where_the_digit_was_cut_out() -> None:
    made = synthetic.staged(DIGITS, 80, np.random.default_rng(0))
    assert 40 < len(made) < 80
    read = store.load().probabilities(made.images).argmax(axis=1)
    digits = made.labels != NO_DIGIT
    assert (read == made.labels)[digits].mean() > 0.85
    assert set(made.labels.tolist()) == set(range(11))


def test_a_scene_whose_cut_out_is_something_else_is_not_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "READ", ("plain paper",))
    everywhere = synthetic.scene

    def elsewhere(*scene):
        one = everywhere(*scene)
        return replace(one, box=(0, 0, 5, 5))

    monkeypatch.setattr(synthetic, "scene", elsewhere)
    assert len(synthetic.staged(DIGITS, 5, np.random.default_rng(0))) == 0
