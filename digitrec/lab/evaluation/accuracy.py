"""The whole table of accuracy: every set that there is, measured through the public door, beside its goal.

Sets that come with digitrec, or are made by its own code, are always measured; others where DIGITREC_DATA
names a folder that holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from PIL import Image, ImageOps

from digitrec.comparison.benchmark.measure import Result, measure
from digitrec.comparison.datasets.loader import Sample, read_samples, sampled
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.image import DigitImage
from digitrec.image.pixels import Pixels
from digitrec.lab.datasets import world
from digitrec.lab.datasets.download import font_files, fonts_folder, in_data
from digitrec.lab.handwriting.changes import CHANGES
from digitrec.lab.handwriting.corruptions import KINDS, corrupt
from digitrec.lab.handwriting.nondigits import NonDigit, noise, pages, pairs, scribbles, squeezed
from digitrec.lab.handwriting.photo import perhaps_on_paper
from digitrec.lab.handwriting.scenes import REFUSED as SPOILED
from digitrec.lab.handwriting.scenes import WANTED, scenes
from digitrec.lab.handwriting.strokes import PLAIN
from digitrec.lab.handwriting.synthetic import traced
from digitrec.lab.handwriting.writer import Writer, redrawn
from digitrec.recognise import Reader

SEED = 2026
"""Of everything that is made up for being measured."""
NON_DIGITS = 2000
"""Number of pictures of each kind without a single digit."""
SCENES = 300
"""Pictures of each scene."""
SOME = 100
"""Pictures of each set that are changed."""
CHANGED_SETS = ("photos-dev", "canvas-dev", "swiss-cells-dev")
"""The sets that are changed, besides plain paper."""
SUREST = ("plain paper", "card on a dark table")
"""Scenes of which 99 % shall be right; of the others, 98 %."""
SEPARATE = 0.25
"""Two digits further apart than this share of a digit's width count as clearly separate."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A set, what was found on it, and what was hoped for."""

    group: str
    """Which part of the table it belongs to: one of `GROUPS`."""
    found: Result
    """The answers."""
    goal: float | None = None
    """Required accuracy (share refused, for pictures without a digit), 0..1; None: only reported."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        share = self.found.accuracy.share
        return None if self.goal is None or share is None else share >= self.goal


@dataclass(frozen=True, slots=True)
class Set:
    """Labelled pictures that are made or read only when it is their turn."""

    name: str
    """What they are called."""
    group: str
    """Which part of the table they belong to: one of `GROUPS`."""
    samples: Callable[[int | None], Sequence[Sample]]
    """Returns at most a number of samples."""
    goal: float | None = None
    """The share that shall be right, 0..1; None: only reported."""


DIGITS, CORRUPTED, REFUSED = "digits", "corruptions of MNIST-C", "no single digit: refused"
STAGED, CHANGED = "scenes", "changes that should change nothing"
GROUPS = (DIGITS, STAGED, CHANGED, CORRUPTED, REFUSED)
"""The parts of the table."""


def sets() -> Iterator[Set]:
    """All that can be measured here, each with its goal."""
    yield Set("mnist-test", DIGITS, partial(read_samples, "mnist-test"), 0.997)
    yield from _data_sets()
    if fonts_folder():
        yield Set("fonts-dev", DIGITS, partial(in_fonts, "0123456789" * 2), 0.99)
    for kind in WANTED:
        yield Set(kind, STAGED, partial(_staged, kind), 0.99 if kind in SUREST else 0.98)
    for kind in CHANGES:
        yield Set(kind, CHANGED, partial(_changed, kind), 0.98)
    for kind in KINDS:
        yield Set(kind, CORRUPTED, partial(_corrupted, kind), 0.85)
    yield Set("blank or textured pages", REFUSED, partial(_refused, pages), 0.98)
    yield Set("the same, reduced to 28x28", REFUSED, _reduced_pages)
    two, written = partial(_refused, pairs), partial(_refused, scribbles)
    apart = partial(two, fits=lambda one: (one.gap or 0.0) >= SEPARATE)
    yield Set(f"two digits, {SEPARATE} of a width apart or more", REFUSED, apart, 0.95)
    nearer = partial(two, fits=lambda one: (one.gap or 0.0) < SEPARATE)
    yield Set("two digits, nearer", REFUSED, nearer, 0.85)
    yield Set("two digits that touch", REFUSED, partial(two, fits=lambda one: one.gap == 0), 0.85)
    yield Set("two digits squeezed into 28x28", REFUSED, partial(_refused, squeezed), 0.95)
    yield Set("noise of 28x28", REFUSED, partial(_refused, noise), 0.99)
    yield Set("letters", REFUSED, partial(written, fits=lambda one: one.kind == "letter"), 0.8)
    if fonts_folder():
        yield Set("letters of fonts", REFUSED, partial(in_fonts, "".join(PLAIN)), 0.8)
    alike = partial(written, fits=lambda one: one.kind == "letter like a digit")
    yield Set("letters like digits", REFUSED, alike)
    yield Set("scribbles", REFUSED, partial(written, fits=lambda one: one.kind == "scribble"), 0.93)
    for kind in SPOILED:
        yield Set(kind, REFUSED, partial(_staged, kind), 0.98)


def _data_sets() -> Iterator[Set]:
    """Yield the sets of digits in the folder that DIGITREC_DATA names."""
    for name, (files, samples, goal) in SOURCES.items():
        there = [path for file in files if (path := in_data(file)) and path.exists()]
        if there:
            yield Set(name, DIGITS, samples or partial(read_samples, there[0]), goal)


def measured(reader: Reader, one: Set, limit: int | None = None) -> Measured:
    """Measure an engine on a set, on at most `limit` of its pictures."""
    return Measured(one.group, measure(one.samples(limit), reader, one.name), one.goal)


def _corrupted(kind: str, limit: int | None) -> list[Sample]:
    test = mnist_test()[slice(limit)]
    return _samples(list(corrupt(test.images, kind, SEED)), test.labels)


def _changed(kind: str, limit: int | None) -> list[Sample]:
    """Return pictures of plain paper, and of each set of digits in pictures that is here, after a change.

    They show the same digit after it, so the answer should stay the same.
    """
    data = [one.samples for one in _data_sets() if one.name in CHANGED_SETS]
    sources: list[Callable[[int | None], Sequence[Sample]]] = [partial(_staged, "plain paper"), *data]
    some = SOME if limit is None else -(-limit // len(sources))
    samples = [sample for source in sources for sample in source(some)][:limit]
    pictures = (DigitImage.open(sample.image).picture for sample in samples)
    return [
        Sample(np.asarray(CHANGES[kind](picture)), sample.label)
        for picture, sample in zip(pictures, samples, strict=True)
    ]


def _staged(kind: str, limit: int | None) -> list[Sample]:
    made = scenes(kind, Writer(mnist_test()), limit or SCENES, SEED)
    return [Sample(one.pixels, one.label) for one in made]


def _reduced_pages(limit: int | None) -> list[Sample]:
    """Return empty cells, as users may send them who prepare their pictures themselves."""
    pictures = (Image.fromarray(page.pixels) for page in islice(pages(NON_DIGITS, SEED), limit))
    small = (ImageOps.fit(picture, (28, 28), Image.Resampling.BOX) for picture in pictures)
    return [Sample(np.asarray(picture), None) for picture in small]


def _refused(
    make: Callable[[int, int], Iterator[NonDigit]],
    limit: int | None,
    *,
    fits: Callable[[NonDigit], bool] = lambda _: True,
) -> list[Sample]:
    """Return the first of `NON_DIGITS` generated pictures that fit."""
    return [Sample(one.pixels, None) for one in islice(filter(fits, make(NON_DIGITS, SEED)), limit)]


def swiss_dev(limit: int | None = None) -> list[Sample]:
    """Return at most `limit` scanned digits of the held-out writers.

    Raises:
        DataError: they are not there, or damaged.
    """
    scans = world.swiss("held back")
    return _samples(list(scans.images), scans.labels)[:limit]


def swiss_cells_dev(limit: int | None = None) -> list[Sample]:
    """Return at most `limit` of the same scans in colour, 75 to 110 pixels, all digits in proportion.

    Raises:
        DataError: world/swiss_cells/labels.csv cannot be read.
    """
    cells = [Sample(*cell) for cell in world.swiss_cells("held back")]
    return [cells[place] for place in sampled([cell.label for cell in cells], limit)]


def turkish_dev(limit: int | None = None) -> list[Sample]:
    """Return at most `limit` digits of the held-out writers, each drawn once with a pen of its own.

    Raises:
        DataError: they are unavailable, or are damaged.
    """
    paths = world.turkish("held back")[:limit]
    images = [traced(one, np.random.default_rng((SEED, at))) for at, one in enumerate(paths.strokes)]
    return _samples(images, paths.labels)


def in_fonts(characters: str, limit: int | None = None) -> list[Sample]:
    """Return at most `limit` of the characters in each held-out font; letters and signs have no label.

    Each is printed or drawn by another pen, and half of them are photographed.

    Raises:
        DataError: the fonts are unavailable, or their checksums differ.
    """
    each = [(character, file) for character in characters for file in font_files("held back")]
    samples = []
    for place in sampled([ord(character) for character, _ in each], limit).tolist():
        (character, file), rng = each[place], np.random.default_rng((SEED, place))
        image = perhaps_on_paper(redrawn(character, file, rng), rng)
        samples.append(Sample(image, int(character) if character.isdigit() else None))
    return samples


def _samples(images: Sequence[Pixels], labels: Pixels) -> list[Sample]:
    return [Sample(image, label) for image, label in zip(images, labels.tolist(), strict=True)]


SOURCES: dict[str, tuple[Sequence[str], Callable[[int | None], list[Sample]] | None, float]] = {
    "photos-dev": (["photos-dev"], None, 0.985),
    "canvas-dev": (["sets/canvas-dev.npz"], None, 0.99),
    "hwd1000": (["sets/hwd1000.npz"], None, 0.997),
    "usps-train": (["sets/usps-train.npz"], None, 0.98),
    "optdigits32-train": (["sets/optdigits32-train.npz"], None, 0.985),
    "swiss-dev": (["world/swiss_numbers.npz"], swiss_dev, 0.992),
    "swiss-cells-dev": (["world/swiss_cells/labels.csv"], swiss_cells_dev, 0.99),
    "turkish-dev": (["world/pendigits.npz", f"world/{world.PENDIGITS}"], turkish_dev, 0.988),
}
"""Sets that are measured where DIGITREC_DATA holds one of the files: how they are read if not as that file,
and their goals."""
