"""Single marks for scenes: digits in many hands, letters, signs and scrawls, cut out as ink."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from digitrec.lab.datasets.world import People
from digitrec.lab.handwriting import printed, strokes
from digitrec.lab.handwriting.redraw import enlarge, rewrite, sized, without_paper
from digitrec.lab.handwriting.shapes import PLAIN, SIGNS

Pixels = NDArray[np.uint8]
SIDE = 96
"""Longer side of a mark, in pixels."""
TALL = 112
"""Side of the picture on which a mark is written, in pixels."""
_SHAPES = (*PLAIN.values(), *SIGNS.values())
"""Letters and signs that resemble no digit: only the words around the others tell them from digits."""
_PRINTED = "abdefhkmnprtuwxyACEFHKLMNPRTUVWX&%#@?€+=(){}[]<>*"
"""Characters of fonts that resemble no digit."""


def digits(hands: People, count: int, seed: int) -> Iterator[Pixels]:
    """Yield ``count`` digits as ink, 0..255, their longer side `SIDE` pixels."""
    rng = np.random.default_rng((seed, 0))
    sources: tuple[tuple[float, Callable[[People, np.random.Generator], Pixels]], ...] = (
        (0.25, _own), (0.2, _turkish), (0.15, _redrawn), (0.1, _mnist), (0.2, _swiss), (0.1, _printed),
    )  # fmt: skip
    shares = np.array([share for share, _ in sources])
    for kind in rng.choice(len(sources), count, p=shares):
        yield sized(sources[kind][1](hands, rng), SIDE)


def others(count: int, seed: int) -> Iterator[Pixels]:
    """Yield ``count`` letters, signs and scrawls as ink, 0..255, their longer side `SIDE` pixels."""
    rng = np.random.default_rng((seed, 1))
    fonts = printed.fonts_to_learn()
    for _ in range(count):
        drawn = rng.random()
        if drawn < 0.45:
            mark = strokes.write([_SHAPES[rng.integers(len(_SHAPES))]], rng, TALL)
        elif drawn < 0.65:
            mark = printed.write(_any(_PRINTED, rng), _any(fonts, rng), SIDE)
        else:
            paths = _bracket(rng) if drawn < 0.75 else _scrawl(rng)
            mark = strokes.put(paths, strokes.any_pen(rng), rng, TALL)
        yield sized(mark, SIDE)


def _any(among: Sequence[str], rng: np.random.Generator) -> str:
    return among[int(rng.integers(len(among)))]


def _own(_: People, rng: np.random.Generator) -> Pixels:
    return strokes.draw(int(rng.integers(10)), rng)


def _turkish(hands: People, rng: np.random.Generator) -> Pixels:
    paths = hands.turkish.strokes[int(rng.integers(len(hands.turkish.labels)))]
    return strokes.put(strokes.by_another_hand(paths, rng), strokes.any_pen(rng), rng, TALL)


def _redrawn(hands: People, rng: np.random.Generator) -> Pixels:
    return rewrite(hands.mnist.images[rng.integers(len(hands.mnist))], strokes.any_pen(rng), TALL, rng)


def _mnist(hands: People, rng: np.random.Generator) -> Pixels:
    return enlarge(hands.mnist.images[rng.integers(len(hands.mnist))], TALL)


def _swiss(hands: People, rng: np.random.Generator) -> Pixels:
    return without_paper(hands.swiss.images[rng.integers(len(hands.swiss))], 0.7)


def _printed(_: People, rng: np.random.Generator) -> Pixels:
    return printed.write(str(rng.integers(10)), _any(printed.fonts_to_learn(), rng), SIDE)


def _bracket(rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Return the path of a bracket, stroke, tick or dash, 100 units high."""
    bend, y = rng.uniform(0.05, 0.35), np.linspace(0, 1, 9)
    kinds = (
        np.stack([4 * bend * y * (1 - y), y], 1),
        np.array([[bend, 0.0], [0, 0], [0, 0.5], [0, 1], [bend, 1]]),
        np.array([[0, 0.0], [rng.uniform(-0.4, 0.4), 1]]),
        np.array([[0, 0.6], [0.25, 1.0], [0.8, 0.0]]),
        np.array([[0, 0.0], [1.0, rng.uniform(-0.1, 0.1)]]),
    )
    path = kinds[rng.integers(len(kinds))] * (1.0 if rng.random() < 0.5 else -1.0, 1.0)
    return [strokes.smooth(path + rng.normal(0, 0.01, path.shape)) * 100]


def _scrawl(rng: np.random.Generator) -> list[NDArray[np.float64]]:
    count = int(rng.integers(4, 16))
    stretch = (rng.uniform(0.5, 3), 1.0)
    walks = rng.random() < 0.5
    points = np.cumsum(rng.normal(0, 1, (count, 2)), 0) if walks else rng.uniform(0, 4, (count, 2))
    return [strokes.smooth(points) * stretch * 20]
