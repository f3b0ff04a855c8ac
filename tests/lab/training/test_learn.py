"""The digits of an epoch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits, mnist_test
from digitrec.lab.handwriting.augment import Augmentation
from digitrec.lab.training.learn import Material, tensors
from digitrec.lab.training.run import TrainConfig

CONFIG = TrainConfig(
    epochs=3, batch=10, seen=0.5, finishing_seen=0.25, augmentation=Augmentation(clean=1.0)
)  # fmt: skip


def numbered(first: int, count: int) -> Digits:
    """Blank pictures whose labels are their numbers."""
    return Digits(np.zeros((count, 28, 28), np.uint8), np.arange(first, first + count, dtype=np.uint8))


MATERIAL = Material(numbered(0, 40), numbered(100, 20), numbered(200, 30))


def test_an_epoch_sees_all_of_its_own_digits_and_a_part_of_those_from_abroad() -> None:
    seen = MATERIAL.epoch(CONFIG, 2).labels
    assert sorted(seen[seen < 100]) == list(range(40)) and sorted(seen[seen >= 200]) == list(range(200, 230))
    assert len(seen) == 80 == len(set(seen.tolist()))
    assert MATERIAL.steps(CONFIG) == 8


def test_another_epoch_sees_others_and_the_seed_decides_which() -> None:
    first, again, later, other = (
        set(MATERIAL.epoch(config, epoch).labels.tolist())
        for config, epoch in ((CONFIG, 0), (CONFIG, 0), (CONFIG, 1), (replace(CONFIG, seed=1), 0))
    )
    assert first == again and first not in (later, other)


def test_while_finishing_nothing_is_seen_of_what_was_made() -> None:
    seen = MATERIAL.epoch(CONFIG, CONFIG.epochs + 1).labels
    assert len(seen) == 45 and (seen < 200).all()
    assert MATERIAL.steps(CONFIG, finishing=True) == 4


def test_while_finishing_digits_are_changed_more_gently() -> None:
    digits = mnist_test()[:60]
    material = Material(digits, digits[:0], digits[:0])
    config = TrainConfig(epochs=3, finishing_changes=0.0, augmentation=Augmentation(clean=0.0))
    same, changed = material.epoch(config, 4), material.epoch(config, 0)
    given = {image.tobytes() for image in digits.images}
    kept = [image.tobytes() in given for image in changed.images]
    assert not any(kept)
    off = [min(np.abs(image - one.astype(float)).mean() for one in digits.images) for image in same.images]
    assert max(off) < 12  # the effect of resampling alone


def test_of_what_is_no_digit_a_network_learns_to_be_undecided() -> None:
    images, wanted = tensors(Digits(mnist_test().images[:2], np.array([3, NO_DIGIT], np.uint8)))
    assert images.shape == (2, 28, 28, 1) and images.max() == 1
    np.testing.assert_allclose(wanted, [np.eye(10)[3], np.full(10, 0.1)])
