"""Pictures made to be learned besides MNIST's own digits.

Digits as people elsewhere write them, photographed, damaged; and what is no digit, so that a network learns
to be undecided: by Dan Hendrycks, Mantas Mazeika and Thomas Dietterich, "Deep Anomaly Detection with Outlier
Exposure", ICLR 2019, even what it has never seen then looks less like a digit.

All go through our own preparation, so that training sees what predicting sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitrec.datasets.loader import Sample
from digitrec.datasets.mnist import NO_DIGIT, Digits
from digitrec.datasets.world import Paths, Scans
from digitrec.handwriting import strangers
from digitrec.handwriting.augment import SIDE
from digitrec.handwriting.damage import damage
from digitrec.handwriting.letters import LEARNED, PLAIN, SIGNS
from digitrec.handwriting.nondigits import beside
from digitrec.handwriting.photo import ink_on_paper
from digitrec.handwriting.redraw import cut_out, enlarge, rewrite
from digitrec.handwriting.strokes import any_pen, by_another_hand, draw, put, smooth, write
from digitrec.image import DigitImage, InputSpec
from digitrec.prepare import prepare

Pixels = NDArray[np.uint8]

_FORM = InputSpec("mnist")
_NONE_LYING = (3, 4)  # digits that look like none when they lie on their side


def make(digits: Digits, count: int, seed: int | list[int]) -> Digits:
    """About `count` new pictures: `drawn`, `photographed`, `senseless`, and the rest `damaged`.

    Those in which the preparation finds no single character are left out.
    """
    rng = np.random.default_rng(seed)
    by_hand, on_paper, none = (round(count * share) for share in (0.3, 0.1, 0.2))
    rest = count - by_hand - on_paper - none
    made = drawn(by_hand, rng) + photographed(digits, on_paper, rng)
    return made + senseless(digits, none, rng) + damaged(digits, rest, rng)


def scanned(scans: Scans) -> Digits:
    """The scanned digits as they are."""
    return _prepared(scans.images, scans.labels)


def ready(samples: Sequence[Sample]) -> Digits:
    """Labelled pictures of digits as a network is given them."""
    labels = np.array([sample.label for sample in samples], np.uint8)
    return _prepared((np.asarray(sample.image) for sample in samples), labels)


def written(paths: Paths, rng: np.random.Generator) -> Digits:
    """Each of the pen's paths gone along once more, by any pen, half of them on photographed paper."""
    inks = (strangers.drawn(by_another_hand(digit, rng), rng) for digit in paths.strokes)
    return _prepared((ink_on_paper(ink, rng) if rng.random() < 0.5 else ink for ink in inks), paths.labels)


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
    """What is no digit: letters, strokes at random, digits lying on their side, two digits as one.

    Half of what is larger than 28x28 is photographed.
    """
    pictures = (_SENSELESS[rng.choice(len(_SENSELESS), p=_SHARES)](digits, rng) for _ in range(count))
    labels = np.full(count, NO_DIGIT, np.uint8)
    seen = (
        ink_on_paper(ink, rng) if ink.shape != (SIDE, SIDE) and rng.random() < 0.5 else ink
        for ink in pictures
    )  # fmt: skip
    return _prepared(seen, labels)


def _letter(digits: Digits, rng: np.random.Generator) -> Pixels:
    return write([_LETTERS[rng.integers(len(_LETTERS))]], rng, int(rng.integers(80, 160)))


def _strokes(digits: Digits, rng: np.random.Generator) -> Pixels:
    """Three to six bent strokes over each other."""
    paths = [smooth(rng.uniform(0, 100, (int(rng.integers(2, 6)), 2))) for _ in range(rng.integers(3, 7))]
    return put(paths, any_pen(rng), rng, int(rng.integers(80, 160)))


def _lying(digits: Digits, rng: np.random.Generator) -> Pixels:
    """A digit turned by a quarter to either side."""
    lying = np.flatnonzero(np.isin(digits.labels, _NONE_LYING))
    return np.rot90(_written(digits.images[rng.choice(lying)], rng), rng.choice([1, 3]))


def _touching(digits: Digits, rng: np.random.Generator) -> Pixels:
    """Two digits side by side whose strokes touch or all but do."""
    height = int(rng.integers(60, 120))
    pen = any_pen(rng) if rng.random() < 0.3 else None
    chosen = digits.images[rng.integers(len(digits), size=2)]
    large = [enlarge(one, height) if pen is None else rewrite(one, pen, height, rng) for one in chosen]
    left, right = (cut_out(ink, round(height * rng.uniform(0.8, 1.0))) for ink in large)
    return beside(left, right, float(rng.choice([0, rng.uniform(0, 0.15)])), rng)


def _squeezed(digits: Digits, rng: np.random.Generator) -> Pixels:
    """Two digits squeezed into the place of one, 28x28."""
    page = np.zeros((SIDE, SIDE), np.uint8)
    width, height = int(rng.integers(9, 15)), int(rng.integers(16, 29))
    top, gap = int(rng.integers(SIDE - height + 1)), int(rng.integers(-1, 2))
    left = int(rng.integers(max(1, SIDE - 2 * width - gap + 1)))
    for place in (left, left + width + gap):
        ink = cut_out(digits.images[rng.integers(len(digits))], height)
        narrow = np.asarray(Image.fromarray(ink).resize((width, height), Image.Resampling.BOX))
        part = page[top : top + height, max(place, 0) : place + width]
        np.maximum(part, narrow[:, : part.shape[1]], out=part)
    return page


_LETTERS = [*(PLAIN[letter] for letter in LEARNED), *SIGNS.values()]
_SENSELESS = (_letter, _strokes, _lying, _touching, _squeezed)
_SHARES = (0.42, 0.26, 0.08, 0.15, 0.09)


def _written(digit: Pixels, rng: np.random.Generator) -> Pixels:
    """A digit of MNIST's form, larger, somewhere on an empty page: square, ink high."""
    side = int(rng.integers(56, 140))
    ink = rewrite(digit, any_pen(rng), side, rng) if rng.random() < 0.5 else enlarge(digit, side)
    page = round(side * rng.uniform(1.0, 1.7))
    top, left = rng.integers(page - side + 1, size=2)
    return np.pad(ink, ((top, page - side - top), (left, page - side - left)))


def _prepared(pictures: Iterable[Pixels], labels: NDArray[np.uint8]) -> Digits:
    """The pictures as a network is given them, without those in which no single character is found."""
    ready = [prepare(DigitImage(pixels, "<synthetic>", ""), _FORM) for pixels in pictures]
    single = [one.findings.reason is None for one in ready]
    images = np.frombuffer(b"".join(one.data for one in ready), np.uint8).reshape(len(ready), SIDE, SIDE)
    return Digits(images, labels)[np.flatnonzero(single)]
