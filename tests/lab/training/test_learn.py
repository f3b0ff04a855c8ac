"""The digits of an epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits, mnist_test
from digitrec.lab.handwriting.augment import Augmentation
from digitrec.lab.training.learn import Material, learn, tensors
from digitrec.lab.training.loop import Loop
from digitrec.lab.training.run import TrainConfig

CONFIG = TrainConfig(
    epochs=3, batch=10, seen=0.5, finishing_seen=0.25, augmentation=Augmentation(clean=1.0)
)  # fmt: skip


def numbered(first: int, count: int) -> Digits:
    """Blank pictures whose labels are their numbers."""
    return Digits(np.zeros((count, 28, 28), np.uint8), np.arange(first, first + count, dtype=np.uint8))


MATERIAL = Material(numbered(0, 40), numbered(100, 20), numbered(200, 30))


@pytest.mark.usefixtures("eagerly")
def test_a_run_that_was_stopped_while_finishing_resumes(tmp_path: Path) -> None:
    config, digits = TrainConfig(widths=(4, 8), epochs=1, finishing=1, batch=16), mnist_test()[:48]
    material, held_back = Material(digits[:32], digits[:0], digits[:16]), digits[32:]
    whole, resumed = (Loop(2, folder=tmp_path) for _ in range(2))
    first = learn(whole, config, material, held_back)
    again = learn(resumed, config, material, held_back)
    assert [row.epoch for row in resumed.history] == [row.epoch for row in whole.history] == [1, 2]
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_an_epoch_sees_all_of_its_own_digits_and_a_part_of_those_from_abroad() -> None:
    seen = MATERIAL.epoch(CONFIG, 2).labels
    assert sorted(seen[seen < 100]) == list(range(40)) and sorted(seen[seen >= 200]) == list(range(200, 230))
    assert len(seen) == 80 == len(set(seen.tolist()))
    assert MATERIAL.steps(CONFIG) == 8


def test_while_finishing_nothing_is_seen_of_what_was_made() -> None:
    seen = MATERIAL.epoch(CONFIG, CONFIG.epochs + 1).labels
    assert len(seen) == 45 and (seen < 200).all()
    assert MATERIAL.steps(CONFIG, finishing=True) == 4


def test_of_what_is_no_digit_a_network_learns_to_be_undecided() -> None:
    images, wanted = tensors(Digits(mnist_test().images[:2], np.array([3, NO_DIGIT], np.uint8)))
    assert images.shape == (2, 28, 28, 1) and images.max() == 1
    np.testing.assert_allclose(wanted, [np.eye(10)[3], np.full(10, 0.1)])
