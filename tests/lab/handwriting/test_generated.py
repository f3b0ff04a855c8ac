"""All generators: the seed decides their pictures, which equal those measured and learned."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting import corruptions, nondigits, scenes, strokes, synthetic, things
from digitrec.lab.handwriting.augment import Augmentation, augment
from digitrec.lab.handwriting.holding import hand
from digitrec.lab.handwriting.nondigits import any_kind
from digitrec.lab.handwriting.synthetic import DAMAGES, Damage, damage
from digitrec.lab.handwriting.writer import Writer, enlarge, fonts_to_learn

DIGITS = mnist_test().images[:64]
WRITER = Writer(mnist_test()[:200], fonts_to_learn())
PAPER = np.full((200, 260, 3), 220, np.uint8)
NOTHING = Augmentation(**{limit.name: 0.0 for limit in fields(Augmentation)})
Pictures = Iterable[np.ndarray]
Generator = Callable[[], Pictures]


def seeded(draw: Callable[[np.random.Generator], Any], count: int = 40) -> Generator:
    return lambda: map(draw, map(np.random.default_rng, range(count)))


def augmented(limits: Augmentation) -> Generator:
    return lambda: [augment(DIGITS, np.random.default_rng(0), limits)]


def pixels(make: Callable[..., Iterable[Any]], *given: Any) -> Generator:
    return lambda: [one.pixels for one in make(*given)]


def corrupted(kind: str) -> Generator:
    return lambda: [corruptions.corrupt(DIGITS, kind, 1)]


def damaged(kind: Damage) -> Generator:
    inks = DIGITS[:40] / np.float32(255)
    return lambda: [255 * kind(ink, np.random.default_rng(place)) for place, ink in enumerate(inks)]


GENERATORS: dict[str, Generator] = {
    **{kind: pixels(scenes.scenes, kind, WRITER, 3, 2026) for kind in scenes.KINDS},
    **{kind: corrupted(kind) for kind in corruptions.KINDS},
    **{make: pixels(getattr(nondigits, make), 8, 2026)
       for make in ("pages", "pairs", "scribbles", "squeezed", "noise")},
    **{kind.__name__: damaged(kind) for kind in DAMAGES},
    **{f"more {limit.name}": augmented(replace(NOTHING, **{limit.name: max(limit.default, 0.3)}))
       for limit in fields(Augmentation)},
    "no limit": augmented(NOTHING), "every limit": augmented(Augmentation()),
    "gentler": augmented(Augmentation().gentler(0.5)),
    "damaged": lambda: map(damage, DIGITS, map(np.random.default_rng, range(64))),
    "made": lambda: synthetic.make(WRITER, 30, 1).images,
    "staged": lambda: synthetic.staged(replace(WRITER, varied=0.3), 8, 1).images,
    "no digit": seeded(lambda rng: any_kind(WRITER, rng)),
    **{draw.__name__: seeded(lambda rng, draw=draw: things.beside(draw, PAPER, (100, 60, 150, 140), rng))
       for draw in (things.stick, hand)},
    "drawn digits": seeded(lambda rng: strokes.draw(int(rng.integers(10)), rng)),
}  # fmt: skip
FIGURES: dict[str, tuple[float, float]] = {
    "plain paper": (153.7, 158.4), "card on a dark table": (94.1, -16.9),
    "blurred by 2 to 6 %": (178.3, 177.8), "bracket beside it": (209.2, 119.0),
    "pen beside it": (127.9, 42.6), "finger beside it": (143.5, 141.1), "seven segments": (108.7, -21.4),
    "underlined": (199.6, 80.6), "in a box": (120.0, 186.2), "in a ring": (168.3, 118.7),
    "edge of a shadow": (105.0, 93.4), "ruled paper": (134.2, 131.6), "chalk on a board": (39.4, 64.9),
    "cropped to the digit": (169.9, -136.9), "bars along the edges": (157.6, -71.2),
    "stretched to a square": (132.3, 322.4), "crossed out": (220.0, 185.2),
    "half outside the picture": (120.7, 33.9), "printed signs": (212.3, 222.7),
    "a printed sign beside a digit": (165.6, 159.2), "shot noise": (24.1, 44.8),
    "impulse noise": (45.3, 33.0), "glass blur": (29.2, 51.7), "motion blur": (29.2, 25.6),
    "shear": (31.7, 64.5), "scale": (14.3, 35.6), "rotate": (29.3, 60.2), "brightness": (145.9, 48.0),
    "translate": (29.1, 31.7), "stripe": (152.1, 266.7), "fog": (102.6, -19.5), "spatter": (33.0, 50.0),
    "dotted line": (35.9, 11.9), "zigzag": (40.2, 76.6), "canny edges": (27.3, -89.2), "pages": (120.5, 95.6),
    "pairs": (201.4, 36.9), "scribbles": (145.7, 195.5), "squeezed": (32.3, -57.0), "noise": (133.2, -133.6),
    "_band": (132.3, 36.2), "_haze": (82.7, 59.0), "_hollow": (25.3, -5.9), "_crossed": (36.6, 37.5),
    "_specks": (36.7, -86.4), "_spots": (39.2, -10.1), "more rotation": (29.7, -1.2),
    "more shear": (29.7, 24.6), "more zoom": (31.7, -4.6), "more stretch": (29.6, 22.3),
    "more boxed": (31.7, 56.7), "more shift": (29.7, 15.8), "more elastic": (29.5, 33.4),
    "more thinner": (24.4, 68.4), "more thicker": (41.5, 37.2), "more coarse": (29.2, 50.5),
    "more blur": (29.4, 60.3), "more hard": (30.0, 70.1), "more lines": (30.3, 61.3),
    "more noise": (31.6, 71.6), "more clean": (29.5, 63.9), "no limit": (29.6, 64.8),
    "every limit": (37.3, 95.2), "gentler": (32.7, 72.7), "damaged": (110.5, -38.4), "made": (32.9, -126.8),
    "staged": (33.6, 36.8), "no digit": (23.5, -6.0), "drawn digits": (21.2, -24.3), "stick": (214.1, -36.7),
    "hand": (207.8, 12.0),
}  # fmt: skip
"""Mean level, and product with fixed noise, which any change of a picture changes."""


def figures(pictures: Pictures) -> tuple[float, float]:
    levels = np.concatenate([np.asarray(picture, float).ravel() for picture in pictures])
    noise = np.random.default_rng(0).standard_normal(levels.size)
    return float(levels.mean()), float(noise @ levels / levels.size**0.5)


@pytest.mark.parametrize("name", GENERATORS)
def test_pictures_are_those_that_were_measured_or_learned_from(name: str) -> None:
    """docs/accuracy.md and the weights hold for these pictures only; a few are prepared like a user's."""
    before = DIGITS.copy()
    assert figures(GENERATORS[name]()) == pytest.approx(FIGURES[name], abs=0.4)
    assert np.array_equal(DIGITS, before)


@pytest.mark.parametrize("side", [28, 40, 56, 112])
def test_an_enlarged_digit_has_no_ink_on_its_paper(side: int) -> None:
    large = enlarge(DIGITS[0], side)
    assert large[0, 0] == 0 and large.max() == 255
