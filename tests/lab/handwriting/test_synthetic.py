"""Generated pictures: correctly labelled, in MNIST's form, never repeated."""

from dataclasses import replace

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting import synthetic
from digitrec.lab.handwriting.writer import Writer, fonts_to_learn
from digitrec.models import store
from digitrec.prepare.mnist import in_form

DIGITS = mnist_test()[:500]
WRITER = Writer(DIGITS, fonts_to_learn())
VARIED = replace(WRITER, varied=0.3)


def test_labels_belong_to_their_images() -> None:
    for made, readable in (
        (synthetic.drawn(20, np.random.default_rng(0)), 0.85),
        (synthetic.lettered(WRITER, 20, np.random.default_rng(0)), 0.85),
        (synthetic.photographed(DIGITS, 20, np.random.default_rng(0)), 0.85),
        (synthetic.damaged(DIGITS, 20, np.random.default_rng(0)), 0.6),
    ):
        assert (store.load().probabilities(made.images).argmax(axis=1) == made.labels).mean() > readable
        assert len(set(made.labels.tolist())) >= 6


def test_scans_are_prepared_and_what_shows_no_digit_is_left_out() -> None:
    large = np.pad(DIGITS.images[:5].repeat(2, axis=1).repeat(2, axis=2), ((0, 0), (4, 4), (4, 4)))
    large[2] = 0
    made = synthetic.prepared(large, DIGITS.labels[:5])
    assert made.labels.tolist() == np.delete(DIGITS.labels[:5], 2).tolist()
    assert in_form(made.images).all()


def test_a_scene_whose_cut_out_is_something_else_is_not_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = synthetic.scene
    monkeypatch.setattr(synthetic, "READ", ["plain paper"])
    monkeypatch.setattr(synthetic, "TO_REFUSE", ("printed signs",))
    assert len(synthetic.staged(VARIED, 4, seed=0)) >= 2
    monkeypatch.setattr(synthetic, "scene", lambda *one: replace(everywhere(*one), box=(0, 0, 5, 5)))
    assert len(synthetic.staged(VARIED, 4, seed=0)) == 0
