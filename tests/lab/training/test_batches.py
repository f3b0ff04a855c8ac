"""The batches of each epoch."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.training.epochs import batch_of, batches
from digitrec.lab.training.run import FitConfig
from digitrec.lab.training.zoo import ZOO

DIGITS = mnist_test()[:50]


def test_going_on_from_an_epoch_gives_what_it_would_have_had() -> None:
    kind, config = ZOO["simple-cnn"], FitConfig("simple-cnn")
    whole = list(islice(batches(DIGITS, kind, config, 25, 0), 4))
    resumed = list(islice(batches(DIGITS, kind, config, 25, 1), 2))
    for (images, labels), (same, too) in zip(whole[2:], resumed, strict=True):
        np.testing.assert_array_equal(images, same)
        np.testing.assert_array_equal(labels, too)


@pytest.mark.parametrize(("arch", "augment", "changed"), [
    ("mlp", None, True), ("mlp", False, False), ("tutorial-cnn", None, False), ("tutorial-cnn", True, True),
])  # fmt: skip
def test_augmentation_is_the_architectures_or_as_asked(
    arch: str, augment: bool | None, changed: bool
) -> None:
    usual = {image.tobytes() for image in batch_of(DIGITS, FitConfig())[0]}
    images, _ = next(batches(DIGITS, ZOO[arch], FitConfig(arch, augment=augment), 50, 0))
    assert (sum(image.tobytes() in usual for image in images) < 15) == changed


def test_labels_are_numbers_or_one_hot() -> None:
    _, sparse = batch_of(DIGITS, FitConfig(loss="sparse"))
    _, categorical = batch_of(DIGITS, FitConfig(loss="categorical"))
    np.testing.assert_array_equal(sparse, DIGITS.labels)
    np.testing.assert_array_equal(categorical.argmax(axis=1), DIGITS.labels)
    assert categorical.shape == (50, 10)
