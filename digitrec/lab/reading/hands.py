"""Hands that write numbers: each has several versions of each digit, drawn with one pen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from digitrec.image.pixels import Pixels
from digitrec.lab.datasets.world import People
from digitrec.lab.handwriting import strokes
from digitrec.lab.handwriting.writer import enlarge, font_to_learn, in_font, rewrite, sized, without_paper

SIDE = 64
"""Longer side of a digit's ink, px."""
EACH = 4
"""Versions of each digit in a hand."""
LETTER_KINDS = (0.5, 0.35, 0.15)
"""Shares of hands that write letters by hand, in print, or scrawls, as examples of non-numbers."""
UNLIKE = "0123456"
"""Digits whose place in such a hand is taken by shapes unlike any digit."""
_LIKE_DIGITS = "oOlIiSBZ|"
_PRINTED = "aAcCdDeEfFGhHjJkKLmMnNpPrRtTuUvVwWxXyYsbgzq&?%#@=+€$"
_DRAWN = 96  # side of the square that a digit is drawn in, px


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """One way to write the ten digits."""

    inks: tuple[tuple[Pixels, ...], ...]
    """The versions of each digit: ink high, cropped, the longer side `SIDE` pixels."""
    breadth: float
    """Breadth of the pen as a share of a digit's height."""

    def ink(self, digit: int, rng: np.random.Generator) -> Pixels:
        """Return one of the digit's versions."""
        return strokes.one_of(rng, self.inks[digit])


Kinds = dict[Callable[[People, np.random.Generator], Hand], float]
"""Kinds of hands, and the share of each."""


def letter_hands(count: int, seed: int) -> Iterator[Hand]:
    """Yield `count` hands that write letters, signs or scrawls in place of the digits.

    In the places after `UNLIKE` they write letters that look like digits; only the letters beside them show
    what they are.
    """
    rng = np.random.default_rng((seed, 3))
    for kind in rng.choice(3, count, p=LETTER_KINDS):
        yield (_letters, _printed_letters, _scrawls)[kind](rng)


def _letters(rng: np.random.Generator) -> Hand:
    pen = _pen(rng)
    alike = list(strokes.RESEMBLING.values())
    chosen = [strokes.TO_LEARN[at] for at in rng.integers(len(strokes.TO_LEARN), size=len(UNLIKE))]
    chosen += [alike[at] for at in rng.integers(len(alike), size=10 - len(UNLIKE))]
    return _hand(lambda place: strokes.put(strokes.by_hand(chosen[place], rng), pen, rng, _DRAWN), pen.width)


def _printed_letters(rng: np.random.Generator) -> Hand:
    font = font_to_learn(rng)
    letters = [*rng.choice(list(_PRINTED), len(UNLIKE)), *rng.choice(list(_LIKE_DIGITS), 10 - len(UNLIKE))]
    return _hand(lambda place: in_font(str(letters[place]), font, SIDE), 0.1, each=1)


def _scrawls(rng: np.random.Generator) -> Hand:
    """Return ten loops and bends, as in signatures."""
    pen = _pen(rng)

    def write(_: int) -> Pixels:
        points = np.cumsum(rng.normal((12, 0), (10, 40), (int(rng.integers(4, 9)), 2)), axis=0)
        return strokes.put([strokes.smooth(points)], pen, rng, _DRAWN)

    return _hand(write, pen.width, each=2)


def _hand(write: Callable[[int], Pixels], breadth: float, each: int = EACH) -> Hand:
    inks = (tuple(sized(write(digit), SIDE, 2) for _ in range(each)) for digit in range(10))
    return Hand(tuple(inks), breadth)


def _pen(rng: np.random.Generator) -> strokes.Pen:
    return strokes.any_pen(rng, strokes.log_uniform(rng, 0.015, 0.13))


def _drawn(_: People, rng: np.random.Generator) -> Hand:
    """Return a synthetic hand with one or two shapes for each digit, with random variation."""
    pen, lean = _pen(rng), rng.normal(0, 0.15)
    chosen = []
    for digit, common in enumerate(strokes.DIGITS):
        shapes = (*common, *strokes.RARE.get(str(digit), ()))
        weights = np.array([shape.weight for shape in shapes])
        chosen.append([shapes[at] for at in rng.choice(len(shapes), 2, p=weights / weights.sum())])
    second = rng.random() * 0.3

    def write(digit: int) -> Pixels:
        shape = chosen[digit][int(rng.random() < second)]
        paths = [path @ np.array([[1, 0], [-lean, 1]]) for path in strokes.by_hand(shape, rng)]
        return strokes.put(paths, pen, rng, _DRAWN)

    return _hand(write, pen.width)


def _turkish(people: People, rng: np.random.Generator) -> Hand:
    """Return a recorded writer's hand, redrawn with any pen."""
    pen, writer = _pen(rng), rng.choice(people.turkish.writers)
    own = people.turkish.writers == writer

    def write(digit: int) -> Pixels:
        paths = people.turkish.strokes[rng.choice(np.flatnonzero(own & (people.turkish.labels == digit)))]
        return strokes.put(strokes.by_another_hand(paths, rng), pen, rng, _DRAWN)

    return _hand(write, pen.width)


def _swiss(people: People, rng: np.random.Generator) -> Hand:
    """Return a scanned writer's hand, the paper's tone removed."""
    own = people.swiss.writers == rng.choice(people.swiss.writers)

    def write(digit: int) -> Pixels:
        found = np.flatnonzero(own & (people.swiss.labels == digit))
        return without_paper(people.swiss.images[rng.choice(found)], 0.6)

    return _hand(write, 0.08, 12)


def _redrawn(people: People, rng: np.random.Generator) -> Hand:
    """Return digits of MNIST, each along its middle line with one pen."""
    pen = _pen(rng)
    return _hand(lambda digit: rewrite(_of_mnist(people, digit, rng), pen, _DRAWN, rng), pen.width, each=2)


def _mnist(people: People, rng: np.random.Generator) -> Hand:
    return _hand(lambda digit: enlarge(_of_mnist(people, digit, rng), _DRAWN), 0.12)


def _of_mnist(people: People, digit: int, rng: np.random.Generator) -> Pixels:
    return np.asarray(people.mnist.images[rng.choice(np.flatnonzero(people.mnist.labels == digit))])


def _font(_: People, rng: np.random.Generator) -> Hand:
    font = font_to_learn(rng)
    return _hand(lambda digit: in_font(str(digit), font, SIDE), 0.1, each=1)


KINDS: Kinds = {_drawn: 0.34, _turkish: 0.22, _swiss: 0.12, _redrawn: 0.16, _mnist: 0.08, _font: 0.08}
"""The kinds of hands in training."""
OF_PEOPLE: Kinds = {_turkish: 0.4, _swiss: 0.3, _redrawn: 0.2, _mnist: 0.1}
"""Shares without synthetic shapes and fonts, for measuring on people's digits only."""


def hands(people: People, count: int, seed: int, kinds: Kinds = KINDS) -> Iterator[Hand]:
    """Yield `count` hands of these kinds."""
    rng = np.random.default_rng((seed, 2))
    makers = list(kinds)
    for number in rng.choice(len(makers), count, p=list(kinds.values())):
        yield makers[number](people, rng)
