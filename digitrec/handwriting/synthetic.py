"""Pictures made to be learned besides MNIST's own digits.

Digits as people elsewhere write them, photographed, damaged; and what is no digit, so that a network learns
to be undecided: by Dan Hendrycks, Mantas Mazeika and Thomas Dietterich, "Deep Anomaly Detection with Outlier
Exposure", ICLR 2019, even what it has never seen then looks less like a digit.

All go through our own preparation, so that training sees what predicting sees.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from digitrec.datasets.mnist import NO_DIGIT, Digits
from digitrec.handwriting.damage import damage
from digitrec.handwriting.letters import LEARNED, PLAIN
from digitrec.handwriting.photo import ink_on_paper
from digitrec.handwriting.redraw import enlarge, rewrite
from digitrec.handwriting.strokes import any_pen, draw, put, smooth, write
from digitrec.image import DigitImage, InputSpec
from digitrec.prepare import prepare

Pixels = NDArray[np.uint8]

_FORM = InputSpec("mnist")
_NONE_LYING = (3, 4)  # digits that look like none when they lie on their side


def make(digits: Digits, count: int, seed: int | list[int]) -> Digits:
    """About `count` new pictures: a fifth each `drawn`, `photographed` and `senseless`, the rest `damaged`.

    Those in which the preparation finds no single character are left out.
    """
    rng = np.random.default_rng(seed)
    fifth = count // 5
    on_paper = drawn(fifth, rng) + photographed(digits, fifth, rng) + senseless(digits, fifth, rng)
    return on_paper + damaged(digits, count - 3 * fifth, rng)


def drawn(count: int, rng: np.random.Generator) -> Digits:
    """Digits from the synthetic hand of `strokes`, half of them on photographed paper."""
    labels = (np.arange(count) % 10).astype(np.uint8)
    inks = (draw(int(label), rng) for label in labels)
    return _prepared((ink_on_paper(ink, rng) if rng.random() < 0.5 else ink for ink in inks), labels)


def photographed(digits: Digits, count: int, rng: np.random.Generator) -> Digits:
    """Some of the given digits written on paper, half of them with another pen, and photographed."""
    chosen = digits[rng.integers(len(digits), size=count)]
    return _prepared((ink_on_paper(_written(image, rng), rng) for image in chosen.images), chosen.labels)


def damaged(digits: Digits, count: int, rng: np.random.Generator) -> Digits:
    """Some of the given digits with something laid over them, or their outlines only; see `damage`."""
    chosen = digits[rng.integers(len(digits), size=count)]
    return _prepared((damage(image, rng) for image in chosen.images), chosen.labels)


def senseless(digits: Digits, count: int, rng: np.random.Generator) -> Digits:
    """What is no digit, half of it photographed: letters, strokes at random, digits lying on their side."""
    lying = digits[np.flatnonzero(np.isin(digits.labels, _NONE_LYING))].images
    inks = (_SENSELESS[rng.choice(3, p=(0.5, 0.35, 0.15))](lying, rng) for _ in range(count))
    labels = np.full(count, NO_DIGIT, np.uint8)
    return _prepared((ink_on_paper(ink, rng) if rng.random() < 0.5 else ink for ink in inks), labels)


def _letter(lying: Pixels, rng: np.random.Generator) -> Pixels:
    return write([PLAIN[str(rng.choice(LEARNED))]], rng, int(rng.integers(80, 160)))


def _strokes(lying: Pixels, rng: np.random.Generator) -> Pixels:
    """Three to six bent strokes over each other."""
    paths = [smooth(rng.uniform(0, 100, (int(rng.integers(2, 6)), 2))) for _ in range(rng.integers(3, 7))]
    return put(paths, any_pen(rng), rng, int(rng.integers(80, 160)))


def _lying(lying: Pixels, rng: np.random.Generator) -> Pixels:
    """A digit turned by a quarter to either side."""
    return np.rot90(_written(lying[rng.integers(len(lying))], rng), rng.choice([1, 3]))


_SENSELESS = (_letter, _strokes, _lying)


def _written(digit: Pixels, rng: np.random.Generator) -> Pixels:
    """A digit of MNIST's form, larger, somewhere on an empty page: square, ink high."""
    side = int(rng.integers(56, 140))
    ink = rewrite(digit, any_pen(rng), side, rng) if rng.random() < 0.5 else enlarge(digit, side)
    page = round(side * rng.uniform(1.0, 1.7))
    top, left = rng.integers(page - side + 1, size=2)
    return np.pad(ink, ((top, page - side - top), (left, page - side - left)))


def _prepared(pictures: Iterable[Pixels], labels: NDArray[np.uint8]) -> Digits:
    ready = [prepare(DigitImage(pixels, "<synthetic>", ""), _FORM) for pixels in pictures]
    single = [one.findings.reason is None for one in ready]
    images = np.frombuffer(b"".join(one.data for one in ready), np.uint8).reshape(-1, 28, 28)
    return Digits(images, labels)[np.flatnonzero(single)]
