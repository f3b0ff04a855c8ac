"""The batches of each epoch."""

from __future__ import annotations

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.training.epochs import batch_of, batches
from digitrec.lab.training.run import FitConfig
from digitrec.lab.training.zoo import ZOO

DIGITS = mnist_test()[:50]


@pytest.mark.parametrize(("arch", "augment", "changed"), [
    ("mlp", None, True), ("mlp", False, False), ("tutorial-cnn", None, False), ("tutorial-cnn", True, True),
])  # fmt: skip
def test_augmentation_is_the_architectures_or_as_asked(
    arch: str, augment: bool | None, changed: bool
) -> None:
    usual = {image.tobytes() for image in batch_of(DIGITS, FitConfig())[0]}
    images, _ = next(batches(DIGITS, ZOO[arch], FitConfig(arch, augment=augment), 50))
    assert (sum(image.tobytes() in usual for image in images) < 15) == changed


def test_labels_are_numbers_or_one_hot() -> None:
    _, sparse = batch_of(DIGITS, FitConfig(loss="sparse"))
    _, categorical = batch_of(DIGITS, FitConfig(loss="categorical"))
    np.testing.assert_array_equal(sparse, DIGITS.labels)
    np.testing.assert_array_equal(categorical.argmax(axis=1), DIGITS.labels)
    assert categorical.shape == (50, 10)
