"""The digits of writers whom nobody learned from, as pictures to be measured on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitrec.datasets import world
from digitrec.datasets.loader import Sample
from digitrec.handwriting import strokes
from digitrec.handwriting.pen import Path

_SIDE = 112  # of the pictures in which the pen's paths are drawn
_SEED = 2026


def swiss_dev(limit: int | None = None) -> list[Sample]:
    """The scanned digits of the writers held back, at most so many.

    Raises:
        DataError: they are not there, or damaged.
    """
    scans = world.swiss("held back")
    return _samples(scans.images[:limit], scans.labels)


def turkish_dev(limit: int | None = None) -> list[Sample]:
    """The paths of the writers held back, at most so many, each drawn once with a pen of its own.

    Raises:
        DataError: they cannot be had, or are damaged.
    """
    paths = world.turkish("held back")
    images = [
        drawn(one, np.random.default_rng((_SEED, place))) for place, one in enumerate(paths.strokes[:limit])
    ]
    return _samples(images, paths.labels)


def drawn(digit: Sequence[Path], rng: np.random.Generator) -> NDArray[np.uint8]:
    """One digit drawn along its strokes with any pen: (112, 112), uint8, ink high."""
    return strokes.put(digit, strokes.any_pen(rng), rng, _SIDE)


def _samples(images: Sequence[Any] | NDArray[np.uint8], labels: NDArray[np.uint8]) -> list[Sample]:
    return [Sample(image, label) for image, label in zip(images, labels.tolist(), strict=False)]
