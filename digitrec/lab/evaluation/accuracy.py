"""The whole table of accuracy: every set that there is, measured through the public door, beside its goal.

Sets that come with digitrec, or are made by its own code, are always measured; others where DIGITREC_DATA
names a folder that holds them.
"""

from __future__ import annotations

import subprocess  # nosec B404 # no shell; a fixed command
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from statistics import fmean

import numpy as np
from PIL import Image, ImageOps

import digitrec
from digitrec.comparison.benchmark.measure import Result, is_right, measure
from digitrec.comparison.datasets.loader import Sample, read_samples, sampled
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.image import DigitImage
from digitrec.image.pixels import Pixels
from digitrec.lab.datasets import world
from digitrec.lab.datasets.download import font_files, fonts_folder, in_data
from digitrec.lab.evaluation import vectors
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
"""Seed of the pens of writers and fonts that were held back, and of pictures to tune on."""
SEEDS = 5
"""Number of fresh seeds."""
NON_DIGITS = 2000
"""Pictures of each kind without a single digit, of all seeds together."""
SCENES = 300
"""Pictures of each scene, of all seeds together."""
SOME = 100
"""Pictures of each set that are changed."""
CHANGED_SETS = ("photos-dev", "canvas-dev", "swiss-cells-dev")
"""The sets that are changed, besides plain paper."""
SUREST = ("plain paper", "card on a dark table")
"""Scenes of which 99 % shall be right; of the others, 98 %."""
EDGES = "cropped to the digit"
"""The scene whose counterparts touch an edge, or nearly: 97 % of these shall be right."""
SEPARATE = 0.25
"""Two digits further apart than this share of a digit's width count as clearly separate."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A set, its answers and its goal."""

    group: str
    """Its table: one of `GROUPS`."""
    found: Result
    """The answers."""
    goal: float | None = None
    """Required accuracy (share refused, for pictures without a digit), 0..1; None: only reported."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        share = self.found.accuracy.share
        return None if self.goal is None or share is None else share >= self.goal

    @property
    def of_seeds(self) -> list[float]:
        """The accuracy of each seed, 0..1; empty if the pictures come from no seed."""
        hits: dict[str, list[bool]] = {}
        for sample, pair in zip(self.found.samples, self.found.pairs, strict=True):
            hits.setdefault(sample.group, []).append(is_right(*pair))
        return [fmean(right) for seed, right in hits.items() if seed]


Samples = Callable[[int | None], Sequence[Sample]]
"""Returns at most a number of samples; None: all."""
Make = Callable[[int, int], Iterable[Sample]]
"""Draws a number of samples from a seed."""


@dataclass(frozen=True, slots=True)
class Set:
    """Labelled pictures that are made or read only when it is their turn."""

    name: str
    """Its name."""
    group: str
    """Its table: one of `GROUPS`."""
    samples: Samples
    """Returns the pictures."""
    goal: float | None = None
    """Required accuracy, 0..1; None: only reported."""


DIGITS, STAGED, CHANGED, CORRUPTED, REFUSED = GROUPS = (
    "digits", "scenes", "changes", "corruptions", "refused",
)  # fmt: skip
"""The tables."""


def fresh_seeds(model: str) -> list[int]:
    """Return `SEEDS` seeds that nothing was tuned on: another commit has others.

    Without a checkout they are derived from digitrec's version and the model's.
    """
    source = f"{digitrec.__version__} {model}"
    checkout = Path(digitrec.__file__).parents[1]
    if (checkout / ".git").exists():
        command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
        with suppress(OSError, subprocess.CalledProcessError):
            source = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # nosec B603 B607 # noqa: S603 (a fixed command)
    return list(np.frombuffer(sha256(source.encode()).digest(), "<u4")[:SEEDS].tolist())


def sets(seeds: Sequence[int] = (SEED,)) -> Iterator[Set]:
    """Yield all sets that can be measured here, each with its goal.

    Args:
        seeds: seeds of the generated pictures; each draws an equal part of them. The default is for tuning.
    """
    yield Set("mnist-test", DIGITS, partial(read_samples, "mnist-test"), 0.997)
    yield from _data_sets()
    if fonts_folder():
        yield Set("fonts-dev", DIGITS, partial(in_fonts, "0123456789" * 2), 0.99)
    for kind in WANTED:
        goal = 0.99 if kind in SUREST else 0.98
        yield Set(kind, STAGED, partial(drawn, partial(_scenes, kind), SCENES, seeds), goal)
        for name, (like, _) in vectors.KINDS.items():
            if like == kind:
                made = partial(drawn, partial(vectors.scenes, name), SCENES, seeds)
                yield Set(f"second generator: {name}", STAGED, made, 0.97 if like == EDGES else 0.98)
    paper = partial(drawn, partial(_scenes, "plain paper"), SOME, seeds)
    for kind in CHANGES:
        yield Set(kind, CHANGED, partial(_changed, kind, paper), 0.98)
    for kind in KINDS:
        yield Set(kind, CORRUPTED, partial(_corrupted, kind, seeds[0]), 0.85)
    for name, make, refused in _REFUSED:
        yield Set(name, REFUSED, partial(drawn, make, NON_DIGITS, seeds), refused)
    if fonts_folder():
        yield Set("letters of fonts", REFUSED, partial(in_fonts, "".join(PLAIN)), 0.8)
    for kind in SPOILED:
        yield Set(kind, REFUSED, partial(drawn, partial(_scenes, kind), SCENES, seeds), 0.98)


def _data_sets() -> Iterator[Set]:
    """Yield the sets of digits in the folder that DIGITREC_DATA names."""
    for name, (files, samples, goal) in SOURCES.items():
        there = [path for file in files if (path := in_data(file)) and path.exists()]
        if there:
            yield Set(name, DIGITS, samples or partial(read_samples, there[0]), goal)


def measured(reader: Reader, one: Set, limit: int | None = None) -> Measured:
    """Measure an engine on a set, on at most `limit` of its pictures."""
    return Measured(one.group, measure(one.samples(limit), reader, one.name), one.goal)


def drawn(make: Make, count: int, seeds: Sequence[int], limit: int | None) -> list[Sample]:
    """Draw `count` pictures, equally many from each seed, and return at most `limit`.

    The group of a sample is its seed.
    """
    each = None if limit is None else -(-limit // len(seeds))
    parts = ((seed, islice(make(count // len(seeds), seed), each)) for seed in seeds)
    samples = (replace(one, group=str(seed)) for seed, part in parts for one in part)
    return list(islice(samples, limit))


def _corrupted(kind: str, seed: int, limit: int | None) -> list[Sample]:
    test = mnist_test()[slice(limit)]
    return _samples(list(corrupt(test.images, kind, seed)), test.labels)


def _changed(kind: str, paper: Samples, limit: int | None) -> list[Sample]:
    """Return pictures of plain paper, and of each set of digits in pictures that is here, after a change.

    They show the same digit after it, so the answer should stay the same.
    """
    sources = [paper, *(one.samples for one in _data_sets() if one.name in CHANGED_SETS)]
    some = SOME if limit is None else -(-limit // len(sources))
    samples = [sample for source in sources for sample in source(some)][:limit]
    pictures = (DigitImage.open(sample.image).picture for sample in samples)
    return [
        Sample(np.asarray(CHANGES[kind](picture)), sample.label)
        for picture, sample in zip(pictures, samples, strict=True)
    ]


def _scenes(kind: str, count: int, seed: int) -> Iterator[Sample]:
    made = scenes(kind, Writer(mnist_test()), count, seed)
    return (Sample(one.pixels, one.label) for one in made)


def _reduced_pages(count: int, seed: int) -> Iterator[Sample]:
    """Yield empty cells, as users may send them who prepare their pictures themselves."""
    for page in pages(count, seed):
        small = ImageOps.fit(Image.fromarray(page.pixels), (28, 28), Image.Resampling.BOX)
        yield Sample(np.asarray(small), None)


def _no_digit(
    make: Callable[[int, int], Iterator[NonDigit]], fits: Callable[[NonDigit], bool], count: int, seed: int
) -> Iterator[Sample]:
    """Yield those of a number of generated pictures that fit."""
    return (Sample(one.pixels, None) for one in make(count, seed) if fits(one))


def _any(_: NonDigit) -> bool:
    return True


_REFUSED: Sequence[tuple[str, Make, float | None]] = (
    ("blank or textured pages", partial(_no_digit, pages, _any), 0.98),
    ("the same, reduced to 28x28", _reduced_pages, None),
    (f"two digits, {SEPARATE} of a width apart or more",
     partial(_no_digit, pairs, lambda one: (one.gap or 0.0) >= SEPARATE), 0.95),
    ("two digits, nearer", partial(_no_digit, pairs, lambda one: (one.gap or 0.0) < SEPARATE), 0.85),
    ("two digits that touch", partial(_no_digit, pairs, lambda one: one.gap == 0), 0.85),
    ("two digits squeezed into 28x28", partial(_no_digit, squeezed, _any), 0.95),
    ("noise of 28x28", partial(_no_digit, noise, _any), 0.99),
    ("letters", partial(_no_digit, scribbles, lambda one: one.kind == "letter"), 0.8),
    ("letters like digits",
     partial(_no_digit, scribbles, lambda one: one.kind == "letter like a digit"), None),
    ("scribbles", partial(_no_digit, scribbles, lambda one: one.kind == "scribble"), 0.93),
)  # fmt: skip
"""Generated pictures without a single digit: their name, maker and goal."""


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
