"""Pictures of writing by people who are not in the training data, for measuring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.comparison.datasets.loader import Sample, sampled
from digitrec.lab.datasets import fonts, world
from digitrec.lab.handwriting import printed, strokes
from digitrec.lab.handwriting.pen import Path
from digitrec.lab.handwriting.photo import perhaps_on_paper
from digitrec.lab.handwriting.shapes import PLAIN

_SIDE = 112  # of the pictures in which the pen's paths are drawn
_SEED = 2026


def swiss_dev(limit: int | None = None) -> list[Sample]:
    """Return at most `limit` scanned digits of the held-out writers.

    Raises:
        DataError: they are not there, or damaged.
    """
    scans = world.swiss("held back")
    return _samples(scans.images[:limit], scans.labels)


def swiss_cells_dev(limit: int | None = None) -> list[Sample]:
    """Return at most `limit` of the same scans at their own size, all digits in proportion.

    Raises:
        DataError: they are not there.
    """
    cells = world.swiss_cells()
    chosen = sampled([label for _, label in cells], limit).tolist()
    return [Sample(*cells[place]) for place in chosen]


def turkish_dev(limit: int | None = None) -> list[Sample]:
    """Return at most `limit` digits of the held-out writers, each drawn once with a pen of its own.

    Raises:
        DataError: they are unavailable, or are damaged.
    """
    paths = world.turkish("held back")
    images = [
        drawn(one, np.random.default_rng((_SEED, place))) for place, one in enumerate(paths.strokes[:limit])
    ]
    return _samples(images, paths.labels)


def fonts_dev(limit: int | None = None) -> list[Sample]:
    """Return at most `limit` digits of the held-out fonts, each drawn twice.

    Raises:
        DataError: the fonts are unavailable, or their checksums differ.
    """
    return [Sample(image, int(digit)) for digit, image in _in_fonts("0123456789" * 2, limit)]


def letters_dev(limit: int | None = None) -> list[Sample]:
    """Return at most `limit` letters and signs unlike digits, in the held-out fonts.

    Raises:
        DataError: as `fonts_dev`.
    """
    return [Sample(image, None) for _, image in _in_fonts("".join(PLAIN), limit)]


def _in_fonts(characters: str, limit: int | None) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield the characters in each held-out font, as printed or by another pen, half of them photographed."""
    files = fonts.fonts("hand", "held back") + fonts.fonts("print", "held back")
    each = [(character, file) for character in characters for file in files]
    for place in sampled([ord(character) for character, _ in each], limit).tolist():
        (character, file), rng = each[place], np.random.default_rng((_SEED, place))
        ink = printed.redrawn(character, file, rng)
        yield character, perhaps_on_paper(ink, rng)


def drawn(digit: Sequence[Path], rng: np.random.Generator) -> NDArray[np.uint8]:
    """One digit drawn along its strokes with any pen: (112, 112), uint8, ink high."""
    return strokes.put(digit, strokes.any_pen(rng), rng, _SIDE)


def _samples(images: Sequence[Any] | NDArray[np.uint8], labels: NDArray[np.uint8]) -> list[Sample]:
    return [Sample(image, label) for image, label in zip(images, labels.tolist(), strict=False)]
