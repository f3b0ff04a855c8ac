"""Digits of any source, converted to 28x28 as for the network; and which of them a model has learned.

A picture is recognised by a hash of its pixels in MNIST's form, to which every source is converted and in
which a picture of MNIST stays as it is: from an array, a table or a PNG. It is not recognised once its pixels
were changed: by lossy compression, by enlarging, or by turning it dark on light, which is then cut out anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets.loader import Sample, read_samples, sampled
from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.errors import DataError, ImageError
from digitrec.image import DigitImage, Findings, ImageSource, InputSpec
from digitrec.image.files import name_of
from digitrec.image.pixels import Pixels
from digitrec.lab.datasets.download import mnist_train
from digitrec.prepare import prepare

WANTS = InputSpec(encoding="mnist")
Keys = NDArray[np.uint64]
"""One for each picture: the first 8 bytes of its BLAKE2b; of 70,000 two differ by chance in all but 1e-10."""
FILE = "learned.npy"
"""File in the folder of a training run with the keys of the learned digits."""


def read_digits(source: str | Path, limit: int | None = None) -> Digits:
    """Read the digits of a source in MNIST's form, prepared as for predicting.

    Args:
        source: "mnist-train" (the 60,000), "mnist-test", or anything that `loader.read_samples` takes.
        limit: largest number of digits, drawn by `sampled`; None: all.

    Raises:
        DataError: it has no digit, or one of its files is not a picture.
    """
    if source in ("mnist-train", "mnist-test"):
        whole = mnist_train() if source == "mnist-train" else mnist_test()
        return whole[sampled(whole.labels, limit)]
    digits = [sample for sample in read_samples(source, limit) if sample.label is not None]
    if not digits:
        raise DataError(f"{source}: no labelled digits")
    images = np.stack([in_form(sample.image) for sample in digits])
    return Digits(images, np.array([sample.label for sample in digits], np.uint8))


def cropped(image: DigitImage) -> tuple[Pixels, Findings]:
    """Return a picture in MNIST's form, (28, 28), ink high, and what the preparation found."""
    ready = prepare(image, WANTS)
    return np.frombuffer(ready.data, np.uint8).reshape(28, 28), ready.findings


def in_form(source: ImageSource) -> Pixels:
    """Convert a picture to MNIST's form, 28x28, ink high; keep one that has it already.

    Raises:
        DataError: it is not a picture.
    """
    try:
        return cropped(DigitImage.open(source))[0]
    except ImageError as error:
        raise DataError(f"{name_of(source)}: {error}") from error


def keys_of(images: Pixels) -> Keys:
    """Return the keys of pictures in MNIST's form, (N, 28, 28)."""
    digests = [hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images]
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def keys_with(start: Path | None, digits: Digits) -> Keys:
    """Return the keys of the digits and of what the model `start` learned, if they are kept beside it."""
    before = None if start is None else read_keys(start)
    return keys_of(digits.images) if before is None else np.append(keys_of(digits.images), before)


def apart(test: Digits, learned: Keys, what: str) -> Digits:
    """Return the test digits, called `what`, that were not learned.

    Raises:
        DataError: all were learned.
    """
    left = test[np.flatnonzero(~np.isin(keys_of(test.images), learned))]
    if not len(left):
        raise DataError(
            f"{what}: all {len(test):,} test digits are training digits, so there is "
            "nothing to measure; learn from fewer (--limit), or test on others (--test)"
        )
    return left


def unlearned(samples: Sequence[Sample], learned: Keys) -> list[Sample]:
    """Return the labelled pictures that were not learned; an unreadable one was not."""

    def known(sample: Sample) -> bool:
        with suppress(DataError):  # reported when it is read
            return bool(np.isin(keys_of(in_form(sample.image)[None]), learned).all())
        return False

    return [sample for sample in samples if not known(sample)]


def write_keys(learned: Keys, folder: Path) -> None:
    """Write the keys into the folder of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / FILE, np.unique(learned))


def read_keys(model: Path) -> Keys | None:
    """Read the keys of the digits a model file learned, stored beside it by its training; None if missing.

    Raises:
        DataError: the file of them is damaged.
    """
    file = run_folder(model) / FILE
    if not file.is_file():
        file = model.parent / FILE  # the model is the best network in the folder of a run
    try:
        kept: Keys = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{file}: damaged; train {model} again") from error
    if kept.dtype != np.uint64 or kept.ndim != 1:
        raise DataError(f"{file}: not the list of a training run; train {model} again")
    return kept


def run_folder(model: Path) -> Path:
    """Return the folder with the history, checkpoint and keys of a model file's training."""
    return model.with_name(f"{model.stem}-run")
