"""Helpers that find ink on drawn pixels, and the scenes that `digitrec evaluate` measures."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.image.pixels import Pixels
from digitrec.lab.evaluation.accuracy import SEED
from digitrec.lab.handwriting.scenes import Scene, scene
from digitrec.lab.handwriting.writer import Writer
from digitrec.prepare.found import Ink
from digitrec.prepare.ink import find_ink

Line = Sequence[tuple[float, float]]


def arc(x: float, bow: float, top: float, bottom: float) -> Line:
    """Return a line from top to bottom whose middle is `bow` to the right of its ends."""
    return [(x + bow * np.sin(np.pi * part), top + part * (bottom - top)) for part in np.linspace(0, 1, 20)]


def look(pixels: Pixels) -> Ink:
    """Return what `find_ink` finds on the pixels."""
    return find_ink(Image.fromarray(pixels))


def staged(kind: str, place: int) -> Scene:
    """Return the scene of a kind at an index; `scenes` makes all earlier ones first."""
    return scene(kind, Writer(mnist_test()), np.random.default_rng((SEED, place, *kind.encode())))
