"""Digits to look at and to learn from, whatever they come as: 28x28, as the network is given them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from digitrec.datasets.mnist import Digits, mnist_test, mnist_train
from digitrec.datasets.samples import Sample, read_samples
from digitrec.errors import DataError
from digitrec.image import InputSpec
from digitrec.prepare import prepare
from digitrec.recognise import Unreadable, open_or_unreadable

WANTS = InputSpec(encoding="mnist")


def read_digits(source: str | Path, limit: int | None = None) -> Digits:
    """The digits of a source, brought into MNIST's form by the same preparation that predicting uses.

    Args:
        source: "mnist-train" (the 60,000), "mnist-test", or anything that `samples.read_samples` takes.
        limit: at most so many, from the beginning; None: all.

    Raises:
        DataError: there is no digit in it, or one of its files is no picture.
    """
    if source in ("mnist-train", "mnist-test"):
        return (mnist_train() if source == "mnist-train" else mnist_test())[slice(limit)]
    digits = [sample for sample in read_samples(source, limit) if sample.label is not None]
    if not digits:
        raise DataError(f"{source}: no labelled digits")
    images = np.stack([_in_form(sample) for sample in digits])
    return Digits(images, np.array([sample.label for sample in digits], np.uint8))


def _in_form(sample: Sample) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    image = open_or_unreadable(sample.image)
    if isinstance(image, Unreadable):
        raise DataError(f"{image.image.source}: {image.error}") from image.error
    return np.frombuffer(prepare(image, WANTS).data, np.uint8).reshape(28, 28)
