"""Digits of any source, converted to 28x28 as for the network, to explore and to learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets.loader import NAMES, read_samples, sampled
from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.errors import DataError, ImageError
from digitrec.image import DigitImage, Findings, ImageSource, InputSpec
from digitrec.image.files import name_of
from digitrec.lab.datasets.download import mnist_train
from digitrec.prepare import prepare

KNOWN = (*NAMES, "mnist-train")
"""Sets that have a name."""
WANTS = InputSpec(encoding="mnist")


def read_digits(source: str | Path, limit: int | None = None, *, part: str = "test") -> Digits:
    """Read the digits of a source in MNIST's form, prepared as for predicting.

    Args:
        source: "mnist-train" (the 60,000), "mnist-test", or anything that `loader.read_samples` takes.
        limit: largest number of digits, drawn by `sampled`; None: all.
        part: "train" or "test", for a file that holds both.

    Raises:
        DataError: it has no digit, or one of its files is not a picture.
    """
    if source in ("mnist-train", "mnist-test"):
        whole = mnist_train() if source == "mnist-train" else mnist_test()
        return whole[sampled(whole.labels, limit)]
    digits = [
        sample for sample in read_samples(source, limit, part=part, known=KNOWN) if sample.label is not None
    ]
    if not digits:
        raise DataError(f"{source}: no labelled digits")
    images = np.stack([in_form(sample.image) for sample in digits])
    return Digits(images, np.array([sample.label for sample in digits], np.uint8))


def cropped(image: DigitImage) -> tuple[NDArray[np.uint8], Findings]:
    """Return a picture in MNIST's form, (28, 28), ink high, and what the preparation found."""
    ready = prepare(image, WANTS)
    return np.frombuffer(ready.data, np.uint8).reshape(28, 28), ready.findings


def in_form(source: ImageSource) -> NDArray[np.uint8]:
    """Convert a picture to MNIST's form, 28x28, ink high; keep one that has it already.

    Raises:
        DataError: it is not a picture.
    """
    try:
        return cropped(DigitImage.open(source))[0]
    except ImageError as error:
        raise DataError(f"{name_of(source)}: {error}") from error
