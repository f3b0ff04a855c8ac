"""Scenes to learn from: labelled rightly, and only where what was meant was cut out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from digitrec.comparison.datasets.mnist import NO_DIGIT, mnist_test
from digitrec.lab.handwriting import staging
from digitrec.lab.handwriting.printed import fonts_to_learn
from digitrec.lab.handwriting.writer import Writer
from digitrec.models import store

WRITER = Writer(mnist_test()[:500], fonts_to_learn(), varied=0.3)


def test_scenes_are_learned_where_the_digit_was_cut_out() -> None:
    made = staging.staged(WRITER, 40, seed=0)
    assert 20 < len(made) < 40
    read = store.load().probabilities(made.images).argmax(axis=1)
    digits = made.labels != NO_DIGIT
    assert (read == made.labels)[digits].mean() > 0.85
    assert NO_DIGIT in made.labels and len(set(made.labels.tolist())) > 7


def test_a_scene_whose_cut_out_is_something_else_is_not_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = staging.scene
    monkeypatch.setattr(staging, "READ", ["plain paper"])
    monkeypatch.setattr(staging, "TO_REFUSE", ("printed signs",))
    assert len(staging.staged(WRITER, 5, seed=0)) >= 3
    monkeypatch.setattr(staging, "scene", lambda *one: replace(everywhere(*one), box=(0, 0, 5, 5)))
    assert len(staging.staged(WRITER, 5, seed=0)) == 0
