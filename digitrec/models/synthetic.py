"""Digits made to be learned besides MNIST's own: as people elsewhere write them, photographed, damaged.

All go through our own preparation, so that training sees what predicting sees.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from digitrec.image import DigitImage, InputSpec
from digitrec.models.damage import damage
from digitrec.models.data import Digits
from digitrec.models.photo import ink_on_paper
from digitrec.models.redraw import enlarge, rewrite
from digitrec.models.strokes import any_pen, draw
from digitrec.prepare import prepare

Pixels = NDArray[np.uint8]

_FORM = InputSpec("mnist")


def make(digits: Digits, count: int, seed: int | list[int]) -> Digits:
    """About `count` new digits: a quarter `drawn`, a quarter `photographed` and half `damaged`.

    Those in which the preparation finds no single digit are left out.
    """
    rng = np.random.default_rng(seed)
    on_paper = drawn(count // 4, rng) + photographed(digits, count // 4, rng)
    return on_paper + damaged(digits, count - 2 * (count // 4), rng)


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
