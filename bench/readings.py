"""What docs/library.md says of arrays and of turned pictures, and docs/tutorial.md of the nearest digits.

How our own network reads the first, and which of MNIST's training digits (fetched, or from DIGITREC_DATA) its
last layer takes for most like test digits. Three minutes on an idle core. The results go into
bench/results/readings.json, and from there into the pages by docs/make_figures.py. To be run again after a
change of the network or of the preparation.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from figures import ROOT, keep
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

import digitrec
from digitrec.datasets.digits import read_digits
from digitrec.datasets.mnist import mnist_test
from digitrec.evaluation.nearest import directions
from digitrec.handwriting.photo import ink_on_paper
from digitrec.providers.local import Local

SAMPLES = ROOT / "samples"
SEED = 2026
FIRST, LAST = 2000, 3000
"""Of MNIST's test digits."""
EVERY = 5
"""Of MNIST's test digits, those whose nearest training digit is looked at; and so many parts of these."""
LARGE = 280
"""Pixels a side of a digit on paper."""


def of_arrays() -> dict[str, float]:
    """scikit-learn's digits, 8x8 with values up to 16, together and one by one."""
    digits = load_digits()
    together = [outcome.digit for outcome in digitrec.predict_many(digits.images)]
    asked = sum(isinstance(outcome, digitrec.Failure) for outcome in each(digits.images))
    return {
        "pictures": len(together),
        **shares("arrays", zip(together, digits.target.tolist(), strict=True)),
        "arrays asked about": 100 * asked / len(together),
    }


def each(images: NDArray[np.float64]) -> Iterator[digitrec.Prediction | digitrec.Failure]:
    """Pictures that are given alone, so that only their own values tell what is white."""
    for image in images:
        yield from digitrec.predict_many([image])


def of_turned() -> dict[str, float]:
    """Digits on photographed paper, each lying in one of the four ways, and the samples as they are."""
    test = mnist_test()
    labels = test.labels[FIRST:LAST].tolist()
    read = [
        digitrec.predict(paper(number, test.images[number]), rotate="auto") for number in range(FIRST, LAST)
    ]
    kept = {6: [0, 0], 9: [0, 0]}
    for label, answer in zip(labels, read, strict=True):
        if label in kept:
            kept[label][0] += answer.reason == "could be turned"
            kept[label][1] += 1
    with (SAMPLES / "labels.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] != "none"]
    samples = [digitrec.predict(SAMPLES / row["file"], rotate="auto").digit for row in rows]
    return {
        **shares("turned", zip((answer.digit for answer in read), labels, strict=True)),
        "sixes": kept[6][1], "sixes that could be turned": kept[6][0],
        "nines": kept[9][1], "nines that could be turned": kept[9][0],
        "samples": len(rows),
        **shares("samples", zip(samples, (int(row["label"]) for row in rows), strict=True)),
    }  # fmt: skip


def paper(number: int, digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A digit of MNIST as a photograph of handwriting, turned by 0, 90, 180 or 270 degrees."""
    ink = np.asarray(Image.fromarray(digit).resize((LARGE, LARGE), Image.Resampling.BICUBIC))
    return np.rot90(ink_on_paper(ink, np.random.default_rng((SEED, number))), number % 4)


def shares(name: str, pairs: Iterable[tuple[int | None, int]]) -> dict[str, float]:
    """Per cent right, wrong and refused, of pairs of what was read and what it is."""
    found = Counter(
        "refused" if digit is None else "right" if digit == label else "wrong" for digit, label in pairs
    )
    return {f"{name} {what}": 100 * found[what] / found.total() for what in ("right", "wrong", "refused")}


def of_nearest() -> dict[str, float]:
    """Test digits whose nearest training digit in the last layer's numbers has their label, by two ways."""
    network, train, test = Local(), read_digits("mnist-train"), mnist_test()[::EVERY]
    known = directions(network, train.images)
    lengths = np.concatenate([lengths_of(network, part) for part in np.array_split(train.images, 15)])
    right = {"angle": 0, "distance": 0}
    for part in range(EVERY):
        asked = test[part::EVERY]
        angle = known @ directions(network, asked.images).T
        distance = lengths[:, None] ** 2 - 2 * np.outer(lengths, lengths_of(network, asked.images)) * angle
        for way, nearest in (("angle", angle.argmax(axis=0)), ("distance", distance.argmin(axis=0))):
            right[way] += int((train.labels[nearest] == asked.labels).sum())
    return {"digits": len(test), **{f"near by {way}": count for way, count in right.items()}}


def lengths_of(network: Local, images: NDArray[np.uint8]) -> NDArray[np.floating]:
    """How long what the last layer is given is for each of the images, (N, 28, 28): (N,)."""
    found = network.features(images)
    assert found is not None
    return np.linalg.norm(found, axis=1)


if __name__ == "__main__":
    keep("readings", {**of_arrays(), **of_turned(), **of_nearest()})
