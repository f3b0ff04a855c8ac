"""Digits whose strokes are known as the path of a pen, drawn again with another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitrec.datasets.loader import Sample
from digitrec.datasets.pendigits import Stroke
from digitrec.datasets.world import samples, turkish
from digitrec.handwriting import strokes

_SIDE = 112  # of the pictures in which paths are drawn
_SEED = 2026


def turkish_dev(limit: int | None = None) -> list[Sample]:
    """The paths of the writers held back, at most so many, each drawn once with a pen of its own."""
    paths = turkish("held back")
    images = [
        drawn(one, np.random.default_rng((_SEED, place))) for place, one in enumerate(paths.strokes[:limit])
    ]
    return samples(images, paths.labels)


def drawn(digit: Sequence[Stroke], rng: np.random.Generator) -> NDArray[np.uint8]:
    """One digit drawn along its strokes with any pen: (112, 112), uint8, ink high."""
    return strokes.put(digit, strokes.any_pen(rng), rng, _SIDE)
