"""Labelled pictures to measure a model with, without those that it was trained on."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from digitrec.comparison.datasets.loader import Sample, read_samples, sampled
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DataError
from digitrec.lab.datasets.digits import keys_of, read_keys, unlearned

log = logging.getLogger(__name__)


def read(source: str, limit: int | None, model: Path | None) -> list[Sample]:
    """Return `read_samples` without the pictures that the training of `model` recorded as learned.

    Log how many are left out as a warning.

    Raises:
        DataError: as `read_samples`, or every picture was learned.
    """
    learned = None if model is None else read_keys(model)
    if learned is None:
        return read_samples(source, limit)
    samples = read_samples(source)
    left = unlearned(samples, learned)
    if samples and not left:
        raise DataError(f"{source}: {model} has learned every picture of it; use other pictures")
    if len(left) < len(samples):
        log.warning("%s: left out %d that %s has learned", source, len(samples) - len(left), model)
    return [left[place] for place in sampled([sample.label for sample in left], limit)]


def refuse_table(model: Path | None) -> None:
    """Refuse a model that was trained on MNIST's test digits, of which most of the table is made.

    Raises:
        DataError: it has.
    """
    learned = None if model is None else read_keys(model)
    count = 0 if learned is None else int(np.isin(keys_of(mnist_test().images), learned).sum())
    if count:
        raise DataError(
            f"{model}: has learned {count:,} of MNIST's test digits, the largest part of the table; "
            "choose pictures with --data"
        )
