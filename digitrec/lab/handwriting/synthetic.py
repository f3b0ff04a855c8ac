"""Pictures made to be learned besides MNIST's own digits.

Digits as people elsewhere write them, photographed, damaged; and non-digits, so that a network learns
to be undecided: by Dan Hendrycks, Mantas Mazeika and Thomas Dietterich, "Deep Anomaly Detection with Outlier
Exposure", ICLR 2019, even what it has never seen then looks less like a digit.

All go through our own preparation, so that training sees what predicting sees.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets.mnist import NO_DIGIT, Digits
from digitrec.image import DigitImage
from digitrec.lab.datasets.digits import cropped
from digitrec.lab.datasets.world import Paths
from digitrec.lab.handwriting import printed, strangers
from digitrec.lab.handwriting.augment import SIDE
from digitrec.lab.handwriting.damage import damage
from digitrec.lab.handwriting.nondigits import pages
from digitrec.lab.handwriting.photo import ink_on_paper, perhaps_on_paper
from digitrec.lab.handwriting.props import overlap
from digitrec.lab.handwriting.scenery import READ
from digitrec.lab.handwriting.scenes import scene
from digitrec.lab.handwriting.senseless import any_kind, larger
from digitrec.lab.handwriting.strokes import by_another_hand, draw
from digitrec.lab.handwriting.writer import Writer

Pixels = NDArray[np.uint8]

BY_HAND, IN_FONTS, ON_PAPER, NONE, EMPTY = 0.13, 0.11, 0.05, 0.15, 0.03
"""Shares of what `make` makes: digits of a synthetic hand, of fonts, photographed, no digits, empty pages;
the rest is damaged. Few empty pages remain: those in which the preparation finds ink."""


TO_REFUSE = ("crossed out", "crossed out", "printed signs")
"""Scenes that a network learns not to recognise, one of them twice as often; a part of the others may be a
digit."""
REFUSED_SHARE = 0.3
"""Share of the scenes that is writing to be refused."""
SAME = 0.6
"""Two boxes with more than this share of their union in common show the same."""


def make(writer: Writer, count: int, seed: int | list[int]) -> Digits:
    """At most `count` new pictures: `drawn`, `lettered`, `photographed`, `senseless`, `empty`, `damaged`.

    Those in which the preparation finds no single character are left out.

    Raises:
        NotInstalled: Matplotlib is missing, whose fonts are printed with.
    """
    rng = np.random.default_rng(seed)
    shares = (BY_HAND, IN_FONTS, ON_PAPER, NONE, EMPTY)
    by_hand, in_fonts, on_paper, none, blank = (round(count * share) for share in shares)
    made = drawn(by_hand, rng) + lettered(writer, in_fonts, rng) + photographed(writer.digits, on_paper, rng)
    made = made + senseless(writer, none, rng) + empty(blank, int(rng.integers(2**31)))
    return made + damaged(writer.digits, count - by_hand - in_fonts - on_paper - none - blank, rng)


def staged(writer: Writer, count: int, seed: int | list[int]) -> Digits:
    """Put the writer's digits in scenes; `REFUSED_SHARE` of them are writing to be refused, `NO_DIGIT`.

    Leave out those whose crop is not the subject of the scene: a card must not be learned as a 3.
    """
    rng = np.random.default_rng(seed)
    images, labels = [np.zeros((0, SIDE, SIDE), np.uint8)], []
    for _ in range(count):
        kinds = TO_REFUSE if rng.random() < REFUSED_SHARE else tuple(READ)
        one = scene(kinds[rng.integers(len(kinds))], writer, rng)
        crop, findings = cropped(DigitImage(one.pixels, "<synthetic>", ""))
        if findings.reason is None and overlap(findings.boxes[0], one.box) > SAME:
            images.append(crop[None])
            labels.append(NO_DIGIT if one.label is None else one.label)
    return Digits(np.concatenate(images), np.array(labels, np.uint8))


def written(paths: Paths, rng: np.random.Generator) -> Digits:
    """Each of the pen's paths gone along once more, by any pen, half of them on photographed paper."""
    inks = (strangers.drawn(by_another_hand(digit, rng), rng) for digit in paths.strokes)
    return prepared((perhaps_on_paper(ink, rng) for ink in inks), paths.labels)


def drawn(count: int, rng: np.random.Generator) -> Digits:
    """Digits from the synthetic hand of `strokes`, half of them on photographed paper."""
    labels = (np.arange(count) % 10).astype(np.uint8)
    inks = (draw(int(label), rng) for label in labels)
    return prepared((perhaps_on_paper(ink, rng) for ink in inks), labels)


def lettered(writer: Writer, count: int, rng: np.random.Generator) -> Digits:
    """Digits in the writer's fonts, half of them with another pen, half of them on photographed paper."""
    labels = (np.arange(count) % 10).astype(np.uint8)
    inks = (printed.redrawn(str(label), writer.font(rng), rng) for label in labels)
    return prepared((perhaps_on_paper(ink, rng) for ink in inks), labels)


def photographed(digits: Digits, count: int, rng: np.random.Generator) -> Digits:
    """Photograph some of the given digits on paper, half of them redrawn with another pen."""
    chosen = digits[rng.integers(len(digits), size=count)]
    return prepared((ink_on_paper(larger(image, rng), rng) for image in chosen.images), chosen.labels)


def damaged(digits: Digits, count: int, rng: np.random.Generator) -> Digits:
    """Put something over some of the given digits, or keep only their outlines; see `damage`.

    Take ones twice as often as the others: a bare stroke is the first to look like another digit.
    """
    often = np.where(digits.labels == 1, 2.0, 1.0)
    chosen = digits[rng.choice(len(digits), count, p=often / often.sum())]
    return prepared((damage(image, rng) for image in chosen.images), chosen.labels)


def empty(count: int, seed: int) -> Digits:
    """Blank and textured pages, of which few are left."""
    return prepared((page.pixels for page in pages(count, seed)), np.full(count, NO_DIGIT, np.uint8))


def senseless(writer: Writer, count: int, rng: np.random.Generator) -> Digits:
    """Draw non-digits with `any_kind`; photograph half of those larger than 28x28."""
    pictures = (any_kind(writer, rng) for _ in range(count))
    labels = np.full(count, NO_DIGIT, np.uint8)
    seen = (ink if ink.shape == (SIDE, SIDE) else perhaps_on_paper(ink, rng) for ink in pictures)
    return prepared(seen, labels)


def prepared(pictures: Iterable[Pixels], labels: NDArray[np.uint8]) -> Digits:
    """Prepare the pictures as for a network; leave out those without a single character."""
    crops = [cropped(DigitImage(pixels, "<synthetic>", "")) for pixels in pictures]
    images = np.array([crop for crop, _ in crops], np.uint8).reshape(-1, SIDE, SIDE)
    single = [findings.reason is None for _, findings in crops]
    return Digits(images, labels)[np.flatnonzero(single)]
